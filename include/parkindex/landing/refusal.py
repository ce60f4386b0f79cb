"""Refusing a file as a whole: by a rule, with a place and a next step."""

from __future__ import annotations

from typing import NoReturn

from parkindex.errors import BadInputError
from parkindex.landing.checks import CHECKS

NEXT_STEP = "ask the provider for a corrected file, or correct the contract, and land it again"


class FileRefusedError(BadInputError):
    """A file was refused as a whole; nothing of it is loaded.

    Attributes:
        rule: Id of the rule, see ``docs/checks.md``.
    """

    def __init__(self, rule: str, what: str, *, where: str = "", next_step: str = NEXT_STEP) -> None:
        super().__init__(what, where=where, why=f"{rule}: {CHECKS[rule].message}", next_step=next_step)
        self.rule = rule

    @property
    def reason(self) -> str:
        """The refusal in one line, as it stands in ``raw.batches``."""
        place = f" ({self.where})" if self.where else ""
        return f"{self.rule}: {self.what}{place}"


def refuse(rule: str, what: str, where: str = "", *, next_step: str = NEXT_STEP) -> NoReturn:
    """Refuse the file being read.

    Raises:
        FileRefusedError: Always.
    """
    raise FileRefusedError(rule, what, where=where, next_step=next_step)
