"""The rules of a contract on a block of records: one boolean mask per rule, on whole columns.

A mask is true where a record breaks the rule. Rules stand in column order, and in a fixed order within a column: "the
first rule broken" is the same in every run. A value that already breaks a rule of its type has no value for the rules
after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

import polars as pl

from parkindex import text
from parkindex.contracts import Column, Contract, Table
from parkindex.landing.blocks import Block
from parkindex.landing.refusal import refuse
from parkindex.raw import codes, geometry, money
from parkindex.raw.days import iso_days

_DATE_SHAPES = {
    "yyyy-MM": (r"^[0-9]{4}-[0-9]{2}$", "%Y-%m-%d"),
    "yyyy/M/d": (r"^[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}$", "%Y/%m/%d"),
    "yyyyMMdd": (r"^[0-9]{8}$", "%Y%m%d"),
}
_ISO_DATE = "yyyy-MM-dd"
_NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?$"
_INTEGER_BOUNDS = {"integer": 2**31, "bigint": 2**63}
# Control characters but tab and line ends, and the mark that a decoder leaves where bytes were lost.
_DAMAGED = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\ufffd]"
# Four letters of Latin-1 in a row stand in no name; they are what bytes of another encoding look like when they were
# read as Latin-1. 锟斤拷 is what the mark U+FFFD looks like when its bytes are read as GBK.
_MOJIBAKE = "[\u0080-\u00ff]{4}|锟斤拷"
_LONGEST_CELL = 1_000_000
_EARLIEST_YEAR = 1000
_EARLIEST_DAY = date(1900, 1, 1)


@dataclass(frozen=True)
class Rule:
    """One rule applied to one column of a block.

    Attributes:
        column: Contract column, or header text of a column that is not in the contract.
        id: Rule id, see ``docs/checks.md``.
        mask: True where a record breaks it.
    """

    column: str
    id: str
    mask: pl.Series


@dataclass(frozen=True)
class Judged:
    """A block after its rules.

    Attributes:
        values: The raw table's columns (lineage apart) as Postgres takes them: typed, or the text where it says the
            same; meaningful where no rule is broken.
        rules: Every rule that a record of the block breaks, in order.
        broken: True where a record breaks any.
    """

    values: pl.DataFrame
    rules: tuple[Rule, ...]
    broken: pl.Series


def judge(contract: Contract, block: Block, received_on: date | None = None) -> Judged:
    """Type a block and apply its contract's rules.

    Args:
        contract: The contract.
        block: A block of one of its tables.
        received_on: Day in Shanghai on which the file came; None leaves ``notAfter`` unjudged.

    Raises:
        FileRefusedError: A cell has a value under an empty header, and the contract does not allow unknown columns.
    """
    table = block.table
    texts = _texts(contract, table, block)
    plain = _plain_numbers(table, texts)
    typed = texts.select_seq(_typed_expressions(table, plain)).with_columns(
        iso_days(texts[column.name]).alias(_typed_name(column)) for column in table.columns if _is_iso_date(column)
    )
    derived = _derived(table, texts)
    expressed = _expressed(pl.concat([texts, typed], how="horizontal"), table, plain)
    is_clean = block.octets.plain and not block.octets.doubtful and block.octets.longest <= _LONGEST_CELL
    rules: list[Rule] = []
    for column in table.columns:
        rules += _reader_faults(block, column)
        rules += [] if is_clean else _damage(texts, column)
        rules += expressed[column.name]
        rules += _coded(column, texts[column.name], derived)
        rules += _timely(column, typed, derived, received_on)
    rules += _unknown(contract, block)
    rules = [rule for rule in rules if rule.mask.any()]
    broken = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(block.rows))
    for rule in rules:
        broken = broken | rule.mask
    return Judged(_stored(table, texts, typed, derived), tuple(rules), broken)


def _texts(contract: Contract, table: Table, block: Block) -> pl.DataFrame:
    """Return the contract's columns as texts: surrounding blanks off, null tokens null."""
    cells, texts = _text_expressions(
        table, contract.null_tokens, tuple(sorted(block.header.places.items())), block.octets.padded
    )
    # In two steps, or every text would be stripped twice.
    frame = block.cells.select_seq(cells).select_seq(texts)
    if frame.height != len(block.rows):  # every column is absent from the header: a frame of literals has one row
        frame = pl.DataFrame({column.name: [None] * len(block.rows) for column in table.columns}, schema=frame.schema)
    return frame.with_columns(_shifted(frame[name], power) for name, power in block.header.shifts.items() if power)


