"""What becomes of patents: grants, international filings, transfers, pledges, lapses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts
from parkindex.sample.days import date_of, first_day, last_day
from parkindex.sample.innovation import KIND_A, KIND_B, NOBODY, Patents
from parkindex.sample.population import Ints, Population, Profile

Floats = NDArray[np.float64]

GRANT, PCT_FILING, TRANSFER, PLEDGE, LAPSE = "grant", "pct_filing", "transfer", "pledge", "lapse"
NO_CODE, OWN_CODE, STRANGE_CODE = range(3)
NO_AMOUNT = -1
# Fen: the least amount of a pledge that makes a patent one of high value (assumed limit), often lent exactly.
_EDGE = 5_000_000 * 100


@dataclass(frozen=True)
class Happening:
    """What happens to a patent.

    Attributes:
        kind: ``GRANT`` … ``LAPSE``.
        day: When.
        other: The enterprise on the other side, or ``NOBODY`` for a stranger or none.
        stranger: The other side when it is no enterprise; empty when there is none.
        amount: Fen, or ``NO_AMOUNT``.
    """

    kind: str
    day: int
    other: int = NOBODY
    stranger: str = ""
    amount: int = NO_AMOUNT


@dataclass(frozen=True)
class Event:
    """One legal event, as the provider knows it.

    Attributes:
        patent: Row in ``Patents`` whose application it is about.
        holder: Who holds the patent just before: an enterprise, or ``NOBODY`` for a stranger.
        name: Number of the holder's name as printed (−1 with ``NOBODY``).
        code: Whether the holder's code is given: ``NO_CODE``, ``OWN_CODE``, or the code of somebody whom nobody knows.
        what: What happens.
    """

    patent: int
    holder: int
    name: int
    code: int
    what: Happening


def events(
    edition: int, population: Population, parks: list[Profile], patents: Patents, rng: np.random.Generator
) -> list[Event]:
    """Let patents live up to the end of the edition. In order of the publications, then of time.

    An application published twice has one life. A patent may change hands, be pledged more than once, and lapse, some
    on the last and the first day of a year; what would have happened later does not happen.
    """
    fates = _fates(edition, population, parks, patents, rng)
    last_name = population.last_name
    found: list[Event] = []
    seen: set[str] = set()
    of_kind = [np.flatnonzero(patents.kind == kind).tolist() for kind in (KIND_A, KIND_B)]
    granted_at_last = {patents.application[row] for row in of_kind[1]}
    pending = [row for row in of_kind[0] if patents.application[row] not in granted_at_last]
    for row in sorted((*pending, *of_kind[1])):
        if patents.application[row] in seen:
            continue
        seen.add(patents.application[row])
        happens = fates.abroad(row)
        if patents.kind[row] == KIND_B:
            granted = Happening(GRANT, int(patents.published[row]))
            happens += [granted, *fates.transfers(row), *fates.pledges(row), *fates.lapse(row)]
        holder, name = int(patents.enterprise[row]), int(patents.name[row])
        for happening in sorted(happens, key=lambda one: one.day):
            if happening.day > last_day(edition):
                break
            found.append(Event(row, holder, name, _code(holder, row + len(found)), happening))
            if happening.kind == LAPSE:
                break
            if happening.kind == TRANSFER:
                holder = happening.other
                name = int(last_name[holder]) if holder != NOBODY else NOBODY
    return found


def _code(holder: int, number: int) -> int:
    """Give a third of the holders' codes; now and then that of somebody else, who then is the holder."""
    if holder == NOBODY or number % 3:
        return NO_CODE
    return OWN_CODE if number % 40 else STRANGE_CODE


