"""Enterprises: who is registered, since when, where, in which industry, under which names, until when.

Columns are arrays, one entry per enterprise or per registry row (a *version* of an enterprise, valid from its day on).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts, identifiers
from parkindex.sample.days import NEVER, first_day, last_day
from parkindex.sample.land import Land
from parkindex.sample.sizes import Size

Ints = NDArray[np.int64]

NO_STANDARD, OF_2011, OF_2017 = 0, 1, 2
STANDARDS = ("", facts.STANDARD_2011, facts.STANDARD_2017)
CODES: tuple[str, ...] = ("", *sorted({*(c for g in facts.GROUPS for c in g), *facts.CODES_2011}))
_CODE_INDEX = {code: index for index, code in enumerate(CODES)}
# Days after the last edition in which the registry already knows something.
_AFTERMATH = 15
# Name forms; the full-width brackets of the second are how the registry spells them.
_FORMS = (
    "上海{}{}有限公司",
    "{}（上海）{}有限公司",
    "{}(上海){}股份有限公司",
    "上海{}{}股份有限公司",
    "上海{}{}合伙企业(有限合伙)",
)


@dataclass(frozen=True)
class Profile:
    """Rates of one park, drawn per world.

    Attributes:
        births, deaths: Registrations and ends per enterprise and year.
        equity: Equity rounds per technology enterprise and year.
        research: R&D as a share of revenue.
        grants: Invention grants per 10,000 insured persons and year.
        growth: Yearly growth of revenue.
        honours: Unicorns expected at the end.
        openness: Readiness to work with others and to serve them, 0 to 1.
        efficiency: How well things are run, 0 to 1.
        pull: Relative attraction for enterprises that move.
    """

    births: float
    deaths: float
    equity: float
    research: float
    grants: float
    growth: float
    honours: float
    openness: float
    efficiency: float
    pull: float


@dataclass(frozen=True)
class Names:
    """Names by number. ``ambiguous`` ones were held by two enterprises, so they lead to nobody."""

    text: list[str]
    brand: list[str]
    enterprise: Ints
    ambiguous: NDArray[np.bool_]


@dataclass(frozen=True)
class Versions:
    """Registry rows, sorted by enterprise and day. Each is the whole state from ``effective`` on.

    ``cell`` is −1 when no point is known; ``longitude``, ``latitude`` are in 1e-7 degrees.
    """

    enterprise: Ints
    effective: Ints
    name: Ints
    cell: Ints
    longitude: Ints
    latitude: Ints
    code: Ints
    standard: Ints
    is_end: NDArray[np.bool_]
    first: Ints

    def at(self, days: Ints | int) -> Ints:
        """Return for every enterprise the row valid on its day (or on the one day), shape (n,); −1 before the first."""
        limit = days[self.enterprise] if isinstance(days, np.ndarray) else days
        known = np.bincount(self.enterprise[self.effective <= limit], minlength=len(self.first))
        return np.where(known > 0, self.first + known - 1, -1)


@dataclass(frozen=True)
class Population:
    """All enterprises.

    ``home`` is the park (0-based) of the first address, −1 outside; ``group`` the industry group; ``strength`` a
    standard normal number that revenue, staff and capital share.
    """

    uscc: list[str]
    registered: Ints
    ended: Ints
    home: Ints
    group: Ints
    strength: NDArray[np.float64]
    versions: Versions
    names: Names

    def __len__(self) -> int:
        return len(self.uscc)

    @property
    def first_name(self) -> Ints:
        """Number of every enterprise's first name, shape (n,)."""
        first: Ints = self.versions.name[self.versions.first]
        return first

    @property
    def last_name(self) -> Ints:
        """Number of every enterprise's last name, shape (n,)."""
        last: Ints = self.versions.name[np.append(self.versions.first[1:], len(self.versions.name)) - 1]
        return last


