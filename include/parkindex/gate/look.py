"""Look: evaluate declared expectations, and hold every pass against what there was to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from parkindex.errors import BadInputError
from parkindex.gate import consequences, double_entry, failing, suites
from parkindex.gate.relations import Profile, Relation, columns_of, profile
from parkindex.gate.subjects import CandidateSubject, Subject
from parkindex.gate.suites import Expectation
from parkindex.gate.verdict import Key, Outcome

_SHOWN = 3


@dataclass(frozen=True)
class Declared:
    """An expectation of this subject: where it looks and what it asks.

    Attributes:
        expectation: As declared in its suite.
        relation: Where it looks.
        query: Its query, rendered; None for types without one.
        looked_at: Its count of what there is to look at, rendered; None counts the relation.
    """

    expectation: Expectation
    relation: Relation
    query: str | None
    looked_at: str | None


@dataclass(frozen=True)
class Looked:
    """What was seen.

    Attributes:
        success: Whether the expectation holds and there was something to look at, or nothing was needed.
        observed: What was seen, in words.
        rows: Rows that could have failed.
        keys: Keys of all that failed.
    """

    success: bool
    observed: str
    rows: int
    keys: tuple[Key, ...] = ()


def look(engine: Engine, subject: Subject, declared: Sequence[Declared]) -> dict[str, Looked]:
    """Evaluate expectations.

    Args:
        engine: Warehouse.
        subject: What is gated.
        declared: Its expectations.

    Returns:
        What was seen, by id; an id that is missing was not evaluated, which the caller must not take for a success.
    """
    looked: dict[str, Looked] = {}
    batches: dict[Relation, list[Declared]] = {}
    with engine.connect() as connection:
        types = columns_of(connection, [one.relation for one in declared])
        for one in declared:
            expectation = one.expectation
            known = types.get((one.relation.schema, one.relation.name))
            if known is None:
                looked[expectation.id] = Looked(False, f"{one.relation} does not exist", 0)
            elif missing := sorted({*expectation.columns, *expectation.key} - known.keys()):
                looked[expectation.id] = Looked(False, f"{one.relation} has no column {', '.join(missing)}", 0)
            elif expectation.type == suites.DOUBLE_ENTRY:
                looked[expectation.id] = _never_vacuous(expectation, _look_twice(connection, subject))
            elif expectation.type == suites.CONSEQUENCE:
                looked[expectation.id] = _never_vacuous(expectation, _look_ahead(connection, subject, expectation))
            else:
                batches.setdefault(one.relation, []).append(one)
        if batches:
            outcomes = _outcomes(engine, batches)
            for relation, members in batches.items():
                evaluated = [one for one in members if one.expectation.id in outcomes]
                known = types[relation.schema, relation.name]
                counted = _counts(connection, relation, evaluated, known)
                for one in evaluated:
                    seen = _judge(connection, one, outcomes[one.expectation.id], counted, known)
                    looked[one.expectation.id] = _never_vacuous(one.expectation, seen)
    return looked


def _outcomes(engine: Engine, batches: Mapping[Relation, Sequence[Declared]]) -> dict[str, Outcome]:
    from parkindex.gate import gx  # noqa: PLC0415 - importing Great Expectations takes seconds; suites do not need it

    url = engine.url.render_as_string(hide_password=False)
    return gx.validate(
        url, {relation: [(one.expectation, one.query) for one in members] for relation, members in batches.items()}
    )


def _counts(
    connection: Connection, relation: Relation, declared: Sequence[Declared], types: Mapping[str, str]
) -> Profile:
    expectations = [one.expectation for one in declared]
    return profile(
        connection,
        relation,
        types,
        [expectation.columns for expectation in expectations if expectation.columns],
        [expectation.columns[0] for expectation in expectations if expectation.type == suites.BETWEEN],
    )


def _judge(
    connection: Connection, one: Declared, outcome: Outcome, counted: Profile, types: Mapping[str, str]
) -> Looked:
    """Put Great Expectations' outcome, our counts and the failing keys together."""
    expectation = one.expectation
    if outcome.error is not None:
        return Looked(False, f"could not be evaluated: {outcome.error}", 0)
    try:
        # A query of a suite may be wrong for the data; the transaction must survive it.
        with connection.begin_nested():
            rows = _rows(connection, one, counted)
            bounded = expectation.type == suites.BETWEEN
            if outcome.success and not (bounded and counted.not_finite.get(expectation.columns[0])):
                return Looked(True, f"{rows} rows, all as expected", rows)
            if expectation.type == suites.ROW_COUNT:
                return Looked(False, f"{counted.rows} rows, expected {_range(expectation)}", rows)
            if one.query is not None:
                keys = failing.keys_of_query(connection, one.query)
            else:
                keys = failing.keys_of_rows(connection, one.relation, expectation, types)
    except DBAPIError as error:
        return Looked(False, f"could not be evaluated: {error.orig}", 0)
    return Looked(False, _observed(rows, keys, outcome), rows, keys)


