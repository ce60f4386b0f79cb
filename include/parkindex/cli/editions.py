"""Verbs from candidate to publication: build, gate, candidates, preview, gc, approvers, approve, reject, publish."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from parkindex import pipeline
from parkindex import settings as settings_module
from parkindex.cli.console import Console, verb
from parkindex.errors import ExitCode, UsageError


@click.command()
@click.argument("edition", type=int)
@click.option("--as-known", help="ISO date or instant; rows received later do not count (default: newest delivery).")
@verb
def build(console: Console, edition: int, as_known: str | None) -> None:
    """Build a candidate of an edition."""
    made = pipeline.build_candidate(edition, as_known, built_by=pipeline.current_user())
    identifier, content = made["candidate_id"], made["content_sha256"]
    console.result(
        made,
        f"候选版本 {identifier},内容哈希 {content}\n下一步:parkindex gate {identifier}",
        f"Candidate {identifier}, content {content}\nnext: parkindex gate {identifier}",
    )


@click.command()
@click.argument("candidate", required=False)
@click.option("--marts", is_flag=True, help="Gate the next generation of marts instead of a candidate.")
@verb
def gate(console: Console, candidate: str | None, marts: bool) -> None:
    """Run the gate on a candidate; exit 4 when it fails."""
    if (candidate is None) != marts:
        raise UsageError(
            "The gate takes a candidate or --marts.",
            why="both were given" if marts else "neither was given",
            next_step="parkindex candidates, then parkindex gate CANDIDATE",
        )
    verdict = pipeline.run_gate(candidate)[0] if candidate is not None else pipeline.run_marts_gate()
    rows = [
        {
            "id": result.id,
            "stage": result.stage,
            "severity": result.severity,
            "success": result.success,
            "observed": result.observed,
            "rows_looked_at": result.rows_looked_at,
            "may_be_waived": result.may_be_waived,
            "waiver_ids": list(result.waiver_ids),
        }
        for result in verdict.expectations
    ]
    console.result({"verdict": verdict.verdict, "candidate_id": candidate, "expectations": rows})
    if not console.as_json:
        failed = [row for row in rows if not row["success"]]
        columns = ["severity", "id", "observed", "rows_looked_at"]
        console.table(failed, columns, ("所有检查通过。", "Every expectation holds."))
        console.say(f"{len(rows)} 项检查:{verdict.verdict}", f"{len(rows)} expectations: {verdict.verdict}")
        if any(result.stops and result.may_be_waived for result in verdict.expectations):
            console.say(
                f"部分未通过项可由登记人员签字放行：parkindex waivers {candidate}",
                f"A named person may sign some of it: parkindex waivers {candidate}",
            )
    if verdict.verdict != "pass":
        sys.exit(int(ExitCode.GATE_FAILED))


@click.command()
@verb
def candidates(console: Console) -> None:
    """List candidates, newest first."""
    from parkindex.publish import candidates as store

    rows = [pipeline.candidate_facts(one) for one in store.list_candidates(pipeline.engine_of(settings_module.load()))]
    console.result({"candidates": rows})
    if not console.as_json:
        columns = ["candidate_id", "edition", "as_known", "built_by", "content_sha256"]
        console.table(rows, columns, ("没有候选版本。", "There are no candidates."))


@click.command()
@click.argument("candidate")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the pages (default: <home>/previews/<id>).")
@click.option("--park", help="Write only what this park is shown: its own page and figures; the access is recorded.")
@click.option("--to", "shown_to", help="Who is shown it (with --park).")
@verb
def preview(console: Console, candidate: str, out: Path | None, park: str | None, shown_to: str | None) -> None:
    """Write a candidate's pages as a preview, and what it would change against the current release."""
    from parkindex.publish import preview as previews

    settings = settings_module.load()
    if park is not None:
        page = previews.write_park(
            pipeline.engine_of(settings),
            settings,
            candidate,
            park,
            shown_to=shown_to or "",
            by=pipeline.current_user(),
        )
        console.result({"page": str(page), "park": park, "shown_to": shown_to}, f"预览:{page}", f"Preview: {page}")
        return
    made = previews.write(pipeline.engine_of(settings), settings, candidate, out)
    console.result(
        {"page": str(made.page), "against": made.against, "changes": made.changes},
        f"预览:{made.page}\n与当前发布相比有 {len(made.changes)} 处变化",
        f"Preview: {made.page}\n{len(made.changes)} cells differ from the current release",
    )


@click.command()
@verb
def gc(console: Console) -> None:
    """Drop the tables of candidates that a release has overtaken, and what killed builds left; ledger rows stay."""
    made = pipeline.clear_away()
    dropped, removed = made["dropped"], made["removed"]
    console.result(
        made,
        f"已清理:{len(dropped)} 组,{len(removed)} 个中断的 dbt 目录",
        f"Dropped: {', '.join(dropped) or 'nothing'}; folders of killed dbt runs: {len(removed)}",
    )


@click.group()
def approvers() -> None:
    """The registry of people who may approve: add, list."""


@approvers.command("add")
@click.argument("name")
@click.option("--role", required=True, help="evaluator, methodologist or signatory.")
@verb
def approvers_add(console: Console, name: str, role: str) -> None:
    """Register a person who may approve."""
    from parkindex.publish import approvals

    approvals.register(pipeline.engine_of(settings_module.load()), name, role, is_demo=False)
    console.result({"approver": name, "role": role}, f"已登记 {name}({role})", f"Registered {name} ({role})")


