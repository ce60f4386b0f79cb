"""The engine against COINr's own results for the ASEM index: every step, as closely as the files tell."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from parkindex.cli.__main__ import cli
from parkindex.scoring import data, engine, method
from parkindex.settings import PROJECT_ROOT

ASEM = PROJECT_ROOT.parent / "shared" / "data" / "composite" / "asem"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not ASEM.is_dir(), reason="needs ../shared/data"),
]

METHOD = {
    "denominate": True,
    "impute": {"method": "group_mean", "group": "EurAsia_group"},
    "screen": {"min_availability": 0.9, "min_nonzero": 0},
    "treat": {"skew": 2.0, "kurtosis": 3.5, "max_winsorised": 5, "then": "log_ct"},
    "normalise": {"method": "minmax", "lower": 0, "upper": 100},
    "aggregate": {"method": "arithmetic", "weights": "meta", "min_share": 0},
    "rank": {"decimals": None, "ties": "min"},
}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def matrix(path: Path, units: tuple[str, ...], codes: tuple[str, ...]) -> np.ndarray:
    """A step's file as units × codes, in the order asked for: COINr has its own."""
    rows = {row["uCode"]: row for row in table(path)}
    assert set(rows) == set(units)
    return np.array([[float(rows[unit][code] or "nan") for code in codes] for unit in units])


@pytest.fixture(scope="module")
def index() -> engine.Index:
    framework = data.read_meta(ASEM / "in_ASEM_iMeta.csv")
    dataset = data.read_data(ASEM / "in_ASEM_iData.csv", framework, denominate=True)
    return engine.run(dataset, framework, method.parse(METHOD))


def indicators(index: engine.Index) -> tuple[str, ...]:
    return tuple(node.code for node in index.framework.indicators)


@pytest.mark.parametrize("step", ["Denominated", "Imputed", "Screened", "Treated", "Normalised"])
def test_every_step_is_coinrs(index: engine.Index, step: str) -> None:
    assert index.kept == index.units
    expected = matrix(ASEM / f"01_default_{step}.csv", index.units, indicators(index))
    np.testing.assert_allclose(getattr(index, step.lower()), expected, rtol=2e-14, atol=2e-14, equal_nan=True)


def test_data_are_read_to_the_last_bit(index: engine.Index) -> None:
    raw = {row["uCode"]: row for row in table(ASEM / "01_default_Raw.csv")}
    framework = index.framework
    read = data.read_data(ASEM / "in_ASEM_iData.csv", framework)
    expected = [[float(raw[unit][code] or "nan") for code in indicators(index)] for unit in read.units]
    np.testing.assert_array_equal(read.values, np.array(expected))
    assert np.isnan(read.values).sum() > 0


# The table of results is written to twelve decimals.
@pytest.mark.parametrize(
    ("file", "tolerance"), [("01_default_Aggregated.csv", 2e-14), ("01_default_results_scores.csv", 5.1e-13)]
)
def test_scores_are_coinrs(index: engine.Index, file: str, tolerance: float) -> None:
    expected = matrix(ASEM / file, index.units, index.framework.codes)
    np.testing.assert_allclose(index.scores, expected, rtol=2e-14, atol=tolerance)


def test_ranks_are_coinrs(index: engine.Index) -> None:
    expected = matrix(ASEM / "01_default_results_ranks.csv", index.units, index.framework.codes)
    np.testing.assert_array_equal(index.ranks, expected)


def test_ranks_inside_groups_are_coinrs(index: engine.Index) -> None:
    rows = table(ASEM / "01_default_results_groupranks_EurAsia.csv")
    group_of = {row["uCode"]: row["EurAsia_group"] for row in table(ASEM / "in_ASEM_iData.csv")}
    top = dict(zip(index.kept, index.ranks[:, -1], strict=True))
    for row in rows:
        group = group_of[row["uCode"]]
        better = [unit for unit, rank in top.items() if group_of[unit] == group and rank < top[row["uCode"]]]
        assert int(row["Index"]) == 1 + len(better)


def test_treatment_is_coinrs(index: engine.Index) -> None:
    details = {row["iCode"]: row for row in table(ASEM / "01_default_Treated_details.csv")}
    for node, row in zip(index.framework.indicators, index.treatment, strict=True):
        expected = details[node.code]
        assert row.passed is (expected["check_SkewKurt0.Pass"] == "TRUE")
        assert row.skew_before == pytest.approx(float(expected["check_SkewKurt0.Skew"]), rel=1e-12)
        assert row.kurtosis_before == pytest.approx(float(expected["check_SkewKurt0.Kurt"]), rel=1e-12)
        assert row.points == int(expected["winsorise.nwin"] or 0)
        assert row.transformation == "none"
        if not row.passed:
            assert row.passed_after is (expected["check_SkewKurt1.Pass"] == "TRUE")
            assert row.skew_after == pytest.approx(float(expected["check_SkewKurt1.Skew"]), rel=1e-12)
            assert row.kurtosis_after == pytest.approx(float(expected["check_SkewKurt1.Kurt"]), rel=1e-12)


