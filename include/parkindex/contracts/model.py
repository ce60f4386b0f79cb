"""What a contract says, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

LINEAGE_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("_batch_id", "bigint", "Batch the row came with."),
    ("_source_file", "text", "File as delivered (and member of an archive)."),
    ("_source_row", "integer", "Line, sheet row or ordinal in the file, from 1."),
    ("_known_at", "timestamptz", "When the file was received."),
    ("_row_sha256", "text", "Hash of the row's cells as delivered, in contract order."),
)

# Before lineage, in tables whose contract names a withdrawal.
WITHDRAWN_COLUMN = "is_withdrawn"

# Beside a column with `parse: money_text`: amount in whole units of the currency, and the ISO 4217 code.
MONEY_AMOUNT_TYPE = "numeric(24,4)"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Name in the warehouse.
        title: Name on the provider's side (``businessName``).
        description: What it means, where that is not plain.
        logical_type: ``string``, ``integer``, ``number`` or ``date``.
        physical_type: Postgres type.
        required: Null is a reject.
        key_position: Place in the primary key from 1; None when it is no part of it.
        synonyms: Headers (JSON names, properties) that mean this column.
        allowed: Code list; empty when any value may stand.
        minimum: Least value, as decimal text or ISO date.
        maximum: Greatest value.
        exclusive_minimum: The value must be greater than this.
        exclusive_maximum: The value must be less than this.
        min_length: Least length in characters.
        max_length: Greatest length.
        pattern: Regular expression the whole value must match.
        date_format: ``yyyy-MM-dd``, ``yyyy-MM``, ``yyyy/M/d`` or ``yyyyMMdd``; ``yyyy-MM`` means the month's first day.
        check: Check on the value itself: ``uscc``, ``uscc_or_registration_number``, ``patent_application_number`` or
            ``geojson_polygon``.
        match_key: Kind of match key stored beside the column: ``identifier``, ``name`` or ``address``.
        parses_money: Whether amount and currency are parsed out of the text and stored beside it.
        unit: Unit of the number.
        datum: Geodetic datum of a coordinate.
        default_from: Column whose value stands in when this one is absent.
        at_most: Column that this one must not exceed.
        at_least: Column that this one must not fall below.
        not_after: ``received``: a date may not be later than the day on which the file came; None when it may.
        currency_date: Column with the day on which the currency in this text must have existed.
        guards_unit: Whether a delivery is held when its median is another power of ten than that of those before.
        is_personal: Values are masked in every message, and dropped or sealed at landing.
        at_landing: What becomes of a personal value: ``drop`` or ``seal``; ``keep`` of every other.
        line: Line of the contract file.
    """

    name: str
    title: str
    description: str
    logical_type: str
    physical_type: str
    required: bool
    key_position: int | None
    synonyms: tuple[str, ...]
    allowed: tuple[str, ...]
    minimum: str | None
    maximum: str | None
    exclusive_minimum: str | None
    exclusive_maximum: str | None
    min_length: int | None
    max_length: int | None
    pattern: str | None
    date_format: str
    check: str | None
    match_key: str | None
    parses_money: bool
    unit: str | None
    datum: str | None
    default_from: str | None
    at_most: str | None
    at_least: str | None
    not_after: str | None
    currency_date: str | None
    guards_unit: bool
    is_personal: bool
    at_landing: str
    line: int

    @property
    def headers(self) -> tuple[str, ...]:
        """Everything a provider may call this column: its own name last."""
        return (*self.synonyms, self.name) if self.name not in self.synonyms else self.synonyms

    @property
    def derived(self) -> tuple[tuple[str, str, str], ...]:
        """Columns stored beside this one: name, Postgres type, comment."""
        made: list[tuple[str, str, str]] = []
        if self.match_key:
            made.append((f"{self.name}_key", "text", f"Match key ({self.match_key}) of {self.name}."))
        if self.parses_money:
            made.append((f"{self.name}_amount", MONEY_AMOUNT_TYPE, f"Exact amount in {self.name}, in currency units."))
            made.append((f"{self.name}_currency", "text", f"ISO 4217 code of the currency in {self.name}."))
        return tuple(made)


@dataclass(frozen=True)
class QualityRule:
    """One rule of ``quality``: a metric with a bound.

    Attributes:
        id: Stable id.
        metric: ``rowCount``, ``nullValues`` or ``duplicateValues``.
        columns: Columns it looks at; empty for ``rowCount``.
        minimum: Least value the metric may take; None when open.
        maximum: Greatest value; None when open.
        severity: ``error`` or ``warning``.
    """

    id: str
    metric: str
    columns: tuple[str, ...]
    minimum: int | None
    maximum: int | None
    severity: str


@dataclass(frozen=True)
class Withdrawal:
    """How a provider says that what was delivered under a key no longer holds.

    Attributes:
        column: Column that says so.
        values: Its values that do.
    """

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class RejectLimit:
    """Rows of one file that may be set aside before the file is held.

    Attributes:
        count: Most rows; None when only their share counts.
        share: Greatest share of the rows landed; None when only their number counts.
    """

    count: int | None
    share: Decimal | None


