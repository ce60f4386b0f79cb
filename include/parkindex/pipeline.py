"""The steps of the year, as one function each: what Airflow's tasks and the command line both call.

Every function takes plain values and returns a plain dictionary, so that a task's result can be kept as it is. Each
opens the warehouse of the settings, does one step, and raises a :class:`parkindex.errors.ParkindexError` when it
cannot. Imports stand inside the functions: a DAG file that names a step must not load the whole warehouse.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parkindex import settings as settings_module
from parkindex.errors import BadInputError, GateFailedError, NotApprovedError
from parkindex.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

MARTS_PREFIX = "next__"


@cache
def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    # Airflow forks its task processes: no connection may be shared with one.
    return create_engine(url, poolclass=NullPool, connect_args={"application_name": "parkindex"})


def engine_of(settings: Settings) -> Engine:
    """Return the engine of the warehouse, as its owner."""
    return _engine(settings.warehouse_url)


@contextmanager
def _warehouse() -> Iterator[tuple[Settings, Engine]]:
    settings = settings_module.load()
    yield settings, engine_of(settings)