@lru_cache(maxsize=64)
def _text_expressions(
    table: Table, tokens: tuple[str, ...], places: tuple[tuple[str, int], ...], padded: bool
) -> tuple[list[pl.Expr], list[pl.Expr]]:
    """Return the cells of the contract's columns, and their texts; made once, not for every block."""
    place_of = dict(places)
    cells, texts = [], []
    for column in table.columns:
        place = place_of.get(column.name)
        cell = pl.lit(None, pl.String) if place is None else pl.col(str(place))
        cells.append((cell.str.strip_chars() if padded else cell).alias(column.name))
        value = pl.col(column.name)
        texts.append(pl.when(value.is_in(tokens)).then(None).otherwise(value).alias(column.name))
    return cells, texts


def _shifted(texts: pl.Series, power: int) -> pl.Series:
    """Return numbers times a power of ten, exactly; what is no number stays as it is."""
    numbers = texts.filter(texts.str.contains(_NUMBER).fill_null(value=False)).unique().to_list()
    made = {number: format(Decimal(number).scaleb(power), "f") for number in numbers}
    return texts.replace(made) if made else texts


def _plain_numbers(table: Table, texts: pl.DataFrame) -> frozenset[str]:
    """Return the decimal columns of which every text is a number that fits its type as it stands.

    One pattern in place of three rules; a column that fails it anywhere is judged rule by rule.
    """
    tests = _plain_tests(table)
    fit = texts.select_seq(tests.values())
    return frozenset(name for name in tests if fit[name].item())


@lru_cache(maxsize=64)
def _plain_tests(table: Table) -> dict[str, pl.Expr]:
    tests = {}
    for column in table.columns:
        if column.logical_type == "number":
            precision, scale = _precision(column)
            fraction = rf"(\.[0-9]{{1,{scale}}})?" if scale else ""
            pattern = rf"^[+-]?[0-9]{{1,{precision - scale}}}{fraction}$"
            tests[column.name] = pl.col(column.name).str.contains(pattern).all()
    return tests


def _precision(column: Column) -> tuple[int, int]:
    """Return precision and scale of a ``numeric`` column."""
    precision, scale = (int(part) for part in re.findall(r"\d+", column.physical_type))
    return precision, scale


@lru_cache(maxsize=64)
def _typed_expressions(table: Table, plain: frozenset[str]) -> list[pl.Expr]:
    return [_typed(column, is_plain=column.name in plain) for column in table.columns]


def _typed(column: Column, *, is_plain: bool) -> pl.Expr:
    """Return the column's value for comparisons: null where the text is not of its type."""
    value = pl.col(column.name)
    if column.logical_type == "integer":
        made = value.cast(pl.Int64, strict=False)
    elif column.logical_type == "number":
        # For comparisons only: what is stored is the text itself, which Postgres reads exactly.
        number = value if is_plain else pl.when(value.str.contains(_NUMBER)).then(value)
        made = number.cast(pl.Float64, strict=False)
    elif _is_iso_date(column):
        made = pl.lit(None, pl.Date)  # found by iso_days, in one look at a whole column
    elif column.logical_type == "date":
        shape, style = _DATE_SHAPES[column.date_format]
        shaped = pl.when(value.str.contains(shape)).then(value)
        day = (shaped + "-01" if column.date_format == "yyyy-MM" else shaped).str.to_date(style, strict=False)
        made = pl.when(day.dt.year() >= _EARLIEST_YEAR).then(day)
    else:
        made = value
    return made.alias(_typed_name(column))


def _expressed(work: pl.DataFrame, table: Table, plain: frozenset[str]) -> dict[str, list[Rule]]:
    """Apply the rules that are expressions on one block's columns, all of them in one query."""
    named, expressions = _table_expressions(table, plain)
    found: dict[str, list[Rule]] = {column.name: [] for column in table.columns}
    for (name, rule), mask in zip(named, work.select_seq(expressions), strict=True):
        found[name].append(Rule(name, rule, mask))
    return found


