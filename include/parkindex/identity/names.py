"""Names to enterprises: linked by a decision, exactly, or in another spelling; or queued for a person (ADR 0016)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from psycopg import sql
from sqlalchemy import Connection

from parkindex.identity import candidates, company_names
from parkindex.identity.decisions import Standing
from parkindex.identity.writing import copy_rows, json_text
from parkindex.text import KEY_FUNCTIONS

# What stands between names in `applicant_names` (contract `patents`).
SEPARATOR = "；"

# Every name of a feed that says who by name only. A row with a USCC is linked by that alone. Of counterparties only
# those that a patent passes to are asked for: a bank that takes a pledge is nobody's enterprise.
_ASKED = """
select first_applicant_name_key as name_key from {staging}.stg_patents__publications
union
select name_key from identity.further_applicants where identity_run_id = {run}
union
select holder_name_key from {staging}.stg_patent_events__events where holder_uscc_key is null
union
select counterparty_name_key from {staging}.stg_patent_events__events where event_type = 'transfer'
union
select company_name_key from {staging}.stg_financing_rounds__rounds
union
select enterprise_name_key from {staging}.stg_recognitions__recognitions where enterprise_id_uscc is null
"""

# Every name of the registry with whoever has held it, once; and of each name asked for, who has held exactly it.
_HELD = """
create temporary table held_names on commit drop as
select distinct enterprise_name_key as name_key, enterprise_id_uscc
from {staging}.stg_enterprise_registry__enterprises
"""
_RESOLVED = """
create temporary table resolved_names on commit drop as
select
    asked.name_key,
    count(held_names.enterprise_id_uscc) as holders_count,
    min(held_names.enterprise_id_uscc collate "C") as enterprise_id_uscc
from ({asked}) as asked
left join held_names on asked.name_key = held_names.name_key
where asked.name_key <> ''
group by asked.name_key
"""

_CO_APPLICANTS = """
select publication_number, kind, applicant_names
from {staging}.stg_patents__publications
where applicant_count > 1
order by publication_number collate "C", kind collate "C"
"""

_LINKS = """
insert into identity.enterprise_links (identity_run_id, name_key, enterprise_id_uscc, method, score, evidence)
select %(run)s, name_key, enterprise_id_uscc, 'exact_name', 1, 'equals a registered name of this enterprise alone'
from resolved_names
where holders_count = 1 and name_key <> all(%(decided)s)
order by name_key collate "C"
"""
_OPEN = """
select name_key, holders_count from resolved_names
where holders_count <> 1 or name_key = any(%(decided)s)
order by name_key collate "C"
"""

DECISION, EXACT, SPELLING = "decision", "exact_name", "normalised_name"
_SPELLING_SCORE = 0.99
_PROPOSAL = "similar name; place, trade or legal form may differ"


@dataclass(frozen=True)
class Candidate:
    """An enterprise that a name could be.

    Attributes:
        enterprise_id_uscc: USCC.
        enterprise_name: The registered name that is similar, as its match key.
        score: Similarity, 0 to 1.
        evidence: What speaks for it.
    """

    enterprise_id_uscc: str
    enterprise_name: str
    score: float
    evidence: str


@dataclass(frozen=True)
class Resolution:
    """What is known about one name.

    Attributes:
        name_key: The name.
        enterprise_id_uscc: Whose it is; None when it is not linked.
        method: ``decision``, ``exact_name`` or ``normalised_name``; of a name that is not linked, why:
            ``unknown_name``, ``ambiguous_name``, ``doubtful_name``, or ``decided_nobody``.
        score: 1 for an exact match or a decision, 0.99 for another spelling; of a name that is not linked, that of its
            best candidate.
        evidence: What that rests on.
        candidates: Who it could be, best first; empty when linked.
    """

    name_key: str
    enterprise_id_uscc: str | None
    method: str
    score: float
    evidence: str
    candidates: tuple[Candidate, ...] = ()


def resolve(connection: Connection, staging: str, run: int, decided: Mapping[str, Standing]) -> None:
    """Link every name that leads to exactly one enterprise of the registry; queue the others with candidates.

    Exact links are one set operation over keys that landing computed, so they are made in the warehouse; only names
    that it leaves open are looked at one by one.

    Args:
        connection: In the run's transaction.
        staging: Schema of the staging models.
        run: Identity run to write.
        decided: What people decided about names, by match key.
    """
    schema = sql.Identifier(staging)
    _list_further_applicants(connection, schema, run)
    asked = sql.SQL(_ASKED).format(staging=schema, run=sql.Literal(run))
    for statement in (_HELD, _RESOLVED):
        connection.exec_driver_sql(sql.SQL(statement).format(asked=asked, staging=schema).as_string(None))
    names = {"run": run, "decided": sorted(decided)}
    connection.exec_driver_sql(_LINKS, names)
    left = [str(row.name_key) for row in connection.exec_driver_sql(_OPEN, names)]
    if not left:
        return
    held = connection.exec_driver_sql(
        'select name_key, enterprise_id_uscc from held_names order by name_key collate "C", enterprise_id_uscc'
    ).all()
    registered = pl.DataFrame(
        [tuple(row) for row in held], schema={"name_key": pl.String, "enterprise_id_uscc": pl.String}, orient="row"
    )
    found = look_up(left, registered, decided)
    _write(connection, run, found)


def look_up(asked: list[str], registered: pl.DataFrame, decided: Mapping[str, Standing]) -> list[Resolution]:
    """Resolve names against registered ones, in the order asked.

    A decision goes first. Then a name equal to a registered one, then one that is another spelling of one
    (``company_names.canonical``): linked when exactly one enterprise has ever held it and nobody rejected the pair.
    Similar names are proposed, never linked.

    Args:
        asked: Match keys, distinct.
        registered: Columns ``name_key`` and ``enterprise_id_uscc``, one row per name an enterprise ever had.
        decided: What people decided about names, by match key.
    """
    first: dict[str, Resolution] = {}
    questions = pl.Series(asked, dtype=pl.String)
    exact = _holders(questions, registered, "name_key")
    spelt = _holders(questions, registered, "canonical")
    for name in asked:
        holders = exact.get(name) or {}
        method = EXACT
        if not holders:
            holders, method = spelt.get(name) or {}, SPELLING
        first[name] = _without_similarity(name, method, holders, decided.get(name, Standing()))
    unknown = [name for name, one in first.items() if one.method in {"unknown_name", "doubtful_name"}]
    proposals: dict[str, list[Candidate]] = defaultdict(list)
    for name, uscc, known, score in candidates.propose(pl.Series(unknown, dtype=pl.String), registered).iter_rows():
        if uscc not in decided.get(name, Standing()).rejected:
            proposals[name].append(Candidate(uscc, known, score, _PROPOSAL))
    return [_with_proposals(first[name], proposals.get(name, [])) for name in asked]


def _without_similarity(name: str, method: str, everyone: dict[str, str], standing: Standing) -> Resolution:
    """Decide by people's decisions, else by who has held the name (USCC → the registered name)."""
    if standing.accepted:
        return Resolution(name, standing.accepted.target, DECISION, 1.0, standing.told)
    if standing.is_nobody:
        return Resolution(name, None, "decided_nobody", 1.0, standing.told)
    if not everyone:
        return Resolution(name, None, "unknown_name", 0.0, "no registered name is spelt like it")
    score = 1.0 if method == EXACT else _SPELLING_SCORE
    holders = {uscc: known for uscc, known in sorted(everyone.items()) if uscc not in standing.rejected}
    if holders and len(everyone) == 1:
        ((uscc, known),) = holders.items()
        spelt = f"another spelling of {known}, a name of this enterprise alone"
        return Resolution(
            name, uscc, method, score, "equals a registered name of this enterprise alone" if method == EXACT else spelt
        )
    evidence = "has held this name" if method == EXACT else "has held another spelling of this name"
    could_be = tuple(Candidate(uscc, known, score, evidence) for uscc, known in holders.items())
    why = f"{len(everyone)} enterprises have held this name" if could_be else standing.told
    return Resolution(
        name, None, "ambiguous_name" if could_be else "doubtful_name", score if could_be else 0.0, why, could_be
    )


