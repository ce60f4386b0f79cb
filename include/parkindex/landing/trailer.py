"""The record that ends a file: what its provider puts there to show that nothing is missing.

A total line (``共 1,204 条``), an end mark or a note on the source stands under the last record. Where the contract
declares it, it must be there, and where it states a number of records, as many must stand above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from parkindex.landing.blocks import Block
from parkindex.landing.refusal import refuse


def without_trailer(blocks: Iterator[Block], pattern: str) -> Iterator[Block]:
    """Yield the blocks of a file without the trailer under its last record.

    Args:
        blocks: Blocks of one table.
        pattern: Regular expression of the trailer's first cell that is not blank.

    Raises:
        FileRefusedError: The last record is no trailer (``file.truncated``), or states another number of records than
            there are (``file.row_count``).
    """
    held: Block | None = None
    records = 0
    for block in blocks:
        if block.cells.height == 0 and not block.set_aside:
            continue
        if held is not None:
            yield held
        held = block
        records += block.cells.height + len(block.set_aside)
    if held is None:
        return
    rest, text, row = _split(held)
    found = re.search(pattern, text.strip())
    if found is None:
        refuse("file.truncated", "The file does not end with the record that its contract declares.", f"row {row}")
    stated = found.groupdict().get("rows")
    if stated is not None and stated.replace(",", "") != str(records - 1):
        refuse("file.row_count", f"The last record says {stated} records, {records - 1} came.", f"row {row}")
    yield rest


def _split(block: Block) -> tuple[Block, str, int]:
    """Return a block without its last record, that record's first text, and its source row."""
    last_row = int(block.rows[-1]) if block.cells.height else -1
    last_aside = max(block.set_aside, key=lambda one: one.row, default=None)
    if last_aside is not None and last_aside.row > last_row:
        rest = tuple(one for one in block.set_aside if one is not last_aside)
        return replace(block, set_aside=rest), _first_text(last_aside.original.values()), last_aside.row
    height = block.cells.height - 1
    made = replace(
        block,
        cells=block.cells.head(height),
        rows=block.rows.head(height),
        members=None if block.members is None else block.members.head(height),
        faults=tuple(fault for fault in block.faults if fault.index < height),
    )
    return made, _first_text(block.cells.row(height)), last_row


def _first_text(cells: Iterable[str | None]) -> str:
    return next((text for text in cells if text is not None and text.strip()), "")