@approvers.command("end")
@click.argument("name")
@click.option("--reason", required=True, help="Why, kept in the registry.")
@verb
def approvers_end(console: Console, name: str, reason: str) -> None:
    """End a person's registration; what they decided before stays on record."""
    from parkindex.publish import approvals

    approvals.end(pipeline.engine_of(settings_module.load()), name, reason, by=pipeline.current_user())
    console.result({"approver": name, "reason": reason}, f"已终止登记：{name}", f"Ended: {name}")


@approvers.command("list")
@verb
def approvers_list(console: Console) -> None:
    """List registered people."""
    from parkindex.publish import approvals

    known = approvals.registered(pipeline.engine_of(settings_module.load()))
    rows = [asdict(one) for one in known.values()]
    console.result({"approvers": rows})
    if not console.as_json:
        columns = ["approver", "role", "is_demo", "registered_at", "ended_at"]
        console.table(rows, columns, ("没有登记任何人。", "Nobody is registered."))


@click.command()
@click.argument("candidate")
@verb
def waivers(console: Console, candidate: str) -> None:
    """List what a named person has to sign before the gate passes a candidate, and what is signed."""
    from parkindex import gate
    from parkindex.publish import waivers as store

    engine = pipeline.engine_of(settings_module.load())
    needed = [
        {"expectation": f"{one.id}/{gate.key_label(key)}", **key}
        for one in store.needs(engine, candidate)
        for key in one.failing_keys
    ]
    with engine.connect() as connection:
        signed = store.of_candidate(connection, candidate)
    console.result({"candidate_id": candidate, "needed": needed, "signed": signed})
    if not console.as_json:
        for row in needed:
            click.echo(
                "  ".join(f"{name}={value}" if name != "expectation" else str(value) for name, value in row.items())
            )
        columns = ["waiver_id", "expectation_id", "signed_by", "role", "reason", "expires_at"]
        console.table(signed, columns, ("尚无签字。", "Nothing is signed."))


@click.command()
@click.argument("candidate")
@click.argument("expectation", metavar="EXPECTATION[/KEY]", required=False)
@click.option("--as", "name", required=True, help="Who signs, as registered.")
@click.option("--role", required=True, help="evaluator, methodologist or signatory.")
@click.option("--reason", required=True, help="Why, as printed on the release.")
@click.option("--days", type=int, help="For how many days (default and most: waiver_days of the methodology).")
@verb
def waive(
    console: Console, candidate: str, expectation: str | None, name: str, role: str, reason: str, days: int | None
) -> None:
    """Sign failures that the gate must not pass alone; without EXPECTATION all that need it."""
    made = pipeline.sign_waivers(candidate, expectation, name, role, reason, days)
    console.result(
        {"candidate_id": candidate, "signed": made},
        f"{name} 签字 {len(made)} 项；下一步：parkindex gate {candidate}",
        f"{name} signed {len(made)}; next: parkindex gate {candidate}",
    )


def _decide(console: Console, candidate: str, name: str, role: str, decision: str, note: str) -> None:
    made = pipeline.record_approval(candidate, None, name, role, decision, note)
    console.result(
        made,
        f"{name}({role}):{decision} {candidate},内容哈希 {made['content_sha256']}",
        f"{name} ({role}): {decision} {candidate}, content {made['content_sha256']}",
    )


@click.command()
@click.argument("candidate")
@click.option("--as", "name", required=True, help="Name of the approver.")
@click.option("--role", required=True, help="evaluator, methodologist or signatory.")
@click.option("--note", default="", help="Remark, kept with the decision.")
@verb
def approve(console: Console, candidate: str, name: str, role: str, note: str) -> None:
    """Approve a candidate, bound to its hash."""
    _decide(console, candidate, name, role, "approve", note)


@click.command()
@click.argument("candidate")
@click.option("--as", "name", required=True, help="Name of the approver.")
@click.option("--role", required=True, help="evaluator, methodologist or signatory.")
@click.option("--note", default="", help="Remark, kept with the decision.")
@verb
def reject(console: Console, candidate: str, name: str, role: str, note: str) -> None:
    """Reject a candidate, bound to its hash."""
    _decide(console, candidate, name, role, "reject", note)


@click.command()
@click.argument("candidate")
@click.option("--reason", help="Why a revision of a published edition is made.")
@verb
def publish(console: Console, candidate: str, reason: str | None) -> None:
    """Publish an approved candidate and write its bundle, or refuse with code 4 or 5."""
    made = pipeline.publish(candidate, reason)
    bundle = pipeline.write_bundle(made["release_id"])
    outcomes = pipeline.try_anchors()
    said = ("此前已发布为", "Published already as") if made["already_published"] else ("已发布", "Published")
    console.result(
        {**made, **bundle, "anchors": outcomes},
        f"{said[0]} {made['release_id']}:{bundle['page']}",
        f"{said[1]} {made['release_id']}: {bundle['page']}",
    )
    for one in outcomes:
        if one["error"]:
            console.say(
                f"链首哈希未能送达 {one['anchor']}：{one['error']}\n稍后运行：parkindex anchors hand",
                f"The head of the chain did not reach {one['anchor']}: {one['error']}\nlater: parkindex anchors hand",
            )
