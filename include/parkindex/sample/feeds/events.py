"""patent_events: what the API answers, and one document of the events before the last year."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from parkindex.sample import facts
from parkindex.sample.days import date_of, last_day
from parkindex.sample.files import DUPLICATE, SYNTHETIC, Ghosts, Noise, Planted, mixed, positions, printed, sent
from parkindex.sample.innovation import NOBODY
from parkindex.sample.legal import NO_AMOUNT, NO_CODE, OWN_CODE, TRANSFER, Event
from parkindex.sample.links import STRANGER, Mentions
from parkindex.sample.server import ANSWERS_FILE
from parkindex.sample.world import World

FEED = "patent_events"

_Event = dict[str, Any]


def write(
    world: World, feeds: Path, api: Path, noise: Noise, mentions: Mentions, rng: np.random.Generator
) -> dict[str, int]:
    """Write the document and what the API answers from. Returns rows per file.

    The API answers with every event, those of the document again, as such providers do.
    """
    events = _events(world, mentions, rng)
    until = date_of(last_day(world.edition - 1)).isoformat()
    document = feeds / FEED / f"synthetic-patent-events-{world.edition - 1}.json"
    answer = api / FEED / ANSWERS_FILE
    counts = {}
    for path, own, when in (
        (document, [event for event in events if event["eventDate"] <= until], date(world.edition, 1, 10)),
        (answer, events, date(world.edition + 1, 1, 25)),
    ):
        if own:
            counts[path.name] = _write(path, own, noise, rng)
            sent(path, when)
    return counts


def _events(world: World, mentions: Mentions, rng: np.random.Generator) -> list[_Event]:
    patents, people = world.patents, world.population
    last_name = people.last_name.tolist()
    rows: list[_Event] = []
    ghosts = Ghosts(district=310117)
    for number, one in enumerate(world.events, start=1):
        what = one.what
        stranger = facts.STRANGERS[one.patent % len(facts.STRANGERS)]
        other = _printed(world, last_name[what.other], rng) if what.other != NOBODY else what.stranger
        holder = stranger if one.holder == NOBODY else _printed(world, one.name, rng)
        # Who is named beside a code is told by the code; a bank is nobody's enterprise.
        if one.code == NO_CODE:
            _mention(world, mentions, holder, one.name)
        if what.kind == TRANSFER:
            _mention(world, mentions, other, last_name[what.other] if what.other != NOBODY else NOBODY)
        rows.append(
            {
                "eventId": f"PE{number:09d}",
                "applicationNo": patents.application[one.patent],
                "eventType": what.kind,
                "eventDate": date_of(what.day).isoformat(),
                "holder": holder,
                "holderUscc": _code(one, people.uscc, ghosts),
                "counterparty": other or None,
                "amountCny": None if what.amount == NO_AMOUNT else f"{what.amount // 100}.{what.amount % 100:02d}",
            }
        )
    return rows


def _printed(world: World, name: int, rng: np.random.Generator) -> str:
    return printed(world.population.names.text[name], rng, exactly=bool(world.crowded[name]))


def _mention(world: World, mentions: Mentions, name_printed: str, name: int) -> None:
    if name == NOBODY:
        mentions.say(FEED, name_printed, None, STRANGER)
    else:
        mentions.of(world, FEED, name_printed, name)


def _code(one: Event, codes: list[str], ghosts: Ghosts) -> str | None:
    if one.code == NO_CODE:
        return None
    return codes[one.holder] if one.code == OWN_CODE else ghosts.code()


def _write(path: Path, events: list[_Event], noise: Noise, rng: np.random.Generator) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    written: list[_Event] = []
    for event, planted in mixed(events, _planted(events[0], len(events), rng)):
        written.append(event)
        if planted:
            noise.plant(FEED, path.name, "", len(written), planted)
    body = json.dumps({"notice": SYNTHETIC, "total": len(written), "data": written}, ensure_ascii=False, indent=None)
    path.write_text(body + "\n", encoding="utf-8")
    return len(written)


def _planted(sample: _Event, n: int, rng: np.random.Generator) -> list[tuple[int, Planted[_Event]]]:
    breaks: tuple[tuple[str, str, str, Any], ...] = (
        (DUPLICATE, "", "", None),
        ("patent.check_digit", "applicationNo", "application_number", "202010000001.7"),
        ("value.enum", "eventType", "event_type", "abandon"),
        ("type.date", "eventDate", "event_date", "2024-02-30"),
        ("value.range", "amountCny", "amount_cny", "-1.00"),
        ("value.required", "holder", "holder_name", None),
        ("uscc.check_digit", "holderUscc", "holder_uscc", "91310115100000001A"),
    )
    planted: list[tuple[int, Planted[_Event]]] = []
    for k, position in enumerate(positions(n, max(3, n // 200), rng)):
        rule, key, column, value = breaks[k % len(breaks)]
        if rule == DUPLICATE:
            planted.append((position, Planted(None, DUPLICATE, "", "the event above once more")))
            continue
        row = {**sample, "eventId": f"PX{k + 1:09d}", key: value}
        planted.append((position, Planted(row, rule, column, f"{key} broken")))
    return planted
