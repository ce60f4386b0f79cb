"""Policy as data: what an edition's text leaves open, as a dated, hashed, validated input."""

from parkindex.methodology.edition import Methodology, editions, load
from parkindex.methodology.store import store

__all__ = ["Methodology", "editions", "load", "store"]
