"""Write the pages of a release."""

from __future__ import annotations

from pathlib import Path

from parkindex.site.record import ReleaseRecord


def render(record: ReleaseRecord, out: Path) -> list[Path]:
    """Write the pages of a record into a folder; the same record gives the same bytes.

    Args:
        record: What is published, or previewed.
        out: Folder of the bundle; made when it is not there.

    Returns:
        The files written: ``index.html``, ``method.html``, ``audit.html`` and ``parks/<park_code>.html``, in that order.

    Raises:
        BadInputError: The record does not hold together: no ranking, or a row of a park or indicator it does not list.
    """
    raise NotImplementedError(record.release_id, out)
