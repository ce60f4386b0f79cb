"""One run of identity: read staging, resolve names and places, write them under a new run number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import shapely
from psycopg import sql
from sqlalchemy import Connection, Engine, insert

from parkindex.errors import BadInputError
from parkindex.identity import names, places
from parkindex.identity import plots as land
from parkindex.identity.places import FOREVER, NO_PARK, Plots, Registrations, Stays
from parkindex.identity.writing import copy_rows
from parkindex.ledger import tables

_EPOCH = date(1970, 1, 1).toordinal()
_REGISTRATIONS = """
select
    enterprise_id_uscc,
    effective_date - date '1970-01-01',
    first_value(registered_date) over (
        partition by enterprise_id_uscc order by effective_date desc
    ) - date '1970-01-01',
    cast(longitude_degrees as double precision),
    cast(latitude_degrees as double precision)
from {}.stg_enterprise_registry__enterprises
order by enterprise_id_uscc collate "C", effective_date
"""
_PLOTS = """
select plot_id, park_code, valid_from - date '1970-01-01', valid_to - date '1970-01-01', geometry_geojson
from {}.stg_park_plots__plots
order by park_code collate "C", plot_id collate "C", valid_from
"""


def run(engine: Engine, schema_prefix: str, as_known: datetime, inputs_sha256: str) -> int:
    """Resolve names and places of the staging models under a prefix; the same rows give the same results.

    Args:
        engine: The warehouse, as its owner.
        schema_prefix: Prefix of the staging schema.
        as_known: Known time at which staging was built.
        inputs_sha256: Hash of the batches used.

    Returns:
        The number of the run. Runs are appended, never changed; a run that fails leaves nothing.

    Raises:
        BadInputError: A plot's geometry cannot be used.
    """
    staging = f"{schema_prefix}staging"
    with engine.begin() as connection:
        number: int = connection.execute(
            insert(tables.identity_runs)
            .values(as_known=as_known, inputs_sha256=inputs_sha256)
            .returning(tables.identity_runs.c.identity_run_id)
        ).scalar_one()
        names.resolve(connection, staging, number)
        _place(connection, staging, number)
    return number


def _place(connection: Connection, staging: str, run_number: int) -> None:
    enterprises, registrations = _read_registrations(connection, staging)
    plot_ids, parks, plots = _read_plots(connection, staging)
    _measure(connection, run_number, plot_ids, plots)
    found = places.stays(registrations, plots)
    first_dates, end_dates = _dates(found.first_day), _dates(found.end_day)
    registered = registrations.registered_day[found.row]
    # A first row dated after the registration gives the enterprise its first point: a move from no park.
    is_first = np.ones(len(found.row), dtype=bool)
    is_first[1:] = found.enterprise[1:] != found.enterprise[:-1]
    is_registration = is_first & (found.first_day <= registered)
    has_point = ~np.isnan(registrations.longitude[found.row]) & ~np.isnan(registrations.latitude[found.row])

    def rows() -> Iterable[tuple[Any, ...]]:
        for position in range(len(found.row)):
            park, plot, previous = found.park[position], found.plot[position], found.previous_park[position]
            yield (
                run_number,
                enterprises[found.enterprise[position]],
                first_dates[position],
                end_dates[position],
                parks[park] if park != NO_PARK else None,
                _started_by(bool(is_registration[position]), bool(found.is_row_start[position])),
                parks[previous] if previous != NO_PARK else None,
                plot_ids[plot] if plot >= 0 else None,
                _method(found, position),
                _evidence(found, position, bool(has_point[position]), first_dates[position]),
            )

    columns = (
        "identity_run_id, enterprise_id_uscc, valid_from, valid_to, park_code, started_by, previous_park_code,"
        " plot_id, method, evidence"
    )
    copy_rows(connection, f"copy identity.placements ({columns}) from stdin", rows())
    queued = [
        (
            run_number,
            "point",
            f"{enterprises[found.enterprise[position]]} {first_dates[position]}",
            "ambiguous_place",
        )
        for position in np.flatnonzero(found.is_ambiguous)
    ]
    copy_rows(
        connection,
        "copy identity.review_queue (identity_run_id, subject_kind, subject, reason) from stdin",
        queued,
    )


def _measure(connection: Connection, run_number: int, plot_ids: list[str], plots: Plots) -> None:
    """Write how far the plots of each park are apart."""
    number_of = {plot_id: number for number, plot_id in enumerate(sorted(set(plot_ids)))}
    plot = np.array([number_of[plot_id] for plot_id in plot_ids], dtype=np.int64)
    one, other, metres = land.distances(plots.geometry, plots.park, plot)
    starts = _dates(plots.first_day)
    copy_rows(
        connection,
        "copy identity.plot_distances (identity_run_id, plot_id, valid_from, other_plot_id, other_valid_from,"
        " distance_metres) from stdin",
        (
            (run_number, plot_ids[a], starts[a], plot_ids[b], starts[b], Decimal(f"{distance:.3f}"))
            for a, b, distance in zip(one.tolist(), other.tolist(), metres.tolist(), strict=True)
        ),
    )


def _started_by(is_registration: bool, is_row_start: bool) -> str:
    if is_registration:
        return "registration"
    return "move" if is_row_start else "boundary"


def _method(found: Stays, position: int) -> str:
    if found.is_ambiguous[position]:
        return "ambiguous"
    return "none" if found.park[position] == NO_PARK else "point_in_plot"


def _evidence(found: Stays, position: int, has_point: bool, first_date: date | None) -> str:
    if not has_point:
        return "the registry row has no point"
    if found.is_ambiguous[position]:
        return f"the point lies in plots of more than one park on {first_date}"
    if found.park[position] == NO_PARK:
        return f"the point lies in no plot valid on {first_date}"
    return f"the point lies in the plot on {first_date}"


def _read_registrations(connection: Connection, staging: str) -> tuple[list[str], Registrations]:
    """Return USCCs by number, and the rows as arrays."""
    read = _read(connection, _REGISTRATIONS, staging)
    usccs = np.array([row[0] for row in read], dtype=object)
    starts = np.ones(len(read), dtype=bool)
    starts[1:] = usccs[1:] != usccs[:-1]
    return list(usccs[starts]), Registrations(
        enterprise=np.cumsum(starts) - 1,
        day=np.array([row[1] for row in read], dtype=np.int64),
        registered_day=np.array([row[2] for row in read], dtype=np.int64),
        longitude=np.array([row[3] for row in read], dtype=np.float64),
        latitude=np.array([row[4] for row in read], dtype=np.float64),
    )


def _read_plots(connection: Connection, staging: str) -> tuple[list[str], list[str], Plots]:
    """Return plot ids by number, park codes by number, and the plots as arrays."""
    read = _read(connection, _PLOTS, staging)
    parks = sorted({row[1] for row in read})
    number_of = {park: number for number, park in enumerate(parks)}
    geometry = np.empty(len(read), dtype=object)
    for position, row in enumerate(read):
        try:
            geometry[position] = shapely.from_geojson(row[4])
        except shapely.errors.GEOSException as error:
            raise BadInputError(
                f"The boundary of plot {row[0]} cannot be read.",
                where=f"{staging}.stg_park_plots__plots",
                why=str(error),
                next_step="have the plot delivered again with a valid polygon",
            ) from error
        if not geometry[position].is_valid:
            raise BadInputError(
                f"The boundary of plot {row[0]} is not a valid polygon.",
                where=f"{staging}.stg_park_plots__plots",
                why=shapely.is_valid_reason(geometry[position]),
                next_step="have the plot delivered again with a valid polygon",
            )
    return (
        [row[0] for row in read],
        parks,
        Plots(
            geometry=geometry,
            park=np.array([number_of[row[1]] for row in read], dtype=np.int64),
            first_day=np.array([row[2] for row in read], dtype=np.int64),
            end_day=np.array([FOREVER if row[3] is None else row[3] for row in read], dtype=np.int64),
        ),
    )


def _dates(days: places.Integers) -> list[date | None]:
    return [None if day == FOREVER else date.fromordinal(int(day) + _EPOCH) for day in days]


def _read(connection: Connection, query: str, staging: str) -> list[tuple[Any, ...]]:
    statement = sql.SQL(query).format(sql.Identifier(staging)).as_string(None)
    return [tuple(row) for row in connection.exec_driver_sql(statement)]
