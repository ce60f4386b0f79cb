"""What people decided about who is who and who is where: data that is kept, dated and applied again by every run.

A decision is appended and never changed. What holds for a subject at a known time is read from its decisions in the
order of their time: ``accept`` says who it is, ``reject`` says who it is not (or, with the target ``nobody``, that it
is no enterprise of the registry), ``withdraw`` takes everything back that was decided before.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert

from parkindex.errors import BadInputError
from parkindex.ledger import tables
from parkindex.text import key_of

NAME, POINT, RELATION = "name", "point", "relation"
ACCEPT, REJECT, WITHDRAW = "accept", "reject", "withdraw"
NOBODY, EVERYTHING = "nobody", "*"
RELATIONS = ("branch_of", "member_of_group", "merged_into", "split_from", "succeeded_by")
COLUMNS = (
    *("decided_at", "decided_by", "action", "subject_kind", "subject", "target", "relation", "valid_from", "valid_to"),
    "reason",
)


@dataclass(frozen=True)
class Decision:
    """One decision. Fields as the columns of ``identity.decisions``.

    Attributes:
        action: ``accept``, ``reject`` or ``withdraw``.
        subject_kind: ``name``, ``point`` or ``relation``.
        subject: Match key of a name; ``USCC DATE`` of a point; USCC of the enterprise that stands in a relation.
        target: USCC, park code, ``nobody`` or ``*``.
        decided_by: Who.
        reason: Why.
        decided_at: When; None until it is recorded.
        relation: One of ``RELATIONS``, for relations only.
        valid_from: First day of a relation.
        valid_to: First day after a relation.
    """

    action: str
    subject_kind: str
    subject: str
    target: str
    decided_by: str
    reason: str
    decided_at: datetime | None = None
    relation: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass
class Standing:
    """What holds for one subject: who it is, and who it is not.

    Attributes:
        accepted: The last target that was accepted and not taken back.
        rejected: Targets that it is not; ``nobody`` among them means that it is no enterprise of the registry.
        told: How and why, for the evidence of a link.
    """

    accepted: Decision | None = None
    rejected: set[str] = field(default_factory=set)
    told: str = ""

    @property
    def is_nobody(self) -> bool:
        """Whether it was decided that the subject is no enterprise of the registry."""
        return NOBODY in self.rejected


def record(engine: Engine, decision: Decision) -> Decision:
    """Append a decision and return it with its time.

    Raises:
        BadInputError: It says nothing that could be applied: no person, no reason, an unknown kind of relation, a
            period that ends before it begins.
    """
    _check(decision)
    with engine.begin() as connection:
        values = {name: getattr(decision, name) for name in COLUMNS if getattr(decision, name) is not None}
        kept = tables.identity_decisions
        at: datetime = connection.execute(insert(kept).values(**values).returning(kept.c.decided_at)).scalar_one()
    return Decision(**{**values, "decided_at": at})


def known(connection: Connection, as_known: datetime | None = None) -> list[Decision]:
    """Return every decision, or every one made up to a known time, in the order in which they apply."""
    kept = tables.identity_decisions.c
    query = select(*(kept[name] for name in COLUMNS)).order_by(
        kept.decided_at, kept.subject_kind, kept.subject, kept.target
    )
    if as_known is not None:
        query = query.where(kept.decided_at <= as_known)
    return [Decision(**row._mapping) for row in connection.execute(query)]


def standing(decisions: Iterable[Decision], subject_kind: str) -> dict[str, Standing]:
    """Return what holds for each subject of a kind (names and points), in the order of the subjects."""
    found: dict[str, Standing] = {}
    for one in decisions:
        if one.subject_kind != subject_kind:
            continue
        state = found.setdefault(one.subject, Standing())
        if one.action == ACCEPT:
            state.accepted = one
            state.rejected -= {one.target, NOBODY}
        elif one.action == REJECT:
            state.rejected.add(one.target)
            if state.accepted and one.target in {state.accepted.target, NOBODY}:
                state.accepted = None
        else:
            found[one.subject] = Standing()
            continue
        state.told = told(one)
    return dict(sorted(found.items()))


def relations(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the relations that stand: accepted, and not rejected or withdrawn later; ordered by subject and target."""
    found: dict[tuple[str, str, str], Decision] = {}
    for one in decisions:
        if one.subject_kind != RELATION:
            continue
        at = (one.subject, one.relation or "", one.target)
        if one.action == ACCEPT:
            found[at] = one
        else:
            found.pop(at, None)
    return [found[at] for at in sorted(found)]


