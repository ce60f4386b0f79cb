"""Corrections as data: one file each in ``contracts/corrections``, with who asked for it, why, and until when.

A correction changes how rows are judged, never the bytes that were delivered. It names the rows by their cells and says
what it expects to find there: when the source no longer shows the error, the correction must go, and not do harm.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

import jsonschema

from parkindex.contracts.model import Contract, Table
from parkindex.documents import Located, read_located
from parkindex.errors import BadInputError
from parkindex.settings import CONTRACTS_DIR

FOLDER = "corrections"
_NEXT_STEP = "correct the file, then run `parkindex contract check`"


@dataclass(frozen=True)
class Correction:
    """One correction.

    Attributes:
        id: Its name, and that of its file.
        feed: Feed whose rows it corrects.
        table: Table of the contract.
        reason: Why, for people.
        source: What shows that the delivery is wrong: a letter, a register, a phone call with its date.
        who: Who answers for it.
        valid_until: Files received later (Shanghai date) are no longer corrected.
        file: Pattern of file names; None for every file.
        locate: Contract column → cell as delivered (blanks at its ends apart) of the rows it means.
        expect: Contract column → cell as delivered that shows the error.
        action: ``drop``, ``override``, ``scale`` or ``flag``.
        new: Contract column → cell that stands instead (``override``).
        factors: Contract column → number its value is multiplied by (``scale``).
        sha256: Hash of its file.
    """

    id: str
    feed: str
    table: str
    reason: str
    source: str
    who: str
    valid_until: date
    file: str | None
    locate: Mapping[str, str]
    expect: Mapping[str, str]
    action: str
    new: Mapping[str, str]
    factors: Mapping[str, Decimal]
    sha256: str


def load_all(contracts: Mapping[str, Contract], folder: Path = CONTRACTS_DIR / FOLDER) -> tuple[Correction, ...]:
    """Load every correction, in the order of their ids.

    Args:
        contracts: The contracts they must fit.
        folder: Where they are; a folder that does not exist holds none.

    Raises:
        BadInputError: A correction breaks a rule; the message names file and line.
    """
    return tuple(_load(path, contracts) for path in sorted(folder.glob("*.yaml")))


def of_feed(contract: Contract, folder: Path = CONTRACTS_DIR / FOLDER) -> tuple[Correction, ...]:
    """Load the corrections of one feed, in the order of their ids.

    Raises:
        BadInputError: A correction of the feed, or a file whose feed cannot be read, breaks a rule.
    """
    return tuple(
        _load(path, {contract.feed: contract})
        for path in sorted(folder.glob("*.yaml"))
        if _document(path, path.read_bytes()).value.get("feed") in (contract.feed, None)
    )


def _document(path: Path, content: bytes) -> Located:
    located = read_located(path, content, "correction", _NEXT_STEP)
    if not isinstance(located.value, dict):
        _refuse(path, located, "The correction is not a mapping.", "correction.schema")
    return located


@cache
def _validator() -> jsonschema.Draft202012Validator:
    schema = resources.files("parkindex.contracts").joinpath("corrections.schema.json").read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(schema))


def _load(path: Path, contracts: Mapping[str, Contract]) -> Correction:
    content = path.read_bytes()
    located = _document(path, content)
    said: dict[str, Any] = located.value
    for error in sorted(_validator().iter_errors(said), key=lambda found: [str(step) for step in found.absolute_path]):
        at = tuple(error.absolute_path)
        _refuse(
            path, located, f"{'/'.join(map(str, at)) or 'the correction'}: {error.message}", "correction.schema", at
        )
    if path.stem != said["id"]:
        _refuse(path, located, f"The file of {said['id']} is not called {said['id']}.yaml.", "correction.file_name")
    for part, action in (("set", "override"), ("scale", "scale")):
        if part in said and said["action"] != action:
            _refuse(path, located, f"{part} belongs to the action {action}.", "correction.schema", (part,))
    contract = contracts.get(said["feed"])
    if contract is None:
        _refuse(path, located, f"There is no feed {said['feed']!r}.", "correction.reference", ("feed",))
    table = _table(path, located, said, contract)
    names = {column.name for column in table.columns}
    for part in ("locate", "expect", "set", "scale"):
        for name in said.get(part, {}):
            if name not in names:
                _refuse(path, located, f"{name!r} is no column of {table.name}.", "correction.reference", (part, name))
    for name in said.get("scale", {}):
        if table.column(name).logical_type not in ("integer", "number"):
            _refuse(path, located, f"{name} is no number.", "correction.reference", ("scale", name))
    try:
        valid_until = date.fromisoformat(said["valid_until"])
    except ValueError:
        _refuse(path, located, f"{said['valid_until']!r} is no day.", "correction.schema", ("valid_until",))
    return Correction(
        id=said["id"],
        feed=said["feed"],
        table=table.name,
        reason=said["reason"],
        source=said["source"],
        who=said["who"],
        valid_until=valid_until,
        file=said.get("file"),
        locate=_cells(said["locate"]),
        expect=_cells(said["expect"]),
        action=said["action"],
        new=_cells(said.get("set", {})),
        factors={name: Decimal(str(factor)) for name, factor in said.get("scale", {}).items()},
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _table(path: Path, located: Located, said: dict[str, Any], contract: Contract) -> Table:
    tables = {table.name: table for table in contract.tables}
    if "table" not in said and len(tables) == 1:
        return contract.tables[0]
    if said.get("table") not in tables:
        _refuse(path, located, f"table is one of: {', '.join(tables)}.", "correction.reference", ("table",))
    return tables[said["table"]]


def _cells(said: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value).strip() for name, value in said.items()}


def _refuse(path: Path, located: Located, what: str, rule: str, at: tuple[str | int, ...] = ()) -> NoReturn:
    raise BadInputError(what, where=f"{path}:{located.line(at)}", why=rule, next_step=_NEXT_STEP)
