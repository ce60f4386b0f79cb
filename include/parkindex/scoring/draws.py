"""Random numbers that are the same on every machine and under every version."""

from __future__ import annotations

import numpy as np

from parkindex.scoring.ranks import Floats


def uniform(seed: int, shape: tuple[int, int]) -> Floats:
    """Draw numbers in [0, 1), row by row: the upper 53 bits of PCG64's raw output.

    NumPy guarantees the raw stream of a bit generator, not that of its distributions.
    """
    raw = np.random.PCG64(seed).random_raw(shape[0] * shape[1])
    return np.asarray(raw >> np.uint64(11), dtype=np.float64).reshape(shape) * 2.0**-53
