"""The privacy report: how small the groups are, what is withheld, what is personal, who read what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine, select, text

from parkindex import contracts
from parkindex.ledger import tables
from parkindex.privacy import policy
from parkindex.publish import disclosure, releases

# Attributes of an enterprise that others may know, alone and together: what k-anonymity is counted over.
QUASI_IDENTIFIERS: tuple[tuple[str, ...], ...] = (
    ("park_code",),
    ("park_code", "industry"),
    ("park_code", "enterprise_type"),
    ("park_code", "industry", "registered_year"),
)
_GROUPS = """
with enterprises_of_parks as (
    select distinct
        members.park_code,
        members.enterprise_id_uscc,
        left(enterprises.industry_code_gbt4754_2017, 2) as industry,
        enterprises.enterprise_type,
        extract(year from enterprises.registered_date)::integer as registered_year
    from {marts}.park_enterprises as members
    inner join {marts}.enterprises as enterprises using (enterprise_id_uscc)
    where members.valid_to is null
),
grouped as (select count(*) as size from enterprises_of_parks group by {columns})
select
    min(size) as k, count(*) as groups_count, count(*) filter (where size < {least}) as small_groups_count,
    coalesce(sum(size) filter (where size < {least}), 0) as enterprises_in_small_groups
from grouped
"""


@dataclass(frozen=True)
class Section:
    """A part of the report: its key in the document and its headings."""

    key: str
    zh: str
    en: str


_NONE = ("(无)", "(none)")
SECTIONS: tuple[tuple[Section, list[str], tuple[str, str]], ...] = (
    (
        Section("k_anonymity", "准标识符的 k 值", "k per set of quasi-identifiers"),
        ["quasi_identifiers", "k", "groups_count", "small_groups_count", "enterprises_in_small_groups"],
        _NONE,
    ),
    (
        Section("small_cells", "少于最少企业数的单元格", "Cells with fewer enterprises than the minimum"),
        ["indicator_code", "cells", "below_minimum", "withheld"],
        _NONE,
    ),
    (
        Section("withheld", "未公开的单元格", "Withheld cells"),
        ["park_code", "indicator_code", "conf_status", "rule", "is_protected"],
        _NONE,
    ),
    (
        Section("personal_columns", "个人信息字段", "Personal columns"),
        ["feed", "column", "at_landing", "retention_days", "stored"],
        _NONE,
    ),
    (Section("erasures", "已删除的个人信息", "Erasures"), ["at", "erased_by", "feed", "batch_id", "reason"], _NONE),
    (
        Section("accesses", "查阅记录", "Who read what"),
        ["at", "login", "reader", "what", "subject", "purpose", "rows_read"],
        _NONE,
    ),
)


def make(engine: Engine, release_id: str | None) -> dict[str, Any]:
    """Return the report on a release, or on the newest one when none is named.

    Returns:
        ``release_id`` (null when nothing is published), ``controlled`` (whether disclosure control applied), and the
        rows of :data:`SECTIONS`.

    Raises:
        BadInputError: There is no such release.
    """
    rules = policy.load()
    with engine.connect() as connection:
        release = releases.find(connection, release_id) if release_id else _newest(connection)
        prefix = None if release is None else _prefix(connection, release.candidate_id)
        hidden = None if prefix is None else disclosure.of_candidate(connection, prefix)
        return {
            "release_id": None if release is None else release.release_id,
            "controlled": hidden is not None,
            "k_anonymity": [] if prefix is None else _groups(connection, prefix, rules.disclosure.minimum_count),
            "small_cells": [] if prefix is None else _small_cells(connection, prefix, rules, hidden or {}),
            "withheld": [
                {name: cell[name] for name in ("park_code", "indicator_code", "conf_status", "rule", "is_protected")}
                for _, cell in sorted((hidden or {}).items())
            ],
            "personal_columns": _personal(connection, rules),
            "erasures": _rows(connection, tables.erasures, "erasure_id"),
            "accesses": _rows(connection, tables.access_log, "access_id"),
        }


def _newest(connection: Connection) -> releases.Release | None:
    chained = releases.chained(connection)
    return chained[-1] if chained else None


def _prefix(connection: Connection, candidate_id: str) -> str | None:
    """Return the schema prefix of a candidate whose tables are still there."""
    prefix: str = connection.execute(
        select(tables.candidates.c.schema_prefix).where(tables.candidates.c.candidate_id == candidate_id)
    ).scalar_one()
    there: str | None = connection.execute(
        text("select to_regclass(:name)"), {"name": f"{prefix}park_index.contributions"}
    ).scalar_one()
    return prefix if there else None


def _groups(connection: Connection, prefix: str, least: int) -> list[dict[str, Any]]:
    marts = f"{prefix}marts"
    there: str | None = connection.execute(
        text("select to_regclass(:name)"), {"name": f"{marts}.park_enterprises"}
    ).scalar_one()
    if there is None:
        return []
    made = []
    for names in QUASI_IDENTIFIERS:
        query = sql.SQL(_GROUPS).format(
            marts=sql.Identifier(marts),
            columns=sql.SQL(", ").join(map(sql.Identifier, names)),
            least=sql.Literal(least),
        )
        row = connection.exec_driver_sql(query.as_string(None)).mappings().one()
        made.append({"quasi_identifiers": " × ".join(names), **row})
    return made


def _small_cells(
    connection: Connection, prefix: str, rules: policy.Policy, hidden: dict[Any, Any]
) -> list[dict[str, Any]]:
    query = sql.SQL(
        "with counted as (select indicator_code, park_code, side, count(distinct enterprise_id_uscc) as enterprises"
        " from {schema}.contributions"
        " where enterprise_id_uscc is not null and source_feed = any({feeds}) and amount <> 0"
        " group by indicator_code, park_code, side)"
        " select indicator_code, count(distinct park_code) as cells,"
        " count(distinct park_code) filter (where enterprises < {least}) as below_minimum from counted"
        ' group by indicator_code order by indicator_code collate "C"'
    ).format(
        schema=sql.Identifier(f"{prefix}park_index"),
        feeds=sql.Literal(sorted(rules.disclosure.confidential_feeds)),
        least=sql.Literal(rules.disclosure.minimum_count),
    )
    rows = connection.exec_driver_sql(query.as_string(None)).mappings()
    withheld = [indicator for _, indicator in hidden]
    return [{**row, "withheld": withheld.count(row["indicator_code"])} for row in rows]


def _personal(connection: Connection, rules: policy.Policy) -> list[dict[str, Any]]:
    made = []
    for feed, contract in contracts.load_all().items():
        for table in contract.tables:
            for column in table.columns:
                if column.is_personal:
                    query = sql.SQL("select count({}) from {}").format(
                        sql.Identifier(column.name), sql.Identifier("raw", table.raw_table)
                    )
                    made.append(
                        {
                            "feed": feed,
                            "column": f"{table.raw_table}.{column.name}",
                            "at_landing": column.at_landing,
                            "retention_days": rules.retention(feed),
                            "stored": connection.exec_driver_sql(query.as_string(None)).scalar_one(),
                        }
                    )
    return made


def _rows(connection: Connection, table: Any, key: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table).order_by(table.c[key].desc())).mappings()]
