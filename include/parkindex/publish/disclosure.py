"""Disclosure control of a candidate: which cells its public rows do not show, decided when it is built.

The candidate's own relations keep every figure: the gate, the second engine and who approves look at them. What is
hidden stands in ``<prefix>park_index.withheld_cells``; the public rows, which are hashed, approved and published, are
made without it. A keyed hash on the public row binds the house to what is hidden.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, column, insert, select, table, text

from parkindex.ledger import tables
from parkindex.methodology import Methodology
from parkindex.privacy import keys, policy, provenance, pseudonyms, suppression
from parkindex.privacy.suppression import Cell, Place
from parkindex.publish import canonical
from parkindex.publish.canonical import Row
from parkindex.settings import Settings
from parkindex.site import Evidence, EvidenceRecord

TABLE = "withheld_cells"
# What a hidden cell does not show. Its status, weight, bounds and number of records stay public.
HIDDEN = ("value", "numerator", "denominator", "score", "contribution", "rank")
FREE = "F"
STATUS = "below_disclosure"
# Indicators whose values the zone's targets add up over the parks (dbt model zone_targets).
_IN_PUBLIC_SUMS = frozenset({"A5", "B5", "B10"})
# Of what stands beside the content, what gives no score of an indicator away.
_BESIDE = frozenset({"simulation", "declared", "consequences"})
_REASONS = {
    suppression.CONFIDENTIAL: "withheld: it would disclose what a single enterprise gave in confidence",
    suppression.SECONDARY: "withheld: with it another withheld value could be computed",
}

_DDL = """
create table {schema}.withheld_cells (
    park_code text not null,
    indicator_code text not null,
    value numeric(38, 12),
    numerator numeric(38, 12),
    denominator numeric(38, 12),
    score numeric(20, 12),
    contribution numeric(20, 12),
    rank integer,
    conf_status text not null,
    rule text not null,
    commitment text not null,
    is_protected boolean not null,
    primary key (park_code, indicator_code)
)
"""
_AMOUNTS = """
select park_code, indicator_code, side, enterprise_id_uscc, sum(amount) as amount
from {schema}.contributions
where enterprise_id_uscc is not null and source_feed = any(:feeds)
group by park_code, indicator_code, side, enterprise_id_uscc
"""


def applies(connection: Connection, settings: Settings, rules: policy.Policy) -> bool:
    """Whether a candidate built now is controlled: always, never, or when real deliveries are in the warehouse."""
    how = rules.disclosure.applies_to
    if how == policy.REAL:
        return not provenance.marked(settings) and provenance.any_real(connection)
    return how == policy.ALWAYS


def control(connection: Connection, settings: Settings, prefix: str, rules: Methodology) -> suppression.Decision | None:
    """Decide what a candidate hides and keep it with the candidate; None where control does not apply.

    Args:
        connection: The warehouse.
        settings: The installation; it holds the key.
        prefix: The candidate's schema prefix.
        rules: Its methodology.
    """
    adopted = policy.load()
    if not applies(connection, settings, adopted):
        return None
    cells = cells_of(connection, prefix, rules.document, adopted.disclosure)
    before, hidden_before = _current(connection, rules, adopted.disclosure)
    decision = suppression.decide(cells, adopted.disclosure, before, hidden_before)
    secret = keys.key(settings.keys, keys.of_year(rules.edition))
    # So that the house can tell which enterprise a pseudonym on a page means.
    behind = {one for cell in cells for side in cell.sides.values() for one in side}
    pseudonyms.store(connection, settings.keys, rules.edition, behind)
    schema = f"{prefix}park_index"
    connection.exec_driver_sql(_DDL.format(schema=sql.Identifier(schema).as_string(None)))
    rows = {(row["park_code"], row["indicator_code"]): row for row in _scores(connection, schema)}
    for place, why in sorted(decision.withheld.items()):
        shown = {name: rows[place][name] for name in HIDDEN}
        connection.execute(
            insert(_relation(schema)).values(
                park_code=place[0],
                indicator_code=place[1],
                conf_status=why.conf_status,
                rule=why.rule,
                commitment=committed(secret, rules.edition, place, shown),
                is_protected=place not in decision.unprotected,
                **shown,
            )
        )
    return decision


def committed(secret: bytes, edition: int, place: Place, figures: Row) -> str:
    """Return the keyed hash that stands on the public row of a hidden cell."""
    told = {"edition": str(edition), "park_code": place[0], "indicator_code": place[1]}
    told |= {name: shown for name in HIDDEN if (shown := canonical.text_of(figures[name])) is not None}
    return pseudonyms.commitment(secret, canonical.dumps(told))


def of_candidate(connection: Connection, prefix: str) -> dict[Place, Row] | None:
    """Return what a candidate hides, by park and indicator; None when it was built without control."""
    schema = f"{prefix}park_index"
    found: str | None = connection.execute(
        text("select to_regclass(format('%I.%I', cast(:schema as text), cast(:name as text)))"),
        {"schema": schema, "name": TABLE},
    ).scalar_one()
    if found is None:
        return None
    rows = connection.execute(select(_relation(schema))).mappings()
    return {(row["park_code"], row["indicator_code"]): dict(row) for row in rows}


def public(rows: list[Row], hidden: dict[Place, Row] | None) -> list[Row]:
    """Return the public rows of the indicator scores.

    Ranks by an indicator are hidden of every park as soon as one value of it is: the gap would show between which
    other parks the hidden one lies.
    """
    if hidden is None:
        return rows
    without_ranks = {indicator for _, indicator in hidden}
    return [_public(row, hidden.get((row["park_code"], row["indicator_code"])), without_ranks) for row in rows]


def _public(row: Row, cell: Row | None, without_ranks: set[str]) -> Row:
    if cell is None:
        rank = None if row["indicator_code"] in without_ranks else row["rank"]
        return {**row, "rank": rank, "conf_status": FREE, "commitment": None}
    return {
        **row,
        **dict.fromkeys(HIDDEN),
        "obs_status": STATUS,
        "reason": _REASONS[cell["conf_status"]],
        "conf_status": cell["conf_status"],
        "commitment": cell["commitment"],
    }


def freeze(connection: Connection, release_id: str, edition: int, prefix: str) -> None:
    """Keep what a release hides where only evaluators and the park's own officers see it."""
    hidden = of_candidate(connection, prefix)
    names = ("park_code", "indicator_code", *HIDDEN, "conf_status", "rule")
    rows = [
        {"release_id": release_id, "edition": edition, **{name: cell[name] for name in names}}
        for _, cell in sorted((hidden or {}).items())
    ]
    if rows:
        connection.execute(insert(tables.withheld_cells), rows)


