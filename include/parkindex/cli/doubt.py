"""Verbs about what a ranking is worth and what follows from it: doubt, moved, consequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from parkindex import pipeline
from parkindex import settings as settings_module
from parkindex.cli.console import Console, verb

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from parkindex.publish.candidates import Candidate


def _candidate(connection: Connection, subject: str) -> Candidate:
    """Return a candidate by its id, or that of an edition's or a release's id; its tables have to be there."""
    from parkindex.publish import candidates, releases

    if "-c" in subject:
        found = candidates.find(connection, subject)
    else:
        found = candidates.find(connection, releases.find(connection, subject).candidate_id)
    candidates.require_schemas(connection, found)
    return found


@click.command()
@click.argument("subject", metavar="EDITION|CANDIDATE")
@click.option("--draws", type=click.IntRange(1, 1_000_000), help="Simulations (default: the methodology's).")
@click.option("--seed", type=click.IntRange(0), help="Seed (default: the methodology's).")
@verb
def doubt(console: Console, subject: str, draws: int | None, seed: int | None) -> None:
    """Say how sure a ranking is: other defensible choices, sensitivity, left-out parts, coherence."""
    from parkindex.publish import doubts, record

    with pipeline.engine_of(settings_module.load()).connect() as connection:
        candidate = _candidate(connection, subject)
        document = record.methodology_document(connection, candidate.methodology_sha256)
        found = doubts.measure(connection, candidate.schema_prefix, candidate.edition, document, draws=draws, seed=seed)
    console.result({"candidate_id": candidate.candidate_id, "edition": candidate.edition, **found})
    if console.as_json:
        return
    simulation = found["simulation"]
    rows = [
        {**park, "tiers": " ".join(f"{tier}:{share:.0%}" for tier, share in park["tier_shares"].items())}
        for park in simulation["parks"]
    ]
    console.table(
        rows,
        ["rank", "park_code", "low", "median", "high", "best", "worst", "tiers", "below_pass_line"],
        ("没有园区有名次。", "No park has a rank."),
    )
    if simulation["first_order"]:
        sources = [
            {"source": source, "alone": f"{alone:.2f}", "in_all": f"{simulation['total_order'][source]:.2f}"}
            for source, alone in simulation["first_order"].items()
        ]
        console.table(sources, ["source", "alone", "in_all"], ("", ""))
    flagged = [row for row in found["coherence"]["indicators"] if row["flag"]]
    console.table(
        flagged, ["indicator_code", "flag", "with_area", "with_total"], ("没有弱相关指标。", "No indicator is weak.")
    )
    enterprises = found["without_enterprises"]
    console.say(
        f"{enterprises['enterprises']} 家企业中，{enterprises['deciding']} 家单独缺席即会改变某个园区的名次",
        f"{enterprises['deciding']} of {enterprises['enterprises']} enterprises decide some park's rank alone",
    )


@click.command()
@click.argument("edition", type=int)
@click.argument("park", required=False)
@verb
def moved(console: Console, edition: int, park: str | None) -> None:
    """Split what moved each park since the last edition: own data, others, method, sample, revisions."""
    from parkindex.errors import BadInputError
    from parkindex.publish import doubts, record

    with pipeline.engine_of(settings_module.load()).connect() as connection:
        candidate = _candidate(connection, str(edition))
        document = record.methodology_document(connection, candidate.methodology_sha256)
        found = doubts.moves(connection, candidate.schema_prefix, edition, document, candidate.identity_run_id)
    if park is not None:
        found["parks"] = [one for one in found["parks"] if one["park_code"] == park]
        if not found["parks"]:
            raise BadInputError(
                f"Edition {edition} has no park {park!r}.", where="parks", next_step=f"parkindex moved {edition}"
            )
    console.result({"edition": edition, **found})
    if not console.as_json:
        rows: list[dict[str, Any]] = [{**one, **(one["rank_parts"] or {})} for one in found["parks"]]
        rows.sort(key=lambda row: (row["rank_after"] is None, row["rank_after"] or 0, row["park_code"]))
        console.table(
            rows,
            ["rank_after", "rank_before", "park_code", "rank_change", *doubts.PARTS],
            ("没有园区。", "There are no parks."),
        )
        against = found["against"]
        console.say(
            f"与 {against} 相比" if against else "上年没有发布：与按上年方法重新计算的结果相比",
            f"Against {against}" if against else "Nothing was published last year: against last year as known now",
        )


@click.group()
def consequences() -> None:
    """Notice, delisting, commendation: propose (by rule), decide (by a person), list."""


@consequences.command("propose")
@click.argument("edition", type=int)
@verb
def consequences_propose(console: Console, edition: int) -> None:
    """Say what the edition's rule proposes for each park. Nothing is decided by it."""
    from parkindex.publish import statuses

    found = statuses.as_rows(statuses.proposals(pipeline.engine_of(settings_module.load()), edition))
    console.result({"edition": edition, "decided": False, "parks": found})
    if not console.as_json:
        shown = [row for row in found if row["proposed"] or row["failing"] or row["status"] != "normal"]
        columns = ["park_code", "status", "proposed", "failing", "strikes", "crosses_line"]
        console.table(shown, columns, ("没有建议。", "Nothing is proposed."))
        if found:
            console.say(f"规则（本项目假定）：{found[0]['rule']}", f"Rule (assumed): {found[0]['rule']}")


@consequences.command("decide")
@click.argument("edition", type=int)
@click.argument("park")
@click.option("--status", required=True, help="normal, notice, delisted or commended.")
@click.option("--as", "name", required=True, help="Who decides, as registered.")
@click.option("--role", required=True, help="evaluator, methodologist or signatory.")
@click.option("--reason", required=True, help="Why.")
@click.option("--despite-doubt", is_flag=True, help="Known: the park's rank interval crosses the line.")
@verb
def consequences_decide(
    console: Console, edition: int, park: str, status: str, name: str, role: str, reason: str, despite_doubt: bool
) -> None:
    """Record what a person decided about a park, with what the rule proposed."""
    from parkindex.publish import statuses

    made = statuses.decide(
        pipeline.engine_of(settings_module.load()),
        edition,
        park,
        status,
        decided_by=name,
        role=role,
        reason=reason,
        despite_doubt=despite_doubt,
    )
    console.result(made, f"已记录：{park} {status}（{name}）", f"Recorded: {park} {status} ({name})")


@consequences.command("list")
@verb
def consequences_list(console: Console) -> None:
    """List every decision, newest first."""
    from parkindex.publish import statuses

    rows = statuses.decisions(pipeline.engine_of(settings_module.load()))
    console.result({"decisions": rows})
    if not console.as_json:
        columns = ["edition", "park_code", "status", "proposed", "crosses_line", "decided_by", "role", "reason"]
        console.table(rows, columns, ("没有决定。", "Nobody decided anything yet."))
