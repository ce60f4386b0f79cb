"""Freezing: who signed an edition's rules, when and why, bound to their hash.

``methodology/<edition>/frozen.yaml`` is a list, oldest first, that only grows. A sign-off stands beside the rules and
not in them, because it names their hash. Rules that were signed and then changed are not frozen any more: they need a
new ``version``, a reason and a sign-off of their own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml

from parkindex.errors import BadInputError, UsageError
from parkindex.methodology.edition import Methodology, load
from parkindex.settings import METHODOLOGY_DIR

FILE = "frozen.yaml"
_KEYS = ("version", "methodology_sha256", "signed_by", "is_demo", "signed_on", "reason")
_HEADING = (
    "# Who froze which version of these rules. Written by `parkindex methodology freeze`; entries are never changed.\n"
)

State = Literal["frozen", "changed", "open"]


@dataclass(frozen=True)
class Signoff:
    """One sign-off.

    Attributes:
        version: Version of the rules.
        methodology_sha256: Their hash.
        signed_by: Who.
        is_demo: A stand-in of the sample: nobody really signed.
        signed_on: Day from which the rules were not changed any more.
        reason: Why this version was made.
    """

    version: str
    methodology_sha256: str
    signed_by: str
    is_demo: bool
    signed_on: date
    reason: str


def signoffs(edition: int, folder: Path = METHODOLOGY_DIR) -> list[Signoff]:
    """Return the sign-offs of an edition, oldest first; none when its rules were never frozen.

    Raises:
        BadInputError: The file is not a list of sign-offs.
    """
    path = folder / str(edition) / FILE
    if not path.exists():
        return []
    try:
        entries = yaml.safe_load(path.read_text("utf-8")) or []
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _broken(path, str(error)) from error
    if not isinstance(entries, list):
        raise _broken(path, "it is not a list")
    found = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or entry.keys() != set(_KEYS) or not isinstance(entry["signed_on"], date):
            raise _broken(path, f"entry {number} is not a sign-off with the keys {', '.join(_KEYS)}")
        found.append(Signoff(**{**entry, "version": str(entry["version"])}))
    return found


def state(methodology: Methodology, folder: Path = METHODOLOGY_DIR) -> State:
    """Say whether rules are frozen: signed as they are, changed after they were signed, or never signed."""
    signed = signoffs(methodology.edition, folder)
    if any(one.methodology_sha256 == methodology.sha256 for one in signed):
        return "frozen"
    return "changed" if signed else "open"


def require_new_version(rules: Methodology, folder: Path = METHODOLOGY_DIR) -> None:
    """Refuse rules that were changed after their version was signed.

    Raises:
        BadInputError: This version was signed with another content.
    """
    version = str(rules.document["version"])
    for one in signoffs(rules.edition, folder):
        if one.version == version and one.methodology_sha256 != rules.sha256:
            raise BadInputError(
                f"Version {version} of edition {rules.edition} was frozen and then changed.",
                where=str(folder / str(rules.edition) / "edition.yaml"),
                why=f"{one.signed_by} signed another content of this version on {one.signed_on.isoformat()}",
                next_step="give the changed rules a new `version`, see `parkindex methodology diff`, then freeze again",
            )


def freeze(
    edition: int, signed_by: str, signed_on: date, reason: str, *, is_demo: bool = False, folder: Path = METHODOLOGY_DIR
) -> Signoff:
    """Sign an edition's rules as they are; the same person twice changes nothing.

    Raises:
        BadInputError: The rules are not valid, or this version of them was signed with another content.
        UsageError: Name or reason is blank.
    """
    if not signed_by.strip() or not reason.strip():
        raise UsageError(
            "A sign-off needs a name and a reason.",
            where="parkindex methodology freeze",
            next_step="parkindex methodology freeze EDITION --as NAME --reason 'first version'",
        )
    rules = load(edition, folder)
    version = str(rules.document["version"])
    made = Signoff(version, rules.sha256, signed_by.strip(), is_demo, signed_on, reason.strip())
    signed = signoffs(edition, folder)
    require_new_version(rules, folder)
    for one in signed:
        if one.methodology_sha256 == rules.sha256 and one.signed_by == made.signed_by:
            return one
    path = folder / str(edition) / FILE
    entries: list[dict[str, Any]] = [asdict(one) for one in (*signed, made)]
    path.write_text(_HEADING + yaml.safe_dump(entries, allow_unicode=True, sort_keys=False, width=120), "utf-8")
    return made


def _broken(path: Path, why: str) -> BadInputError:
    return BadInputError(
        "The sign-offs of a methodology cannot be read.",
        where=str(path),
        why=f"methodology.signoffs: {why}",
        next_step="restore the file from version control; `parkindex methodology freeze` writes it",
    )
