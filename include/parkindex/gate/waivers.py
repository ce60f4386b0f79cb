"""Waivers: failures that a named person lets through, each bound to the failure that was looked at.

A failure is told by its key, whole: who signed for park P03 falling to tier 2 did not sign for tier 3. Waivers are
signed in :mod:`parkindex.publish.waivers`; here they are only read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine, func, select

from parkindex.gate.subjects import CandidateSubject, Subject
from parkindex.gate.verdict import Key, Result
from parkindex.ledger import tables

# What names a failure on the command line, by the columns its key has.
_LABELS = (("reject_id",), ("line", "park_code", "other_park_code"), ("park_code", "what"))


def applied(engine: Engine, subject: Subject, results: Sequence[Result]) -> list[Result]:
    """Return results, those that may be waived with the waivers that cover every one of their failing keys."""
    if not isinstance(subject, CandidateSubject):
        return list(results)
    with engine.connect() as connection:
        signed = valid(connection, subject.candidate_id, subject.content_sha256)
    return [replace(one, waiver_ids=_covering(one, signed)) for one in results]


def valid(connection: Connection, candidate_id: str, content_sha256: str) -> dict[tuple[str, str], int]:
    """Return the waivers of a candidate's content that have not expired: (expectation, key as text) to waiver."""
    made = tables.waivers.c
    rows = connection.execute(
        select(made.waiver_id, made.expectation_id, made.failing_key)
        .where(made.candidate_id == candidate_id, made.content_sha256 == content_sha256, made.expires_at > func.now())
        .order_by(made.waiver_id)
    )
    return {(row.expectation_id, key_text(row.failing_key)): int(row.waiver_id) for row in rows}


def key_text(key: Mapping[str, str | None]) -> str:
    """Return a failing key as canonical text."""
    return json.dumps(dict(key), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def key_label(key: Key) -> str:
    """Return the short name of a failing key, as the command line takes it: ``P03/tier``, a reject's number."""
    for names in _LABELS:
        if all(name in key for name in names):
            return "/".join(str(key[name]) for name in names if key[name] is not None)
    return "/".join(str(value) for value in key.values() if value is not None)


def _covering(result: Result, signed: Mapping[tuple[str, str], int]) -> tuple[int, ...]:
    if result.success or not result.may_be_waived or not result.failing_keys:
        return ()
    ids = [signed.get((result.id, key_text(key))) for key in result.failing_keys]
    return tuple(sorted({one for one in ids if one is not None})) if None not in ids else ()
