"""Policy as data: what an edition's text leaves open, as a dated, hashed, validated input."""

from parkindex.methodology.compare import Difference, differences
from parkindex.methodology.edition import Methodology, editions, load
from parkindex.methodology.signoffs import Signoff, freeze, require_new_version, signoffs, state
from parkindex.methodology.start import start
from parkindex.methodology.store import store

__all__ = [
    "Difference",
    "Methodology",
    "Signoff",
    "differences",
    "editions",
    "freeze",
    "load",
    "require_new_version",
    "signoffs",
    "start",
    "state",
    "store",
]
