"""Alembic environment: the ledger's tables only, in the schemas they name."""

from __future__ import annotations

from typing import Any

from alembic import context

from parkindex.ledger.tables import SCHEMAS, metadata


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Look only into the ledger's schemas; feed tables and dbt's relations are not Alembic's."""
    return kind != "schema" or name in SCHEMAS


def include_object(entity: Any, name: str | None, kind: str, reflected: bool, _compared: Any) -> bool:
    """Leave alone what is in the database and was never declared: raw feed tables, dbt models."""
    return not (kind == "table" and reflected and f"{entity.schema}.{name}" not in metadata.tables)


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    include_schemas=True,
    include_name=include_name,
    include_object=include_object,
    version_table="ledger_version",
    version_table_schema="audit",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
