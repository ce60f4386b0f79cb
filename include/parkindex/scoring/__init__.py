"""The index engine in NumPy: ``from parkindex.scoring import …``.

Any data in the field's customary pair of files (units × indicators; indicators with parents and weights) and one
method, step by step. Sizes: n units, m indicators, k aggregates, d draws; missing is NaN everywhere::

    from parkindex.scoring import load_method, read_data, read_meta, run, write

    framework = read_meta(Path("meta.csv"))
    dataset = read_data(Path("data.csv"), framework)
    index = run(dataset, framework, load_method(Path("method.yaml")))
    index.scores, index.ranks  # (n, m + k), columns as in framework.codes
    write(index, Path("results"))

The steps have the words of the method file and can be called alone, on arrays: :func:`denominate`, :func:`impute`,
:func:`screen`, :func:`treat`, :func:`normalise`, :func:`aggregate`, :func:`ranks`, and :func:`simulate` for
``robustness``. ``docs/method/engine.md`` has their formulas and sources: OECD/JRC, Handbook on Constructing Composite
Indicators (2008), and COINr (Becker et al. 2022, J. Open Source Softw. 7(78), 4567).

An edition of the park ranking is scored by :func:`parkindex.scoring.edition.score` (``docs/method/scores.md``), which
is the second entry of the double entry and shares no arithmetic with the warehouse.
"""

from parkindex.scoring.aggregate import aggregate, effective_weights, rules_per_level, weights_of
from parkindex.scoring.data import Dataset, Framework, Node, read_data, read_meta, read_weight_sets
from parkindex.scoring.engine import Index, run
from parkindex.scoring.method import Aggregate, Impute, Method, Normalise, Rank, Robustness, Screen, Treat
from parkindex.scoring.method import load as load_method
from parkindex.scoring.method import parse as parse_method
from parkindex.scoring.normalise import normalise
from parkindex.scoring.output import write
from parkindex.scoring.prepare import denominate, impute, screen
from parkindex.scoring.ranks import half_up, ranks
from parkindex.scoring.robustness import RankSpread, simulate
from parkindex.scoring.treat import Treatment, treat

__all__ = [
    "Aggregate",
    "Dataset",
    "Framework",
    "Impute",
    "Index",
    "Method",
    "Node",
    "Normalise",
    "Rank",
    "RankSpread",
    "Robustness",
    "Screen",
    "Treat",
    "Treatment",
    "aggregate",
    "denominate",
    "effective_weights",
    "half_up",
    "impute",
    "load_method",
    "normalise",
    "parse_method",
    "ranks",
    "read_data",
    "read_meta",
    "read_weight_sets",
    "rules_per_level",
    "run",
    "screen",
    "simulate",
    "treat",
    "weights_of",
    "write",
]
