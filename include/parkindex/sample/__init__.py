"""The sample world: a synthetic zone, its feeds in the providers' formats, and the truth about it.

Nothing in it is real, and nothing of it is computed by the pipeline that it judges. ``write`` is the whole of it;
``python -m parkindex.sample.server`` answers as the provider of the patent events does.
"""

from __future__ import annotations

from parkindex.sample.sizes import SIZES
from parkindex.sample.writing import Summary, write

__all__ = ["SIZES", "Summary", "write"]
