"""Every reader on damaged deliveries, some hundred cases; ``fuzz.py`` runs as many as wanted."""

from __future__ import annotations

from pathlib import Path

import fuzz


def test_damaged_deliveries_end_in_rows_rejects_or_a_named_refusal(tmp_path: Path) -> None:
    ends = fuzz.run(330, 2025, tmp_path)
    assert ends["loaded"] > 20
    # Containers carry the time they were written, so which refusals come up differs a little from run to run.
    assert len(ends) >= 6