def profiles(rng: np.random.Generator) -> list[Profile]:
    """Draw the parks' profiles: parks with high revenue tend to be good at the rest, with luck."""
    drawn = []
    for park in facts.PARKS:
        quality = min(1.0, max(0.0, 0.05 + 0.38 * (park.revenue - 0.5) + float(rng.uniform(-0.15, 0.3))))
        luck = 0.55 * quality + 0.45 * rng.uniform(0, 1, 9)
        drawn.append(
            Profile(
                births=0.05 + 0.17 * float(luck[0]),
                deaths=0.065 - 0.05 * float(luck[1]),
                equity=0.011 + 0.11 * float(luck[2]) ** 1.5,
                research=0.006 + 0.085 * float(luck[3]),
                grants=15 + 260 * float(luck[4]),
                growth=-0.03 + 0.2 * float(luck[5]),
                honours=24.0 * float(luck[6]) * quality,
                openness=float(luck[7]),
                efficiency=float(luck[8]),
                pull=park.weight * (0.3 + quality),
            )
        )
    return drawn


def populate(edition: int, size: Size, land: Land, parks: list[Profile], rng: np.random.Generator) -> Population:
    """Let enterprises be registered, change, move and end."""
    home = _homes(size)
    n = len(home)
    horizon = last_day(edition) + _AFTERMATH
    start = first_day(edition - 5)
    birth_rate = np.array([*(p.births for p in parks), 0.06])[home]
    death_rate = np.array([*(p.deaths for p in parks), 0.05])[home]
    registered = _registrations(birth_rate, death_rate, edition, horizon, rng)
    planted = _plant_cohorts(registered, home, edition, rng)
    ended = _ends(registered, death_rate, start, horizon, rng)
    _touch_year_ends(registered, ended, edition, rng)
    mixes = np.array([park.mix for park in facts.PARKS] + [(2, 2, 6, 15, 75)], dtype=float)
    group = _choose(mixes, home, rng)
    events = _events(home, group, registered, ended, planted, land, parks, (start, horizon), rng)
    versions, name_owner = _versions(events, land, n, rng)
    names = _names(name_owner, group, versions, rng)
    districts = np.array([int(facts.DISTRICT_CODES[cell.district]) for cell in land.cells])
    authority = districts[events.birth_cell]
    serials = 30_000_000 + (np.arange(n) * 7_919 + int(rng.integers(0, 10_000_000))) % 69_999_991
    return Population(
        uscc=identifiers.unified_codes(authority, serials),
        registered=registered,
        ended=ended,
        home=home,
        group=group,
        strength=rng.standard_normal(n),
        versions=versions,
        names=names,
    )


def _homes(size: Size) -> Ints:
    weights = np.array([1.0 if size.even else park.weight for park in facts.PARKS])
    counts = np.floor(weights / weights.sum() * size.in_parks).astype(np.int64)
    return np.concatenate([np.repeat(np.arange(len(counts)), counts), np.full(size.outside, -1)])


def _choose(table: NDArray[np.float64], rows: Ints, rng: np.random.Generator) -> Ints:
    """Draw a column per entry of ``rows`` with that row's relative weights."""
    cumulative = np.cumsum(table / table.sum(axis=1, keepdims=True), axis=1)
    drawn = rng.uniform(0, 1, len(rows))
    chosen: Ints = np.minimum((drawn[:, None] > cumulative[rows]).sum(axis=1), table.shape[1] - 1)
    return chosen


def _registrations(
    births: NDArray[np.float64], deaths: NDArray[np.float64], edition: int, horizon: int, rng: np.random.Generator
) -> Ints:
    """Draw registration days: a stock of old ones, then six years that grow with each park's balance."""
    n = len(births)
    growth = (1 + births - deaths)[:, None] ** np.arange(6)
    table = np.column_stack([np.ones(n), births[:, None] * growth, births * 0.03])
    period = _choose(table, np.arange(n), rng)
    years = np.array([first_day(edition - 5 + k) for k in range(7)])
    share = rng.uniform(0, 1, n)
    old = years[0] - 30 - np.floor(rng.beta(1.0, 2.2, n) * 28 * 365).astype(np.int64)
    k = np.clip(period - 1, 0, 5)
    recent = years[k] + np.floor(share * (years[k + 1] - years[k])).astype(np.int64)
    after = years[6] + np.floor(share * (horizon - years[6])).astype(np.int64)
    drawn: Ints = np.where(period == 0, old, np.where(period == 7, after, recent))
    return drawn


