"""The suite of the raw tables, derived from contracts: adding a feed adds its expectations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from parkindex.contracts import Contract
from parkindex.contracts.derive import RawExpectation, expectations
from parkindex.gate import suites
from parkindex.gate.suites import Expectation

_TYPES = {
    "row_count": suites.ROW_COUNT,
    "not_null": suites.NOT_NULL,
    "unique": suites.UNIQUE,
    "in_set": suites.IN_SET,
    "between": suites.BETWEEN,
    "matches": suites.REGEX,
}
_KEY = ("_source_file", "_source_row")
_ON_FAILURE = {
    "zh": "查看 raw.rejects 与该批次文件;修正合同或文件后重新落地",
    "en": "look at the batch's file and raw.rejects; correct the contract or the file and land it again",
}


def derive(contracts: Iterable[Contract]) -> tuple[Expectation, ...]:
    """Return what must hold in the raw tables of feeds.

    Per feed: something was delivered (a warning: what rests on it is no data); every row of every batch is accounted
    for; and what the contract says of every table and column.
    """
    made: list[Expectation] = []
    for contract in contracts:
        batches = (
            f"from raw.batches where feed = '{contract.feed}' and status = 'loaded' and received_at <= {{as_known}}"
        )
        made += [_delivered(contract, batches), _conserved(contract, batches)]
        optional = {
            (table.raw_table, column.name)
            for table in contract.tables
            for column in table.columns
            if not column.required
        }
        made += [_from_contract(contract, declared, optional) for declared in expectations(contract)]
    return tuple(made)


def feed_of(contracts: Iterable[Contract]) -> dict[str, str]:
    """Return the feed of every raw table, as a suite names it (``raw.<table>``)."""
    return {f"raw.{table.raw_table}": contract.feed for contract in contracts for table in contract.tables}


def _from_contract(contract: Contract, declared: RawExpectation, optional: set[tuple[str, str]]) -> Expectation:
    judged = [name for name in declared.columns if (declared.table, name) in optional]
    return Expectation(
        id=declared.id,
        stage="raw",
        severity=declared.severity,
        table=f"raw.{declared.table}",
        type=_TYPES[declared.kind],
        owner=contract.owner,
        kwargs=_kwargs(declared),
        key=() if declared.kind in ("row_count", "unique") else _KEY,
        may_be_empty=f"{', '.join(judged)} is optional in the contract" if judged else None,
        means={
            "zh": f"{contract.name}:{declared.table} 符合数据合同({declared.kind})",
            "en": f"{contract.name}: {declared.table} is what its contract says ({declared.kind})",
        },
        on_failure=_ON_FAILURE,
    )


def _kwargs(declared: RawExpectation) -> dict[str, Any]:
    arguments = declared.arguments
    if declared.kind == "row_count":
        return {"min_value": arguments.get("min"), "max_value": arguments.get("max")}
    if declared.kind == "unique":
        return {"column_list": list(declared.columns)}
    column: dict[str, Any] = {"column": declared.columns[0]}
    if declared.kind == "in_set":
        return {**column, "value_set": list(arguments["values"])}
    if declared.kind == "matches":
        return {**column, "regex": arguments["regex"]}
    if declared.kind == "between":
        bounds = {"min_value": _bound(arguments.get("min")), "max_value": _bound(arguments.get("max"))}
        strict = {name: True for name in ("strict_min", "strict_max") if arguments.get(name)}
        return {**column, **bounds, **strict}
    return column


def _bound(written: str | None) -> int | float | date | None:
    """Read a bound: an ISO date or a decimal."""
    if written is None:
        return None
    try:
        number = Decimal(written)
    except ArithmeticError:
        return date.fromisoformat(written)
    return int(number) if number == number.to_integral_value() else float(number)


def _delivered(contract: Contract, batches: str) -> Expectation:
    return Expectation(
        id=f"raw.{contract.feed}.delivered",
        stage="raw",
        severity="warning",
        table="raw.batches",
        type=suites.UNEXPECTED_ROWS,
        owner=contract.owner,
        query=f"select '{contract.feed}' as feed where not exists (select 1 {batches})",
        looked_at="select 1",
        means={"zh": f"{contract.name}:至少有一批交付", "en": f"{contract.name}: something was delivered"},
        on_failure={
            "zh": "没有交付的数据源所支撑的指标为“无数据”;催交或确认",
            "en": "what rests on a feed that was not delivered is no data; ask the provider, or accept it",
        },
    )


def _conserved(contract: Contract, batches: str) -> Expectation:
    rows = " union all ".join(f'select _batch_id as batch_id from raw."{table.raw_table}"' for table in contract.tables)
    query = (
        f"with known as (select * {batches}),"
        f" accepted as (select batch_id, count(*) as n from ({rows}) as every group by batch_id),"
        " rejected as (select batch_id, count(*) as n from raw.rejects"
        f" where feed = '{contract.feed}' group by batch_id)"
        " select known.batch_id, known.source_file, known.rows_landed, known.rows_accepted,"
        " coalesce(accepted.n, 0) as rows_in_raw, known.rows_rejected, coalesce(rejected.n, 0) as rows_in_rejects,"
        " known.rows_duplicate"
        " from known left join accepted on accepted.batch_id = known.batch_id"
        " left join rejected on rejected.batch_id = known.batch_id"
        " where known.rows_accepted is distinct from coalesce(accepted.n, 0)"
        " or known.rows_rejected is distinct from coalesce(rejected.n, 0)"
        " or known.rows_landed is distinct from known.rows_accepted + known.rows_rejected + known.rows_duplicate"
        # What a replay brought in is what its rejects' histories say, and what stands for rows it withdrew.
        " or known.replays_batch_id is not null and known.rows_accepted <>"
        " (select count(*) from raw.reject_events as told"
        " where told.batch_id = known.batch_id and told.event = 'accepted')"
        " + (select count(*) from raw.withdrawn_rows as gone"
        " where gone.by_batch_id = known.batch_id and gone.is_replaced)"
    )
    return Expectation(
        id=f"raw.{contract.feed}.rows_conserved",
        stage="raw",
        severity="error",
        table="raw.batches",
        type=suites.UNEXPECTED_ROWS,
        owner=contract.owner,
        query=query,
        looked_at=f"select count(*) {batches}",
        may_be_empty=f"raw.{contract.feed}.delivered warns when nothing was delivered",
        means={
            "zh": f"{contract.name}:每批 落地 = 接收 + 拒收 + 完全重复,且与表中行数一致",
            "en": f"{contract.name}: per batch landed = accepted + rejected + duplicates, and the tables hold as many",
        },
        on_failure={
            "zh": "有行被改动或丢失:停止发布,用落地文件重新装载并比较",
            "en": "rows were lost or changed: do not publish; load the landed file again elsewhere and compare",
        },
    )