@dataclass(frozen=True)
class Table:
    """One table of a contract.

    Attributes:
        name: Name in the contract; a feed with one table has one of them.
        raw_table: Name in schema ``raw``.
        description: What its rows are.
        grain: What one row is.
        sheet: Sheet of a workbook; None takes the only visible sheet that has its columns.
        sheets: Pattern of the visible sheets that hold its rows, each under a header of its own; None when one does.
        continuation_columns: Columns left blank on continuation rows, filled from the row the anchor stands on.
        continuation_anchor: Column that is blank exactly on continuation rows.
        withdrawal: How rows say that their key is withdrawn; None when the feed has no such rows.
        columns: Columns in contract order.
        quality: Rules on the table as a whole.
        line: Line of the contract file.
    """

    name: str
    raw_table: str
    description: str
    grain: str
    sheet: str | None
    continuation_columns: tuple[str, ...]
    continuation_anchor: str | None
    withdrawal: Withdrawal | None
    columns: tuple[Column, ...]
    quality: tuple[QualityRule, ...]
    line: int
    sheets: str | None = None

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the key's columns, in the key's order."""
        keyed = [column for column in self.columns if column.key_position is not None]
        return tuple(column.name for column in sorted(keyed, key=lambda column: column.key_position or 0))

    def column(self, name: str) -> Column:
        """Return a column by name.

        Raises:
            KeyError: There is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class Pagination:
    """How a paged JSON API is asked: names of the query parameters and of the keys in the answer."""

    page: str
    size: str
    page_size: int
    items: str
    total: str


@dataclass(frozen=True)
class Server:
    """One delivery form.

    Attributes:
        name: Name in the contract.
        type: ``local`` (files) or ``api``.
        path: File name pattern (``*.csv.gz``); None for an API. A name that ends in ``.gz``, ``.zip``, ``.tar``,
            ``.tar.gz`` or ``.tgz`` is unpacked first; the format is that of what is inside.
        format: ``csv``, ``xlsx``, ``xls``, ``json``, ``jsonl``, ``geojson`` or ``cnipa_xml``; None for an API.
        encoding: ``UTF-8`` (a byte order mark is allowed), ``UTF-8-BOM`` (it must be there), ``GB18030``, or any other
            text encoding that Python knows.
        location: Address of an API.
        items: Path of the keys of a JSON document under which the records stand (``data.list``); None when the document
            is the list, ``$`` when the document itself is the one record.
        pagination: How an API is paged.
        delimiter: Character between the cells of a delimited file.
        line_ends: ``LF`` (CRLF is read too) or ``CR``.
        misread_as: Encoding that the bytes were wrongly read in before they were saved as UTF-8; the reader takes that
            back, exactly or not at all. None when nothing of the kind happened.
        members: Pattern of the members of an archive that are read; the others are ignored with a note.
        trailer: Regular expression of the first cell of the record that ends the file; its group ``rows``, if it has
            one, is the number of records above. None when the provider sends no such record.
        serial_dates: ``1900`` or ``1904``: day numbers of that date system stand in date columns of the workbook.
    """

    name: str
    type: str
    path: str | None
    format: str | None
    encoding: str
    location: str | None
    items: str | None
    pagination: Pagination | None
    delimiter: str = ","
    line_ends: str = "LF"
    misread_as: str | None = None
    members: str = "*"
    trailer: str | None = None
    serial_dates: str | None = None


@dataclass(frozen=True)
class Contract:
    """The data contract of a feed.

    Attributes:
        feed: Name of the feed, also of its file.
        version: Version, ``major.minor.patch``.
        sha256: Hash of the file's bytes.
        name: Name for people, English.
        name_zh: The same in Chinese; the English one when the contract has none.
        owner: Team that answers for the feed.
        description: Purpose, usage and limitations.
        servers: Delivery forms; the first whose path fits a file's name is taken.
        tables: Tables.
        null_tokens: Texts that mean "no value".
        on_unknown_column: ``freeze`` refuses the file, ``evolve`` ignores the column with a note, ``quarantine`` sets
            the rows that have a value in it aside.
        encoding_sentinels: Texts of which one must stand in the header, or the encoding is not the declared one.
        on_type_mismatch: What a value that is not of its column's type does: ``quarantine`` sets the row aside,
            ``freeze`` refuses the file, ``evolve`` takes other spellings of the same value and quarantines the rest.
        on_unknown_code: The same for a value that is not in its code list; ``evolve`` takes it, with a note.
        reject_limit: Rows that may be set aside before a file is held; None when any number may.
        delivery: ``full`` (every file holds everything there is) or ``increment``.
        max_shrink_share: Share by which a full delivery may be smaller than the one before it.
        frequency_months: Months between deliveries.
        latency_days: Days after a delivery until the feed is late.
        document: The contract as read, for comparing two of them.
    """

    feed: str
    version: str
    sha256: str
    name: str
    name_zh: str
    owner: str
    description: str
    servers: tuple[Server, ...]
    tables: tuple[Table, ...]
    null_tokens: tuple[str, ...]
    on_unknown_column: str
    encoding_sentinels: tuple[str, ...]
    on_type_mismatch: str
    on_unknown_code: str
    reject_limit: RejectLimit | None
    delivery: str
    max_shrink_share: Decimal | None
    frequency_months: int
    latency_days: int
    document: dict[str, Any] = field(repr=False)

    @property
    def major(self) -> int:
        """Major version: a new one gets new raw tables."""
        return int(self.version.split(".", maxsplit=1)[0])

    @property
    def source_url(self) -> str | None:
        """Address of the feed's API, if the contract names one."""
        api = self.api
        return api.location if api else None

    @property
    def api(self) -> Server | None:
        """The API server, if the contract has one."""
        return next((server for server in self.servers if server.type == "api"), None)

    @property
    def pagination(self) -> Pagination | None:
        """How the feed's API is paged."""
        return self.api.pagination if self.api else None

    @property
    def frequency(self) -> str:
        """Months between deliveries, as an ISO 8601 period."""
        return f"P{self.frequency_months}M"

    def table(self, name: str) -> Table:
        """Return a table by its name in the contract.

        Raises:
            KeyError: There is none.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)
