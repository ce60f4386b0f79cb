"""What the gate says, and the record of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, insert

from parkindex.gate.subjects import Subject, label
from parkindex.ledger import tables

Key = dict[str, str | None]


@dataclass(frozen=True)
class Outcome:
    """What Great Expectations said of one expectation.

    Attributes:
        success: Whether it holds.
        unexpected: Rows that break it; None where the type has no such number.
        error: Why it could not be evaluated; None when it was.
    """

    success: bool
    unexpected: int | None
    error: str | None = None


@dataclass(frozen=True)
class Result:
    """One expectation, evaluated.

    Attributes:
        id: Id of the expectation.
        stage: Suite it belongs to; ``gate`` for the gate's checks of itself.
        severity: ``error`` stops, ``warning`` prints.
        success: Whether it holds.
        observed: What was seen, in words.
        rows_looked_at: Rows that could have failed; never 0 for a success that was not allowed to be empty.
        failing_keys: Keys of everything that failed, all of them.
        may_be_waived: Whether a named person may let a failure through.
        waiver_ids: Waivers that together cover every failing key; empty when some key has none.
    """

    id: str
    stage: str
    severity: str
    success: bool
    observed: str
    rows_looked_at: int
    failing_keys: tuple[Key, ...] = ()
    may_be_waived: bool = False
    waiver_ids: tuple[int, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether it fails the verdict: an error that no waivers cover."""
        return not self.success and self.severity == "error" and not self.waiver_ids


@dataclass(frozen=True)
class Evaluation:
    """Every expectation of a subject, evaluated and not yet recorded.

    Attributes:
        verdict: ``pass`` or ``fail``.
        suites_sha256: Hash of what was expected.
        expectations: Results, in the order of stages and suites.
        against_release_id: Release whose consequences a candidate's were compared with; None: there was none.
    """

    verdict: str
    suites_sha256: str
    expectations: tuple[Result, ...]
    against_release_id: str | None = None


@dataclass(frozen=True)
class Verdict:
    """A recorded evaluation.

    Attributes:
        verdict: ``pass`` or ``fail``.
        gate_run_id: Row of ``audit.gate_runs``.
        expectations: Results, in the order of stages and suites.
        suites_sha256: Hash of what was expected.
    """

    verdict: str
    gate_run_id: int
    expectations: tuple[Result, ...]
    suites_sha256: str


def verdict_of(results: Sequence[Result]) -> str:
    """Return ``pass`` when there are results and no error failed that nobody signed a waiver for."""
    return "fail" if any(result.stops for result in results) or not results else "pass"


def record(engine: Engine, subject: Subject, evaluation: Evaluation) -> Verdict:
    """Write an evaluation into ``audit``, in one transaction, bound to the subject's content hash."""
    with engine.begin() as connection:
        run_id: int = connection.execute(
            insert(tables.gate_runs)
            .values(
                subject=label(subject),
                candidate_id=getattr(subject, "candidate_id", None),
                content_sha256=getattr(subject, "content_sha256", None),
                against_release_id=evaluation.against_release_id,
                suites_sha256=evaluation.suites_sha256,
                verdict=evaluation.verdict,
                expectations_evaluated=len(evaluation.expectations),
            )
            .returning(tables.gate_runs.c.gate_run_id)
        ).scalar_one()
        connection.execute(
            insert(tables.expectation_results),
            [
                {
                    "gate_run_id": run_id,
                    "expectation_id": result.id,
                    "stage": result.stage,
                    "severity": result.severity,
                    "success": result.success,
                    "observed": result.observed,
                    "rows_looked_at": result.rows_looked_at,
                    "failing_keys": list(result.failing_keys),
                    "waiver_ids": list(result.waiver_ids),
                }
                for result in evaluation.expectations
            ],
        )
    return Verdict(evaluation.verdict, run_id, evaluation.expectations, evaluation.suites_sha256)