def told(decision: Decision) -> str:
    """Return who decided what, when and why, in one line."""
    at = f" on {decision.decided_at.astimezone(UTC):%Y-%m-%d}" if decision.decided_at else ""
    return f"{decision.action}ed by {decision.decided_by}{at}: {decision.reason}"


def name_subject(text: str) -> str:
    """Return the subject of a name as people type it: its match key.

    Raises:
        BadInputError: Nothing is left of it.
    """
    subject = key_of("name", text)
    if not subject:
        raise BadInputError("The name is empty.", why="blanks and invisible characters make no name")
    return subject


def write_file(decisions: Iterable[Decision], path: Path) -> int:
    """Write decisions as CSV (UTF-8 with BOM), in their order. Returns how many."""
    written = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in decisions:
            writer.writerow(["" if (value := getattr(one, name)) is None else _text(value) for name in COLUMNS])
            written += 1
    return written


def read_file(path: Path) -> list[Decision]:
    """Read decisions that :func:`write_file` wrote.

    Raises:
        BadInputError: The file is not one, or a line of it says nothing that could be applied.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise BadInputError(
                    f"{path.name} is no file of decisions.",
                    where=str(path),
                    why=f"its header is not {','.join(COLUMNS)}",
                    next_step="parkindex matches export --decisions --out FILE writes one",
                )
            return [_parsed(row, f"{path}, line {number}") for number, row in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError("The file of decisions cannot be read.", where=str(path), why=str(error)) from error


def bring_in(engine: Engine, decisions: Iterable[Decision]) -> int:
    """Append decisions made elsewhere, with their own times; those that are here already stay. Returns how many came.

    Raises:
        BadInputError: As for :func:`record`.
    """
    rows = list(decisions)
    for one in rows:
        _check(one)
    if not rows:
        return 0
    with engine.begin() as connection:
        statement = (
            insert(tables.identity_decisions)
            .on_conflict_do_nothing(index_elements=["decided_at", "subject_kind", "subject", "target"])
            .returning(tables.identity_decisions.c.decision_id)
        )
        return sum(
            connection.execute(statement.values({name: getattr(one, name) for name in COLUMNS})).first() is not None
            for one in rows
        )


def _text(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _parsed(row: Mapping[str, str | None], where: str) -> Decision:
    try:
        values: dict[str, Any] = {name: row[name] or None for name in COLUMNS}
        values["decided_at"] = datetime.fromisoformat(str(values["decided_at"]))
        for name in ("valid_from", "valid_to"):
            values[name] = None if values[name] is None else date.fromisoformat(values[name])
    except (ValueError, KeyError) as error:
        raise BadInputError("A decision cannot be read.", where=where, why=str(error)) from error
    if values["decided_at"].tzinfo is None:
        raise BadInputError("A decision has a time without a zone.", where=where, next_step="write it as …+00:00")
    decision = Decision(**values)
    _check(decision, where)
    return decision


def _check(decision: Decision, where: str = "identity.decisions") -> None:
    reasons = {
        "nobody is named who decided": not decision.decided_by,
        "no reason is given": not decision.reason,
        f"the action {decision.action!r} is unknown": decision.action not in {ACCEPT, REJECT, WITHDRAW},
        f"the kind {decision.subject_kind!r} is unknown": decision.subject_kind not in {NAME, POINT, RELATION},
        "subject or target is empty": not (decision.subject and decision.target),
        f"a relation is one of {', '.join(RELATIONS)}": (
            decision.relation not in RELATIONS if decision.subject_kind == RELATION else decision.relation is not None
        ),
        "a relation needs its first day": (
            decision.subject_kind == RELATION and decision.action == ACCEPT and decision.valid_from is None
        ),
        "it ends before it begins": bool(
            decision.valid_from and decision.valid_to and decision.valid_to <= decision.valid_from
        ),
    }
    broken = [why for why, holds in reasons.items() if holds]
    if broken:
        raise BadInputError(
            "The decision cannot be recorded.",
            where=where,
            why="; ".join(broken),
            next_step="parkindex matches --help",
        )