def _plant_cohorts(registered: Ints, home: Ints, edition: int, rng: np.random.Generator) -> Ints:
    """Give every park two registrations in each year whose survivors are counted, so that also a tiny park has them.

    Returns:
        The enterprises concerned.
    """
    firsts = np.searchsorted(home[home >= 0], np.arange(len(facts.PARKS)))
    for k in range(6):
        year = edition - 5 + k // 2
        registered[firsts + k] = first_day(year) + 20 + rng.integers(0, 300, len(firsts))
    return np.concatenate([firsts + k for k in range(6)])


def _ends(registered: Ints, deaths: NDArray[np.float64], start: int, horizon: int, rng: np.random.Generator) -> Ints:
    n = len(registered)
    young = registered >= start
    rate = deaths * np.where(young, 1.5, 1.0)
    wait = 60 + np.floor(rng.exponential(1.0, n) / rate * 365).astype(np.int64)
    ended = np.maximum(registered, start) + wait
    long_gone = ~young & (rng.uniform(0, 1, n) < 0.05)
    earlier = registered + 30 + np.floor(rng.uniform(0, 1, n) * np.maximum(start - registered - 30, 1)).astype(np.int64)
    ended = np.where(long_gone, earlier, ended)
    return np.where(ended > horizon, NEVER, ended)


