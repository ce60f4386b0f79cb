"""What a person is shown who is asked to approve a candidate: hash, ranks, movers, rejects. Plain Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from sqlalchemy import Engine

from parkindex import gate
from parkindex.gate import Result
from parkindex.publish import annex, approvals, candidates, contents, waivers
from parkindex.publish.candidates import Candidate
from parkindex.publish.canonical import Row

_FIRST_RANKS = 5
_MOVERS = 5
_SIGNED_SHOWN = 40


def markdown(engine: Engine, candidate_id: str, findings: Iterable[str]) -> str:
    """Describe a candidate for its approvers.

    Args:
        engine: The warehouse, as its owner.
        candidate_id: Candidate.
        findings: Warnings of the gate.

    Raises:
        UsageError: There is no such candidate.
        NotApprovedError: Its tables are no longer there.
    """
    with engine.connect() as connection:
        candidate = candidates.find(connection, candidate_id)
        candidates.require_schemas(connection, candidate)
        ranking = contents.of_candidate(connection, candidate.schema_prefix)["park_ranking"]
        quality = annex.of_candidate(connection, candidate)["data_quality"]
        verdict = approvals.latest_verdict(connection, candidate_id)
        signed = [] if verdict is None else waivers.of_verdict(connection, verdict.gate_run_id)
    ranked = sorted(
        (row for row in ranking if row["rank"] is not None), key=lambda row: (row["rank"], row["park_code"])
    )
    # A change of rank is positive when a park rose.
    moved = sorted(
        (row for row in ranked if row["rank_change"]), key=lambda row: (-abs(row["rank_change"]), row["rank"])
    )
    return "\n".join(
        [
            f"**Edition {candidate.edition}**, candidate `{candidate.candidate_id}`, built by {candidate.built_by}",
            "",
            f"- content `{candidate.content_sha256}`",
            f"- methodology `{candidate.methodology_sha256}`",
            f"- as known {candidate.as_known.isoformat()}",
            f"- {len(ranked)} of {len(ranking)} parks ranked",
            f"- the page: `parkindex preview {candidate.candidate_id}`",
            "",
            *_table("First ranks", ("rank", "park", "score", "previous"), map(_place, ranked[:_FIRST_RANKS])),
            *_table("Movers", ("rank", "park", "score", "previous"), map(_place, moved[:_MOVERS])),
            *_table(
                "Consequences and who signed for them",
                ("what", "signed by", "why", "until"),
                map(_waiver, _shown(signed)),
            ),
            *_table("Rejected rows", ("feed", "landed", "rejected", "share"), map(_rejects, quality)),
            *_section("Warnings of the gate", [f"- {finding}" for finding in findings] or ["none"]),
        ]
    )


def to_sign(candidate: Candidate, needed: Iterable[Result]) -> str:
    """Describe what the gate must not pass alone, for the person who signs it."""
    lines = [
        f"**Edition {candidate.edition}**, candidate `{candidate.candidate_id}`, content `{candidate.content_sha256}`",
        "",
        f"- the page: `parkindex preview {candidate.candidate_id}`; all of this: "
        f"`parkindex waivers {candidate.candidate_id}`",
        "- whoever signs lets every line below through, with the reason as it will be printed on the release",
        "",
    ]
    for result in needed:
        names = [name for name, value in result.failing_keys[0].items() if value is not None]
        rows = [tuple(str(key.get(name) or "–") for name in names) for key in result.failing_keys[:_SIGNED_SHOWN]]
        lines += _table(f"{result.id} ({len(result.failing_keys)})", tuple(names), rows)
        if len(result.failing_keys) > _SIGNED_SHOWN:
            lines += [f"… and {len(result.failing_keys) - _SIGNED_SHOWN} more", ""]
    return "\n".join(lines)


def _shown(signed: Sequence[Row]) -> Sequence[Row]:
    return signed[:_SIGNED_SHOWN]


def _waiver(row: Row) -> tuple[str, ...]:
    what = f"{row['expectation_id']} {gate.key_label(row['failing_key'])}"
    name = f"{row['signed_by']} ({row['role']}{', demo' if row['is_demo'] else ''})"
    return (what, name, row["reason"], row["expires_at"].date().isoformat())


def _place(row: Row) -> tuple[str, ...]:
    previous = row["rank_previous"]
    return (str(row["rank"]), row["park_name_zh"], f"{row['score']:.2f}", "–" if previous is None else str(previous))


def _rejects(row: Row) -> tuple[str, ...]:
    share: Decimal | None = row["reject_share"]
    counts = (row["feed"], str(row["rows_landed"]), str(row["rows_rejected"]))
    return (*counts, "–" if share is None else f"{share * 100:.2f} %")


def _table(title: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |" for cells in rows]
    if not lines:
        return _section(title, ["none"])
    return _section(title, [f"| {' | '.join(header)} |", "| --- " * len(header) + "|", *lines])


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"### {title}", "", *lines, ""]
