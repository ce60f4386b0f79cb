"""Run the gate: declared → evaluated → held against its own rules → recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, select

from parkindex import contracts
from parkindex.errors import BadInputError
from parkindex.gate import consequences, raw_suite, subjects, suites, verdict, waivers
from parkindex.gate.look import Declared, Looked, look
from parkindex.gate.relations import Relation
from parkindex.gate.subjects import CandidateSubject, Subject
from parkindex.gate.suites import Expectation
from parkindex.gate.verdict import Evaluation, Result, Verdict
from parkindex.ledger import tables
from parkindex.settings import EXPECTATIONS_DIR, Settings

# Tables of schema raw that hold deliveries, not rows of a feed: they have no `_known_at`.
_LEDGER_OF_RAW = {"batches", "rejects"}


def run(engine: Engine, settings: Settings, subject: Subject, folder: Path = EXPECTATIONS_DIR) -> Verdict:  # noqa: ARG001
    """Evaluate every expectation of a subject and record the verdict in ``audit``.

    Args:
        engine: Warehouse, as its owner.
        settings: The installation; nothing of it is needed today, every caller has it.
        subject: What to gate; the verdict is bound to its content hash.
        folder: Folder of the suites.

    Raises:
        BadInputError: A suite, the register or a contract is not usable, or a release was published meanwhile; nothing
            is recorded.
    """
    evaluation = evaluate(engine, subject, folder)
    if _against(engine, subject) != evaluation.against_release_id:
        raise BadInputError(
            "Something was published while the gate ran.",
            where="publish.current",
            why="consequences were compared with a release that is no longer the one to compare with",
            next_step="run the gate again",
        )
    return verdict.record(engine, subject, evaluation)


def evaluate(
    engine: Engine, subject: Subject, folder: Path = EXPECTATIONS_DIR, stages: Sequence[str] | None = None
) -> Evaluation:
    """Evaluate expectations of a subject and record nothing.

    Args:
        engine: Warehouse.
        subject: What to look at.
        folder: Folder of the suites.
        stages: Suites to evaluate; None evaluates all of the subject's, as a verdict needs.

    Raises:
        BadInputError: A suite, the register or a contract is not usable.
    """
    wanted = subject.stages if stages is None else tuple(stages)
    before = _against(engine, subject)
    known_contracts = list(contracts.load_all().values()) if "raw" in wanted else []
    suite, departed = _suite(wanted, folder, known_contracts)
    declared = [_declare(subject, expectation) for expectation in suite]
    undelivered = _undelivered(engine, subject, declared, known_contracts)
    looked = undelivered | look(engine, subject, [one for one in declared if one.expectation.id not in undelivered])
    results = [_result(expectation, looked[expectation.id]) for expectation in suite if expectation.id in looked]
    results = waivers.applied(engine, subject, [*_self_checks(suite, departed, results), *results])
    return Evaluation(verdict.verdict_of(results), suites.sha256_of(suite), tuple(results), before)


def evaluate_waivable(engine: Engine, subject: CandidateSubject, folder: Path = EXPECTATIONS_DIR) -> list[Result]:
    """Evaluate the expectations of a candidate that may be waived, with the waivers there are; nothing is recorded.

    Raises:
        BadInputError: A suite is not usable.
    """
    written = [stage for stage in subject.stages if stage in suites.WRITTEN_STAGES]
    suite = [one for stage in written for one in suites.load(stage, folder) if one.may_be_waived is not None]
    looked = look(engine, subject, [_declare(subject, expectation) for expectation in suite])
    return waivers.applied(engine, subject, [_result(one, looked[one.id]) for one in suite if one.id in looked])


def _against(engine: Engine, subject: Subject) -> str | None:
    if not isinstance(subject, CandidateSubject):
        return None
    with engine.connect() as connection:
        return consequences.against_release_id(connection, subject.edition)


def _suite(
    stages: Sequence[str], folder: Path, known_contracts: Sequence[contracts.Contract]
) -> tuple[list[Expectation], list[tuple[str, str]]]:
    """Return what is expected at the stages, and where that departs from the register."""
    register = suites.load_register(folder)
    suite: list[Expectation] = []
    departed: list[tuple[str, str]] = []
    for stage in stages:
        if stage == "raw":
            of_stage = raw_suite.derive(known_contracts)
        else:
            of_stage = suites.load(stage, folder)
            departed += suites.departures(of_stage, register[stage])
        if not of_stage:
            departed.append((stage, "empty suite"))
        suite += of_stage
    return suite, departed


def _declare(subject: Subject, expectation: Expectation) -> Declared:
    schema, name = expectation.table.split(".")
    known_until = subjects.as_known(subject) if schema == "raw" and name not in _LEDGER_OF_RAW else None
    query, looked_at = (
        None if asked is None else subjects.rendered(subject, asked)
        for asked in (expectation.query, expectation.looked_at)
    )
    return Declared(expectation, Relation(subjects.schema_of(subject, schema), name, known_until), query, looked_at)


def _undelivered(
    engine: Engine, subject: Subject, declared: Sequence[Declared], known_contracts: Sequence[contracts.Contract]
) -> dict[str, Looked]:
    """Return what there is to say of tables of feeds that nobody delivered, by id of the expectation.

    That nothing came is one warning of its own per feed, and makes "no data" of what rests on it; it is no fault of
    the rows that are not there.
    """
    feeds = raw_suite.feed_of(known_contracts)
    delivered = _delivered(engine, subjects.as_known(subject))
    made = {}
    for one in declared:
        feed = feeds.get(one.expectation.table)
        if feed is not None and feed not in delivered:
            made[one.expectation.id] = Looked(True, f"{feed} was not delivered: see raw.{feed}.delivered", 0)
    return made


def _delivered(engine: Engine, as_known: datetime | None) -> set[str]:
    batches = tables.batches.c
    query = select(batches.feed).distinct().where(batches.status == "loaded")
    if as_known is not None:
        query = query.where(batches.received_at <= as_known)
    with engine.connect() as connection:
        return set(connection.execute(query).scalars())


def _result(expectation: Expectation, seen: Looked) -> Result:
    return Result(
        id=expectation.id,
        stage=expectation.stage,
        severity=expectation.severity,
        success=seen.success,
        observed=seen.observed,
        rows_looked_at=seen.rows,
        failing_keys=seen.keys,
        may_be_waived=expectation.may_be_waived is not None,
    )


def _self_checks(
    suite: Sequence[Expectation], departed: Sequence[tuple[str, str]], results: Sequence[Result]
) -> list[Result]:
    """Check the gate itself: no suite lost an expectation, and everything declared was evaluated."""
    evaluated = {result.id for result in results}
    skipped = [expectation.id for expectation in suite if expectation.id not in evaluated]
    complete = f"{len(suite)} expectations, as registered"
    lost = "; ".join(f"{name}: {how}" for name, how in departed)
    return [
        Result(
            "gate.suites_are_registered",
            "gate",
            "error",
            not departed,
            lost or complete,
            len(suite),
            tuple({"id": name, "how": how} for name, how in departed),
        ),
        Result(
            "gate.everything_was_evaluated",
            "gate",
            "error",
            not skipped,
            f"{len(evaluated)} of {len(suite)} expectations evaluated",
            len(suite),
            tuple({"id": name} for name in skipped),
        ),
    ]
