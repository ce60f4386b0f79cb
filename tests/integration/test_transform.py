"""Building under a prefix and promoting: what happens with little data, what fails, and what readers see."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from parkindex import methodology, pipeline
from parkindex.errors import BadInputError, ServiceDownError, UsageError
from parkindex.identity import resolve
from parkindex.raw import load
from parkindex.settings import Settings
from parkindex.transform import dbt, promote
from parkindex.transform import warehouse as layers

AS_KNOWN = datetime(2026, 6, 30, tzinfo=UTC)
PREFIX = "next__"
# The public layout: no industry, status, end, change date or coordinates. Invented names; check digits are right.
HEADER = [
    *("企业名称", "统一社会信用代码", "注册日期", "企业类型", "法人代表"),
    *("注册资金", "经营范围", "所在省份", "地区", "注册地址"),
]
ENTERPRISES = (
    ("上海甲样科技有限公司", "91310000MA1K00000", "2022-03-01"),
    ("上海乙样软件有限公司", "91310000MA1K00001", "2025-05-06"),
)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _with_check_digit(body: str) -> str:
    """Append the check character of GB 32100-2015."""
    total = sum(ALPHABET.index(one) * pow(3, position, 31) for position, one in enumerate(body))
    return body + ALPHABET[(31 - total % 31) % 31]


def _public_registry(folder: Path) -> Path:
    path = folder / "public.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for name, body, registered in ENTERPRISES:
            uscc = _with_check_digit(body)
            writer.writerow([name, uscc, registered, "N/A", "某", "N/A", "软件开发", "上海市", "浦东新区", "某路 1 号"])
    return path


def _served(connection: Connection) -> list[str]:
    return sorted(connection.execute(text("select viewname from pg_views where schemaname = 'serve'")).scalars())


def test_little_data_is_no_data_and_marts_are_promoted(warehouse_with_registry: Settings) -> None:
    settings = warehouse_with_registry
    engine = pipeline.engine_of(settings)
    sha256 = methodology.store(engine, methodology.load(2025))
    layers.stage(engine, settings, PREFIX, AS_KNOWN, sha256)
    run = resolve.run(engine, PREFIX, AS_KNOWN, "0" * 64)
    layers.relate(engine, settings, PREFIX, AS_KNOWN, sha256, run)
    layers.index(engine, settings, PREFIX, AS_KNOWN, sha256, run, 2025)
    with engine.begin() as connection:
        rows = connection.exec_driver_sql("select * from next__park_index.indicator_scores").all()
        assert len(rows) == 22 * 35
        assert {row.value for row in rows} == {row.score for row in rows} == {None}
        assert all(row.reason for row in rows)
        assert {row.obs_status for row in rows} == {"no_data"}
        ranking = connection.exec_driver_sql("select * from next__park_index.park_ranking").all()
        assert len(ranking) == 22
        assert {(row.rank, row.score, row.tier, row.obs_status) for row in ranking} == {
            (None, None, None, "not_ranked")
        }
        targets = connection.exec_driver_sql("select value, met, reason from next__park_index.zone_targets").all()
        assert len(targets) == 7
        assert all(row.value is None and row.met is None and row.reason for row in targets)
        assert not [view for view in _served(connection) if view.startswith("marts_")]

    # What is served comes with the promotion, and a reader's own view on it survives the next one.
    assert promote(engine) is True
    with engine.begin() as connection:
        assert "marts_enterprises" in _served(connection)
        connection.exec_driver_sql("create schema bi")
        connection.exec_driver_sql("create view bi.names as select enterprise_name from serve.marts_enterprises")
        assert connection.exec_driver_sql("select count(*) from bi.names").scalar_one() == len(ENTERPRISES)
        comment = "select col_description('serve.marts_enterprises'::regclass, 1)"
        assert connection.exec_driver_sql(comment).scalar_one()
    assert promote(engine) is False  # a second try finds that it was done
    with engine.begin() as connection:
        for layer in ("staging", "intermediate", "marts"):
            connection.exec_driver_sql(f"create schema next__{layer}")
        connection.exec_driver_sql(
            "create table next__marts.enterprises as"
            " select * from marts.enterprises where registered_date > '2024-12-31'"
        )
    promote(engine)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("select enterprise_name from bi.names").scalars().all() == [ENTERPRISES[1][0]]
        assert [view for view in _served(connection) if view.startswith("marts_")] == ["marts_enterprises"]
        # A generation that loses a column somebody reads is refused whole.
        for layer in ("staging", "intermediate", "marts"):
            connection.exec_driver_sql(f"create schema next__{layer}")
        connection.exec_driver_sql("create table next__marts.enterprises (enterprise_id_uscc text)")
    with pytest.raises(BadInputError, match="something reads it") as refused:
        promote(engine)
    assert "bi.names" in refused.value.why
    with engine.begin() as connection:
        assert connection.exec_driver_sql("select enterprise_name from bi.names").scalars().all() == [ENTERPRISES[1][0]]


def test_a_failing_node_is_named(warehouse_with_registry: Settings) -> None:
    settings = warehouse_with_registry
    engine = pipeline.engine_of(settings)
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table raw.headcounts_v1")
    with pytest.raises(BadInputError) as refused:
        dbt.build(settings, ["path:models/staging"], {"schema_prefix": PREFIX, "as_known": AS_KNOWN.isoformat()})
    assert "stg_headcounts__headcounts" in refused.value.what
    assert refused.value.where.endswith("stg_headcounts__headcounts.sql")
    assert 'relation "raw.headcounts_v1" does not exist' in refused.value.why
    assert Path(refused.value.next_step.split("log: ")[1]).read_text("utf-8")


def test_an_unreachable_warehouse_is_a_service_down(tmp_path: Path) -> None:
    nowhere = "postgresql+psycopg://nobody:secret@127.0.0.1:1/none"
    settings = Settings(home=tmp_path / "有 空格", inbox=tmp_path, own_warehouse_url=nowhere)
    with pytest.raises((ServiceDownError, BadInputError)) as refused:
        dbt.build(settings, ["path:models/staging"], {"schema_prefix": PREFIX, "as_known": AS_KNOWN.isoformat()})
    assert "secret" not in str(refused.value)


def test_one_build_at_a_time_and_only_under_a_prefix(warehouse_with_registry: Settings) -> None:
    engine = pipeline.engine_of(warehouse_with_registry)
    with layers.locked(engine, PREFIX):
        with pytest.raises(ServiceDownError, match="Another build"), layers.locked(engine, PREFIX):
            pass
        with layers.locked(engine, "cand_9__"):
            pass
    for wrong in ("", "marts", "x", 'a"; drop schema publish; --__'):
        with pytest.raises(UsageError), layers.locked(engine, wrong):
            pass


@pytest.fixture
def warehouse_with_registry(warehouse: Settings, tmp_path: Path) -> Settings:
    """A warehouse that knows a registry in the public layout, and nothing else."""
    engine = pipeline.engine_of(warehouse)
    batches = load.land(
        engine, warehouse, "enterprise_registry", [_public_registry(tmp_path)], datetime(2026, 1, 2, tzinfo=UTC)
    )
    assert [(one.status, one.rows_accepted) for one in batches] == [("loaded", len(ENTERPRISES))]
    return warehouse
