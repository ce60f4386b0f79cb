"""One run of identity: read staging, resolve names and places, write them under a new run number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import shapely
from psycopg import sql
from sqlalchemy import Connection, Engine, insert

from parkindex.errors import BadInputError
from parkindex.identity import addresses, datum, decisions, gazetteer, names, places, relations
from parkindex.identity import plots as land
from parkindex.identity.places import (
    DECISION,
    ELSEWHERE,
    FOREVER,
    METHODS,
    NO_PARK,
    Claims,
    Plots,
    Registrations,
    Stays,
)
from parkindex.identity.writing import copy_rows, json_text
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
    cast(latitude_degrees as double precision),
    address_key,
    district,
    lead(effective_date) over (partition by enterprise_id_uscc order by effective_date) is null
    and ended_date is null
from {}.stg_enterprise_registry__enterprises
order by enterprise_id_uscc collate "C", effective_date
"""
_PLOTS = """
select plot_id, park_code, valid_from - date '1970-01-01', valid_to - date '1970-01-01', geometry_geojson, datum
from {}.stg_park_plots__plots
order by park_code collate "C", plot_id collate "C", valid_from
"""
_RANGES = """
select
    range_id, park_code, district, town, street_key, first_number, last_number, side, valid_from - date '1970-01-01',
    valid_to - date '1970-01-01'
from {}.stg_street_ranges__ranges
order by range_id collate "C", valid_from
"""
_MEMBERS = """
select park_code, enterprise_id_uscc, valid_from - date '1970-01-01', valid_to - date '1970-01-01', source_file
from {}.stg_park_members__members
order by park_code collate "C", enterprise_id_uscc collate "C", valid_from
"""
# How sure each rule is, 0 to 1 (assumed; an order of the rules, no measured share).
CONFIDENCE = {
    "registered_member": Decimal("0.95"),
    "point_in_plot": Decimal(1),
    "street_range": Decimal("0.8"),
    "whole_town": Decimal("0.6"),
    "decision": Decimal(1),
}


@dataclass(frozen=True)
class _World:
    """What staging says about places, with numbers for enterprises, parks and plots.

    Attributes:
        enterprises: USCCs by number.
        parks: Park codes by number.
        plot_ids: Plot ids by number.
        rows: One per registry row: ``row, enterprise, enterprise_id_uscc, valid_from, address_key, stated_district,
            is_open``.
        registrations: The same rows as arrays.
        plots: As arrays.
        ranges, members: What claims go by; ``told`` says it in words.
    """

    enterprises: list[str]
    parks: list[str]
    plot_ids: list[str]
    rows: pl.DataFrame
    registrations: Registrations
    plots: Plots
    ranges: pl.DataFrame
    members: pl.DataFrame


def run(engine: Engine, schema_prefix: str, as_known: datetime, inputs_sha256: str) -> int:
    """Resolve names and places of the staging models under a prefix; the same rows give the same results.

    Args:
        engine: The warehouse, as its owner.
        schema_prefix: Prefix of the staging schema.
        as_known: Known time at which staging was built; decisions of people made later do not count.
        inputs_sha256: Hash of the batches and decisions used.

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
        decided = decisions.known(connection, as_known)
        names.resolve(connection, staging, number, decisions.standing(decided, decisions.NAME))
        relations.relate(connection, staging, number, decisions.relations(decided))
        _place(connection, staging, number, decisions.standing(decided, decisions.POINT))
    return number


def _place(connection: Connection, staging: str, run_number: int, decided: Mapping[str, decisions.Standing]) -> None:
    world = _read_world(connection, staging)
    _measure(connection, run_number, world)
    apart = addresses.taken_apart(world.rows)
    claims = gazetteer.street_claims(apart, world.ranges).joined(
        gazetteer.member_claims(world.rows, world.members), _decided_claims(world, decided)
    )
    found = places.stays(world.registrations, world.plots, claims)
    _write_placements(connection, run_number, world, found, list(decided.values()))
    copy_rows(
        connection,
        "copy identity.address_findings (identity_run_id, enterprise_id_uscc, valid_from, finding, evidence)"
        " from stdin",
        ((run_number, *row) for row in addresses.findings(apart).iter_rows()),
    )


def _decided_claims(world: _World, decided: Mapping[str, decisions.Standing]) -> Claims:
    """Claims of parks that people chose: to the registry row that holds on the decision's day, from that day on."""
    number_of = {uscc: number for number, uscc in enumerate(world.enterprises)}
    park_of = {park: number for number, park in enumerate(world.parks)}
    rows: list[tuple[int, int, int, int, int, int]] = []
    for place, (subject, standing) in enumerate(decided.items()):
        uscc, _, written = subject.partition(" ")
        if standing.accepted is None or uscc not in number_of or standing.accepted.target not in park_of:
            continue
        day = date.fromisoformat(written).toordinal() - _EPOCH
        own = np.flatnonzero(world.registrations.enterprise == number_of[uscc])
        known = own[world.registrations.day[own] <= day]
        if len(known):
            rows.append((int(known[-1]), park_of[standing.accepted.target], day, FOREVER, DECISION, place))
    columns = np.array(sorted(rows), dtype=np.int64).reshape(-1, 6)
    return Claims(*(columns[:, place] for place in range(6)))


