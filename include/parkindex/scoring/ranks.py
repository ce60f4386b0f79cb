"""Rounding and ranking, as people do them on paper, on arrays of floating-point numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ties = Literal["min", "max", "average", "dense"]

# A sum of products that is 62.505 on paper may come out as 62.504999999999995. What is nearer than 5e-11 of the last
# kept digit to a half is that half.
_SETTLED_DIGITS = 10


def half_up(values: Floats, decimals: int) -> Floats:
    """Round half away from zero, as Postgres rounds ``numeric`` and people round on paper.

    Binary noise is removed first: values are settled to ``decimals + 10`` digits. NumPy's own ``round`` goes to the
    even digit and would rank 62.505 and 62.515 differently.

    Args:
        values: Any shape; NaN and infinities stay.
        decimals: Digits after the point to keep, 0 or more.

    Returns:
        An array of the same shape.
    """
    scale = 10.0**decimals
    settled = np.round(np.abs(values) * scale, _SETTLED_DIGITS)
    rounded: Floats = np.copysign(np.floor(settled + 0.5) / scale, values)
    # -0.0 is printed with its sign; there is only one zero in a ranking.
    return rounded + 0.0


def ranks(values: Floats, *, ties: Ties = "min", descending: bool = True) -> Floats:
    """Rank along the last axis, first = 1; a missing value has no rank and takes no place.

    Args:
        values: ``(..., n)``; NaN is missing.
        ties: What equal values share: the lowest place (1 2 2 4), the highest (1 3 3 4), the mean of the two, or the
            next place without a gap afterwards (1 2 2 3).
        descending: The largest value is first.

    Returns:
        ``(..., n)`` ranks as floats, NaN where the value is.
    """
    keys = -values if descending else values
    order = np.argsort(keys, axis=-1, kind="stable")  # NaN goes last
    sorted_keys = np.take_along_axis(keys, order, axis=-1)
    places = np.broadcast_to(np.arange(1, values.shape[-1] + 1, dtype=np.float64), values.shape)
    starts = np.ones(values.shape, dtype=bool)
    starts[..., 1:] = sorted_keys[..., 1:] != sorted_keys[..., :-1]
    if ties == "dense":
        shared = np.cumsum(starts, axis=-1).astype(np.float64)
    else:
        first = np.maximum.accumulate(np.where(starts, places, 0.0), axis=-1)
        ends = np.ones(values.shape, dtype=bool)
        ends[..., :-1] = starts[..., 1:]
        last = np.minimum.accumulate(np.where(ends, places, np.inf)[..., ::-1], axis=-1)[..., ::-1]
        shared = {"min": first, "max": last, "average": (first + last) / 2}[ties]
    result = np.empty(values.shape, dtype=np.float64)
    np.put_along_axis(result, order, shared, axis=-1)
    result[np.isnan(values)] = np.nan
    return result


def settled(values: Floats) -> Floats:
    """Remove binary noise: round to twelve digits of the largest value.

    Two units with the same data get the same number on paper, whatever order a processor adds in; only what is left
    after this is compared.

    Args:
        values: Any shape; NaN is missing.
    """
    largest = np.max(np.abs(values), initial=0.0, where=~np.isnan(values))
    if not largest:
        return values
    rounded: Floats = np.round(values, 12 - int(np.ceil(np.log10(largest))))
    return rounded
