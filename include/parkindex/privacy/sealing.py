"""Personal fields at landing: dropped or sealed before a row reaches the warehouse, as the contract says.

A sealed value is encrypted with AES-SIV (RFC 5297). It is deterministic: who holds the key can look for the rows of one
person without opening all of them; who does not learns at most that two values of one column are equal. In a row that
was set aside every personal cell is sealed, also of columns that are dropped, because its provider is sent it back to
correct.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from parkindex.contracts import Column, Contract, Table
from parkindex.errors import BadInputError
from parkindex.privacy import keys

MARK = "sealed:1:"
ERASED = "[erased]"
# A row whose cells are shifted against its header: from the first personal column on nobody knows what a cell is.
_SHIFTED = "row.ragged"


def is_sealed(cell: str | None) -> bool:
    """Whether a cell is a sealed value."""
    return cell is not None and cell.startswith(MARK)


class Sealer:
    """Seals and opens the personal fields of feeds.

    Args:
        folder: The installation's folder of keys; None where there is none, then nothing personal is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._cipher: AESSIV | None = None

    def columns(self, table: Table, values: pl.DataFrame) -> list[pl.Series]:
        """Return the personal columns of accepted rows as they are stored: null, or sealed."""
        made = []
        for column in table.columns:
            if column.is_personal and column.name in values.columns:
                found = values[column.name]
                kept: list[str | None] = [None] * len(found)
                if column.at_landing == "seal" and self._folder is not None:
                    kept = [None if cell is None else self.seal(column.name, cell) for cell in found.to_list()]
                made.append(pl.Series(column.name, kept, dtype=pl.String))
        return made

    def cells(
        self, contract: Contract, raw_table: str, rule: str, row: Mapping[str, str | None]
    ) -> dict[str, str | None]:
        """Return the cells of a row that is set aside, personal ones sealed."""
        personal = personal_headers(contract, raw_table)
        made: dict[str, str | None] = {}
        hidden = None
        for header, cell in row.items():
            name = personal.get(header.strip())
            if name is None and hidden is not None and rule == _SHIFTED:
                name = hidden
            hidden = name or hidden
            made[header] = cell if name is None or not cell else self.seal(name, cell)
        return made

    def seal(self, column: str, value: str) -> str:
        """Return a value sealed under its column's name; without keys only a mark is left."""
        if self._folder is None:
            return ERASED
        sealed = self._opened().encrypt(value.encode(), [column.encode()])
        return MARK + base64.urlsafe_b64encode(sealed).decode("ascii")

    def opened(self, contract: Contract, raw_table: str, row: Mapping[str, str | None]) -> dict[str, str | None]:
        """Return the cells of a row that is set aside as they were delivered.

        Raises:
            BadInputError: The key is not the one they were sealed with.
        """
        names = list(dict.fromkeys(personal_headers(contract, raw_table).values()))
        return {header: self.open(names, cell) if is_sealed(cell) else cell for header, cell in row.items()}

    def open(self, columns: list[str], cell: str | None) -> str | None:
        """Return a sealed value, which was sealed under one of these columns.

        Raises:
            BadInputError: It was not, or the key is another.
        """
        if cell is None or not is_sealed(cell):
            return cell
        sealed = base64.urlsafe_b64decode(cell.removeprefix(MARK))
        for column in columns:
            try:
                return self._opened(make=False).decrypt(sealed, [column.encode()]).decode()
            except InvalidTag:
                continue
        raise BadInputError(
            "A sealed value cannot be opened.",
            where=f"column {', '.join(columns)}",
            why="it was sealed with another key",
            next_step=f"restore {self._folder or '<home>/keys'}/{keys.PERSONAL}.key",
        )

    def _opened(self, *, make: bool = True) -> AESSIV:
        if self._cipher is None:
            if self._folder is None:
                raise BadInputError("There is no folder of keys here.", next_step="run it in the installation's home")
            self._cipher = AESSIV(keys.key(self._folder, keys.PERSONAL, make=make))
        return self._cipher


def personal_columns(table: Table) -> list[Column]:
    """Return the columns of a table whose values belong to persons."""
    return [column for column in table.columns if column.is_personal]


def personal_headers(contract: Contract, raw_table: str) -> dict[str, str]:
    """Return header → column of the personal columns of a raw table, by every name a provider may use."""
    return {
        header: column.name
        for table in contract.tables
        if table.raw_table == raw_table
        for column in personal_columns(table)
        for header in column.headers
    }
