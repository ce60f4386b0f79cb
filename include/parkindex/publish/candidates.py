"""Candidates: an edition built whole in schemas of its own, hashed, and not yet published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine, Row, insert, select, text

from parkindex import methodology
from parkindex.errors import BadInputError, NotApprovedError
from parkindex.identity import resolve
from parkindex.ledger import attempts, matrix, roles, tables
from parkindex.methodology import Methodology
from parkindex.publish import annex, canonical, code, contents, disclosure, doubts
from parkindex.scoring import doubt
from parkindex.settings import Settings
from parkindex.transform import warehouse

STAGES = ("staging", "intermediate", "marts", "park_index")
# A build holds the session lock (this number, its own); `gc` leaves schemas alone whose lock is held.
_BUILD_LOCK = 720_315
_TIER_SHARE = Decimal("0.000001")


@dataclass(frozen=True)
class Candidate:
    """A candidate as recorded in ``publish.candidates``.

    Attributes:
        candidate_id: For example ``2025-c3``.
        edition: Evaluation year.
        schema_prefix: Prefix of its schemas, for example ``cand_3__``.
        as_known: Deliveries received later do not count.
        methodology_sha256: Hash of the methodology.
        code_sha256: Hash of the code that built it.
        inputs_sha256: Hash of the deliveries used.
        content_sha256: Hash of what would be published.
        identity_run_id: Resolution of names and places it rests on.
        built_by: Who built it; that person cannot approve it.
        built_at: When.
    """

    candidate_id: str
    edition: int
    schema_prefix: str
    as_known: datetime
    methodology_sha256: str
    code_sha256: str
    inputs_sha256: str
    content_sha256: str
    identity_run_id: int
    built_by: str
    built_at: datetime


def build(
    engine: Engine,
    settings: Settings,
    edition: int,
    as_known: datetime | None = None,
    *,
    built_by: str,
    rules: Methodology | None = None,
) -> Candidate:
    """Build a candidate of an edition.

    A build that fails, or is interrupted, leaves no schema behind; the attempt is recorded. What a killed process
    leaves is found and dropped by :func:`gc`.

    Args:
        engine: The warehouse, as its owner.
        settings: The installation.
        edition: Evaluation year.
        as_known: Deliveries received later do not count. Default: the newest delivery (ADR 0005).
        built_by: Who builds it.
        rules: Methodology of the edition. Default: that of ``methodology/<edition>``.

    Raises:
        BadInputError: There is no methodology, nothing was landed by then, or deliveries or code changed meanwhile.
    """
    rules = rules or methodology.load(edition)
    subject = f"edition {edition}"
    try:
        with engine.connect() as connection:
            as_known = as_known or code.newest_delivery(connection)
            inputs_sha256 = code.inputs_sha256(connection, as_known)
            _refuse_nothing_known(connection, as_known)
        code_sha256 = code.code_sha256()
        methodology.store(engine, rules)
        with _numbered_schemas(engine) as number:
            prefix = f"cand_{number}__"
            subject = f"{edition}-c{number}"
            identity_run_id = _build_schemas(engine, settings, prefix, as_known, rules, inputs_sha256)
            with engine.begin() as connection:
                _refuse_changed_meanwhile(connection, as_known, inputs_sha256, code_sha256)
                rows = contents.of_candidate(connection, prefix)
                _refuse_other_editions(rows, edition)
                connection.execute(
                    insert(tables.candidates).values(
                        candidate_number=number,
                        candidate_id=subject,
                        edition=edition,
                        schema_prefix=prefix,
                        as_known=as_known,
                        methodology_sha256=rules.sha256,
                        code_sha256=code_sha256,
                        inputs_sha256=inputs_sha256,
                        content_sha256=canonical.sha256(contents.content_stream(rows)),
                        identity_run_id=identity_run_id,
                        built_by=built_by,
                    )
                )
                connection.execute(
                    insert(tables.candidate_files),
                    [
                        {"candidate_id": subject, "kind": kind, "path": path, "sha256": sha256}
                        for kind, found in (("code", code.files()), ("lock", code.locks()))
                        for path, sha256 in found.items()
                    ],
                )
                annex.keep(connection, prefix, edition, as_known)
                roles.open_schema(connection, f"{prefix}park_index", matrix.PUBLISHER)
                attempts.done(connection, "build", subject, built_by)
    except BaseException as error:
        attempts.refused(engine, "build", subject, error, built_by)
        raise
    return get(engine, subject)


def _build_schemas(
    engine: Engine, settings: Settings, prefix: str, as_known: datetime, rules: Methodology, inputs_sha256: str
) -> int:
    """Build every stage under a prefix; return the identity run."""
    warehouse.stage(engine, settings, prefix, as_known, rules.sha256)
    identity_run_id: int = resolve.run(engine, prefix, as_known, inputs_sha256)
    warehouse.relate(engine, settings, prefix, as_known, rules.sha256, identity_run_id)
    warehouse.index(engine, settings, prefix, as_known, rules.sha256, identity_run_id, rules.edition)
    _fill_rank_intervals(engine, prefix, rules)
    with engine.begin() as connection:
        doubts.fill(connection, prefix, rules.edition, rules.document, identity_run_id)
        disclosure.control(connection, settings, prefix, rules)
    return identity_run_id


def _fill_rank_intervals(engine: Engine, prefix: str, rules: Methodology) -> None:
    """Write the rank intervals that the NumPy engine finds into the table that ``park_ranking`` joins."""
    schema = f"{prefix}park_index"
    with engine.begin() as connection:
        values = connection.exec_driver_sql(
            f'select park_code, indicator_code, value from "{schema}".indicator_values where edition = {rules.edition}'
        ).all()
        found = doubt.rank_intervals(rules.document, [(row.park_code, row.indicator_code, row.value) for row in values])
        connection.exec_driver_sql(f'delete from "{schema}".rank_intervals')
        if found:
            connection.execute(
                text(f'insert into "{schema}".rank_intervals values (:park_code, :rank_low, :rank_high, :tier_share)'),
                [
                    {
                        "park_code": one.park_code,
                        "rank_low": one.rank_low,
                        "rank_high": one.rank_high,
                        "tier_share": Decimal(str(one.tier_share)).quantize(_TIER_SHARE),
                    }
                    for one in found
                ],
            )


@contextmanager
def _numbered_schemas(engine: Engine) -> Iterator[int]:
    """Give a new candidate number, locked; drop its schemas when what is done with it fails."""
    with engine.connect() as holder:
        number: int = holder.exec_driver_sql(
            "select nextval(pg_get_serial_sequence('publish.candidates', 'candidate_number'))"
        ).scalar_one()
        holder.exec_driver_sql(f"select pg_advisory_lock({_BUILD_LOCK}, {number})")
        holder.commit()  # the lock is the session's; no transaction stays open while dbt works for minutes
        try:
            yield number
        except BaseException:
            with engine.begin() as connection:
                _drop_schemas(connection, f"cand_{number}__")
            raise
        finally:
            holder.exec_driver_sql(f"select pg_advisory_unlock({_BUILD_LOCK}, {number})")
            holder.commit()


def _drop_schemas(connection: Connection, prefix: str) -> None:
    for stage in STAGES:
        statement = sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(f"{prefix}{stage}"))
        connection.exec_driver_sql(statement.as_string(None))


def _refuse_nothing_known(connection: Connection, as_known: datetime) -> None:
    batches = tables.batches.c
    query = select(batches.batch_id).where(batches.status == "loaded", batches.received_at <= as_known).limit(1)
    if connection.execute(query).first() is None:
        raise BadInputError(
            "Nothing had been received by then.",
            where=f"as known at {as_known.isoformat()}",
            why="no loaded batch has a known time up to this one",
            next_step="choose a later --as-known, or land the deliveries with their --received-at",
        )


def _refuse_changed_meanwhile(connection: Connection, as_known: datetime, inputs_sha256: str, code_sha256: str) -> None:
    if code.inputs_sha256(connection, as_known) != inputs_sha256:
        raise BadInputError(
            "A delivery was landed while the candidate was built.",
            where="raw.batches",
            why=f"its known time is not after {as_known.isoformat()}, so it belongs into the candidate",
            next_step="build again",
        )
    if code.code_sha256() != code_sha256:
        raise BadInputError(
            "The code changed while the candidate was built.",
            where="include/parkindex, dbt_project, contracts or expectations",
            why="a candidate is made by one version of the code",
            next_step="build again",
        )


def _refuse_other_editions(rows: canonical.Rows, edition: int) -> None:
    for name, found in rows.items():
        others = sorted({int(row["edition"]) for row in found} - {edition})
        if others:
            raise BadInputError(
                f"The candidate holds rows of another edition: {', '.join(map(str, others))}.",
                where=f"park_index.{name}",
                why="a candidate holds the rows of its own edition only",
                next_step=f"correct the model {name}",
            )


def get(engine: Engine, candidate_id: str) -> Candidate:
    """Return a candidate.

    Raises:
        BadInputError: There is none of this id.
    """
    with engine.connect() as connection:
        return find(connection, candidate_id)


def find(connection: Connection, candidate_id: str) -> Candidate:
    """Return a candidate, in a transaction of the caller.

    Raises:
        BadInputError: There is none of this id.
    """
    row = connection.execute(_query().where(tables.candidates.c.candidate_id == candidate_id)).first()
    if row is None:
        raise BadInputError(
            f"There is no candidate {candidate_id!r}.", where="publish.candidates", next_step="parkindex candidates"
        )
    return _from_row(row)


def list_candidates(engine: Engine) -> list[Candidate]:
    """Return every candidate, newest first."""
    with engine.connect() as connection:
        return [_from_row(row) for row in connection.execute(_query())]


def _query() -> Any:
    columns = [tables.candidates.c[one.name] for one in fields(Candidate)]
    return select(*columns).order_by(tables.candidates.c.candidate_number.desc())


def _from_row(row: Row[Any]) -> Candidate:
    return Candidate(**row._mapping)


def has_schemas(connection: Connection, candidate: Candidate) -> bool:
    """Whether the candidate's schemas are still there (`gc` drops those that nothing needs)."""
    schema = f"{candidate.schema_prefix}park_index"
    found: str | None = connection.execute(
        text("select to_regnamespace(quote_ident(:schema))"), {"schema": schema}
    ).scalar_one()
    return found is not None