def altered(connection: Connection, settings: Settings, release_id: str, edition: int) -> list[Place]:
    """Return the hidden cells of a release that no longer are what its public rows commit to, or are missing."""
    scores, kept = tables.released_indicator_scores.c, tables.withheld_cells.c
    committed_to = {
        (row.park_code, row.indicator_code): row.commitment
        for row in connection.execute(
            select(scores.park_code, scores.indicator_code, scores.commitment).where(
                scores.release_id == release_id, scores.commitment.is_not(None)
            )
        )
    }
    rows = {
        (row["park_code"], row["indicator_code"]): row
        for row in connection.execute(select(tables.withheld_cells).where(kept.release_id == release_id)).mappings()
    }
    if not committed_to and not rows:
        return []
    secret = keys.key(settings.keys, keys.of_year(edition), make=False)
    return sorted(
        place
        for place in committed_to.keys() | rows.keys()
        if place not in rows or committed_to.get(place) != committed(secret, edition, place, dict(rows[place]))
    )


# ---------------------------------------------------------------------------------------------------------------- pages


class Pseudonyms:
    """Pseudonyms of a release year; the key is looked for when the first is needed.

    Where it is lost a new one is made: the pages are then under other pseudonyms and differ from the bundle that was
    published, which the bundle's own check and `rebuild` say.
    """

    def __init__(self, settings: Settings, year: int) -> None:
        self._settings = settings
        self._year = year
        self._secret: bytes | None = None

    def of(self, subject: str) -> str:
        """Return the pseudonym of a code or name."""
        if self._secret is None:
            self._secret = keys.key(self._settings.keys, keys.of_year(self._year))
        return pseudonyms.of(self._secret, subject)


