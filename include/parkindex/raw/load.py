"""Land files: bytes kept, every record judged, good rows in the raw table, the others in ``raw.rejects``.

One transaction per file: a file is loaded whole or not at all. The same bytes are loaded once, also when two loaders
start at the same moment. A file that is refused leaves one row in ``raw.batches`` and its bytes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import polars as pl
import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, insert, select, text, update

from parkindex import contracts
from parkindex.contracts import Contract, Table
from parkindex.contracts.derive import ddl, stored_columns
from parkindex.contracts.model import WITHDRAWN_COLUMN
from parkindex.errors import BadInputError, ServiceDownError
from parkindex.landing import readers, store
from parkindex.landing.blocks import Block, SetAside, labelled
from parkindex.landing.checks import CHECKS
from parkindex.landing.refusal import FileRefusedError
from parkindex.ledger import attempts
from parkindex.ledger.tables import batches, rejects
from parkindex.privacy import provenance
from parkindex.privacy.sealing import Sealer
from parkindex.raw import amend, limits, versions
from parkindex.raw.ahead import ahead
from parkindex.raw.amend import Amendments
from parkindex.raw.limits import Acceptance, FileHeldError, Loaded
from parkindex.raw.rules import Judged, Rule
from parkindex.raw.uniqueness import Fingerprints, Keys, Seen, fingerprints, key_texts
from parkindex.raw.writer import ESCAPES, Writer, text_row
from parkindex.settings import Settings
from parkindex.text import masked

# Advisory locks are two numbers: ours, and the feed's with the file's.
_LAND_LOCK = 7_203_151
_CREATE_LOCK = 7_203_150_002
_VALUE_SHOWN = 200
_encode = json.JSONEncoder(ensure_ascii=False).encode
CONTRADICTED = "key.contradicted"
_COUNTS = ("rows_landed", "rows_accepted", "rows_rejected", "rows_duplicate")


@dataclass(frozen=True)
class Batch:
    """What became of one file.

    Attributes:
        feed: Feed.
        file: File name as delivered.
        sha256: Hash of its bytes.
        batch_id: Number in ``raw.batches``; of the earlier batch when it was landed before.
        status: ``loaded``, ``already_landed`` or ``refused``.
        rows_landed: Records in the file; null when it was refused.
        rows_accepted: Rows in the raw tables.
        rows_rejected: Rows in ``raw.rejects``.
        rows_duplicate: Exact repetitions inside the file.
        reason: Why it was refused, or what was ignored.
    """

    feed: str
    file: str
    sha256: str
    batch_id: int
    status: str
    rows_landed: int | None
    rows_accepted: int | None
    rows_rejected: int | None
    rows_duplicate: int | None
    reason: str | None


@dataclass
class _Counts:
    landed: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicate: int = 0


# Landed, accepted, rejected, duplicate; null of a file that could not be read.
_Counted = tuple[int | None, int | None, int | None, int | None]


@dataclass(frozen=True)
class _Reject:
    """One row for ``raw.rejects``, less what it shares with its file."""

    table: str
    member: str | None
    row: int
    broken: tuple[tuple[str, str, str | None], ...]
    original: dict[str, str | None] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------------------------- tables


def create_tables(engine: Engine) -> None:
    """Create the raw tables of every contract where they are missing, and add columns a minor version brought.

    Raises:
        BadInputError: A table has a column of another type than its contract, or one that the contract lost: that is a
            new major version.
    """
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _CREATE_LOCK})
        for contract in contracts.load_all().values():
            for table in contract.tables:
                _add_missing_columns(connection, contract, table)
            for statement in ddl(contract):
                connection.exec_driver_sql(statement)


def _add_missing_columns(connection: Connection, contract: Contract, table: Table) -> None:
    present = {
        row.name: row.type
        for row in connection.execute(
            text(
                "select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute "
                "where attrelid = to_regclass(:name) and attnum > 0 and not attisdropped"
            ),
            {"name": f"raw.{table.raw_table}"},
        )
    }
    if not present:
        return
    wanted = dict(stored_columns(table))
    for name, kind in wanted.items():
        if name not in present:
            connection.exec_driver_sql(f"alter table raw.{table.raw_table} add column {name} {kind}")
        elif present[name] != _spelt_by_postgres(kind):
            _refuse_table(contract, table, f"column {name} is {present[name]} there and {kind} in the contract")
    lost = sorted(present.keys() - wanted.keys())
    if lost:
        _refuse_table(contract, table, f"the contract has lost the column {lost[0]}")


def _spelt_by_postgres(kind: str) -> str:
    return {"timestamptz": "timestamp with time zone"}.get(kind, kind)


def _refuse_table(contract: Contract, table: Table, why: str) -> None:
    raise BadInputError(
        f"raw.{table.raw_table} does not fit the contract of {contract.feed}.",
        where=f"contracts/{contract.feed}.odcs.yaml:{table.line}",
        why=f"contract.breaking: {why}",
        next_step="give the changed contract a new major version and new raw tables",
    )


# --------------------------------------------------------------------------------------------------------------- land


def land(
    engine: Engine,
    settings: Settings,
    feed: str | Contract,
    paths: Sequence[Path],
    received_at: datetime | None = None,
    acceptance: Acceptance | None = None,
) -> list[Batch]:
    """Land and load files of a feed.

    Args:
        engine: The warehouse.
        settings: Where the landing folder is.
        feed: The feed; or its contract, where that is not in the project's folder (its raw tables must be there).
        paths: Files as delivered.
        received_at: When they came (with a zone); None means now.
        acceptance: Who lets files in that would be held, and why.

    Returns:
        One batch per file, in the order given; also for files that were refused or landed before.

    Raises:
        BadInputError: The feed is unknown, or a path is no file (then nothing was landed).
    """
    contract = contracts.load(feed) if isinstance(feed, str) else feed
    for path in paths:
        if not path.is_file():
            raise BadInputError(
                "There is no such file.",
                where=str(path),
                why="it is a folder" if path.is_dir() else "not found",
                next_step=f"parkindex land {contract.feed} PATH, with the path of a file",
            )
    known = received_at or datetime.now(UTC)
    with engine.connect() as connection:
        return [_land_file(connection, settings, contract, path, known, acceptance) for path in paths]


def _land_file(
    connection: Connection,
    settings: Settings,
    contract: Contract,
    path: Path,
    received_at: datetime,
    acceptance: Acceptance | None = None,
) -> Batch:
    stored = store.keep(settings.landing, contract.feed, path, settings.landing_store)
    is_synthetic = provenance.is_synthetic(settings, path)
    delivery = Delivery(contract, path.name, stored, received_at, settings.keys, is_synthetic)
    try:
        with connection.begin():
            earlier = delivery.lock(connection)
            return earlier or Loader(connection, delivery).run(acceptance)
    except FileHeldError as error:
        with connection.begin():
            return delivery.known_refusal(connection, error) or Loader(connection, delivery).hold(error)
    except FileRefusedError as error:
        with connection.begin():
            return delivery.record_refusal(connection, error)
    except psycopg.OperationalError as error:  # from COPY, which does not pass through SQLAlchemy
        raise ServiceDownError(
            "The warehouse could not take the file; nothing of it was loaded.",
            where=path.name,
            why=str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__,
            next_step=f"parkindex doctor; then land it again: parkindex land {contract.feed} PATH",
        ) from error


@dataclass(frozen=True)
class Delivery:
    """One file on its way into the warehouse."""

    contract: Contract
    name: str
    stored: store.Stored
    received_at: datetime
    keys: Path | None = None
    is_synthetic: bool | None = None

    def lock(self, connection: Connection) -> Batch | None:
        """Let nobody else load these bytes until the transaction ends; return the batch that already has them."""
        connection.execute(
            text("select pg_advisory_xact_lock(:ours, hashtext(:file))"),
            {"ours": _LAND_LOCK, "file": f"{self.contract.feed}/{self.stored.sha256}"},
        )
        row = connection.execute(
            select(batches).where(
                batches.c.feed == self.contract.feed,
                batches.c.sha256 == self.stored.sha256,
                batches.c.status == "loaded",
                batches.c.replays_batch_id.is_(None),
            )
        ).first()
        if row is None:
            return None
        reason = f"already landed as batch {row.batch_id} ({row.source_file})"
        return Batch(
            self.contract.feed,
            self.name,
            self.stored.sha256,
            row.batch_id,
            "already_landed",
            row.rows_landed,
            row.rows_accepted,
            row.rows_rejected,
            row.rows_duplicate,
            reason,
        )

    def record(self, connection: Connection, status: str, **values: Any) -> int:
        """Write the batch; return its number."""
        statement = insert(batches).values(
            feed=self.contract.feed,
            contract_version=self.contract.version,
            contract_sha256=self.contract.sha256,
            source_file=self.name,
            sha256=self.stored.sha256,
            size_bytes=self.stored.size_bytes,
            landing_path=self.stored.relative,
            received_at=self.received_at,
            is_synthetic=self.is_synthetic,
            status=status,
            **values,
        )
        return int(connection.execute(statement.returning(batches.c.batch_id)).scalar_one())

    def record_refusal(self, connection: Connection, error: FileRefusedError) -> Batch:
        """Write the refusal, once."""
        return self.known_refusal(connection, error) or self.refused(
            self.record(connection, "refused", reason=error.reason), error
        )

    def known_refusal(self, connection: Connection, error: FileRefusedError) -> Batch | None:
        """Return the refusal that stands: the same file refused again for the same reason is the same refusal."""
        known = connection.execute(
            select(batches)
            .where(
                batches.c.feed == self.contract.feed,
                batches.c.sha256 == self.stored.sha256,
                batches.c.contract_sha256 == self.contract.sha256,
                batches.c.source_file == self.name,
                batches.c.reason == error.reason,
                batches.c.status == "refused",
            )
            .order_by(batches.c.batch_id.desc())
        ).first()
        if known is None:
            return None
        counted = (known.rows_landed, known.rows_accepted, known.rows_rejected, known.rows_duplicate)
        return self.refused(known.batch_id, error, counted)

    def refused(self, batch_id: int, error: FileRefusedError, counts: _Counted = (None, None, None, None)) -> Batch:
        """Return the batch of a refusal."""
        return Batch(self.contract.feed, self.name, self.stored.sha256, batch_id, "refused", *counts, error.reason)


class Loader:
    """Loads one file in one transaction."""

    def __init__(self, connection: Connection, delivery: Delivery) -> None:
        self.connection = connection
        self.delivery = delivery
        self.contract = delivery.contract
        self.amendments = Amendments(delivery.contract, delivery.name, delivery.received_at)
        self.counts = _Counts()
        self.batch_id = 0
        self.keeps_good = True
        self.sealer = Sealer(delivery.keys)
        self.driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        self.writer = Writer(self.driver)

    def run(self, acceptance: Acceptance | None = None) -> Batch:
        """Read, judge and load the file.

        Args:
            acceptance: Who lets it in should it be held.

        Raises:
            FileHeldError: The file is held by a limit of its contract; the transaction must be rolled back.
            FileRefusedError: The file is refused as a whole; likewise.
        """
        reading = self.open()
        loaded = Loaded(self.batch_id, self.delivery.name, self.delivery.received_at)
        previous = versions.previous(self.connection, self.contract, loaded)
        self.begin(reading.delivery.name, previous)
        self.read(reading)
        counts = self.counts
        loaded = Loaded(
            self.batch_id,
            self.delivery.name,
            self.delivery.received_at,
            counts.landed,
            counts.rejected,
            counts.duplicate,
        )
        accepted = limits.check(self.connection, self.contract, loaded, acceptance)
        changes = None
        notes = [*reading.notes, *self.amendments.notes()]
        if previous is not None:
            changes = versions.changes(self.connection, self.contract, self.batch_id, previous)
            notes.append(versions.described(changes, previous))
        amend.record(self.connection, self.amendments, self.batch_id, self.source_file)
        versions.supersede(self.connection, self.contract, loaded, self.delivery.stored.sha256)
        for note in accepted:
            subject = f"{self.contract.feed} batch {self.batch_id} {self.delivery.stored.sha256}"
            attempts.done(self.connection, "land", subject, by=acceptance.by if acceptance else None, reason=note)
        reason = "; ".join([*accepted, *notes]) or None
        return self.finish(reason, changes)

    def hold(self, error: FileHeldError) -> Batch:
        """Keep the rejects of a file that is held, so that people can look at them; no row reaches a raw table."""
        self.keeps_good = False
        reading = self.open()
        found = error.loaded
        counts = (found.rows_landed, 0, found.rows_rejected, found.rows_duplicate)
        named = dict(zip(_COUNTS, counts, strict=True))
        self.batch_id = self.delivery.record(
            self.connection, "refused", delivery=reading.delivery.name, reason=error.reason, **named
        )
        self.read(reading)
        subject = f"{self.contract.feed} batch {self.batch_id} {self.delivery.stored.sha256}"
        attempts.held(self.connection, "land", subject, error.reason)
        return self.delivery.refused(self.batch_id, error, counts)

    def read(self, reading: readers.ReadResult) -> None:
        """Judge every record and write it where it belongs."""
        seen: dict[str, Seen] = {}
        keys: dict[str, Keys] = {}
        with self.writer, ahead(reading.blocks, _with_prints) as blocks:
            for block, prints in blocks:
                name = block.table.name
                self._block(block, prints, seen.setdefault(name, Seen()), keys.setdefault(name, Keys(block.table)))
        seen.clear()
        if self.counts.landed == 0:
            raise FileRefusedError("file.empty", "The file holds no record below its header.", where=self.delivery.name)
        for one in keys.values():
            self._take_back_contradictions(one)

    def open(self) -> readers.ReadResult:
        """Open the file as its contract reads it."""
        return readers.read(self.amendments.contract, self.delivery.stored.path, self.delivery.name)

    def begin(self, delivery: str, previous: int | None = None) -> None:
        """Record the batch; its counts follow when they are known."""
        nothing = dict.fromkeys(_COUNTS, 0)
        self.batch_id = self.delivery.record(
            self.connection, "loaded", delivery=delivery, previous_batch_id=previous, **nothing
        )

    def finish(self, reason: str | None, changes: dict[str, dict[str, int]] | None = None) -> Batch:
        """Fill in what became of the rows."""
        counts = self.counts
        self.connection.execute(
            update(batches)
            .where(batches.c.batch_id == self.batch_id)
            .values(
                rows_landed=counts.landed,
                rows_accepted=counts.accepted,
                rows_rejected=counts.rejected,
                rows_duplicate=counts.duplicate,
                reason=reason,
                changes=changes,
            )
        )
        return Batch(
            self.contract.feed,
            self.delivery.name,
            self.delivery.stored.sha256,
            self.batch_id,
            "loaded",
            counts.landed,
            counts.accepted,
            counts.rejected,
            counts.duplicate,
            reason,
        )

    def _block(self, block: Block, prints: Fingerprints, seen: Seen, keys: Keys) -> None:
        self.counts.landed += len(block.rows) + len(block.set_aside)
        self._reject(_aside(block.table, one) for one in block.set_aside)
        if len(block.rows) == 0:
            return
        repeated = seen.repeated(prints.halves)
        amended, judged = self.amendments.judge(block, repeated)
        broken = judged.broken & ~repeated
        good = ~(judged.broken | repeated)
        self.counts.duplicate += int(repeated.sum())
        self._reject(_rejects(block, judged, broken))
        values = judged.values.filter(good)
        members = None if block.members is None else block.members.filter(good)
        keys.add(key_texts(block.table, values), block.rows.filter(good), members)
        if self.keeps_good:
            self.copy_rows(amended, values, block.rows.filter(good), members, prints.hexadecimal.filter(good))
        self.counts.accepted += values.height

    def copy_rows(
        self, block: Block, values: pl.DataFrame, rows: pl.Series, members: pl.Series | None, hashes: pl.Series
    ) -> None:
        """Write good rows with COPY: the columns are formatted whole, no row becomes a Python object."""
        if values.height == 0:
            return
        known = self.delivery.received_at.isoformat()
        names = [name for name, _ in stored_columns(block.table)]
        frame = values.with_columns(
            pl.lit(self.batch_id).alias("_batch_id"),
            self._source_files(members).alias("_source_file"),
            rows.alias("_source_row"),
            pl.lit(known).alias("_known_at"),
            hashes.alias("_row_sha256"),
            *_withdrawal(block.table),
            *self.sealer.columns(block.table, values),
        ).select(names)
        buffer = io.BytesIO()
        _escaped(block, frame).write_csv(
            buffer, include_header=False, separator="\t", quote_style="never", null_value="\\N"
        )
        statement = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier("raw", block.table.raw_table), sql.SQL(", ").join(map(sql.Identifier, names))
        )
        self.writer.copy(statement, buffer.getbuffer())

    def _source_files(self, members: pl.Series | None) -> pl.Expr | pl.Series:
        if members is None:
            return pl.lit(self.delivery.name)
        return pl.DataFrame({"member": members}).select(pl.lit(f"{self.delivery.name}/") + pl.col("member")).to_series()

    def source_file(self, member: str | None) -> str:
        """Return the file name as lineage has it."""
        return f"{self.delivery.name}/{member}" if member else self.delivery.name

    # ----------------------------------------------------------------------------------------------------- rejects

    def _reject(self, found: Iterable[_Reject]) -> None:
        """Write rows set aside; personal values are masked, and sealed in the row as delivered."""
        buffer: list[str] = []
        for one in found:
            column, rule, value = one.broken[0]
            details = [{"column": name, "rule": broken, "value": shown} for name, broken, shown in one.broken]
            buffer.append(
                text_row(
                    (
                        self.batch_id,
                        self.contract.feed,
                        one.table,
                        self.source_file(one.member),
                        one.row,
                        column,
                        rule,
                        value,
                        CHECKS[rule].message,
                        _json(details),
                        _json(self.sealer.cells(self.contract, one.table, rule, one.original)),
                    )
                )
            )
        if not buffer:
            return
        columns = (
            rejects.c.batch_id,
            rejects.c.feed,
            rejects.c.table_name,
            rejects.c.source_file,
            rejects.c.source_row,
            rejects.c.column_name,
            rejects.c.rule,
            rejects.c.value,
            rejects.c.message,
            rejects.c.details,
            rejects.c.original_row,
        )
        statement = sql.SQL("copy raw.rejects ({}) from stdin").format(
            sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
        )
        self.writer.copy(statement, "".join(buffer).encode("utf-8"))
        self.counts.rejected += len(buffer)

    def _take_back_contradictions(self, keys: Keys) -> None:
        """Set aside all rows of a key that stands in one file with different contents.

        Nobody can say which of them is right, and taking the first (or last) would make the result depend on the order
        of rows. The file is read again for the few rows concerned: they are in the raw table already.
        """
        suspects = keys.suspects()
        if not suspects:
            return
        found: list[tuple[str, _Reject]] = []
        for block in self.open().blocks:
            if block.table.name != keys.table.name:
                continue
            members = block.members.to_list() if block.members is not None else [""] * len(block.rows)
            places = [
                index
                for index, where in enumerate(zip(members, block.rows.to_list(), strict=True))
                if where in suspects
            ]
            if not places:
                continue
            texts = key_texts(block.table, self.amendments.judge(block)[1].values)
            found += [(texts[index], _contradiction(block, index)) for index in places]
        counts: dict[str, list[_Reject]] = {}
        for key, one in found:
            counts.setdefault(key, []).append(one)
        doubles = [one for same in counts.values() if len(same) > 1 for one in same]
        with self.writer:
            self._reject(doubles)
        self.counts.accepted -= len(doubles)
        if not self.keeps_good:
            return
        statement = sql.SQL(
            "delete from {} where _batch_id = %s and (_source_file, _source_row) in "
            "(select * from unnest(%s::text[], %s::integer[]))"
        ).format(sql.Identifier("raw", keys.table.raw_table))
        files = [self.source_file(one.member) for one in doubles]
        with self.driver.cursor() as cursor:
            cursor.execute(statement, (self.batch_id, files, [one.row for one in doubles]))
            if cursor.rowcount != len(doubles):
                raise RuntimeError(f"{len(doubles)} rows were to be taken back, {cursor.rowcount} were found")


def _with_prints(block: Block) -> tuple[Block, Fingerprints]:
    return block, fingerprints(block)


def _withdrawal(table: Table) -> list[pl.Expr]:
    """Return whether rows say that their key no longer holds, where the contract has such rows."""
    if table.withdrawal is None:
        return []
    said = pl.col(table.withdrawal.column).cast(pl.String).is_in(list(table.withdrawal.values))
    return [said.fill_null(value=False).alias(WITHDRAWN_COLUMN)]


def _escaped(block: Block, frame: pl.DataFrame) -> pl.DataFrame:
    """Escape what has a meaning in COPY's text format, when there is any of it."""
    beside = [name for name in frame.columns if name.endswith("_key") or name == "_source_file"]
    if block.octets.plain and not block.octets.backslash:
        marks = frame.select(pl.col(beside).str.contains(r"[\\\t\n\r]").any())
        if not any(marks.row(0)):
            return frame
    return frame.with_columns(pl.col(pl.String).str.replace_many(ESCAPES))