def require_schemas(connection: Connection, candidate: Candidate) -> None:
    """Refuse a candidate whose schemas were dropped.

    Raises:
        NotApprovedError: They were.
    """
    if not has_schemas(connection, candidate):
        raise NotApprovedError(
            f"The tables of candidate {candidate.candidate_id} are no longer there.",
            where=f"schema {candidate.schema_prefix}park_index",
            why="`gc` drops candidates that a later release has overtaken",
            next_step=f"parkindex build {candidate.edition} --as-known {candidate.as_known.isoformat()}",
        )


def drop(engine: Engine, candidate: Candidate) -> None:
    """Drop a candidate's schemas; its ledger row stays."""
    with engine.begin() as connection:
        _drop_schemas(connection, candidate.schema_prefix)


def gc(engine: Engine) -> list[str]:
    """Drop schemas that nothing needs; their ledger rows stay.

    Dropped are what a killed build left, and candidates that were neither published nor are newer than what is
    published of their edition. A build that is under way is left alone.

    Returns:
        The prefixes dropped.
    """
    dropped = []
    for number, prefix in _unreferenced(engine):
        with engine.begin() as connection:
            free: bool = connection.exec_driver_sql(
                f"select pg_try_advisory_xact_lock({_BUILD_LOCK}, {number})"
            ).scalar_one()
            if free:
                _drop_schemas(connection, prefix)
                attempts.done(connection, "gc", prefix)
                dropped.append(prefix)
    return dropped


def _unreferenced(engine: Engine) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        schemas: list[str] = list(
            connection.exec_driver_sql(
                f"select nspname from pg_namespace where nspname ~ '^cand_[0-9]+__({'|'.join(STAGES)})$'"
            ).scalars()
        )
        numbers = {int(name.removeprefix("cand_").split("__", maxsplit=1)[0]) for name in schemas}
        built, released = tables.candidates.c, tables.releases.c
        rows = connection.execute(
            select(built.candidate_number, built.edition, released.release_id).select_from(
                tables.candidates.outerjoin(tables.releases, built.candidate_id == released.candidate_id)
            )
        ).all()
    newest: dict[int, int] = {}
    for row in rows:
        if row.release_id is not None:
            newest[row.edition] = max(row.candidate_number, newest.get(row.edition, 0))
    needed = {
        row.candidate_number
        for row in rows
        if row.release_id is not None or row.candidate_number > newest.get(row.edition, 0)
    }
    return [(number, f"cand_{number}__") for number in sorted(numbers - needed)]
