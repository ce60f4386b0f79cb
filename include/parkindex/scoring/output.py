"""The results of ``parkindex score`` as CSV files: one per step, with a ``uCode`` column and full precision."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from parkindex.scoring.engine import Index
from parkindex.scoring.ranks import Floats


def write(index: Index, out: Path) -> list[Path]:
    """Write every step into a folder, which is made when it is not there; files of these names are replaced.

    Numbers are written so that reading them gives the same bits; a missing one is an empty cell.

    Returns:
        The files, in the order of the steps.
    """
    out.mkdir(parents=True, exist_ok=True)
    codes = index.framework.codes
    indicators = codes[: index.denominated.shape[1]]
    scored = codes[: index.scores.shape[1]]
    files = [
        _units(out / "denominated.csv", index.units, indicators, index.denominated),
        _units(out / "imputed.csv", index.units, indicators, index.imputed),
        _units(out / "screened.csv", index.kept, indicators, index.screened),
        _units(out / "treated.csv", index.kept, indicators, index.treated),
        _units(out / "normalised.csv", index.kept, indicators, index.normalised),
        _units(out / "scores.csv", index.kept, scored, index.scores),
        _units(out / "ranks.csv", index.kept, scored, index.ranks, whole=True),
        _table(
            out / "effective_weights.csv",
            ("iCode", "Level", "Weight", "EffWeight"),
            (
                (node.code, str(node.level), _number(weight), _number(effective))
                for node, weight, effective in zip(
                    index.framework.nodes, index.weights, index.effective_weights, strict=True
                )
            ),
        ),
        _table(
            out / "treatment.csv",
            (
                "iCode",
                "passed",
                "points_winsorised",
                "transformation",
                "skew_before",
                "kurtosis_before",
                "skew_after",
                "kurtosis_after",
                "passed_after",
            ),
            (
                (
                    node.code,
                    _flag(row.passed),
                    str(row.points),
                    row.transformation,
                    _number(row.skew_before),
                    _number(row.kurtosis_before),
                    _number(row.skew_after),
                    _number(row.kurtosis_after),
                    _flag(row.passed_after),
                )
                for node, row in zip(index.framework.indicators, index.treatment, strict=True)
            ),
        ),
    ]
    spread = index.robustness
    if spread is not None:
        columns = ("nominal", "mean", "median", "q05", "q95")
        matrix = np.column_stack([getattr(spread, name) for name in columns])
        files.append(_units(out / "robustness.csv", index.kept, columns, matrix, whole=True))
    return files


def _units(path: Path, units: Sequence[str], columns: Sequence[str], matrix: Floats, *, whole: bool = False) -> Path:
    rows = ((unit, *(_number(cell, whole=whole) for cell in cells)) for unit, cells in zip(units, matrix, strict=True))
    return _table(path, ("uCode", *columns), rows)


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _number(value: float | None, *, whole: bool = False) -> str:
    """Return a number as the shortest text that reads back to it; ``whole`` leaves out the point of whole numbers."""
    if value is None or np.isnan(value):
        return ""
    number = float(value)
    return str(int(number)) if whole and number.is_integer() else repr(number)


def _flag(value: bool | None) -> str:
    return "" if value is None else str(value).lower()
