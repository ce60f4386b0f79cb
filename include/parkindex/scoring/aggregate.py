"""Aggregation up a hierarchy, for one set of weights or for thousands at once.

OECD/JRC handbook (2008), step 6. Shapes: d sets of weights (draws) × n units × c children; NaN is missing. Missing
children leave their weight to the others; an aggregate with less than the least share of its weight present is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from parkindex.errors import BadInputError
from parkindex.scoring.data import Framework
from parkindex.scoring.method import Aggregate
from parkindex.scoring.prepare import SHARE_TOLERANCE
from parkindex.scoring.ranks import Floats, settled

# Means of positive numbers; a power mean with a positive exponent takes a 0 as well.
POSITIVE_METHODS = ("geometric", "harmonic", "power")
_CHUNK_CELLS = 4_000_000


def rules_per_level(framework: Framework, rules: Sequence[Aggregate], where: str) -> dict[int, Aggregate]:
    """Return the rule of every level that has an aggregate.

    Raises:
        BadInputError: There is a list of rules that is not as long as there are levels, or a level between has none.
    """
    levels = sorted({node.level for node in framework.aggregates})
    if len(rules) == 1:
        return dict.fromkeys(levels, rules[0])
    if levels != list(range(2, framework.top_level + 1)):
        raise BadInputError(
            f"No aggregate is on level {min(set(range(2, framework.top_level)) - set(levels))}, so a list of rules has "
            "no fixed meaning.",
            where=where,
            why="score.aggregate.levels",
            next_step="number the levels without a gap, or give one rule for all",
        )
    if len(rules) != len(levels):
        raise BadInputError(
            f"There are {len(rules)} aggregation rules for {len(levels)} levels (2 to {framework.top_level}).",
            where=where,
            why="score.aggregate.levels",
            next_step="give one rule, or one per level from level 2 up",
        )
    return dict(zip(levels, rules, strict=True))


def weights_of(framework: Framework, rules: dict[int, Aggregate]) -> Floats:
    """Return the nominal weight of every node inside its parent, ``(m + k,)``; 1 at the top where it is open.

    Raises:
        BadInputError: A weight is needed and not there, or the weights below an aggregate add up to 0.
    """
    level_of = {node.code: node.level for node in framework.nodes}
    weights = []
    for node in framework.nodes:
        rule = rules.get(level_of[node.parent]) if node.parent else None
        if rule is not None and rule.weights == "equal":
            weights.append(1.0)
        elif node.weight is not None:
            weights.append(node.weight)
        elif rule is None:
            weights.append(1.0)
        else:
            raise BadInputError(
                f"{node.code} has no weight.",
                where=f"{framework.where}, column Weight",
                why="score.meta.weight",
                next_step="give it one, or set `weights: equal`",
            )
    found = np.array(weights, dtype=np.float64)
    _refuse_no_weight(framework, found[None, :])
    return found


def _refuse_no_weight(framework: Framework, weights: Floats) -> None:
    """Refuse weights ``(d, m + k)`` that are all 0 below an aggregate."""
    for parent, children in framework.children.items():
        if not weights[:, list(children)].any(axis=1).all():
            raise BadInputError(
                f"The weights below {parent} add up to 0.",
                where=f"{framework.where}, column Weight",
                why="score.meta.weight",
                next_step="give one of its children a weight",
            )


def effective_weights(framework: Framework, weights: Floats) -> Floats:
    """Return what every node weighs in its top: the product of its shares on the way up, 1 at the top, ``(m + k,)``."""
    place = {code: column for column, code in enumerate(framework.codes)}
    effective = np.ones(len(framework.codes))
    for parent in reversed(framework.aggregates):
        children = list(framework.children[parent.code])
        effective[children] = effective[place[parent.code]] * weights[children] / weights[children].sum()
    return effective


def aggregate(
    framework: Framework,
    normalised: Floats,
    weights: Floats,
    rules: dict[int, Aggregate],
    units: tuple[str, ...],
) -> list[Floats]:
    """Compute every aggregate under every set of weights.

    Args:
        framework: The hierarchy.
        normalised: ``(n, m)``.
        weights: ``(d, m + k)``, the weight of every node inside its parent.
        rules: Rule per level.
        units: uCode per row, for messages.

    Returns:
        Per node in the order of ``framework.codes``: ``(n,)`` for an indicator, ``(d, n)`` for an aggregate.

    Raises:
        BadInputError: A mean of positive numbers meets another one, or all weights below an aggregate are 0.
    """
    _refuse_no_weight(framework, weights)
    columns: list[Floats] = list(normalised.T)
    for parent in framework.aggregates:
        children = list(framework.children[parent.code])
        rule = rules[parent.level]
        inside = weights[:, children]
        if all(columns[child].ndim == 1 for child in children):
            values = np.stack([columns[child] for child in children], axis=-1)
        else:
            shape = (len(weights), len(normalised))
            values = np.stack([np.broadcast_to(columns[child], shape) for child in children], axis=-1)
        if rule.method in POSITIVE_METHODS:
            _refuse_not_positive(framework, parent.code, children, values, inside, rule, units)
        columns.append(_copeland(values, inside, rule) if rule.method == "copeland" else _mean(values, inside, rule))
    return columns


def _refuse_not_positive(
    framework: Framework,
    parent: str,
    children: Sequence[int],
    values: Floats,
    weights: Floats,
    rule: Aggregate,
    units: tuple[str, ...],
) -> None:
    """Refuse what a mean is not defined for; a child without weight is not looked at.

    A geometric or harmonic mean, or a power mean with a negative exponent, has no 0 (ln 0, 1 ÷ 0), as in COINr; a power
    mean with a positive one has.
    """
    zero_too = rule.method != "power" or rule.p < 0
    outside = ((values <= 0) if zero_too else (values < 0)) & weights.any(axis=0)
    found = np.argwhere(outside)
    if not len(found):
        return
    *_, unit, child = found[0]
    needed = "positive numbers" if zero_too else "numbers from 0"
    raise BadInputError(
        f"The {rule.method} mean {parent} needs {needed}, but {framework.codes[children[child]]} of {units[unit]} is "
        f"{values[tuple(found[0])]:g} ({len(found)} such).",
        where=framework.where,
        why="score.aggregate.not_positive",
        next_step="normalise to positive numbers (minmax with `lower: 1`, goalposts, …), or aggregate arithmetically",
    )


def _mean(values: Floats, weights: Floats, rule: Aggregate) -> Floats:
    """Weighted mean over the last axis, f⁻¹(Σ w·f(x) ÷ Σ w) over what is present.

    f is x, ln x, 1/x or xᵖ. What f is not defined for was refused, or has no weight.

    Args:
        values: ``(n, c)`` or ``(d, n, c)``.
        weights: ``(d, c)``.
        rule: Method, exponent, least share.

    Returns:
        ``(d, n)``.
    """
    power = {"arithmetic": 1.0, "harmonic": -1.0, "geometric": 0.0}.get(rule.method, rule.p)
    present = ~np.isnan(values)
    available = _sums(weights, present.astype(np.float64))
    if power == 1:
        numerator = _sums(weights, np.where(present, values, 0.0))
    else:
        usable = present if power > 0 else present & (values > 0)
        base = np.where(usable, values, 1.0)
        transformed = np.log(base) if power == 0 else base**power
        numerator = _sums(weights, np.where(usable, transformed, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = numerator / available
        if power == 0:
            mean = np.exp(mean)
        elif power != 1:
            mean = mean ** (1 / power)
    enough = (available > 0) & (available >= (rule.min_share - SHARE_TOLERANCE) * weights.sum(axis=1)[:, None])
    return np.where(enough, mean, np.nan)


def _sums(weights: Floats, values: Floats) -> Floats:
    """Return Σ over children of weight × value, ``(d, n)``.

    For one set of weights child after child, so that units with the same data get the same bits; for many, one matrix
    product where all draws share the values.
    """
    if len(weights) == 1:
        values = values.reshape(-1, values.shape[-1])
        total = np.zeros(len(values))
        for weight, column in zip(weights[0], values.T, strict=True):
            total = total + weight * column
        return total[None, :]
    if values.ndim == 2:
        return weights @ values.T
    sums: Floats = np.einsum("dc,dnc->dn", weights, values)
    return sums


def _copeland(values: Floats, weights: Floats, rule: Aggregate) -> Floats:
    """Copeland scores: how many units one outranks, less how many outrank it.

    o_ij = [Σ w(x_i > x_j) + ½ Σ w(x_i = x_j)] ÷ Σ w, over the children that both units have; the score is the sum of
    sign(o_ij − ½) over the other units (OECD/JRC handbook 2008, step 6, non-compensatory aggregation). Units that have
    less than the least share neither get a score nor count in those of others.

    Args:
        values: ``(n, c)`` or ``(d, n, c)``.
        weights: ``(d, c)``.
        rule: Least share.

    Returns:
        ``(d, n)``.
    """
    draws, count = len(weights), values.shape[-2]
    one, other = np.triu_indices(count, 1)
    # What a pair's decision is worth to each unit: one's win is the other's loss.
    worth = np.zeros((len(one), count))
    worth[np.arange(len(one)), one] = 1.0
    worth[np.arange(len(one)), other] = -1.0
    result = np.empty((draws, count))
    # Children that are aggregates carry the noise of their sums: equal on paper must be equal here.
    settled_values = settled(values) if values.ndim == 3 else values
    if values.ndim == 2:
        signs, both = _pairwise(values, one, other)
    step = max(1, _CHUNK_CELLS // max(len(one) * values.shape[-1], 1))
    for start in range(0, draws, step):
        part = slice(start, min(start + step, draws))
        chunk, inside = settled_values if values.ndim == 2 else settled_values[part], weights[part]
        if values.ndim == 3:
            signs, both = _pairwise(chunk, one, other)
        available = _sums(inside, (~np.isnan(chunk)).astype(np.float64))
        enough = (available > 0) & (available >= (rule.min_share - SHARE_TOLERANCE) * inside.sum(axis=1)[:, None])
        # o − ½ = Σ w·sign(x_i − x_j) ÷ 2 Σ w
        net, shared = _sums(inside, signs), _sums(inside, both)
        decided = np.where(np.abs(net) > 2 * SHARE_TOLERANCE * shared, np.sign(net), 0.0)
        score = (decided * (enough[:, one] & enough[:, other])) @ worth
        result[part] = np.where(enough, score, np.nan)
    return result


def _pairwise(values: Floats, one: NDArray[np.intp], other: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return per pair and child the sign of the difference and whether both have a value, ``(…, pairs, c)``."""
    difference = values[..., one, :] - values[..., other, :]
    both = ~np.isnan(difference)
    return np.where(both, np.sign(difference), 0.0), both.astype(np.float64)
