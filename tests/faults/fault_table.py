"""The table of faults and the tests that plant them: ``docs/reliability/faults.md``, read from the tests' names.

As a command it writes the page. A test of ``tests/faults`` belongs to the fault whose number its name begins with.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability" / "faults.md"
# Number of the fault → what is planted.
FAULTS = {
    1: "The same file is delivered twice",
    2: "The same name with other bytes",
    3: "A file that was cut off",
    4: "HTTP 200 with a web page in place of data",
    5: "429 and 503 storms, slow answers, resets inside a body",
    6: "A page that is repeated, missing, or a total that changes meanwhile",
    7: "A token that expires between pages",
    8: "A feed is missing on its day",
    9: "A full feed that shrinks by 60 %",
    10: "The disk is full while landing",
    11: "Another encoding than declared, a byte order mark, Big5",
    12: "Rare ideographs, full-width digits, blanks of all kinds in keys",
    13: "Quotes, delimiters and line ends inside cells, ragged rows",
    14: "A workbook that declares a wrong dimension",
    15: "A workbook that ruins values: long numbers, dates, formulas, merged headers, hidden sheets",
    16: "XML that grows or reaches out",
    17: "XML that breaks off late",
    18: "Archive bombs, and archives that lead out of their folder",
    19: "NUL bytes, lone surrogates, cells of 10 MB",
    20: "A column is added",
    21: "A column is removed, renamed or moved",
    22: "A unit changes, the type does not",
    23: "A code list gains a value",
    24: "A contract is edited without a new version",
    25: "Wrong check digits, old registration numbers, the same code twice",
    26: "An enterprise is renamed, merged, or moves between parks",
    27: "Two enterprises of one name",
    28: "An address on the border of a park",
    29: "NULL, NaN, infinities, negative and enormous values",
    30: "An empty column, table or suite; nothing evaluated",
    31: "21 or 23 parks, a park twice, a park without data",
    32: "Weights that do not add up, are negative, or change after the audit",
    33: "A tie, and a near tie at a line",
    34: "Another order of rows, hash seed, locale, time zone, number of threads",
    35: "The last second of a year, leap days, impossible years",
    36: "A record comes late, for a closed year",
    37: "A source corrects the past",
    38: "A backfill of three years beside daily runs",
    39: "A release is made again later",
    40: "SIGKILL at each named step",
    41: "A connection is ended, or Postgres stopped at once, while publishing",
    42: "A task runs twice, two runs at once, command line and DAG at once",
    43: "Processes of Airflow are killed and started again",
    44: "A task is taken for dead while it runs",
    45: "A gate or an approval is set to success by hand, cleared or replayed",
    46: "Airflow's metadata are lost",
    47: "Code or methodology change between approval and publication",
    48: "dbt is killed in a candidate's schemas",
    49: "An administrator edits a row of a release",
    50: "An administrator computes the whole chain anew",
    51: "BI reads through views of its own while something is published",
    52: "An objection is upheld, or rejected",
}
# Where a fault has no test named after it here, the tests that plant it (file → names).
ELSEWHERE: dict[int, dict[str, tuple[str, ...]]] = {
    26: {
        "tests/unit/test_identity_names.py": ("test_an_exact_name_is_linked_before_another_spelling_of_it",),
        "tests/unit/test_identity_places.py": ("test_a_move_ends_a_stay_and_remembers_the_park_before",),
    },
    27: {"tests/unit/test_identity_names.py": ("test_a_name_that_two_have_held_is_proposed_and_never_linked",)},
    28: {"tests/unit/test_identity_places.py": ("test_a_point_in_plots_of_two_parks_is_in_none_and_ambiguous",)},
    36: {"tests/faults/test_38_to_51_publication.py": ("test_39_a_release_is_made_again_or_it_is_said_what_differs",)},
    37: {
        "tests/integration/test_raw_staged.py": (
            "test_the_later_file_holds_whatever_was_replayed_since_and_the_past_stays",
        )
    },
}
_HEAD = """<!-- Written by `python tests/faults/fault_table.py`. Do not edit: run it again. -->

# Faults and their tests

| fault | what is planted | tests |
| ---: | --- | --- |
"""


def tests_of(path: Path) -> list[str]:
    """Return the names of the tests of a module, in its order."""
    found = ast.parse(path.read_text("utf-8")).body
    return [one.name for one in found if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")]


def by_fault() -> dict[int, dict[str, list[str]]]:
    """Return fault → module → tests."""
    found: dict[int, dict[str, list[str]]] = {number: {} for number in FAULTS}
    for path in sorted((ROOT / "tests" / "faults").glob("test_*.py")):
        for name in tests_of(path):
            number = re.match(r"test_(\d\d)_", name)
            if number is not None:
                found[int(number[1])].setdefault(str(path.relative_to(ROOT)), []).append(name)
    for fault, modules in ELSEWHERE.items():
        if not found[fault]:
            found[fault] = {module: list(names) for module, names in modules.items()}
    return found


def page() -> str:
    """Return the page."""
    lines = []
    for fault, modules in by_fault().items():
        told = "<br>".join(f"{module}: {', '.join(f'`{name}`' for name in names)}" for module, names in modules.items())
        lines.append(f"| {fault} | {FAULTS[fault]} | {told} |\n")
    return _HEAD + "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.exit(0)
