"""Start the next edition's rules from an earlier one's."""

from __future__ import annotations

from pathlib import Path

from parkindex.errors import BadInputError
from parkindex.methodology.edition import load
from parkindex.settings import METHODOLOGY_DIR

_TEXT = """\
# The rules of edition {edition}. What is not said here is taken from edition {base}, as it stands there.
#
# To change single indicators or rules:
#   changed_indicators:
#     - {{code: B2, weight: {{value: 4, mark: assumed}}}}
#   changed_rules:
#     - {{code: rank_decimals, value: 3}}
# Weights add up to 100. Then: parkindex methodology check {edition}; parkindex methodology diff {base} {edition};
# before the first delivery of {edition} is due: parkindex methodology freeze {edition} --as NAME --reason TEXT
edition: {edition}
version: "1"
title: Zhangjiang zone park assessment {edition} (draft after {base})
based_on: {base}
"""


def start(edition: int, base: int, folder: Path = METHODOLOGY_DIR) -> Path:
    """Write ``<edition>/edition.yaml``, based on an earlier edition.

    Raises:
        BadInputError: The base does not exist or is not valid, or the edition has rules already.
    """
    load(base, folder)
    path = folder / str(edition) / "edition.yaml"
    if path.exists():
        raise BadInputError(
            f"Edition {edition} has rules already.",
            where=str(path),
            why="methodology.new",
            next_step=f"change the file, with a new `version`; see parkindex methodology diff {base} {edition}",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_TEXT.format(edition=edition, base=base), "utf-8")
    load(edition, folder)
    return path