def test_the_points_winsorised_are_coinrs(index: engine.Index) -> None:
    # The file has no uCode; its rows stand as those of the input.
    words = {"": 0, "winhi": 1, "winlo": -1}
    expected = [
        [words[row[code]] for code in indicators(index)] for row in table(ASEM / "01_default_Treated_points.csv")
    ]
    in_file = [row["uCode"] for row in table(ASEM / "01_default_Treated.csv")]
    order = [index.kept.index(unit) for unit in in_file]
    np.testing.assert_array_equal(index.points[order], np.array(expected))


def test_weights_are_coinrs(index: engine.Index) -> None:
    expected = {
        row["iCode"]: (int(row["Level"]), float(row["Weight"])) for row in table(ASEM / "01_default_weights.csv")
    }
    ours = {node.code: (node.level, weight) for node, weight in zip(index.framework.nodes, index.weights, strict=True)}
    assert ours == expected


def test_a_geometric_index_needs_positive_scores_and_changes_most_ranks(index: engine.Index) -> None:
    framework = index.framework
    dataset = data.read_data(ASEM / "in_ASEM_iData.csv", framework, denominate=True)
    changed = {**METHOD, "normalise": {"method": "minmax", "lower": 1, "upper": 100}, "aggregate": "geometric"}
    geometric = engine.run(dataset, framework, method.parse(changed))
    moved = np.abs(geometric.ranks[:, -1] - index.ranks[:, -1])
    # Figures of an independent derivation, to the place.
    assert (np.count_nonzero(moved), moved.max()) == (42, 18)


def test_weight_sets_are_as_many_runs_by_hand(index: engine.Index, tmp_path: Path) -> None:
    generator = np.random.Generator(np.random.PCG64(11))
    codes = [node.code for node in index.framework.nodes if node.parent]
    sets = generator.uniform(0.5, 1.5, size=(5, len(codes)))
    lines = [",".join(codes), *(",".join(repr(float(cell)) for cell in row) for row in sets)]
    (tmp_path / "sets.csv").write_text("\n".join(lines), "utf-8")
    framework = index.framework
    dataset = data.read_data(ASEM / "in_ASEM_iData.csv", framework, denominate=True)
    simulated = engine.run(
        dataset, framework, method.parse({**METHOD, "robustness": {"weight_sets": "sets.csv"}}, folder=tmp_path)
    ).robustness
    assert simulated is not None
    meta = table(ASEM / "in_ASEM_iMeta.csv")
    by_hand = []
    for row in sets:
        weights = dict(zip(codes, map(repr, map(float, row)), strict=True))
        with (tmp_path / "meta.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, meta[0].keys())
            writer.writeheader()
            writer.writerows({**line, "Weight": weights.get(line["iCode"], line["Weight"])} for line in meta)
        by_hand.append(engine.run(dataset, data.read_meta(tmp_path / "meta.csv"), method.parse(METHOD)).ranks[:, -1])
    np.testing.assert_array_equal(simulated.nominal, index.ranks[:, -1])
    np.testing.assert_allclose(simulated.mean, np.mean(by_hand, axis=0))
    np.testing.assert_allclose(simulated.q05, np.quantile(by_hand, 0.05, axis=0))
    np.testing.assert_allclose(simulated.q95, np.quantile(by_hand, 0.95, axis=0))


def test_the_command_takes_the_files_as_they_are(index: engine.Index, tmp_path: Path) -> None:
    chosen = tmp_path / "方法 1.yaml"
    chosen.write_text(
        "denominate: true\n"
        "impute:    {method: group_mean, group: EurAsia_group}\n"
        "screen:    {min_availability: 0.9, min_nonzero: 0}\n"
        "treat:     {skew: 2.0, kurtosis: 3.5, max_winsorised: 5, then: log_ct}\n"
        "normalise: {method: minmax, lower: 0, upper: 100}\n"
        "aggregate: {method: arithmetic, weights: meta, min_share: 0}\n"
        "rank:      {decimals: null, ties: min}\n"
        "robustness: {draws: 200, seed: 1, weights: 0.25, normalise: [minmax, zscore], "
        "aggregate: [arithmetic, geometric]}\n",
        "utf-8",
    )
    words = ["--data", ASEM / "in_ASEM_iData.csv", "--meta", ASEM / "in_ASEM_iMeta.csv", "--method", chosen]
    shown = CliRunner().invoke(cli, ["score", *map(str, words), "--out", str(tmp_path / "out"), "--json"])
    assert shown.exit_code == 0, shown.output
    written = matrix(tmp_path / "out" / "scores.csv", index.units, index.framework.codes)
    np.testing.assert_array_equal(written, index.scores)  # full precision: the same bits come back
    robustness = table(tmp_path / "out" / "robustness.csv")
    assert [int(row["nominal"]) for row in robustness] == index.ranks[:, -1].tolist()
    assert all(float(row["q05"]) <= float(row["median"]) <= float(row["q95"]) for row in robustness)
