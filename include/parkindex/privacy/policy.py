"""The privacy policy of the installation: ``contracts/privacy.yaml``, validated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from parkindex.errors import BadInputError
from parkindex.settings import CONTRACTS_DIR

FILE = "privacy.yaml"
REAL, ALWAYS, NEVER = "real_deliveries", "always", "never"


@dataclass(frozen=True)
class Disclosure:
    """When a cell discloses what one enterprise gave in confidence.

    Attributes:
        confidential_feeds: Feeds whose figures are given in confidence.
        applies_to: ``real_deliveries``, ``always`` or ``never``.
        minimum_count: Least number of enterprises behind a cell.
        dominance_n: How many largest enterprises together …
        dominance_percent: … may not hold more than this share of a cell, percent.
        p_percent: The sum of all but the two largest must be at least this share of the largest, percent.
        protection_percent: A withheld value must stay this uncertain for outsiders, percent of it, on each side.
        differencing_count: Least number of enterprises by whose figures two releases may differ in a cell.
    """

    confidential_feeds: frozenset[str]
    applies_to: str
    minimum_count: int
    dominance_n: int
    dominance_percent: int
    p_percent: int
    protection_percent: int
    differencing_count: int


@dataclass(frozen=True)
class Policy:
    """The policy.

    Attributes:
        version: Its version.
        disclosure: When a cell is withheld.
        retention_days: Feed → days after which personal fields are erased; ``default`` for the others.
    """

    version: str
    disclosure: Disclosure
    retention_days: dict[str, int]

    def retention(self, feed: str) -> int:
        """Return after how many days a feed's personal fields are to be erased."""
        return self.retention_days.get(feed, self.retention_days["default"])


def load(folder: Path = CONTRACTS_DIR) -> Policy:
    """Load and check the policy.

    Raises:
        BadInputError: It is not what a policy must be.
    """
    path = folder / FILE
    try:
        document: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
        told = document["disclosure"]
        disclosure = Disclosure(
            confidential_feeds=frozenset(told["confidential_feeds"]),
            applies_to=told["applies_to"],
            minimum_count=_share(told["minimum_count"]["value"], 1, 1000),
            dominance_n=_share(told["dominance"]["n"], 1, 100),
            dominance_percent=_share(told["dominance"]["percent"], 1, 100),
            p_percent=_share(told["p_percent"]["value"], 0, 100),
            protection_percent=_share(told["protection"]["percent"], 0, 100),
            differencing_count=_share(told["differencing"]["minimum_count"], 1, 1000),
        )
        days = {str(feed): _share(count, 1, 36_500) for feed, count in document["retention"]["days"].items()}
        _known(disclosure.applies_to, days)
        return Policy(str(document["version"]), disclosure, days)
    except (KeyError, TypeError, ValueError, yaml.YAMLError, OSError) as error:
        raise BadInputError(
            "The privacy policy cannot be used.",
            where=str(path),
            why=f"privacy.policy: {type(error).__name__}: {error}",
            next_step="correct it; docs/privacy.md says what each number means",
        ) from error


def _known(applies_to: str, days: dict[str, int]) -> None:
    if applies_to not in (REAL, ALWAYS, NEVER) or "default" not in days:
        raise ValueError("applies_to is real_deliveries, always or never; retention needs a default")


def _share(value: Any, least: int, greatest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= greatest:
        raise ValueError(f"{value!r} is no whole number from {least} to {greatest}")
    return int(value)
