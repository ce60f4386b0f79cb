"""Verbs about who is who: the review queue, people's decisions, and lists of names that somebody brings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from parkindex import pipeline
from parkindex import settings as settings_module
from parkindex.cli.console import Console, verb

if TYPE_CHECKING:
    from parkindex.identity.decisions import Decision

_PATHS = click.Path(path_type=Path)
_DAY = click.DateTime(formats=["%Y-%m-%d"])
_KINDS = click.Choice(["name", "point"])


@click.group()
def matches() -> None:
    """Doubtful names and places: list, accept, reject, relate, export, import."""


@matches.command("list")
@click.option("--kind", type=_KINDS)
@click.option("--reason", "why", help="unknown_name, ambiguous_name, doubtful_name or ambiguous_place.")
@click.option("--decisions", "decided", is_flag=True, help="What people decided instead of what is open.")
@click.option("--limit", type=int, default=100, show_default=True)
@verb
def matches_list(console: Console, kind: str | None, why: str | None, decided: bool, limit: int) -> None:
    """List what the newest run left open, with candidates; or the decisions that were made."""
    from parkindex.identity import decisions, review

    engine = pipeline.engine_of(settings_module.load())
    if decided:
        with engine.connect() as connection:
            made = [_plain(one) for one in decisions.known(connection)]
        console.result({"total": len(made), "decisions": made[:limit]})
        if not console.as_json:
            columns = ["decided_at", "decided_by", "action", "subject", "relation", "target", "reason"]
            console.table(made[:limit], columns, ("还没有人工决定。", "Nothing was decided yet."))
        return
    rows = review.listed(engine, kind=kind, reason=why)
    console.result({"total": len(rows), "matches": rows[:limit]})
    if not console.as_json:
        shown = [{**row, "best": _best(row["candidates"])} for row in rows[:limit]]
        columns = ["subject_kind", "subject", "reason", "best"]
        console.table(shown, columns, ("没有待核对的名称或地点。", "No name or place waits for a decision."))
        if len(rows) > limit:
            console.say(f"共 {len(rows)} 条;--limit 可显示更多。", f"{len(rows)} in all; --limit shows more.")


@matches.command("accept")
@click.argument("subject")
@click.argument("target")
@click.option("--as", "by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why; it stands as evidence on the link.")
@verb
def matches_accept(console: Console, subject: str, target: str, by: str, reason: str) -> None:
    """Say that a name is the enterprise TARGET (USCC), or that a point ("USCC DATE") is in the park TARGET."""
    _decide(console, "accept", subject, target, by, reason)


@matches.command("reject")
@click.argument("subject")
@click.argument("target", default="nobody")
@click.option("--as", "by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why.")
@verb
def matches_reject(console: Console, subject: str, target: str, by: str, reason: str) -> None:
    """Say that a name is not the enterprise TARGET; without TARGET: that it is no enterprise of the registry."""
    _decide(console, "reject", subject, target, by, reason)


@matches.command("withdraw")
@click.argument("subject")
@click.option("--as", "by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why.")
@verb
def matches_withdraw(console: Console, subject: str, by: str, reason: str) -> None:
    """Take back whatever was decided about a name or a point; the rules apply to it again."""
    _decide(console, "withdraw", subject, "*", by, reason)


@matches.command("relate")
@click.argument("enterprise")
@click.argument("relation")
@click.argument("other")
@click.option("--since", type=_DAY, help="First day.")
@click.option("--until", type=_DAY, help="First day after.")
@click.option("--undo", is_flag=True, help="Take the relation back.")
@click.option("--as", "by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why.")
@verb
def matches_relate(
    console: Console,
    enterprise: str,
    relation: str,
    other: str,
    since: datetime | None,
    until: datetime | None,
    undo: bool,
    by: str,
    reason: str,
) -> None:
    """Record that ENTERPRISE stands in RELATION to OTHER.

    RELATION is branch_of, member_of_group, merged_into, split_from or succeeded_by.
    """
    from parkindex.identity import review

    period = (since.date() if since else None, until.date() if until else None)
    engine = pipeline.engine_of(settings_module.load())
    _said(
        console,
        review.relate(engine, "reject" if undo else "accept", enterprise, relation, other, by, reason, period),
    )


@matches.command("export")
@click.option("--out", type=_PATHS, required=True, help="A .csv file.")
@click.option("--decisions", "decided", is_flag=True, help="The decisions, to keep or to carry to another warehouse.")
@verb
def matches_export(console: Console, out: Path, decided: bool) -> None:
    """Write what is open, one line per candidate; or the decisions."""
    from parkindex.identity import decisions, review

    engine = pipeline.engine_of(settings_module.load())
    if decided:
        with engine.connect() as connection:
            written = decisions.write_file(decisions.known(connection), out)
    else:
        written = review.export(review.listed(engine), out)
    console.result({"rows": written, "file": str(out)}, f"已写入 {written} 行:{out}", f"Wrote {written} rows: {out}")


@matches.command("import")
@click.argument("file", type=_PATHS)
@verb
def matches_import(console: Console, file: Path) -> None:
    """Bring in decisions that were exported elsewhere, with the times at which they were made."""
    from parkindex.identity import decisions

    came = decisions.bring_in(pipeline.engine_of(settings_module.load()), decisions.read_file(file))
    console.result({"decisions": came}, f"新增 {came} 条决定。", f"{came} decisions came in.")


@click.command()
@click.argument("file", type=_PATHS)
@click.option("--column", required=True, help="Header of the column with names or codes.")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the file.")
@click.option("--out", type=_PATHS, help="Write the answers to a .csv file too.")
@verb
def resolve(console: Console, file: Path, column: str, encoding: str, out: Path | None) -> None:
    """Resolve names or codes in a CSV to enterprises of the warehouse; doubtful ones are marked review."""
    from parkindex.identity import lists

    answers = lists.resolve(pipeline.engine_of(settings_module.load()), file, column, encoding)
    found = lists.counts(answers)
    if out:
        lists.write(answers, out)
    rows = [lists.as_row(one) for one in answers]
    console.result({"file": str(file), "column": column, "counts": found, "rows": rows})
    if not console.as_json:
        shown = [{**row, "best": _best(row["candidates"])} for row in rows]
        columns = ["row", "value", "status", "enterprise_id_uscc", "method", "score", "best"]
        console.table(shown, columns, ("文件没有数据行。", "The file has no rows."))
        linked, review, unknown = found.values()
        console.say(
            f"已关联 {linked},待核对 {review},未找到 {unknown}。",
            f"{linked} linked, {review} to review, {unknown} unknown.",
        )


def _decide(console: Console, action: str, subject: str, target: str, by: str, reason: str) -> None:
    from parkindex.identity import review

    _said(console, review.decide(pipeline.engine_of(settings_module.load()), action, subject, target, by, reason))


def _said(console: Console, decision: Decision) -> None:
    console.result(
        _plain(decision),
        f"已记录:{decision.subject} {decision.action} {decision.target};下次构建起生效。",
        f"Recorded: {decision.subject} {decision.action} {decision.target}; it holds from the next build on.",
    )


def _plain(decision: Decision) -> dict[str, Any]:
    return dict(vars(decision))


def _best(candidates: list[dict[str, Any]]) -> str:
    if not candidates:
        return "–"
    best = candidates[0]
    if "park_code" in best:
        return ", ".join(str(one["park_code"]) for one in candidates)
    return f"{best['enterprise_name']} ({best['score']:.2f})"
