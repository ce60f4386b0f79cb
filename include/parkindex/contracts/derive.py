"""What contracts derive: raw tables, dbt sources, and the expectations of the gate's raw suite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from parkindex import contracts as loader
from parkindex.contracts.model import LINEAGE_COLUMNS, WITHDRAWN_COLUMN, Column, Contract, QualityRule, Table
from parkindex.errors import BadInputError
from parkindex.settings import CONTRACTS_DIR, DBT_PROJECT_DIR

HEADER = "# Generated from contracts/{feed}.odcs.yaml by `make derive`. Do not edit: change the contract.\n"

# ------------------------------------------------------------------------------------------------------- raw tables


def ddl(contract: Contract) -> list[str]:
    """Return the statements that create a feed's raw tables where they are missing, with comments.

    Column order: the contract's columns, each followed by what is stored beside it, then lineage.
    """
    statements = []
    for table in contract.tables:
        name = f"raw.{table.raw_table}"
        columns = list(_stored(table))
        lines = [f"    {column} {kind}{' not null' if required else ''}" for column, kind, _, required in columns]
        statements.append(f"create table if not exists {name} (\n" + ",\n".join(lines) + "\n)")
        statements.append(f"comment on table {name} is {_quoted(f'{table.description} {table.grain}')}")
        statements += [
            f"comment on column {name}.{column} is {_quoted(comment)}" for column, _, comment, _ in columns if comment
        ]
        # Batches arrive in order: a block-range index finds one at next to no cost for loading.
        statements.append(f"create index if not exists ix_{table.raw_table}_batch on {name} using brin (_batch_id)")
    return statements


def stored_columns(table: Table) -> list[tuple[str, str]]:
    """Return names and Postgres types of a raw table's columns, in its order."""
    return [(name, kind) for name, kind, _, _ in _stored(table)]


def _stored(table: Table) -> Iterator[tuple[str, str, str, bool]]:
    for column in table.columns:
        comment = column.title + (f": {column.description}" if column.description else "")
        yield column.name, column.physical_type, comment, column.required
        for name, kind, derived_comment in column.derived:
            yield name, kind, derived_comment, False
    if table.withdrawal:
        comment = f"Whether {table.withdrawal.column} says that the key no longer holds from this delivery on."
        yield WITHDRAWN_COLUMN, "boolean", comment, True
    for name, kind, comment in LINEAGE_COLUMNS:
        yield name, kind, comment, True


def _quoted(text: str) -> str:
    return "'" + text.strip().replace("'", "''") + "'"


# ------------------------------------------------------------------------------------------------------ dbt sources


def sources(contract: Contract) -> str:
    """Return the dbt sources file of a feed."""
    late = contract.latency_days
    document = {
        "version": 2,
        "sources": [
            {
                "name": contract.feed,
                "schema": "raw",
                "description": contract.description,
                "config": {
                    "loaded_at_field": "_known_at",
                    "freshness": {"warn_after": {"count": late, "period": "day"}},
                    "meta": {"owner": contract.owner, "contract_version": contract.version},
                },
                "tables": [
                    {
                        "name": table.raw_table,
                        "description": f"{table.description} {table.grain}",
                        "columns": [
                            {
                                "name": name,
                                "data_type": kind,
                                **({"description": comment} if comment else {}),
                            }
                            for name, kind, comment, _ in _stored(table)
                        ],
                    }
                    for table in contract.tables
                ],
            }
        ],
    }
    body = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=110, default_flow_style=False)
    return HEADER.format(feed=contract.feed) + body


def source_file(feed: str, folder: Path) -> Path:
    """Return where a feed's dbt sources stand under the folder of staging models."""
    return folder / feed / f"_{feed}__sources.yml"