@lru_cache(maxsize=64)
def _table_expressions(table: Table, plain: frozenset[str]) -> tuple[list[tuple[str, str]], list[pl.Expr]]:
    """Return a table's rules (column, id) and their masks; made once, not for every block."""
    typed = {column.name: _typed_name(column) for column in table.columns}
    named = [
        (column.name, rule, mask)
        for column in table.columns
        for rule, mask in _expressions(column, typed, is_plain=column.name in plain)
    ]
    masks = [mask.fill_null(value=False).alias(str(place)) for place, (_, _, mask) in enumerate(named)]
    return [(name, rule) for name, rule, _ in named], masks


def _text_name(column: Column) -> str:
    return column.name


def _is_iso_date(column: Column) -> bool:
    return column.logical_type == "date" and column.date_format == _ISO_DATE


def _typed_name(column: Column) -> str:
    return f"{column.name}\0typed"


def _expressions(column: Column, typed: dict[str, str], *, is_plain: bool) -> Iterator[tuple[str, pl.Expr]]:
    value, known = pl.col(column.name), pl.col(typed[column.name])
    if column.required:
        stands_in = pl.col(column.default_from) if column.default_from else pl.lit(None)
        yield "value.required", value.is_null() & stands_in.is_null()
    if column.logical_type != "string" and not is_plain:
        yield f"type.{column.logical_type}", value.is_not_null() & known.is_null()
    if column.logical_type == "integer":
        limit = _INTEGER_BOUNDS[column.physical_type]
        yield "number.precision", (known >= limit) | (known < -limit) if limit < 2**63 else pl.lit(value=False)
    if column.logical_type == "number" and not is_plain:
        precision, scale = _precision(column)
        yield "number.scale", value.str.contains(rf"^[^.]*\.[0-9]{{{scale}}}[0-9]*[1-9]") & known.is_not_null()
        yield (
            "number.precision",
            value.str.contains(rf"^[+-]?0*[1-9][0-9]{{{precision - scale}}}") & known.is_not_null(),
        )
    if column.logical_type == "date" and column.minimum is None and column.exclusive_minimum is None:
        yield "date.too_early", known < _EARLIEST_DAY
    outside = list(_outside(column, known))
    if outside:
        yield "value.range", pl.any_horizontal(outside)
    if column.allowed:
        yield "value.enum", value.is_not_null() & ~value.is_in(list(column.allowed))
    if column.pattern:
        yield "value.pattern", ~value.str.contains(column.pattern)
    if column.min_length is not None or column.max_length is not None:
        length = value.str.len_chars()
        yield "value.length", (length < (column.min_length or 0)) | (length > (column.max_length or _LONGEST_CELL))
    if column.at_most:
        yield "compare.at_most", known > pl.col(typed[column.at_most])
    if column.at_least:
        yield "compare.at_least", known < pl.col(typed[column.at_least])


def _outside(column: Column, known: pl.Expr) -> Iterator[pl.Expr]:
    if column.minimum is not None:
        yield known < _bound(column, column.minimum)
    if column.maximum is not None:
        yield known > _bound(column, column.maximum)
    if column.exclusive_minimum is not None:
        yield known <= _bound(column, column.exclusive_minimum)
    if column.exclusive_maximum is not None:
        yield known >= _bound(column, column.exclusive_maximum)


def _bound(column: Column, stated: str) -> pl.Expr:
    if column.logical_type == "date":
        return pl.lit(stated).str.to_date("%Y-%m-%d")
    return pl.lit(float(stated))


def _reader_faults(block: Block, column: Column) -> list[Rule]:
    """Return what the reader found wrong with the column's cells."""
    place = block.header.places.get(column.name)
    found: dict[str, list[int]] = {}
    for fault in block.faults:
        if fault.place == place:
            found.setdefault(fault.rule, []).append(fault.index)
    if not found:
        return []
    rows = pl.Series(range(len(block.rows)), dtype=pl.Int64)
    return [Rule(column.name, rule, rows.is_in(indexes)) for rule, indexes in sorted(found.items())]


