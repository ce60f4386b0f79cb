"""Verbs around a release: its calendar, and the objections to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from parkindex import pipeline
from parkindex import settings as settings_module
from parkindex.cli.console import Console, verb


@click.group()
def calendar() -> None:
    """Dates of an edition: embargo, preview, objections. set, list."""


@calendar.command("set")
@click.argument("edition", type=int)
@click.option("--embargo-until", help="ISO date (its end, Shanghai) or instant; nothing is published before.")
@click.option("--preview", nargs=2, metavar="FROM TO", help="When parks are shown their own figures.")
@click.option("--objections", nargs=2, metavar="FROM TO", help="When objections are taken.")
@click.option("--as", "name", required=True, help="Who sets the dates, as registered.")
@click.option("--role", required=True, help="evaluator, methodologist or signatory.")
@click.option("--reason", required=True, help="Why, as printed.")
@verb
def calendar_set(
    console: Console,
    edition: int,
    embargo_until: str | None,
    preview: tuple[str, str] | None,
    objections: tuple[str, str] | None,
    name: str,
    role: str,
    reason: str,
) -> None:
    """Set an edition's dates; they take the place of those set before, which stay on record."""
    from parkindex.publish import calendar as store

    dates = store.Dates(edition, pipeline.instant(embargo_until), _window(preview), _window(objections))
    engine = pipeline.engine_of(settings_module.load())
    made = store.set_dates(engine, dates, set_by=name, role=role, reason=reason)
    console.result(made, f"已设定 {edition} 年度发布日历（{name}）", f"Set the calendar of {edition} ({name})")


def _window(given: tuple[str, str] | None) -> Any:
    return None if not given else tuple(pipeline.instant(one) for one in given)


@calendar.command("list")
@verb
def calendar_list(console: Console) -> None:
    """List every entry, newest first; of each edition the newest counts."""
    from parkindex.publish import calendar as store

    rows = store.entries(pipeline.engine_of(settings_module.load()))
    console.result({"calendar": rows})
    if not console.as_json:
        columns = ["edition", "counts", "embargo_until", "preview_from", "preview_to", "objections_from"]
        console.table(rows, [*columns, "objections_to", "set_by"], ("没有日历。", "There is no calendar."))


@click.group()
def objections() -> None:
    """The register of objections: open, list, decide."""


@objections.command("open")
@click.argument("subject", metavar="RELEASE|EDITION|CANDIDATE")
@click.option("--park", required=True, help="Park that objects.")
@click.option("--reason", required=True, help="Why, in the park's words.")
@click.option("--by", "name", required=True, help="Who objects.")
@click.option("--indicator", help="Indicator it is about (default: the assessment as a whole).")
@click.option("--value", help="Value that the park holds right; its effect on every park is computed.")
@click.option("--evidence", type=click.Path(path_type=Path), help="File; its name and hash are kept.")
@verb
def objections_open(
    console: Console,
    subject: str,
    park: str,
    reason: str,
    name: str,
    indicator: str | None,
    value: str | None,
    evidence: Path | None,
) -> None:
    """Record an objection, with its effect on every park."""
    from parkindex.publish import objections as store

    made = store.open_objection(
        pipeline.engine_of(settings_module.load()),
        subject,
        park,
        reason=reason,
        opened_by=name,
        indicator_code=indicator,
        value=value,
        evidence=evidence,
    )
    console.result(made, f"已登记异议 {made['objection_id']}", f"Objection {made['objection_id']} is recorded")
    _show_effect(console, made["effect"])


@objections.command("decide")
@click.argument("objection", type=int)
@click.option("--decision", required=True, help="upheld or rejected.")
@click.option("--as", "name", required=True, help="Who decides, as registered.")
@click.option("--role", required=True, help="evaluator, methodologist or signatory.")
@click.option("--reason", required=True, help="Why, as printed.")
@click.option("--value", help="Value found right (default: the park's, when upheld).")
@verb
def objections_decide(
    console: Console, objection: int, decision: str, name: str, role: str, reason: str, value: str | None
) -> None:
    """Record a decision, with its effect on every park; what is upheld is corrected by a release of type C."""
    from parkindex.publish import objections as store

    engine = pipeline.engine_of(settings_module.load())
    made = store.decide(engine, objection, decision, decided_by=name, role=role, reason=reason, value=value)
    console.result(made, f"异议 {objection}：{decision}（{name}）", f"Objection {objection}: {decision} ({name})")
    _show_effect(console, made["effect"])


@objections.command("list")
@click.argument("edition", type=int, required=False)
@verb
def objections_list(console: Console, edition: int | None) -> None:
    """List objections, newest first, with what was decided and what came of it."""
    from parkindex.publish import objections as store

    rows = store.register(pipeline.engine_of(settings_module.load()), edition)
    console.result({"objections": rows})
    if not console.as_json:
        columns = ["objection_id", "edition", "release_id", "candidate_id", "park_code", "indicator_code"]
        columns += ["claimed_value", "reason", "decision", "decided_by", "corrected_by"]
        console.table(rows, columns, ("没有异议。", "There are no objections."))


def _show_effect(console: Console, effect: list[dict[str, Any]]) -> None:
    if console.as_json:
        return
    moved = [
        row for row in effect if (row["rank_before"], row["score_before"]) != (row["rank_after"], row["score_after"])
    ]
    columns = ["park_code", "rank_before", "rank_after", "score_before", "score_after", "tier_before", "tier_after"]
    console.table(
        moved,
        [*columns, "strikes_before", "strikes_after"],
        ("没有园区的名次或得分改变。", "No park's rank or score changes."),
    )
