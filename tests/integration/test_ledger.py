"""The ledger's tables in a real Postgres: migrations, constraints, reading roles."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from parkindex import pipeline
from parkindex.ledger import matrix, migrate, roles, tables
from parkindex.settings import Settings


def test_migrations_make_exactly_the_declared_tables(warehouse: Settings) -> None:
    with pipeline.engine_of(warehouse).connect() as connection:
        options = {
            "include_schemas": True,
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "schema" or name in tables.SCHEMAS,
            # Raw feed tables are derived from contracts, not migrated.
            "include_object": lambda item, name, kind, reflected, to: (
                not (kind == "table" and reflected and to is None)
            ),
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []


def test_every_ledger_table_and_its_key_columns_are_described(warehouse: Settings) -> None:
    inspector = inspect(pipeline.engine_of(warehouse))
    nameless = [
        table.fullname
        for table in tables.metadata.sorted_tables
        if not (inspector.get_table_comment(table.name, schema=table.schema)["text"] or "").startswith("One row per")
    ]
    assert nameless == []


def test_preparing_twice_changes_nothing(warehouse: Settings) -> None:
    migrate.upgrade(pipeline.engine_of(warehouse))
    pipeline.prepare(warehouse)
    with pipeline.engine_of(warehouse).connect() as connection:
        assert connection.execute(text("select version_num from audit.ledger_version")).scalar_one() == migrate.head()


def test_a_batch_that_lost_a_row_cannot_be_recorded(warehouse: Settings) -> None:
    row = {
        "feed": "headcounts",
        "contract_version": "1.0.0",
        "contract_sha256": "0" * 64,
        "source_file": "a.csv",
        "sha256": "1" * 64,
        "size_bytes": 1,
        "received_at": "2026-01-01T00:00:00Z",
        "status": "loaded",
        "rows_landed": 10,
        "rows_accepted": 8,
        "rows_rejected": 1,
        "rows_duplicate": 0,
    }
    engine = pipeline.engine_of(warehouse)
    with pytest.raises(IntegrityError, match="rows_are_conserved"), engine.begin() as connection:
        connection.execute(tables.batches.insert(), row)
    with engine.begin() as connection:
        connection.execute(tables.batches.insert(), {**row, "rows_duplicate": 1})
    with pytest.raises(IntegrityError, match="uq_batches_loaded_content"), engine.begin() as connection:
        connection.execute(tables.batches.insert(), {**row, "rows_duplicate": 1})


@pytest.mark.parametrize("role", matrix.LOGINS)
def test_reading_roles_read_what_is_theirs_and_change_nothing(warehouse: Settings, role: str) -> None:
    pipeline.prepare(warehouse)
    address = roles.reader_url(warehouse.warehouse_url, role, warehouse.run / "readers.json")
    reader = create_engine(address)
    try:
        with reader.connect() as connection:
            assert connection.execute(text("select count(*) from serve.park_ranking")).scalar_one() == 0
        for forbidden in (
            "select * from raw.rejects",
            "select * from publish.park_ranking for update",
            "create table serve.mine (a int)",
        ):
            with pytest.raises(ProgrammingError), reader.connect() as connection:
                connection.execute(text("set default_transaction_read_only = off"))
                connection.commit()
                connection.execute(text(forbidden))
    finally:
        reader.dispose()