def _rows(connection: Connection, one: Declared, counted: Profile) -> int:
    """Return how many rows could have failed: those with a value to judge."""
    expectation = one.expectation
    if one.looked_at is not None:
        return int(connection.execute(text(one.looked_at)).scalar_one())
    if expectation.type in (suites.ROW_COUNT, suites.NOT_NULL, suites.UNEXPECTED_ROWS):
        return counted.rows
    return counted.present[expectation.columns]


def _range(expectation: Expectation) -> str:
    low, high = expectation.kwargs.get("min_value"), expectation.kwargs.get("max_value")
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _observed(rows: int, keys: Sequence[Key], outcome: Outcome) -> str:
    if not keys:
        return f"{outcome.unexpected} of {rows} rows fail"
    shown = "; ".join(
        ", ".join(f"{name}={value}" for name, value in key.items() if value is not None) for key in keys[:_SHOWN]
    )
    return f"{len(keys)} fail (of {rows} looked at): {shown}{'; …' if len(keys) > _SHOWN else ''}"


def _look_twice(connection: Connection, subject: Subject) -> Looked:
    if not isinstance(subject, CandidateSubject):
        return Looked(False, f"double entry is for candidates, not for {subject.kind}", 0)
    made = double_entry.compare(connection, subject)
    if made.explanation:
        return Looked(False, made.explanation, made.compared, made.disagreements)
    return Looked(True, f"{made.compared} figures agree to {double_entry.TOLERANCE}", made.compared)


def _look_ahead(connection: Connection, subject: Subject, expectation: Expectation) -> Looked:
    """Look for what would happen to parks, which a named person has to sign."""
    if not isinstance(subject, CandidateSubject):
        return Looked(False, f"consequences are those of candidates, not of {subject.kind}", 0)
    try:
        with connection.begin_nested():
            found = consequences.find(connection, subject, str(expectation.kwargs["kind"]))
    except (DBAPIError, BadInputError) as error:
        reason = str(error.orig) if isinstance(error, DBAPIError) else f"{error.what} {error.why}"
        return Looked(False, f"could not be evaluated: {reason}", 0)
    if found.keys:
        shown = "; ".join(
            ", ".join(f"{name}={value}" for name, value in key.items() if value is not None)
            for key in found.keys[:_SHOWN]
        )
        more = "; …" if len(found.keys) > _SHOWN else ""
        return Looked(False, f"{len(found.keys)} to be signed: {shown}{more}", found.looked_at, found.keys)
    return Looked(True, f"{found.looked_at} looked at, none to be signed", found.looked_at)


def _never_vacuous(expectation: Expectation, seen: Looked) -> Looked:
    """Fail a success that had nothing to look at, unless the suite says why it may."""
    if not seen.success or seen.rows > 0:
        return seen
    if expectation.may_be_empty is None:
        return Looked(False, "nothing to look at: no row has a value to judge", 0)
    return Looked(True, f"nothing to look at: {expectation.may_be_empty}", 0)
