"""Load and validate the suites of ``expectations/``, and hold them against the register of what must be there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from parkindex.errors import BadInputError
from parkindex.gate import subjects
from parkindex.settings import EXPECTATIONS_DIR

ROW_COUNT = "expect_table_row_count_to_be_between"
NOT_NULL = "expect_column_values_to_not_be_null"
IN_SET = "expect_column_values_to_be_in_set"
BETWEEN = "expect_column_values_to_be_between"
REGEX = "expect_column_values_to_match_regex"
UNIQUE = "expect_compound_columns_to_be_unique"
UNEXPECTED_ROWS = "unexpected_rows_expectation"
DOUBLE_ENTRY = "double_entry"
CONSEQUENCE = "consequence"

# Stages whose suite is a file; that of raw is derived from contracts.
WRITTEN_STAGES = ("staging", "marts", "park_index", "edition", "served")
_NEXT_STEP = "correct the suite, then run `pytest tests/unit/test_gate_suites.py`"


@dataclass(frozen=True)
class Expectation:
    """One expectation, as declared.

    Attributes:
        id: Stable id, ``<stage>.<what must hold>``.
        stage: Suite it belongs to.
        severity: ``error`` stops, ``warning`` prints.
        table: ``<schema>.<relation>``, the schema without prefix.
        type: A type of Great Expectations in snake case, or ``double_entry`` or ``consequence`` (ours).
        kwargs: Arguments of the type, as Great Expectations names them.
        key: Columns that name a failing row.
        query: For ``unexpected_rows_expectation``: SQL that returns what must not be; its columns name a failing row.
        looked_at: SQL that counts what the query could have returned; None counts the rows of the table.
        may_be_empty: Why there may be nothing to look at; None when there must be something.
        may_be_waived: Why a named person may let a failure through; None when nobody may.
        owner: Who answers for it.
        means: What it means, zh and en.
        on_failure: What to do when it fails, zh and en.
    """

    id: str
    stage: str
    severity: str
    table: str
    type: str
    owner: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    query: str | None = None
    looked_at: str | None = None
    may_be_empty: str | None = None
    may_be_waived: str | None = None
    means: Mapping[str, str] = field(default_factory=dict)
    on_failure: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns whose values it judges."""
        if "column" in self.kwargs:
            return (str(self.kwargs["column"]),)
        return tuple(self.kwargs.get("column_list", ()))


def load(stage: str, folder: Path = EXPECTATIONS_DIR) -> tuple[Expectation, ...]:
    """Load the suite of a stage.

    Raises:
        BadInputError: The file is missing, is no YAML, breaks the schema or repeats an id; a query has an unknown
            placeholder.
    """
    path = folder / f"{stage}.yaml"
    document = _read(path)
    _validate(document, json.loads((EXPECTATIONS_DIR / "schema.json").read_text("utf-8")), path)
    if document["stage"] != stage:
        raise _refused(f"The suite says it is of stage {document['stage']}.", path, "suite.stage")
    suite = tuple(
        Expectation(**{"owner": document["owner"], **declared, "stage": stage, "key": tuple(declared.get("key", ()))})
        for declared in document["expectations"]
    )
    ids = [expectation.id for expectation in suite]
    for expectation in suite:
        if ids.count(expectation.id) > 1:
            raise _refused(f"The expectation {expectation.id} stands twice.", path, "suite.id_unique")
        if not expectation.id.startswith(f"{stage}."):
            raise _refused(f"The id {expectation.id} does not begin with its stage.", path, "suite.id_stage")
        for query in (expectation.query, expectation.looked_at):
            unknown = subjects.placeholders(query or "") - subjects.PLACEHOLDERS
            if unknown:
                raise _refused(
                    f"{expectation.id} has the unknown placeholder {{{sorted(unknown)[0]}}}.",
                    path,
                    f"known: {', '.join(sorted(subjects.PLACEHOLDERS))}",
                )
    return suite


def load_register(folder: Path = EXPECTATIONS_DIR) -> dict[str, tuple[str, ...]]:
    """Load the checked-in list of ids that each written suite must have.

    Raises:
        BadInputError: The file is missing or not a mapping of stages to lists.
    """
    path = folder / "register.yaml"
    document = _read(path)
    if set(document) != set(WRITTEN_STAGES) or not all(isinstance(ids, list) for ids in document.values()):
        raise _refused("The register is not one list of ids per suite.", path, "register.shape")
    return {stage: tuple(str(one) for one in ids) for stage, ids in document.items()}


def departures(suite: Sequence[Expectation], registered: Iterable[str]) -> list[tuple[str, str]]:
    """Return ids in which a suite departs from its register: ``(id, "lost" | "not registered")``, sorted."""
    declared = {expectation.id for expectation in suite}
    expected = set(registered)
    return sorted(
        [(one, "lost") for one in expected - declared] + [(one, "not registered") for one in declared - expected]
    )


def sha256_of(suites: Iterable[Expectation]) -> str:
    """Return the hash of what is expected: every field of every expectation, in order, in canonical JSON."""
    plain = [asdict(expectation) for expectation in suites]
    canonical = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refused(what: str, path: Path, why: str) -> BadInputError:
    return BadInputError(what, where=str(path), why=why, next_step=_NEXT_STEP)


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise _refused("A suite is missing.", path, "suite.file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refused("A suite cannot be read.", path, str(error)) from error
    if not isinstance(loaded, dict):
        raise _refused("A suite is not a mapping.", path, "suite.shape")
    return loaded


def _validate(document: dict[str, Any], schema: dict[str, Any], path: Path) -> None:
    errors = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(document),
        key=lambda error: [str(part) for part in error.absolute_path],
    )
    if errors:
        at = "/".join(map(str, errors[0].absolute_path)) or "top level"
        raise BadInputError(
            f"The suite breaks its schema: {errors[0].message}",
            where=f"{path}: {at}",
            why=f"suite.schema ({len(errors)} such)",
            next_step=_NEXT_STEP,
        )
