"""Judge rows set aside once more, after a contract or a correction has changed: the whole way, from the kept bytes.

A replay is a batch of its own beside the one whose file it reads again. Its rows have the known time of the replay
(what was published before it stays what it was), and the file's own time decides which of two rows of a key holds: an
old file that is replayed late does not displace a newer delivery.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, insert, select

from parkindex import contracts
from parkindex.errors import AlteredError, BadInputError, UsageError
from parkindex.landing import store
from parkindex.landing.blocks import Block
from parkindex.ledger import attempts
from parkindex.ledger.tables import batches, corrected_rows, rejects, withdrawn_rows
from parkindex.raw import amend, history, returns
from parkindex.raw.load import CONTRADICTED, Delivery, Loader
from parkindex.raw.rules import Judged
from parkindex.raw.uniqueness import Keys, Seen, fingerprints, key_texts
from parkindex.settings import Settings

_Place = tuple[str, str, int]  # raw table, file as lineage has it, row


@dataclass(frozen=True)
class Replayed:
    """What a replay of one file did.

    Attributes:
        feed: Feed.
        file: File name as delivered.
        replays_batch_id: Batch of the file.
        batch_id: Batch of the replay; None when no row came in or went out.
        judged: Rejects that were judged again.
        accepted: Of these, now rows of a raw table.
        dropped: Of these, settled by a correction that drops them.
        still_rejected: Of these, still open.
        changed: Rows that had been accepted and that a correction changed: withdrawn, and loaded as corrected.
        withdrawn: Rows that had been accepted and that a correction dropped.
    """

    feed: str
    file: str
    replays_batch_id: int
    batch_id: int | None
    judged: int
    accepted: int
    dropped: int
    still_rejected: int
    changed: int
    withdrawn: int


@dataclass
class _Found:
    """What a file gives when it is judged again."""

    good: dict[_Place, tuple[Block, int, pl.DataFrame, str]] = field(default_factory=dict)
    broken: dict[_Place, str] = field(default_factory=dict)
    dropped: set[_Place] = field(default_factory=set)


def replay(
    engine: Engine,
    settings: Settings,
    *,
    feed: str | None = None,
    batch_id: int | None = None,
    rule: str | None = None,
    reject_ids: Collection[int] = (),
    received_at: datetime | None = None,
    by: str | None = None,
) -> list[Replayed]:
    """Judge open rejects again, and apply corrections that came after a file was loaded.

    Args:
        engine: The warehouse.
        settings: Where the landing folder is.
        feed: Only this feed.
        batch_id: Only the file of this batch.
        rule: Only rejects of this rule.
        reject_ids: Only these rejects.
        received_at: Known time of what changes; None means now.
        by: Who does it; None means the account of this process.

    Returns:
        One entry per file that was read again, in the order of batches.

    Raises:
        UsageError: Nothing says which rejects.
        BadInputError: There is no such batch or reject, or the known time is before that of the file.
        AlteredError: The kept bytes are gone or not those that were landed.
    """
    if feed is None and batch_id is None and rule is None and not reject_ids:
        raise UsageError(
            "Nothing says which rows are to be judged again.",
            next_step="parkindex rejects replay --feed FEED, or --batch N, --rule ID, or numbers of rejects",
        )
    known = received_at or datetime.now(UTC)
    who = by or attempts.actor()
    narrowed = rule is not None or bool(reject_ids)
    with engine.connect() as connection:
        numbers = _batches(connection, feed, batch_id, rule, reject_ids)
        connection.rollback()
        return [
            _replay_batch(connection, settings, number, known, who, rule, reject_ids, narrowed) for number in numbers
        ]


def _batches(
    connection: Connection, feed: str | None, batch_id: int | None, rule: str | None, reject_ids: Collection[int]
) -> list[int]:
    """Return the files to read again: those with open rejects that are meant, and those a correction may concern."""
    if reject_ids:
        found: set[int] = set(
            connection.execute(select(rejects.c.reject_id).where(rejects.c.reject_id.in_(reject_ids))).scalars()
        )
        missing = sorted(set(reject_ids) - found)
        if missing:
            raise BadInputError(
                f"There is no reject {missing[0]}.",
                where="raw.rejects",
                next_step="parkindex rejects list shows their numbers",
            )
    narrow = [batches.c.status == "loaded", batches.c.replays_batch_id.is_(None)]
    if feed is not None:
        contracts.load(feed)
        narrow.append(batches.c.feed == feed)
    if batch_id is not None:
        narrow.append(batches.c.batch_id == batch_id)
    open_ones = select(rejects.c.batch_id).where(rejects.c.resolved_by.is_(None))
    if rule is not None:
        open_ones = open_ones.where(rejects.c.rule == rule)
    if reject_ids:
        open_ones = open_ones.where(rejects.c.reject_id.in_(reject_ids))
    meant = list(
        connection.execute(
            select(batches.c.batch_id, batches.c.feed).where(*narrow).order_by(batches.c.batch_id)
        ).mappings()
    )
    if batch_id is not None and not meant:
        raise BadInputError(
            f"There is no loaded file {batch_id}.",
            where="raw.batches",
            why="a batch that was refused is landed again; a replay is not replayed",
            next_step="parkindex rejects list shows batches",
        )
    with_rejects: set[int] = set(connection.execute(open_ones).scalars())
    if rule is not None or reject_ids:
        return [row["batch_id"] for row in meant if row["batch_id"] in with_rejects]
    corrected = {name for name, contract in contracts.load_all().items() if amend.has_corrections(contract)}
    return [row["batch_id"] for row in meant if row["batch_id"] in with_rejects or row["feed"] in corrected]


def _replay_batch(
    connection: Connection,
    settings: Settings,
    number: int,
    known: datetime,
    by: str,
    rule: str | None,
    reject_ids: Collection[int],
    narrowed: bool,
) -> Replayed:
    with connection.begin():
        row = connection.execute(select(batches).where(batches.c.batch_id == number)).one()
        if known <= row.received_at:
            raise BadInputError(
                f"A replay of batch {number} cannot be known before its file.",
                where=f"raw.batches {number}",
                why=f"the file came at {row.received_at.isoformat()}",
                next_step="give a later --received-at, or none",
            )
        contract = contracts.load(row.feed)
        kept = _kept(settings, row)
        delivery = Delivery(contract, row.source_file, kept, known, settings.keys, row.is_synthetic)
        delivery.lock(connection)
        narrow = [rejects.c.batch_id == number, rejects.c.resolved_by.is_(None)]
        if rule is not None:
            narrow.append(rejects.c.rule == rule)
        if reject_ids:
            narrow.append(rejects.c.reject_id.in_(reject_ids))
        columns = (rejects.c.reject_id, rejects.c.table_name, rejects.c.source_file, rejects.c.source_row)
        wanted: dict[_Place, int] = {
            (one.table_name, one.source_file, one.source_row): one.reject_id
            for one in connection.execute(select(*columns).where(*narrow).order_by(rejects.c.reject_id))
        }
        replayer = _Replayer(connection, delivery, row)
        found = replayer.judge_again(set(wanted), corrected_too=not narrowed)
        return replayer.settle(found, wanted, by)


def _kept(settings: Settings, row: Any) -> store.Stored:
    """Return the bytes of a batch, checked against their hash."""
    path = store.local(settings.landing, row.landing_path, settings.landing_store)
    if store.sha256_of(path) != row.sha256:
        raise AlteredError(
            f"The bytes of batch {row.batch_id} are not those that were landed.",
            where=str(path),
            why=f"their SHA-256 is not {row.sha256}",
            next_step="restore the landing folder from a copy",
        )
    return store.Stored(row.sha256, row.size_bytes, path, row.landing_path)


class _Replayer(Loader):
    """Reads a file again and loads what was not in the raw tables as it should be."""

    def __init__(self, connection: Connection, delivery: Delivery, batch: Any) -> None:
        super().__init__(connection, delivery)
        # Corrections are valid for files by when they came, whenever they are replayed.
        self.amendments = amend.Amendments(delivery.contract, delivery.name, batch.received_at)
        self.batch = batch

    def judge_again(self, wanted: set[_Place], *, corrected_too: bool) -> _Found:
        """Judge the whole file, and keep what concerns wanted rejects and rows that a correction newly meets."""
        found = _Found()
        seen: dict[str, Seen] = {}
        keys: dict[str, Keys] = {}
        known = self._known_corrections()
        for block in self._blocks():
            name = block.table.name
            for aside in block.set_aside:
                found.broken[block.table.raw_table, self.source_file(aside.member), aside.row] = aside.rule
            if len(block.rows) == 0:
                continue
            prints = fingerprints(block)
            repeated = seen.setdefault(name, Seen()).repeated(prints.halves)
            before = len(self.amendments.touched)
            amended, judged = self.amendments.judge(block, repeated)
            good = ~(judged.broken | repeated)
            members = None if block.members is None else block.members.filter(good)
            keys.setdefault(name, Keys(block.table)).add(
                key_texts(block.table, judged.values.filter(good)), block.rows.filter(good), members
            )
            newly = self._newly_touched(self.amendments.touched[before:], known) if corrected_too else set()
            self._sort(block, amended, judged, repeated, prints.hexadecimal, wanted | newly, found)
        for one in keys.values():
            for place in self._contradicted(one) & found.good.keys():
                found.broken[place] = CONTRADICTED
                del found.good[place]
        return found

    def _blocks(self) -> Iterator[Block]:
        if self.batch.delivery == returns.DELIVERY:
            return returns.read(
                self.amendments.contract,
                self.connection,
                self.delivery.stored.path,
                self.delivery.name,
                self.delivery.keys,
            )
        return self.open().blocks

    def _sort(
        self,
        block: Block,
        amended: Block,
        judged: Judged,
        repeated: pl.Series,
        hashes: pl.Series,
        places: set[_Place],
        found: _Found,
    ) -> None:
        """Keep the rows of a block that stand at one of the places."""
        table = block.table.raw_table
        rows = {row for name, _, row in places if name == table}
        at = (block.rows.is_in(list(rows)) & ~repeated).arg_true().to_list()
        # Only the rows concerned are kept in memory, not their block.
        part = dataclasses.replace(amended, cells=amended.cells[at], rows=block.rows[at], faults=(), set_aside=())
        if amended.members is not None:
            part = dataclasses.replace(part, members=amended.members[at])
        for position, index in enumerate(at):
            member = None if block.members is None else block.members[index]
            place = (table, self.source_file(member), int(block.rows[index]))
            if place not in places:
                continue
            if not judged.broken[index]:
                found.good[place] = (part, position, judged.values[index], hashes[index])
                continue
            rule = next(one.id for one in judged.rules if one.mask[index])
            if rule == amend.DROPPED:
                found.dropped.add(place)
            else:
                found.broken[place] = rule

    def _known_corrections(self) -> set[tuple[_Place, str]]:
        """Return which corrections were applied to which rows, at loading or by an earlier replay."""
        own = select(batches.c.batch_id).where(
            (batches.c.batch_id == self.batch.batch_id) | (batches.c.replays_batch_id == self.batch.batch_id)
        )
        columns = [corrected_rows.c[name] for name in ("table_name", "source_file", "source_row", "correction_sha256")]
        return {
            ((row.table_name, row.source_file, row.source_row), row.correction_sha256)
            for row in self.connection.execute(select(*columns).where(corrected_rows.c.batch_id.in_(own)))
        }

    def _newly_touched(self, touched: list[amend.Touched], known: set[tuple[_Place, str]]) -> set[_Place]:
        places = ((one.raw_table, self.source_file(one.member), one.row, one.correction) for one in touched)
        return {
            (table, file, row)
            for table, file, row, correction in places
            if correction.action != "flag" and ((table, file, row), correction.sha256) not in known
        }

    def _contradicted(self, keys: Keys) -> set[_Place]:
        """Return the places of good rows whose key stands more than once in the file."""
        suspects = keys.suspects()
        if not suspects:
            return set()
        by_key: dict[str, list[_Place]] = {}
        for block in self._blocks():
            if block.table.name != keys.table.name or len(block.rows) == 0:
                continue
            members = block.members.to_list() if block.members is not None else [""] * len(block.rows)
            places = list(zip(members, block.rows.to_list(), strict=True))
            if not any(place in suspects for place in places):
                continue
            texts = key_texts(block.table, self.amendments.judge(block)[1].values)
            for index, place in enumerate(places):
                if place in suspects:
                    at = (block.table.raw_table, self.source_file(place[0] or None), place[1])
                    by_key.setdefault(texts[index], []).append(at)
        return {place for same in by_key.values() if len(same) > 1 for place in same}

    # ------------------------------------------------------------------------------------------------------- writing

    def settle(self, found: _Found, wanted: dict[_Place, int], by: str) -> Replayed:
        """Load what came good, withdraw what a correction changed, and write down what became of each reject."""
        returned = [place for place in wanted if place in found.good]
        accepted_before = self._accepted(set(found.good) | found.dropped - set(wanted))
        changed = [place for place in found.good if place not in wanted and place in accepted_before]
        withdrawn = [place for place in sorted(found.dropped) if place not in wanted and place in accepted_before]
        self._refuse_harm(found, wanted)
        loaded = [*returned, *changed]
        if loaded or withdrawn:
            self._record(found, loaded, withdrawn)
            self._load(found, loaded)
            self._withdraw(accepted_before, changed, withdrawn)
        number = self.batch_id or None
        ids = [wanted[place] for place in returned]
        history.settle(self.connection, ids, "accepted", f"batch {number}", by, number)
        dropped = self._settle_dropped(found, wanted, by)
        still = [place for place in wanted if place not in found.good and place not in found.dropped]
        notes = {wanted[place]: found.broken.get(place, "the file no longer holds the row") for place in still}
        history.record(self.connection, list(notes), "replayed", by, number, notes)
        self._record_corrections(number or self.batch.batch_id, {*found.good, *found.dropped})
        attempts.done(
            self.connection,
            "replay",
            f"{self.contract.feed} batch {self.batch.batch_id}",
            by=by,
            reason=f"{len(ids)} accepted, {dropped} dropped, {len(still)} still rejected, {len(changed)} changed, "
            f"{len(withdrawn)} withdrawn",
        )
        return Replayed(
            self.contract.feed,
            self.delivery.name,
            self.batch.batch_id,
            number,
            len(wanted),
            len(ids),
            dropped,
            len(still),
            len(changed),
            len(withdrawn),
        )

    def _refuse_harm(self, found: _Found, wanted: dict[_Place, int]) -> None:
        """Refuse a correction that breaks a row that was good."""
        harmed = sorted(self._accepted(found.broken.keys() - wanted.keys()))
        if harmed:
            table, file, row = harmed[0]
            raise BadInputError(
                "A correction breaks a row that is good as delivered.",
                where=f"raw.{table}: {file}, row {row}",
                why=found.broken[harmed[0]],
                next_step="correct the correction, then run it again; nothing was changed",
            )

    def _accepted(self, places: set[_Place]) -> dict[_Place, int]:
        """Return the batch of each place that has a row in its raw table which still counts."""
        made: dict[_Place, int] = {}
        for table in sorted({place[0] for place in places}):
            files = [place[1] for place in sorted(places) if place[0] == table]
            numbers = [place[2] for place in sorted(places) if place[0] == table]
            rows = self.connection.exec_driver_sql(
                f"select rows._batch_id, rows._source_file, rows._source_row from raw.{table} as rows"
                " join unnest(%s::text[], %s::integer[]) as asked (file, number)"
                " on rows._source_file = asked.file and rows._source_row = asked.number"
                " where rows._batch_id in"
                " (select batch_id from raw.batches where batch_id = %s or replays_batch_id = %s)"
                " and not exists (select from raw.withdrawn_rows as gone where gone.batch_id = rows._batch_id"
                " and gone.table_name = %s and gone.source_file = rows._source_file"
                " and gone.source_row = rows._source_row)",
                (files, numbers, self.batch.batch_id, self.batch.batch_id, table),
            )
            made |= {(table, row[1], row[2]): row[0] for row in rows}
        return made

    def _record(self, found: _Found, loaded: list[_Place], withdrawn: list[_Place]) -> None:
        parts = [[*place, found.good[place][3]] for place in loaded] + [[*place, ""] for place in withdrawn]
        part = hashlib.sha256("\n".join(sorted("\t".join(map(str, one)) for one in parts)).encode()).hexdigest()
        count = len(loaded)
        self.batch_id = self.delivery.record(
            self.connection,
            "loaded",
            delivery=self.batch.delivery,
            rows_landed=count,
            rows_accepted=count,
            rows_rejected=0,
            rows_duplicate=0,
            replays_batch_id=self.batch.batch_id,
            file_received_at=self.batch.received_at,
            part_sha256=part,
            reason=f"replay of batch {self.batch.batch_id}",
        )

    def _load(self, found: _Found, places: list[_Place]) -> None:
        parts: dict[int, list[_Place]] = {}
        for place in places:
            parts.setdefault(id(found.good[place][0]), []).append(place)
        with self.writer:
            for same in parts.values():
                block = found.good[same[0]][0]
                at = [found.good[place][1] for place in same]
                values = pl.concat([found.good[place][2] for place in same])
                hashes = pl.Series([found.good[place][3] for place in same], dtype=pl.String)
                members = None if block.members is None else block.members[at]
                self.copy_rows(block, values, block.rows[at], members, hashes)

    def _withdraw(self, accepted: dict[_Place, int], changed: list[_Place], withdrawn: list[_Place]) -> None:
        by_place = {
            (one.raw_table, self.source_file(one.member), one.row): one.correction.id
            for one in self.amendments.touched
            if one.correction.action != "flag"
        }
        rows = [
            {
                "batch_id": accepted[place],
                "table_name": place[0],
                "source_file": place[1],
                "source_row": place[2],
                "known_at": self.delivery.received_at,
                "by_batch_id": self.batch_id,
                "is_replaced": replaced,
                "correction_id": by_place[place],
            }
            for places, replaced in ((changed, True), (withdrawn, False))
            for place in places
        ]
        if rows:
            self.connection.execute(insert(withdrawn_rows), rows)

    def _settle_dropped(self, found: _Found, wanted: dict[_Place, int], by: str) -> int:
        names = {
            (one.raw_table, self.source_file(one.member), one.row): one.correction.id
            for one in self.amendments.touched
            if one.correction.action == "drop"
        }
        places = [place for place in wanted if place in found.dropped]
        for place in places:
            number, name = wanted[place], names[place]
            settled_by = f"correction {name}"
            history.settle(self.connection, [number], "dropped", settled_by, by, None, {number: name})
        return len(places)

    def _record_corrections(self, number: int, places: set[_Place]) -> None:
        """Write down the corrections that met the rows which this replay settled or changed."""
        known = self._known_corrections()
        self.amendments.touched = [
            one
            for one in self.amendments.touched
            if ((place := (one.raw_table, self.source_file(one.member), one.row)) in places)
            or one.correction.action == "flag"
            if (place, one.correction.sha256) not in known
        ]
        amend.record_touched(self.connection, self.amendments, number, self.source_file)