def _with_proposals(one: Resolution, proposals: list[Candidate]) -> Resolution:
    return replace(one, score=proposals[0].score, candidates=tuple(proposals)) if proposals else one


def _holders(asked: pl.Series, registered: pl.DataFrame, by: str) -> dict[str, dict[str, str]]:
    """Return for each name asked: USCC → registered name of whoever has held it, by match key or by its spelling."""
    questions = asked.rename("asked").to_frame()
    key = pl.col("asked") if by == "name_key" else company_names.canonical(pl.col("asked"))
    known = pl.col("name_key") if by == "name_key" else company_names.canonical(pl.col("name_key"))
    met = (
        questions.with_columns(join_key=key)
        .join(registered.with_columns(join_key=known), on="join_key")
        .sort("asked", "enterprise_id_uscc", "name_key")
    )
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, uscc, registered_key in met.select("asked", "enterprise_id_uscc", "name_key").iter_rows():
        found[name].setdefault(uscc, registered_key)
    return found


def _write(connection: Connection, run: int, found: list[Resolution]) -> None:
    links = (
        (run, one.name_key, one.enterprise_id_uscc, one.method, one.score, one.evidence)
        for one in found
        if one.enterprise_id_uscc is not None
    )
    copy_rows(
        connection,
        "copy identity.enterprise_links (identity_run_id, name_key, enterprise_id_uscc, method, score, evidence)"
        " from stdin",
        links,
    )

    def queued() -> Iterator[tuple[Any, ...]]:
        for one in found:
            if one.enterprise_id_uscc is None and one.method != "decided_nobody":
                could_be = [vars(candidate) for candidate in one.candidates]
                yield (run, "name", one.name_key, one.method, json_text(could_be))

    copy_rows(
        connection,
        "copy identity.review_queue (identity_run_id, subject_kind, subject, reason, candidates) from stdin",
        queued(),
    )


def _list_further_applicants(connection: Connection, staging: sql.Identifier, run: int) -> None:
    """Write the applicants after the first one by one, with the keys that names have everywhere."""
    read = connection.exec_driver_sql(sql.SQL(_CO_APPLICANTS).format(staging=staging).as_string(None)).all()
    rows = [
        {"publication_number": number, "kind": kind, "position": position, "name": name}
        for number, kind, names in (tuple(map(str, row)) for row in read)
        for position, name in enumerate(names.split(SEPARATOR), start=1)
        if position > 1
    ]
    if not rows:
        return
    keyed = pl.DataFrame(rows).with_columns(name_key=KEY_FUNCTIONS["name"](pl.col("name"))).drop("name")
    columns = ("publication_number", "kind", "position", "name_key")
    copy_rows(
        connection,
        f"copy identity.further_applicants (identity_run_id, {', '.join(columns)}) from stdin",
        ((run, *row) for row in keyed.select(columns).iter_rows()),
    )