def _damage(texts: pl.DataFrame, column: Column) -> list[Rule]:
    cells = texts[column.name]
    longest = cells.str.len_bytes().max()
    rules = [Rule(column.name, "text.damaged", cells.str.contains(_DAMAGED).fill_null(value=False))]
    rules.append(Rule(column.name, "text.mojibake", cells.str.contains(_MOJIBAKE).fill_null(value=False)))
    if isinstance(longest, int) and longest > _LONGEST_CELL:
        too_long = (cells.str.len_chars() > _LONGEST_CELL).fill_null(value=False)
        rules.append(Rule(column.name, "text.too_long", too_long))
    return rules


def _timely(column: Column, typed: pl.DataFrame, derived: dict[str, pl.Series], received_on: date | None) -> list[Rule]:
    """Hold a date against the day on which the file came, and a currency against the day on which it must exist."""
    rules = []
    if column.not_after is not None and received_on is not None:
        mask = (typed[_typed_name(column)] > received_on).fill_null(value=False)
        rules.append(Rule(column.name, "date.future", mask))
    if column.currency_date is not None:
        mask = money.out_of_time(derived[f"{column.name}_currency"], typed[f"{column.currency_date}\0typed"])
        rules.append(Rule(column.name, "money.currency_date", mask))
    return rules


def _derived(table: Table, texts: pl.DataFrame) -> dict[str, pl.Series]:
    """Return what is stored beside columns: match keys, amounts and currencies."""
    made = {
        f"{column.name}_key": text.keys(column.match_key, texts[column.name])
        for column in table.columns
        if column.match_key
    }
    for column in table.columns:
        if column.parses_money:
            made[f"{column.name}_amount"], made[f"{column.name}_currency"] = money.parsed(texts[column.name])
    return made


def _coded(column: Column, values: pl.Series, derived: dict[str, pl.Series]) -> list[Rule]:
    """Apply checks on codes, which are computed on keys: case and width of a code do not matter."""
    found: dict[str, pl.Series] = {}
    if column.check in ("uscc", "uscc_or_registration_number"):
        allowed = column.check == "uscc_or_registration_number"
        found = codes.uscc_faults(_identifier(column, values, derived), old_numbers_allowed=allowed)
    elif column.check == "patent_application_number":
        found = codes.application_number_faults(_identifier(column, values, derived))
    elif column.check == "geojson_polygon":
        found = geometry.polygon_faults(values)
    if column.parses_money and column.required:
        found["money.unparsed"] = values.is_not_null() & derived[f"{column.name}_amount"].is_null()
    return [Rule(column.name, rule, mask.fill_null(value=False)) for rule, mask in found.items()]


def _identifier(column: Column, values: pl.Series, derived: dict[str, pl.Series]) -> pl.Series:
    stored = derived.get(f"{column.name}_key") if column.match_key == "identifier" else None
    if stored is not None:
        return stored
    return values.to_frame("value").select(text.identifier_key(pl.col("value"))).to_series()


def _unknown(contract: Contract, block: Block) -> list[Rule]:
    """Judge values in columns that the contract does not have."""
    rules = []
    for place in block.header.unknown:
        header = block.header.texts[place].strip()
        present = (block.cells[str(place)].str.strip_chars() != "").fill_null(value=False)
        if not present.any():
            continue
        if contract.on_unknown_column == "quarantine":
            rules.append(Rule(header or f"#{place + 1}", "column.unknown", present))
        elif contract.on_unknown_column == "freeze":
            row = block.rows.filter(present)[0]
            refuse("file.column_unknown", f"Column {place + 1} has a value but no header.", f"row {row}")
    return rules


def _stored(table: Table, texts: pl.DataFrame, typed: pl.DataFrame, derived: dict[str, pl.Series]) -> pl.DataFrame:
    """Return the raw table's columns in its order, lineage apart; a default stands in where a value is absent."""
    made: list[pl.Series] = []
    for column in table.columns:
        # Integers and dates are stored as typed; a number is stored as its text, which Postgres reads exactly, and so
        # is a date that is delivered as ISO 8601.
        as_typed = column.logical_type == "integer" or (
            column.logical_type == "date" and column.date_format != _ISO_DATE
        )
        frame, name_of = (typed, _typed_name) if as_typed else (texts, _text_name)
        value = frame[name_of(column)]
        if column.default_from:
            value = value.zip_with(value.is_not_null(), frame[name_of(table.column(column.default_from))])
        made.append(value.alias(column.name))
        made += [derived[name].alias(name) for name, _, _ in column.derived]
    return pl.DataFrame(made)