def _write_placements(
    connection: Connection, run_number: int, world: _World, found: Stays, decided: list[decisions.Standing]
) -> None:
    first_dates, end_dates = _dates(found.first_day), _dates(found.end_day)
    registered = world.registrations.registered_day[found.row]
    # A first row dated after the registration gives the enterprise its first point: a move from no park.
    is_first = np.ones(len(found.row), dtype=bool)
    is_first[1:] = found.enterprise[1:] != found.enterprise[:-1]
    is_registration = is_first & (found.first_day <= registered)
    has_point = ~np.isnan(world.registrations.longitude[found.row])

    def rows() -> Iterator[tuple[Any, ...]]:
        for position in range(len(found.row)):
            park, plot, previous = found.park[position], found.plot[position], found.previous_park[position]
            method = _method(found, position)
            between = found.candidates.get(position)
            yield (
                run_number,
                world.enterprises[found.enterprise[position]],
                first_dates[position],
                end_dates[position],
                world.parks[park] if park != NO_PARK else None,
                _started_by(bool(is_registration[position]), found, position),
                world.parks[previous] if previous != NO_PARK else None,
                world.plot_ids[plot] if plot >= 0 else None,
                method,
                _evidence(world, found, position, bool(has_point[position]), decided),
                CONFIDENCE.get(method),
                ",".join(_codes(world, between)) if between else None,
            )

    columns = (
        "identity_run_id, enterprise_id_uscc, valid_from, valid_to, park_code, started_by, previous_park_code,"
        " plot_id, method, evidence, confidence, candidate_parks"
    )
    copy_rows(connection, f"copy identity.placements ({columns}) from stdin", rows())
    copy_rows(
        connection,
        "copy identity.review_queue (identity_run_id, subject_kind, subject, reason, candidates) from stdin",
        (
            (
                run_number,
                "point",
                f"{world.enterprises[found.enterprise[position]]} {first_dates[position]}",
                "ambiguous_place",
                json_text([{"park_code": code} for code in _codes(world, between)]),
            )
            for position, between in found.candidates.items()
        ),
    )


def _codes(world: _World, between: tuple[int, ...]) -> list[str]:
    return ["none" if park == ELSEWHERE else world.parks[park] for park in between]


def _measure(connection: Connection, run_number: int, world: _World) -> None:
    """Write how far the plots of each park are apart."""
    number_of = {plot_id: number for number, plot_id in enumerate(sorted(set(world.plot_ids)))}
    plot = np.array([number_of[plot_id] for plot_id in world.plot_ids], dtype=np.int64)
    one, other, metres = land.distances(world.plots.geometry, world.plots.park, plot)
    starts = _dates(world.plots.first_day)
    copy_rows(
        connection,
        "copy identity.plot_distances (identity_run_id, plot_id, valid_from, other_plot_id, other_valid_from,"
        " distance_metres) from stdin",
        (
            (
                run_number,
                world.plot_ids[a],
                starts[a],
                world.plot_ids[b],
                starts[b],
                Decimal(f"{distance:.3f}"),
            )
            for a, b, distance in zip(one.tolist(), other.tolist(), metres.tolist(), strict=True)
        ),
    )


def _started_by(is_registration: bool, found: Stays, position: int) -> str:
    if is_registration:
        return "registration"
    if found.is_row_start[position]:
        return "move"
    return "membership" if found.is_membership[position] else "boundary"


def _method(found: Stays, position: int) -> str:
    method = int(found.method[position])
    if method >= 0:
        return METHODS[method]
    return "ambiguous" if found.is_ambiguous[position] else "none"


def _evidence(world: _World, found: Stays, position: int, has_point: bool, decided: list[decisions.Standing]) -> str:
    method, reference = int(found.method[position]), int(found.reference[position])
    if method == places.POINT:
        return "the point lies in the plot on the first day"
    if method == DECISION:
        return decided[reference].told
    if method >= 0:
        told = world.members if method == places.MEMBER else world.ranges
        return str(told["told"][reference])
    if found.is_ambiguous[position]:
        codes = ", ".join(_codes(world, found.candidates[position]))
        return f"parks with a claim on the first day that no rule decides between: {codes}"
    if has_point:
        return "the point lies in no plot valid on the first day"
    return "the registry row has no point, and its address is in no street range or town of a park"