@dataclass(frozen=True)
class _Fates:
    """What is drawn for every publication: numbers between 0 and 1, sums of money, a buyer, its park's habits."""

    edition: int
    patents: Patents
    chance: Floats
    when: Floats
    buyers: Ints
    money: Ints
    pledging: Floats
    filing: Floats

    def abroad(self, row: int) -> list[Happening]:
        """File abroad within a year; the provider now and then has a filing twice."""
        chance, likely = float(self.chance[row, 0]), float(self.filing[row])
        if chance >= likely:
            return []
        filing = Happening(PCT_FILING, int(self.patents.filed[row]) + 30 + int(self.when[row, 0] * 335))
        return [filing, filing] if chance < 0.05 * likely else [filing]

    def transfers(self, row: int) -> list[Happening]:
        """Change hands: a few before the grant, on its day, or twice, a month later or on one day."""
        chance, again = float(self.chance[row, 1]), float(self.chance[row, 5])
        if chance >= 0.06:
            return []
        buyer = int(self.buyers[row]) if chance < 0.045 and self.buyers[row] != self.patents.enterprise[row] else NOBODY
        stranger = "" if buyer != NOBODY else facts.UNIVERSITIES[row % len(facts.UNIVERSITIES)]
        amount = int(self.money[row]) if chance < 0.03 else NO_AMOUNT
        after = -40 if chance < 0.003 else 0 if chance < 0.005 else 60 + int(self.when[row, 1] * 1400)
        day = int(self.patents.published[row]) + after
        first = Happening(TRANSFER, day, buyer, stranger, amount)
        if again >= 0.25:
            return [first]
        second = int(self.buyers[row - 1])
        return [first, Happening(TRANSFER, day + (0 if again < 0.08 else 30), second, amount=int(self.money[row]) * 2)]

    def pledges(self, row: int) -> list[Happening]:
        """Be pledged in the years that are looked at, perhaps twice; some for just the amount that matters."""
        horizon = last_day(self.edition)
        since = max(int(self.patents.published[row]) + 30, first_day(self.edition - 3))
        bank = facts.BANKS[row % len(facts.BANKS)]
        found = []
        for k, share in ((2, 1.0), (3, 0.2)):
            chance, likely = float(self.chance[row, k]), float(self.pledging[row])
            if chance >= likely * share or since >= horizon:
                continue
            amount = NO_AMOUNT if chance < 0.06 * likely else _EDGE if chance > 0.9 * likely else int(self.money[row])
            day = since + int(self.when[row, k] * (horizon - since))
            found.append(Happening(PLEDGE, day, stranger=bank, amount=amount))
        return found

    def lapse(self, row: int) -> list[Happening]:
        """Lapse for want of fees, now and then at the turn of a year."""
        chance = float(self.chance[row, 4])
        if chance >= 0.16:
            return []
        day = int(self.patents.published[row]) + 365 + int(self.when[row, 4] * 3000)
        year = date_of(day).year
        return [Happening(LAPSE, last_day(year) if chance < 0.01 else first_day(year + 1) if chance < 0.02 else day)]


def _fates(
    edition: int, population: Population, parks: list[Profile], patents: Patents, rng: np.random.Generator
) -> _Fates:
    total = len(patents.kind)
    home = np.where(patents.enterprise >= 0, population.home[patents.enterprise], -1)
    ambition = np.array([*(p.openness * p.grants / 275 for p in parks), 0.1])[home]
    return _Fates(
        edition=edition,
        patents=patents,
        chance=rng.uniform(0, 1, (total, 6)),
        when=rng.uniform(0, 1, (total, 5)),
        buyers=rng.integers(0, len(population), total),
        money=_loans(total, rng),
        pledging=np.array([*(0.01 + 0.12 * p.openness for p in parks), 0.03])[home],
        # What was published only just is what is filed abroad now.
        filing=np.where(patents.kind == KIND_A, 0.05 + 0.85 * ambition, 0.01 + 0.12 * ambition),
    )


def _loans(total: int, rng: np.random.Generator) -> Ints:
    """Draw sums of money in fen: mostly whole ten-thousands of yuan, some to the fen."""
    yuan = np.exp(rng.normal(15.2, 0.8, total))
    fen = np.rint(yuan / 10_000).astype(np.int64) * 1_000_000 + 1_000_000
    odd: Ints = np.where(rng.uniform(0, 1, total) < 0.1, fen + rng.integers(1, 99, total), fen)
    return odd