def public_evidence(
    evidence: dict[tuple[str, str], Evidence], hidden: dict[Place, Row] | None, names: Pseudonyms
) -> dict[tuple[str, str], Evidence]:
    """Return the records that public pages show: enterprises that gave figures in confidence under pseudonyms.

    Of confidential feeds the amount is left out, and the place in the file with it, which is the provider's.
    """
    if hidden is None:
        return evidence
    feeds = policy.load().disclosure.confidential_feeds

    def shown(one: EvidenceRecord) -> EvidenceRecord:
        if one.source_feed not in feeds:
            return one
        name = names.of(one.enterprise_id_uscc or one.subject or "")
        return replace(one, enterprise_id_uscc=name, subject=name, amount=None)

    # Sorted by pseudonym: the order of the amounts would tell who is the largest.
    return {
        place: replace(
            found,
            records=tuple(sorted(map(shown, found.records), key=_by_name)),
        )
        for place, found in evidence.items()
    }


def _by_name(one: EvidenceRecord) -> tuple[bool, str]:
    return one.side != "numerator", one.subject or ""


def public_beside(beside: dict[str, Any], hidden: dict[Place, Row] | None) -> dict[str, Any]:
    """Return what may stand beside the content: nothing from which a hidden score could be computed."""
    if not hidden:
        return beside
    return {topic: document for topic, document in beside.items() if topic in _BESIDE}


# ----------------------------------------------------------------------------------------------------------- internals


def cells_of(connection: Connection, prefix: str, document: Any, rules: policy.Disclosure) -> list[Cell]:
    """Return every park × indicator of a candidate with the confidential amounts behind it."""
    schema = f"{prefix}park_index"
    framework = {row["code"]: row for row in document["indicators"]}
    sides: dict[Place, dict[str, dict[str, Decimal]]] = {}
    query = text(_AMOUNTS.format(schema=sql.Identifier(schema).as_string(None)))
    for row in connection.execute(query, {"feeds": sorted(rules.confidential_feeds)}):
        of_place = sides.setdefault((row.park_code, row.indicator_code), {})
        of_place.setdefault(row.side, {})[row.enterprise_id_uscc] = row.amount
    return [
        Cell(
            park_code=row["park_code"],
            indicator_code=row["indicator_code"],
            area_code=framework[row["indicator_code"]]["area"],
            value=row["value"],
            score=row["score"],
            weight=row["weight"],
            low=row["bound_low"],
            high=row["bound_high"],
            direction=int(framework[row["indicator_code"]]["direction"]),
            sides=sides.get((row["park_code"], row["indicator_code"]), {}),
            in_public_sum=row["indicator_code"] in _IN_PUBLIC_SUMS,
        )
        for row in _scores(connection, schema)
    ]


def _current(
    connection: Connection, rules: Methodology, told: policy.Disclosure
) -> tuple[dict[Place, Cell], dict[Place, str]]:
    """Return the cells of the edition's current release and what it hides; nothing for a first release."""
    kept, built, released = tables.withheld_cells.c, tables.candidates.c, tables.releases.c
    current = connection.execute(
        select(released.release_id, built.schema_prefix)
        .join(tables.releases, released.candidate_id == built.candidate_id)
        .join(tables.current, tables.current.c.release_id == released.release_id)
        .where(tables.current.c.edition == rules.edition)
    ).first()
    if current is None:
        return {}, {}
    hidden = {
        (row.park_code, row.indicator_code): row.conf_status
        for row in connection.execute(select(tables.withheld_cells).where(kept.release_id == current.release_id))
    }
    cells = cells_of(connection, current.schema_prefix, rules.document, told)
    return {cell.place: cell for cell in cells}, hidden


def _scores(connection: Connection, schema: str) -> list[Row]:
    names = ("park_code", "indicator_code", *HIDDEN, "weight", "bound_low", "bound_high")
    declared = tables.released_indicator_scores
    source = table(declared.name, *(column(name, declared.c[name].type) for name in names), schema=schema)
    rows = [dict(row) for row in connection.execute(select(source)).mappings()]
    return sorted(rows, key=lambda row: (row["park_code"], row["indicator_code"]))


def _relation(schema: str) -> Any:
    names = ("park_code", "indicator_code", *HIDDEN, "conf_status", "rule", "commitment", "is_protected")
    return table(TABLE, *(column(name) for name in names), schema=schema)
