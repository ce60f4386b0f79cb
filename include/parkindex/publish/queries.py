"""Queries over a candidate's schemas, and numbers out of them for the engine."""

from __future__ import annotations

from typing import Any

from psycopg import sql


def statement(template: str, prefix: str) -> str:
    """Return a query with ``{index}`` and ``{marts}`` as the candidate's schemas of these stages.

    Args:
        template: The query.
        prefix: Prefix of the candidate's schemas.
    """
    schemas = {name: sql.Identifier(f"{prefix}{name}").as_string(None) for name in ("park_index", "marts")}
    return template.format(index=schemas["park_index"], marts=schemas["marts"])


def number(value: Any) -> float | None:
    """Return a numeric as the engine takes it; None stays None."""
    return None if value is None else float(value)
