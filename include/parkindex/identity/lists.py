"""Anybody's list of names or codes, resolved against the warehouse: the same rules as a run, and nothing is stored."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine

from parkindex.errors import BadInputError
from parkindex.identity import decisions, names
from parkindex.identity.names import Candidate, Resolution
from parkindex.text import keys

LINKED, REVIEW, UNKNOWN = "linked", "review", "unknown"
_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_ORGANISATION = re.compile(r"[0-9A-Z]{8}[0-9X]")
_OLD_NUMBER = re.compile(r"[0-9]{13}(?:[0-9]{2})?")
# What the registry says now: of each enterprise and day the row that was known last, less what was withdrawn.
_REGISTERED = """
with known as (
    select distinct on (uscc_key, coalesce(effective_date, registered_date))
        uscc_key, enterprise_name_key, enterprise_name, former_registration_number_key,
        coalesce(effective_date, registered_date) as effective_date
    from raw.enterprise_registry_v1
    where not exists (
        select 1 from raw.withdrawn_rows as gone
        where
            gone.batch_id = _batch_id and gone.table_name = 'enterprise_registry_v1'
            and gone.source_file = _source_file and gone.source_row = _source_row
    )
    order by
        uscc_key, coalesce(effective_date, registered_date), _known_at desc, _source_file collate "C" desc,
        _source_row desc
)
select uscc_key, enterprise_name_key, enterprise_name, former_registration_number_key
from known
order by uscc_key collate "C", effective_date
"""


@dataclass(frozen=True)
class Answer:
    """What one row of a list is.

    Attributes:
        row: Line in the file (header = line 1).
        value: The cell as it stands.
        status: ``linked``, ``review`` (a person has to look) or ``unknown`` (nothing in the registry is like it).
        enterprise_id_uscc: Whose it is; None unless linked.
        enterprise_name: Its latest registered name.
        method: How it was found, or why not.
        score: 0 to 1.
        evidence: What that rests on.
        candidates: Who it could be, best first.
    """

    row: int
    value: str
    status: str
    enterprise_id_uscc: str | None
    enterprise_name: str | None
    method: str
    score: float
    evidence: str
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Registry:
    """The registry as the warehouse knows it.

    Attributes:
        names: Columns ``name_key`` and ``enterprise_id_uscc``, one row per name an enterprise ever had.
        latest: USCC → latest registered name.
        former_numbers: Registration number of the time before the USCC → USCCs.
        organisations: Organisation code (places 9 to 17 of a USCC) → USCCs.
    """

    names: pl.DataFrame
    latest: Mapping[str, str]
    former_numbers: Mapping[str, set[str]]
    organisations: Mapping[str, set[str]]


def registry(connection: Connection) -> Registry:
    """Read the registry from raw, as known now.

    Raises:
        BadInputError: Nothing of it was landed.
    """
    read: list[tuple[str, str, str, str | None]] = [
        (row[0], row[1], row[2], row[3]) for row in connection.exec_driver_sql(_REGISTERED)
    ]
    if not read:
        raise BadInputError(
            "The registry is empty.",
            where="raw.enterprise_registry_v1",
            why="names can only be resolved against enterprises that were delivered",
            next_step="parkindex land enterprise_registry PATH…",
        )
    former: dict[str, set[str]] = defaultdict(set)
    organisations: dict[str, set[str]] = defaultdict(set)
    for uscc, _, _, number in read:
        organisations[uscc[8:17]].add(uscc)
        if number:
            former[number].add(uscc)
    held = pl.DataFrame(
        [(name, uscc) for uscc, name, _, _ in read],
        schema={"name_key": pl.String, "enterprise_id_uscc": pl.String},
        orient="row",
    ).unique(maintain_order=True)
    return Registry(held, {uscc: name for uscc, _, name, _ in read}, former, organisations)


def resolve(engine: Engine, path: Path, column: str, encoding: str = "utf-8") -> list[Answer]:
    """Resolve a column of a CSV: one answer per record, in the order of the file.

    A value that is a code is looked up as a code: USCC, organisation code (nine characters, part of every USCC), or a
    registration number of the time before. Everything else is a name.

    Args:
        engine: The warehouse.
        path: A CSV with a header.
        column: Header of the column with names or codes.
        encoding: Of the file; a byte order mark of UTF-8 is taken off.

    Raises:
        BadInputError: The file cannot be read, has no such column, or nothing of the registry was landed.
    """
    cells = _cells(path, column, encoding)
    values = pl.Series([value for _, value in cells], dtype=pl.String)
    codes, name_keys = keys("identifier", values).to_list(), keys("name", values).to_list()
    with engine.connect() as connection:
        known = registry(connection)
        decided = decisions.standing(decisions.known(connection), decisions.NAME)
    by_code = {code: found for code in codes if code and (found := _by_code(code, known))}
    asked = sorted({name for code, name in zip(codes, name_keys, strict=True) if name and code not in by_code})
    by_name = {one.name_key: one for one in names.look_up(asked, known.names, decided)}
    nothing = Resolution("", None, "empty", 0.0, "the cell is empty")
    return [
        _answer(line, value, by_code.get(code or "") or by_name.get(name or "", nothing), known)
        for (line, value), code, name in zip(cells, codes, name_keys, strict=True)
    ]


def counts(answers: list[Answer]) -> dict[str, int]:
    """Return how many rows are linked, to be reviewed, unknown."""
    found = Counter(one.status for one in answers)
    return {status: found[status] for status in (LINKED, REVIEW, UNKNOWN)}


def as_row(answer: Answer) -> dict[str, Any]:
    """Return an answer as plain values."""
    plain = {one.name: getattr(answer, one.name) for one in fields(answer)}
    return {**plain, "candidates": [vars(candidate) for candidate in answer.candidates]}


def write(answers: list[Answer], path: Path) -> None:
    """Write answers as CSV (UTF-8 with BOM), the best candidate beside each row that is not linked."""
    head = ["row", "value", "status", "enterprise_id_uscc", "enterprise_name", "method", "score", "evidence"]
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*head, "candidate_uscc", "candidate_name"])
        for one in answers:
            best = one.candidates[0] if one.candidates else None
            shown = [_safe(getattr(one, name)) for name in head]
            writer.writerow([*shown, *([best.enterprise_id_uscc, _safe(best.enterprise_name)] if best else ["", ""])])


def _safe(value: object) -> object:
    """Keep a spreadsheet from running a text as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _by_code(code: str, known: Registry) -> Resolution | None:
    """Look a code up; None when it is no code, and so perhaps a name."""
    if _CODE.fullmatch(code):
        if code in known.latest:
            return Resolution(code, code, "uscc", 1.0, "is the USCC of this enterprise")
        return Resolution(code, None, "unknown_code", 0.0, "no enterprise of the registry has this USCC")
    for pattern, held, method, told in (
        (_ORGANISATION, known.organisations, "organisation_code", "places 9 to 17 of the USCC"),
        (_OLD_NUMBER, known.former_numbers, "former_registration_number", "its registration number before the USCC"),
    ):
        if not pattern.fullmatch(code):
            continue
        holders = sorted(held.get(code, ()))
        if len(holders) == 1:
            return Resolution(code, holders[0], method, 1.0, told)
        if holders or method == "former_registration_number":
            could_be = tuple(Candidate(uscc, known.latest[uscc], 1.0, told) for uscc in holders)
            why = f"{len(holders)} enterprises of the registry have it"
            return Resolution(code, None, "ambiguous_code" if holders else "unknown_code", 0.0, why, could_be)
    return None


