"""The three sizes of a world and their scales, chosen so that a park's totals stay inside the framework's bounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """How much of everything.

    Attributes:
        in_parks: Enterprises that settle in parks.
        outside: Enterprises elsewhere in the city.
        even: Whether every park has the same number of enterprises.
        accounts_share: Share of enterprises in the statistical sample.
        insured_share: Share of enterprises in parks with insured persons; a quarter of it elsewhere.
        revenue_level: Factor on every revenue.
        staff_level: Factor on every number of employees.
        honours: Factor on the number of unicorns, hidden champions and leaders.
        equity: Factor on the number of financing rounds.
    """

    name: str
    in_parks: int
    outside: int
    even: bool
    accounts_share: float
    insured_share: float
    revenue_level: float
    staff_level: float
    honours: float
    equity: float


SIZES = {
    size.name: size
    for size in (
        Size("tiny", 22 * 25, 30, True, 0.85, 0.9, revenue_level=4.0, staff_level=2.0, honours=0.3, equity=3.0),
        Size("small", 5600, 400, False, 0.5, 0.75, revenue_level=1.0, staff_level=1.6, honours=1.0, equity=1.0),
        Size("city", 130_000, 470_000, False, 0.08, 0.25, revenue_level=0.25, staff_level=0.7, honours=1.0, equity=1.0),
    )
}
