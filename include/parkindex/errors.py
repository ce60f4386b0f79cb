"""Errors that a person can act on, and the exit codes they end a command with.

Every error says what happened, where (file, sheet or line, column), why (a rule id where there is one) and what to
run or change next. The exit codes are part of the public interface.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the ``parkindex`` command."""

    DONE = 0
    USAGE = 2
    BAD_INPUT = 3
    GATE_FAILED = 4
    NOT_APPROVED = 5
    ALTERED = 6
    SERVICE_DOWN = 7


class ParkindexError(Exception):
    """A failure with a cause and a next step.

    Args:
        what: What went wrong, one sentence.
        where: File, sheet, line, column, table or service concerned.
        why: Rule id or reason.
        next_step: The command to run or the thing to change.
    """

    exit_code: ExitCode = ExitCode.BAD_INPUT

    def __init__(self, what: str, *, where: str = "", why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.next_step = next_step

    def as_dict(self) -> dict[str, str | int]:
        """Return the error as the JSON object that ``--json`` prints."""
        return {
            "error": self.what,
            "where": self.where,
            "why": self.why,
            "next": self.next_step,
            "exit_code": int(self.exit_code),
        }

    def __str__(self) -> str:
        parts = [self.what]
        for label, text in (("where", self.where), ("why", self.why), ("next", self.next_step)):
            if text:
                parts.append(f"  {label}: {text}")
        return "\n".join(parts)


class UsageError(ParkindexError):
    """The command was called with words it does not take."""

    exit_code = ExitCode.USAGE


class BadInputError(ParkindexError):
    """A file, a contract or a methodology is not usable."""

    exit_code = ExitCode.BAD_INPUT


class GateFailedError(ParkindexError):
    """The gate refused a candidate."""

    exit_code = ExitCode.GATE_FAILED


class NotApprovedError(ParkindexError):
    """An approval is missing, stale or refused."""

    exit_code = ExitCode.NOT_APPROVED


class AlteredError(ParkindexError):
    """A published record is not what was published."""

    exit_code = ExitCode.ALTERED


class ServiceDownError(ParkindexError):
    """A service (Postgres, Airflow, a feed's API) is not there or failed."""

    exit_code = ExitCode.SERVICE_DOWN