def _answer(line: int, value: str, found: Resolution, known: Registry) -> Answer:
    status = LINKED if found.enterprise_id_uscc else REVIEW if found.candidates else UNKNOWN
    return Answer(
        row=line,
        value=value,
        status=status,
        enterprise_id_uscc=found.enterprise_id_uscc,
        enterprise_name=known.latest.get(found.enterprise_id_uscc or ""),
        method=found.method,
        score=found.score,
        evidence=found.evidence,
        candidates=found.candidates,
    )


def _cells(path: Path, column: str, encoding: str) -> list[tuple[int, str]]:
    """Return (line, cell) of a column."""
    try:
        text = path.read_bytes().decode("utf-8-sig" if encoding.lower().replace("_", "-") == "utf-8" else encoding)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = next(reader, [])
        if column not in header:
            raise BadInputError(
                f"There is no column {column!r}.",
                where=str(path),
                why=f"the header says: {', '.join(header)}",
                next_step=f"parkindex resolve {path} --column NAME",
            )
        place = header.index(column)
        cells: list[tuple[int, str]] = []
        line = reader.line_num + 1
        for record in reader:
            if any(record):
                if len(record) <= place:
                    raise BadInputError(
                        "A record is too short.", where=f"{path}, line {line}", why=f"it has no column {column!r}"
                    )
                cells.append((line, record[place]))
            line = reader.line_num + 1
    except (OSError, UnicodeDecodeError, LookupError, csv.Error) as error:
        raise BadInputError(
            "The list cannot be read.",
            where=str(path),
            why=f"as {encoding}: {error}",
            next_step="name its encoding: parkindex resolve FILE --column NAME --encoding gb18030",
        ) from error
    return cells