def _touch_year_ends(registered: Ints, ended: Ints, edition: int, rng: np.random.Generator) -> None:
    """Put some registrations and ends exactly on 31 December and 1 January, where definitions are decided."""
    n = len(registered)
    count = max(2, n // 300)
    for year in range(edition - 2, edition + 1):
        for edge in (last_day(year), first_day(year)):
            recent = np.flatnonzero(
                (registered >= first_day(year)) & (registered <= last_day(year)) & (ended > edge + 400)
            )
            registered[rng.choice(recent, min(count, len(recent)), replace=False)] = edge
            gone = np.flatnonzero((ended >= first_day(year)) & (ended <= last_day(year)) & (registered < edge - 60))
            ended[rng.choice(gone, min(count, len(gone)), replace=False)] = edge


@dataclass(frozen=True)
class _Events:
    """What happens to enterprises; −2 in a column means "stays as it was"."""

    enterprise: Ints
    day: Ints
    cell: Ints
    code: Ints
    standard: Ints
    renames: NDArray[np.bool_]
    is_end: NDArray[np.bool_]
    birth_cell: Ints


_SAME = -2


def _events(
    home: Ints,
    group: Ints,
    registered: Ints,
    ended: Ints,
    planted: Ints,
    land: Land,
    parks: list[Profile],
    window: tuple[int, int],
    rng: np.random.Generator,
) -> _Events:
    n = len(home)
    everyone = np.arange(n)
    start, horizon = window
    until = np.minimum(ended, horizon)
    since = np.maximum(registered, start) + 1
    changes = until - since > 2

    def some(share: NDArray[np.float64] | float) -> tuple[Ints, Ints]:
        """Pick enterprises and a day strictly between registration and end for each."""
        who = np.flatnonzero(changes & (rng.uniform(0, 1, n) < share))
        when = since[who] + np.floor(rng.uniform(0, 1, len(who)) * (until[who] - since[who])).astype(np.int64)
        return who, when

    parts: list[tuple[Ints, Ints, Ints, Ints, Ints, bool, bool]] = []

    def add(who: Ints, when: Ints, cell: Ints | int, code: Ints | int, standard: Ints | int, *flags: bool) -> None:
        columns = [np.broadcast_to(np.asarray(c, dtype=np.int64), who.shape) for c in (cell, code, standard)]
        parts.append((who, when, columns[0], columns[1], columns[2], flags[0], flags[1]))

    # Birth: an address (some geocoded only months later), a class of 2017, of 2011 or none.
    birth_cell = _cells(home, land, rng)
    # The first plot of a park is valid all the time.
    birth_cell[planted] = np.array([cells[0] for cells in land.cells_of_park])[home[planted]]
    code, standard = _classes(group, registered, rng)
    late = rng.uniform(0, 1, n) < 0.006
    late[planted] = False
    add(everyone, registered, np.where(late & changes, -1, birth_cell), code, standard, True, False)
    geocoded = np.flatnonzero(late & changes)
    when = np.minimum(since[geocoded] + rng.integers(20, 200, len(geocoded)), until[geocoded] - 1)
    add(geocoded, when, birth_cell[geocoded], _SAME, _SAME, False, False)
    # Moves, twice so that some move again: to other parks, inside the park, out of every park, to an unknown place.
    pull = np.array([p.pull for p in parks])
    for share in (0.12, 0.05):
        who, when = some(np.where(home >= 0, share, share / 4))
        fate = rng.uniform(0, 1, len(who))
        elsewhere = rng.choice(len(pull), len(who), p=pull / pull.sum())
        target = np.where(fate < 0.55, elsewhere, np.where(fate < 0.78, home[who], -1))
        target = np.where((home[who] < 0) & (fate < 0.8), elsewhere, target)
        cells = np.where(fate > 0.99, -1, _cells(target, land, rng))
        add(who, when, cells, _SAME, _SAME, False, False)
    # New names, new classes, re-coding from the standard of 2011 to that of 2017.
    who, when = some(0.08)
    add(who, when, _SAME, _SAME, _SAME, True, False)
    who, when = some(0.02)
    other = rng.permutation(group)[who]
    add(who, when, _SAME, _pick_codes(other, rng), OF_2017, False, False)
    who, when = some(np.where(standard == OF_2011, 0.6, 0.0))
    add(who, when, _SAME, _pick_codes(group[who], rng), OF_2017, False, False)
    gone = np.flatnonzero(ended < NEVER)
    add(gone, ended[gone], _SAME, _SAME, _SAME, False, True)

    lengths = [len(part[0]) for part in parts]
    columns = [np.concatenate([part[k] for part in parts]) for k in range(5)]
    renames = np.repeat([part[5] for part in parts], lengths)
    is_end = np.repeat([part[6] for part in parts], lengths)
    order = np.lexsort((np.repeat(np.arange(len(parts)), lengths), columns[1], columns[0]))
    enterprise, days = columns[0][order], columns[1][order]
    # One row per enterprise and day, as the registry's key has it: of two changes of a day the first kind stays.
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (enterprise[1:] != enterprise[:-1]) | (days[1:] != days[:-1])
    order = order[fresh]
    enterprise, days, cell, code, standard = (column[order] for column in columns)
    return _Events(enterprise, days, cell, code, standard, renames[order], is_end[order], birth_cell)


def _cells(park: Ints, land: Land, rng: np.random.Generator) -> Ints:
    """Draw a cell of each park (−1: outside)."""
    choices = [*land.cells_of_park, land.outside]
    width = max(len(cells) for cells in choices)
    table = np.array([(*cells, *[cells[0]] * (width - len(cells))) for cells in choices])
    counts = np.array([len(cells) for cells in choices])
    drawn = np.floor(rng.uniform(0, 1, len(park)) * counts[park]).astype(np.int64)
    chosen: Ints = table[park, drawn]
    return chosen


def _pick_codes(group: Ints, rng: np.random.Generator) -> Ints:
    indices = [[_CODE_INDEX[code] for code in codes] for codes in facts.GROUPS]
    width = max(map(len, indices))
    table = np.array([[*row, *[row[0]] * (width - len(row))] for row in indices])
    counts = np.array([len(row) for row in indices])
    # Skewed towards the first codes of a group, as industries are.
    drawn = np.floor(rng.uniform(0, 1, len(group)) ** 1.6 * counts[group]).astype(np.int64)
    chosen: Ints = table[group, drawn]
    return chosen


def _classes(group: Ints, registered: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    n = len(group)
    code = _pick_codes(group, rng)
    old = (rng.uniform(0, 1, n) < 0.12) & (registered < first_day(2018))
    of_2011 = np.array([_CODE_INDEX[c] for c in facts.CODES_2011])[rng.integers(0, len(facts.CODES_2011), n)]
    code = np.where(old, of_2011, code)
    standard = np.where(old, OF_2011, OF_2017)
    fate = rng.uniform(0, 1, n)
    standard = np.where(fate < 0.012, NO_STANDARD, standard)
    code = np.where(fate < 0.006, 0, code)
    return code, standard


def _versions(events: _Events, land: Land, n: int, rng: np.random.Generator) -> tuple[Versions, Ints]:
    """Carry every column forward, give every new cell a point, every renaming a name number."""
    rows = len(events.enterprise)
    position = np.arange(rows)

    def carried(sets: NDArray[np.bool_]) -> Ints:
        # Each enterprise's first row sets everything, so nothing is carried across enterprises.
        filled: Ints = np.maximum.accumulate(np.where(sets, position, -1))
        return filled

    settled = carried(events.cell != _SAME)
    cell = events.cell[settled]
    boxes = np.array([(c.west, c.south, c.east, c.north) for c in land.cells])
    west, south, east, north = boxes[np.maximum(events.cell, 0)].T
    longitude = np.rint((west + rng.uniform(0, 1, rows) * (east - west)) * 1e7).astype(np.int64)
    latitude = np.rint((south + rng.uniform(0, 1, rows) * (north - south)) * 1e7).astype(np.int64)
    name = np.cumsum(events.renames) - 1
    first = np.flatnonzero(np.concatenate([[True], events.enterprise[1:] != events.enterprise[:-1]]))
    if len(first) != n:
        raise AssertionError("every enterprise has a first registry row")
    return (
        Versions(
            enterprise=events.enterprise,
            effective=events.day,
            name=name,
            cell=cell,
            longitude=longitude[settled],
            latitude=latitude[settled],
            code=events.code[carried(events.code != _SAME)],
            standard=events.standard[carried(events.standard != _SAME)],
            is_end=events.is_end,
            first=first,
        ),
        events.enterprise[events.renames],
    )


def _names(owner: Ints, group: Ints, versions: Versions, rng: np.random.Generator) -> Names:
    """Invent a distinct name for every name number, then let a few enterprises share one."""
    count = len(owner)
    letters = facts.SYLLABLES
    base = len(letters)
    space = base**3 if count < base**3 * 0.8 else base**3 + base**4
    step = int(rng.integers(space // 3, space // 2))
    while math.gcd(step, space) != 1:
        step += 1
    numbers = (np.arange(count) * step + int(rng.integers(0, space))) % space
    word = rng.integers(0, len(facts.TRADE_WORDS[0]), count).tolist()
    form = np.minimum(rng.geometric(0.55, count) - 1, len(_FORMS) - 1).tolist()
    brands = [_brand(number, letters) for number in numbers.tolist()]
    words = [facts.TRADE_WORDS[g][w] for g, w in zip(group[owner].tolist(), word, strict=True)]
    text = [_FORMS[f].format(b, w) for f, b, w in zip(form, brands, words, strict=True)]
    ambiguous = np.zeros(count, dtype=bool)
    # A name given up by one enterprise and taken by another, younger one: it leads to nobody.
    births = versions.name[versions.first]
    renamed = owner[np.setdiff1d(np.arange(count), births)]
    for old in rng.choice(renamed, min(len(renamed), 3 + count // 5000), replace=False).tolist():
        young = int(rng.integers(0, len(births)))
        if young != old and not ambiguous[births[old]] and not ambiguous[births[young]]:
            text[births[young]], brands[births[young]] = text[births[old]], brands[births[old]]
            ambiguous[[births[old], births[young]]] = True
    return Names(text, brands, owner, ambiguous)


def _brand(number: int, letters: str) -> str:
    base = len(letters)
    width = 3
    if number >= base**3:
        number -= base**3
        width = 4
    parts = []
    for _ in range(width):
        number, digit = divmod(number, base)
        parts.append(letters[digit])
    return "".join(parts)