def _aside(table: Table, one: SetAside) -> _Reject:
    return _Reject(table.raw_table, one.member, one.row, (("", one.rule, one.value),), one.original)


def _rejects(block: Block, judged: Judged, broken: pl.Series) -> Iterable[_Reject]:
    places = broken.arg_true()
    if places.is_empty():
        return
    rules: list[tuple[Rule, set[int]]] = [(rule, set(rule.mask.arg_true().to_list())) for rule in judged.rules]
    records = block.cells[places].rows()
    numbers = block.rows[places].to_list()
    members = [None] * len(numbers) if block.members is None else block.members[places].to_list()
    for index, cells, row, member in zip(places.to_list(), records, numbers, members, strict=True):
        found = tuple(
            (rule.column, rule.id, _shown(block, rule.column, cells)) for rule, where in rules if index in where
        )
        yield _Reject(block.table.raw_table, member, row, found, labelled(block.header.texts, cells))


def _contradiction(block: Block, index: int) -> _Reject:
    cells = block.cells.row(index)
    key = [
        cells[block.header.places[name]] if name in block.header.places else None for name in block.table.primary_key
    ]
    value = " | ".join(str(part) for part in key if part is not None)
    broken = ((block.table.primary_key[0], CONTRADICTED, value[:_VALUE_SHOWN]),)
    return _Reject(
        block.table.raw_table, _member(block, index), block.rows[index], broken, labelled(block.header.texts, cells)
    )


def _member(block: Block, index: int) -> str | None:
    return None if block.members is None else block.members[index]


def _shown(block: Block, column: str, cells: tuple[str | None, ...]) -> str | None:
    """Return the offending value as it may stand in a message."""
    place = block.header.places.get(column)
    if place is None:
        # A column that is absent, or not in the contract; of the latter nobody knows whether it is personal.
        unknown = [at for at in block.header.unknown if block.header.texts[at].strip() == column]
        return masked(cells[unknown[0]]) if unknown else None
    value = cells[place]
    if value is None or not value:
        return value
    if block.table.column(column).is_personal:
        return masked(value.strip())
    return _without_nul(value[:_VALUE_SHOWN])


def _json(value: Any) -> str:
    made = _encode(value)
    return _encode(_storable(value)) if "\\u0000" in made else made


def _storable(value: Any) -> Any:
    """Return a value whose texts Postgres can hold: a symbol stands for NUL, the rule says what it was."""
    if isinstance(value, str):
        return _without_nul(value)
    if isinstance(value, dict):
        return {_without_nul(name): _storable(item) for name, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def _without_nul(value: str) -> str:
    return value.replace("\x00", "␀")
