"""Data contracts: one per feed, in ``contracts/<feed>.odcs.yaml``; everything a feed's row must be is said there."""

from __future__ import annotations

from pathlib import Path

from parkindex.contracts import pins
from parkindex.contracts.compare import Change, diff
from parkindex.contracts.model import Column, Contract, Pagination, QualityRule, RejectLimit, Server, Table, Withdrawal
from parkindex.contracts.parse import load_file, read
from parkindex.errors import BadInputError
from parkindex.settings import CONTRACTS_DIR

__all__ = [
    "Change",
    "Column",
    "Contract",
    "Pagination",
    "QualityRule",
    "RejectLimit",
    "Server",
    "Table",
    "Withdrawal",
    "diff",
    "load",
    "load_all",
    "load_file",
    "path_of",
    "read",
]

_SUFFIX = ".odcs.yaml"


def load_all(folder: Path = CONTRACTS_DIR) -> dict[str, Contract]:
    """Load every contract, by feed, in the order of their names.

    Raises:
        BadInputError: A contract breaks a rule; the message names file and line.
    """
    made = {}
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        contract = load_file(path)
        pins.check(contract, folder)
        if path.name != contract.feed + _SUFFIX:
            raise BadInputError(
                f"The contract of {contract.feed} is not in a file of its name.",
                where=str(path),
                why="contract.file_name",
                next_step=f"rename it to {contract.feed}{_SUFFIX}",
            )
        made[contract.feed] = contract
    _refuse_shared_tables(made)
    return made


def path_of(feed: str, folder: Path = CONTRACTS_DIR) -> Path:
    """Return the file of a feed's contract."""
    return folder / f"{feed}{_SUFFIX}"


def load(feed: str, folder: Path = CONTRACTS_DIR) -> Contract:
    """Load the contract of a feed.

    Raises:
        BadInputError: There is no such feed, or its contract breaks a rule.
    """
    path = path_of(feed, folder)
    known = sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))
    if feed not in known:
        raise BadInputError(
            f"There is no feed {feed!r}.",
            where=str(path),
            why=f"known feeds: {', '.join(known) or 'none'}",
            next_step="name one of them, or add its contract",
        )
    contract = load_file(path)
    pins.check(contract, folder)
    return contract


def _refuse_shared_tables(contracts: dict[str, Contract]) -> None:
    owners: dict[str, str] = {}
    for feed, contract in contracts.items():
        for table in contract.tables:
            if table.raw_table in owners:
                raise BadInputError(
                    f"Two feeds write raw.{table.raw_table}: {owners[table.raw_table]} and {feed}.",
                    where=f"contracts/{feed}{_SUFFIX}",
                    why="contract.unique",
                    next_step="give the table of one of them another physicalName",
                )
            owners[table.raw_table] = feed
