"""The steps before treatment: denominate, impute, screen. Shapes: n units × m indicators, NaN is missing.

OECD/JRC, Handbook on Constructing Composite Indicators (2008), steps 2 to 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parkindex.errors import BadInputError
from parkindex.scoring.data import Dataset, Framework
from parkindex.scoring.method import Impute, Screen
from parkindex.scoring.ranks import Floats

# A share that is the threshold on paper (27 of 30 at 0.9) must not fall below it by a bit.
SHARE_TOLERANCE = 1e-12


def denominate(dataset: Dataset, framework: Framework) -> Floats:
    """Divide every indicator that names a denominator by it.

    Returns:
        ``(n, m)``; missing where the value or the denominator is.

    Raises:
        BadInputError: A denominator is 0 where there is a value to divide.
    """
    values = dataset.values.copy()
    for column, node in enumerate(framework.indicators):
        if node.denominator is None:
            continue
        by = dataset.denominators[node.denominator]
        zero = np.flatnonzero((by == 0) & ~np.isnan(values[:, column]))
        if len(zero):
            raise BadInputError(
                f"The denominator of {node.code} is 0 for {dataset.units[zero[0]]} ({len(zero)} such).",
                where=f"{dataset.where}, column {node.denominator}",
                why="score.denominate.zero",
                next_step="leave the cell empty where the denominator is not known, or drop the unit",
            )
        values[:, column] = np.divide(values[:, column], by, out=np.full(len(by), np.nan), where=by != 0)
    return values


def impute(values: Floats, how: Impute, dataset: Dataset) -> Floats:
    """Fill missing values by a mean or median of the column, over all units or over the unit's group.

    What no other unit of the group has stays missing.

    Args:
        values: ``(n, m)``.
        how: Method and group column.
        dataset: Where the group column is.

    Raises:
        BadInputError: There is no such column, or a unit has no group.
    """
    if how.method == "none":
        return values
    groups = np.zeros(len(values), dtype=np.int64)
    if how.group is not None:
        if how.group not in dataset.texts:
            raise BadInputError(
                f"The group column `{how.group}` is missing.",
                where=dataset.where,
                why="score.impute.group",
                next_step="name a column of the data file that is neither indicator nor denominator",
            )
        labels = dataset.texts[how.group]
        if "" in labels:
            raise BadInputError(
                f"{dataset.units[labels.index('')]} has no group.",
                where=f"{dataset.where}, column {how.group}",
                why="score.impute.group",
                next_step="give every unit a group",
            )
        groups = np.unique(labels, return_inverse=True)[1]
    average = np.median if how.method.endswith("median") else np.mean
    filled = values.copy()
    for group in range(groups.max() + 1):
        rows = groups == group
        for column in range(values.shape[1]):
            known = values[rows, column]
            known = known[~np.isnan(known)]
            if len(known):
                filled[rows & np.isnan(values[:, column]), column] = average(known)
    return filled


def screen(values: Floats, rule: Screen) -> NDArray[np.bool_]:
    """Return which units stay.

    Args:
        values: ``(n, m)``.
        rule: A unit stays when its share of values present is at least ``min_availability`` and, among those present,
            its share of non-zero ones is at least ``min_nonzero``.

    Returns:
        ``(n,)``.
    """
    present = ~np.isnan(values)
    count = present.sum(axis=1)
    available = count / values.shape[1]
    # A unit without any value fails by availability; it has no zeros either.
    nonzero = (present & (values != 0)).sum(axis=1) / np.maximum(count, 1)
    stays: NDArray[np.bool_] = (available >= rule.min_availability - SHARE_TOLERANCE) & (
        (nonzero >= rule.min_nonzero - SHARE_TOLERANCE) | (count == 0)
    )
    return stays
