"""What can be gated, and what the placeholders of a suite stand for then."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from parkindex.ledger.tables import SCHEMAS

# Built under a prefix, so that a subject never reads what is being served.
PREFIXED_SCHEMAS = ("staging", "intermediate", "marts", "park_index")
PARAMETERS = ("edition", "methodology_sha256", "as_known", "candidate_id", "release_id")
PLACEHOLDERS = frozenset({*PREFIXED_SCHEMAS, *PARAMETERS})

_PLACEHOLDER = re.compile(r"\{([a-z_0-9]*[a-z_][a-z_0-9]*)\}")


@dataclass(frozen=True)
class MartsSubject:
    """The next generation of the continuous marts.

    Attributes:
        schema_prefix: Prefix of its schemas.
    """

    schema_prefix: str

    kind = "marts"
    stages = ("raw", "staging", "marts")


@dataclass(frozen=True)
class CandidateSubject:
    """A candidate of an edition.

    Attributes:
        candidate_id: Candidate.
        schema_prefix: Prefix of its schemas.
        edition: Evaluation year.
        content_sha256: Hash of its content; the verdict is bound to it.
        methodology_sha256: Methodology it was built with.
        as_known: Known time it was built at; raw rows received later are not looked at.
    """

    candidate_id: str
    schema_prefix: str
    edition: int
    content_sha256: str
    methodology_sha256: str
    as_known: datetime

    kind = "candidate"
    stages = ("raw", "staging", "marts", "park_index", "edition")


@dataclass(frozen=True)
class ReleaseSubject:
    """A published release, as it is served.

    Attributes:
        release_id: Release.
        edition: Evaluation year.
        content_sha256: Hash of its content.
    """

    release_id: str
    edition: int
    content_sha256: str

    kind = "release"
    stages = ("served",)


Subject = MartsSubject | CandidateSubject | ReleaseSubject


def label(subject: Subject) -> str:
    """Return what was gated, for the record: ``candidate``, ``marts`` or ``release <id>``."""
    return f"{subject.kind} {subject.release_id}" if isinstance(subject, ReleaseSubject) else subject.kind


def as_known(subject: Subject) -> datetime | None:
    """Return the known time up to which raw rows count; None when all of them do."""
    return subject.as_known if isinstance(subject, CandidateSubject) else None


def schema_of(subject: Subject, schema: str) -> str:
    """Return the schema that a suite's word for it means.

    Raises:
        ValueError: The word names no schema, or one that the subject does not have.
    """
    if schema in PREFIXED_SCHEMAS:
        if isinstance(subject, ReleaseSubject):
            raise ValueError(f"a release has no schema {schema}")
        return subject.schema_prefix + schema
    if schema not in SCHEMAS:
        raise ValueError(f"{schema} is not a schema of the warehouse")
    return schema


def placeholders(query: str) -> set[str]:
    """Return the names in braces in a suite's query."""
    return set(_PLACEHOLDER.findall(query))


def rendered(subject: Subject, query: str) -> str:
    """Return a suite's query for a subject: schemas quoted, parameters as SQL literals.

    Raises:
        ValueError: A placeholder does not exist for this subject.
    """

    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in PREFIXED_SCHEMAS:
            return _identifier(schema_of(subject, name))
        if name == "as_known" and isinstance(subject, MartsSubject):
            return "cast('infinity' as timestamp with time zone)"
        value = getattr(subject, name, None) if name in PARAMETERS else None
        if value is None:
            raise ValueError(f"{{{name}}} has no meaning for {subject.kind}")
        return _literal(value)

    return _PLACEHOLDER.sub(put, query)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return f"cast('{value.isoformat()}' as timestamp with time zone)"
    return "'" + str(value).replace("'", "''") + "'"