def _read_world(connection: Connection, staging: str) -> _World:
    enterprises, rows, registrations = _read_registrations(connection, staging)
    plots, ranges, members = (_read(connection, query, staging) for query in (_PLOTS, _RANGES, _MEMBERS))
    parks = sorted({row[1] for row in plots} | {row[1] for row in ranges} | {row[0] for row in members})
    park_of = {park: number for number, park in enumerate(parks)}
    number_of = {uscc: number for number, uscc in enumerate(enterprises)}
    known_members = [row for row in members if row[1] in number_of]
    return _World(
        enterprises=enterprises,
        parks=parks,
        plot_ids=[row[0] for row in plots],
        rows=rows,
        registrations=registrations,
        plots=_plots(plots, park_of, staging),
        ranges=pl.DataFrame(
            {
                "reference": range(len(ranges)),
                "park": [park_of[row[1]] for row in ranges],
                "district": [row[2] for row in ranges],
                "town": [row[3] for row in ranges],
                "street_key": [row[4] for row in ranges],
                "first_number": [row[5] for row in ranges],
                "last_number": [row[6] for row in ranges],
                "side": [row[7] for row in ranges],
                "first_day": [row[8] for row in ranges],
                "end_day": [FOREVER if row[9] is None else row[9] for row in ranges],
                "told": [f"the address lies in the range {row[0]}" for row in ranges],
            },
            schema={
                **dict.fromkeys(("reference", "park"), pl.Int64),
                **dict.fromkeys(("district", "town", "street_key"), pl.String),
                **dict.fromkeys(("first_number", "last_number"), pl.Int64),
                "side": pl.String,
                **dict.fromkeys(("first_day", "end_day"), pl.Int64),
                "told": pl.String,
            },
        ),
        members=pl.DataFrame(
            {
                "reference": range(len(known_members)),
                "park": [park_of[row[0]] for row in known_members],
                "enterprise": [number_of[row[1]] for row in known_members],
                "first_day": [row[2] for row in known_members],
                "end_day": [FOREVER if row[3] is None else row[3] for row in known_members],
                "told": [
                    f"registered as a member of {row[0]} from {_date(row[2])} on ({row[4]})" for row in known_members
                ],
            },
            schema={
                **dict.fromkeys(("reference", "park", "enterprise", "first_day", "end_day"), pl.Int64),
                "told": pl.String,
            },
        ),
    )


def _read_registrations(connection: Connection, staging: str) -> tuple[list[str], pl.DataFrame, Registrations]:
    """Return USCCs by number, the rows as a frame, and as arrays."""
    read = _read(connection, _REGISTRATIONS, staging)
    usccs = np.array([row[0] for row in read], dtype=object)
    starts = np.ones(len(read), dtype=bool)
    starts[1:] = usccs[1:] != usccs[:-1]
    enterprise = np.cumsum(starts) - 1
    days = np.array([row[1] for row in read], dtype=np.int64)
    frame = pl.DataFrame(
        {
            "row": np.arange(len(read), dtype=np.int64),
            "enterprise": enterprise.astype(np.int64),
            "enterprise_id_uscc": pl.Series([row[0] for row in read], dtype=pl.String),
            "valid_from": pl.Series(days, dtype=pl.Int64).cast(pl.Int32).cast(pl.Date),
            "address_key": pl.Series([row[5] for row in read], dtype=pl.String),
            "stated_district": pl.Series([row[6] for row in read], dtype=pl.String),
            "is_open": pl.Series([row[7] for row in read], dtype=pl.Boolean),
        }
    )
    longitude = np.array([row[3] for row in read], dtype=np.float64)
    latitude = np.array([row[4] for row in read], dtype=np.float64)
    # Half a point is none.
    whole = ~(np.isnan(longitude) | np.isnan(latitude))
    return (
        list(usccs[starts]),
        frame,
        Registrations(
            enterprise=enterprise,
            day=days,
            registered_day=np.array([row[2] for row in read], dtype=np.int64),
            longitude=np.where(whole, longitude, np.nan),
            latitude=np.where(whole, latitude, np.nan),
        ),
    )


def _plots(read: list[tuple[Any, ...]], park_of: Mapping[str, int], staging: str) -> Plots:
    """Return plots as arrays, in CGCS2000."""
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
    datums = np.array([row[5] for row in read], dtype=object)
    exact = datum.as_cgcs2000(geometry, datums)
    return Plots(
        geometry=exact,
        park=np.array([park_of[row[1]] for row in read], dtype=np.int64),
        first_day=np.array([row[2] for row in read], dtype=np.int64),
        end_day=np.array([FOREVER if row[3] is None else row[3] for row in read], dtype=np.int64),
        doubt_degrees=np.array(
            [
                0.0 if one == datum.CGCS2000 else datum.degrees_of(datum.ERROR_METRES, float(polygon.bounds[3]))
                for one, polygon in zip(datums.tolist(), exact.tolist(), strict=True)
            ],
            dtype=np.float64,
        ),
    )


def _date(day: int) -> date:
    return date.fromordinal(int(day) + _EPOCH)


def _dates(days: places.Integers) -> list[date | None]:
    return [None if day == FOREVER else _date(day) for day in days.tolist()]


def _read(connection: Connection, query: str, staging: str) -> list[tuple[Any, ...]]:
    statement = sql.SQL(query).format(sql.Identifier(staging)).as_string(None)
    return [tuple(row) for row in connection.exec_driver_sql(statement)]
