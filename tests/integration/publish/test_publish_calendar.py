"""The release calendar: embargo, windows, who set them; what a park is shown before publication, and who saw it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from parkindex import pipeline
from parkindex.errors import BadInputError, NotApprovedError, UsageError
from parkindex.ledger import roles
from parkindex.publish import approvals, calendar, objections, preview
from parkindex.publish.calendar import Dates

PAST, FUTURE = (datetime(year, 1, 1, tzinfo=UTC) for year in (2020, 2120))
DAY = timedelta(days=1)


def set_dates(house: Any, dates: Dates, **changed: Any) -> None:
    approvals.register(house.engine, "王签", "signatory")
    given = {"set_by": "王签", "role": "signatory", "reason": "the zone's office agreed"}
    calendar.set_dates(house.engine, dates, **(given | changed))


def test_nothing_is_published_before_the_embargo_ends(ready_house: Any) -> None:
    candidate = ready_house.first
    set_dates(ready_house, Dates(2025, embargo_until=FUTURE))
    with pytest.raises(NotApprovedError, match="under embargo until 2120"):
        ready_house.publish(candidate)
    assert ready_house.attempts("publish")[-1][0] == "refused"
    set_dates(ready_house, Dates(2025, embargo_until=PAST), reason="earlier than planned")
    assert ready_house.publish(candidate).release_id == "2025.1"
    (served,) = ready_house.sql("select * from serve.release_calendar")
    assert (served.edition, served.embargo_until, served.reason) == (2025, PAST, "earlier than planned")
    assert [row["counts"] for row in calendar.entries(ready_house.engine)] == [True, False]


def test_dates_that_make_no_sense_and_strangers_are_refused(house: Any) -> None:
    for dates, message in (
        (Dates(2025), "No date"),
        (Dates(2025, preview=(FUTURE, PAST)), "ends before it begins"),
    ):
        with pytest.raises(UsageError, match=message):
            set_dates(house, dates)
    with pytest.raises(UsageError, match="need a reason"):
        set_dates(house, Dates(2025, embargo_until=FUTURE), reason=" ")
    with pytest.raises(NotApprovedError, match="not registered"):
        set_dates(house, Dates(2025, embargo_until=FUTURE), set_by="某人")
    assert calendar.entries(house.engine) == []


def test_a_park_is_shown_its_own_figures_inside_the_window_and_the_access_is_kept(ready_house: Any) -> None:
    show = {"shown_to": "园区办", "by": "评价办"}
    set_dates(ready_house, Dates(2025, preview=(PAST, PAST + DAY), objections=(PAST, PAST + DAY)))
    with pytest.raises(NotApprovedError, match="window for previews"):
        preview.write_park(ready_house.engine, ready_house.settings, "2025-c1", "P03", **show)
    with pytest.raises(NotApprovedError, match="window for objections"):
        objections.open_objection(ready_house.engine, "2025-c1", "P03", reason="x", opened_by="y")
    set_dates(ready_house, Dates(2025, preview=(PAST, FUTURE)))
    page = preview.write_park(ready_house.engine, ready_house.settings, "2025-c1", "P03", **show)
    written = {one.relative_to(page.parents[1]).as_posix() for one in page.parents[1].rglob("*") if one.is_file()}
    assert written == {"PREVIEW.txt", "figures.json", "method.html", "parks/P03.html"}
    figures = json.loads((page.parents[1] / "figures.json").read_text("utf-8"))
    assert {row["park_code"] for rows in figures.values() for row in rows} == {"P03"}
    (access,) = ready_house.sql("select * from publish.preview_accesses")
    assert (access.park_code, access.shown_to, access.shown_by) == ("P03", "园区办", "评价办")
    assert access.content_sha256 == ready_house.first.content_sha256
    with pytest.raises(BadInputError, match="no park 'P99'"):
        preview.write_park(ready_house.engine, ready_house.settings, "2025-c1", "P99", **show)
    with pytest.raises(UsageError, match="shown to somebody"):
        preview.write_park(ready_house.engine, ready_house.settings, "2025-c1", "P03", shown_to=" ", by="x")


def test_a_reader_of_bi_sees_no_candidate(ready_house: Any) -> None:
    pipeline.prepare(ready_house.settings)
    address = roles.reader_url(
        ready_house.settings.warehouse_url, "bi_reader", ready_house.settings.run / "readers.json"
    )
    reader = create_engine(address)
    try:
        with reader.connect() as connection:
            assert connection.execute(text("select count(*) from serve.park_ranking")).scalar_one() == 0
        for hidden in ("cand_1__park_index.park_ranking", "publish.candidates", "publish.objections"):
            with reader.connect() as connection, pytest.raises(Exception, match="permission denied"):
                connection.execute(text(f"select * from {hidden}"))
    finally:
        reader.dispose()
