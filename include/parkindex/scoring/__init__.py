"""The index engine in NumPy.

:mod:`parkindex.scoring.edition` computes an edition's scores a second time, independently of dbt, and its rank
intervals. The other modules are the general engine behind ``parkindex score``: any data in the field's customary pair
of files (units × indicators, and a table of indicators with parents and weights), one method file, one CSV per step.
"""
