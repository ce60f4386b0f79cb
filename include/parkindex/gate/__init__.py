"""The gate: what must hold before anything is promoted or published, and the record that it was looked at.

Suites are written in ``expectations/``; those of the raw tables are derived from contracts. Great Expectations
evaluates them, this package makes sure that a pass is never vacuous, and writes the verdict into ``audit``.
"""

from parkindex.gate.consequences import against_release_id
from parkindex.gate.run import evaluate, evaluate_waivable, run
from parkindex.gate.subjects import CandidateSubject, MartsSubject, ReleaseSubject, Subject
from parkindex.gate.verdict import Evaluation, Result, Verdict
from parkindex.gate.waivers import key_label

__all__ = [
    "CandidateSubject",
    "Evaluation",
    "MartsSubject",
    "ReleaseSubject",
    "Result",
    "Subject",
    "Verdict",
    "against_release_id",
    "evaluate",
    "evaluate_waivable",
    "key_label",
    "run",
]