def write_sources(
    check: bool = False, contracts_folder: Path = CONTRACTS_DIR, staging: Path = DBT_PROJECT_DIR / "models" / "staging"
) -> list[Path]:
    """Write the dbt sources of every contract.

    Args:
        check: Write nothing.
        contracts_folder: Where the contracts are.
        staging: Folder of the staging models.

    Returns:
        The files that were stale (with ``check``: are stale). A generated file whose contract has vanished is among
        them, and removed unless ``check``.

    Raises:
        BadInputError: A file that is not generated stands where a generated one belongs.
    """
    wanted = {
        source_file(feed, staging): sources(contract) for feed, contract in loader.load_all(contracts_folder).items()
    }
    stale = []
    for path, text in wanted.items():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        _refuse_hand_written(path)
        stale.append(path)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in sorted(staging.glob("*/_*__sources.yml")):
        if path not in wanted:
            _refuse_hand_written(path)
            stale.append(path)
            if not check:
                path.unlink()
    return stale


def _refuse_hand_written(path: Path) -> None:
    if path.exists() and not path.read_text("utf-8").startswith("# Generated from contracts/"):
        raise BadInputError(
            "A hand-written file stands where a generated one belongs.",
            where=str(path),
            why="derive.hand_written",
            next_step="move what it says into the contract or into another file, and delete it",
        )


# ----------------------------------------------------------------------------------------------------- expectations


@dataclass(frozen=True)
class RawExpectation:
    """One expectation on a raw table, as plain data; only the gate turns it into a check.

    Attributes:
        id: Stable id.
        table: Name in schema ``raw``.
        kind: ``row_count``, ``not_null``, ``unique``, ``in_set``, ``between`` or ``matches``.
        columns: Columns concerned; for ``unique`` the whole key; empty for ``row_count``.
        arguments: ``row_count``: ``min``/``max`` (int or None); ``in_set``: ``values``; ``between``: ``min``, ``max``
            (decimal text or ISO date, or None), ``strict_min``, ``strict_max``; ``matches``: ``regex``.
        severity: ``error`` or ``warning``.
    """

    id: str
    table: str
    kind: str
    columns: tuple[str, ...]
    arguments: dict[str, Any] = field(default_factory=dict)
    severity: str = "error"


def expectations(contract: Contract) -> list[RawExpectation]:
    """Return what a feed's raw tables must be, from required, primaryKey, enum, range, pattern and quality.

    A key may come again with a later delivery, and within a batch it stands once: ``unique`` therefore includes
    ``_batch_id``.
    """
    made = []
    for table in contract.tables:
        prefix = f"raw.{table.raw_table}"
        made += [_from_quality(table, rule) for rule in table.quality]
        made.append(
            RawExpectation(
                f"{prefix}.key_unique_in_batch", table.raw_table, "unique", (*table.primary_key, "_batch_id")
            )
        )
        for column in table.columns:
            made += _from_column(contract, prefix, table, column)
    return made


def _from_column(contract: Contract, prefix: str, table: Table, column: Column) -> Iterator[RawExpectation]:
    label = f"{prefix}.{column.name}"
    if column.required:
        yield RawExpectation(f"{label}.not_null", table.raw_table, "not_null", (column.name,))
    if column.allowed:
        values = {"values": list(column.allowed)}
        # Where a contract takes new codes, one that came is for people to look at and stops nothing.
        severity = "warning" if contract.on_unknown_code == "evolve" else "error"
        yield RawExpectation(f"{label}.in_set", table.raw_table, "in_set", (column.name,), values, severity)
    low, high = column.exclusive_minimum or column.minimum, column.exclusive_maximum or column.maximum
    if low is not None or high is not None:
        bounds = {
            "min": low,
            "max": high,
            "strict_min": column.exclusive_minimum is not None,
            "strict_max": column.exclusive_maximum is not None,
        }
        yield RawExpectation(f"{label}.between", table.raw_table, "between", (column.name,), bounds)
    if column.pattern:
        regex = {"regex": column.pattern}
        yield RawExpectation(f"{label}.matches", table.raw_table, "matches", (column.name,), regex)


def _from_quality(table: Table, rule: QualityRule) -> RawExpectation:
    kinds = {"rowCount": "row_count", "nullValues": "not_null", "duplicateValues": "unique"}
    arguments: dict[str, Any] = {"min": rule.minimum, "max": rule.maximum} if rule.metric == "rowCount" else {}
    return RawExpectation(rule.id, table.raw_table, kinds[rule.metric], rule.columns, arguments, rule.severity)
