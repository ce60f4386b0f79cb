"""The files of the score verb: what they may hold, and how precisely each mistake is told."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from parkindex.cli.__main__ import cli
from parkindex.errors import BadInputError
from parkindex.scoring import data, engine, method

META = """Level,iCode,iName,Direction,Weight,Parent,Type
1,I1,First,1,1,A,Indicator
1,I2,Second,-1,3,A,Indicator
1,I3,Third,1,1,T,Indicator
2,A,Pillar,1,1,T,Aggregate
3,T,Index,1,,,Aggregate
,Region,Where,,,,Group
"""
DATA = """uCode,uName,Region,I1,I2,I3
AA,"Alpha, the first",north,0,40,1e1
BB,Beta,north,NA,20,20
CC,丙,south,10.5,,30
"""
METHOD = "normalise: minmax\naggregate: arithmetic\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "meta.csv").write_text(META, "utf-8")
    (tmp_path / "data.csv").write_text("\ufeff" + DATA, "utf-8")
    (tmp_path / "method.yaml").write_text(METHOD, "utf-8")
    return tmp_path


def score(folder: Path, *more: str) -> Result:
    words = [
        word
        for name, suffix in (("data", "csv"), ("meta", "csv"), ("method", "yaml"))
        for word in (f"--{name}", f"{folder}/{name}.{suffix}")
    ]
    return CliRunner().invoke(cli, ["score", *words, "--out", f"{folder}/out 结果", *more])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_verb_writes_every_step_with_its_columns(folder: Path) -> None:
    shown = score(folder, "--json")
    assert shown.exit_code == 0, shown.output
    document = json.loads(shown.stdout)
    out = folder / "out 结果"
    assert sorted(document["files"]) == sorted(path.name for path in out.iterdir())
    assert (document["units"], document["indicators"], document["ranked_by"]) == (3, 3, "T")
    # BB: I2 100, A = 100; I3 50; T = 75. CC: I1 100, I3 100, T = 100. AA: I1 0, I2 0, I3 0.
    assert document["first"] == [
        {"rank": 1, "uCode": "CC", "score": 100.0},
        {"rank": 2, "uCode": "BB", "score": 75.0},
        {"rank": 3, "uCode": "AA", "score": 0.0},
    ]
    assert table(out / "scores.csv")[1] == {
        "uCode": "BB",
        "I1": "",
        "I2": "100.0",
        "I3": "50.0",
        "A": "100.0",
        "T": "75.0",
    }
    assert table(out / "ranks.csv")[1] == {"uCode": "BB", "I1": "", "I2": "1", "I3": "2", "A": "1", "T": "2"}
    assert list(table(out / "effective_weights.csv")[0]) == ["iCode", "Level", "Weight", "EffWeight"]
    assert [row["EffWeight"] for row in table(out / "effective_weights.csv")] == ["0.125", "0.375", "0.5", "0.5", "1.0"]
    assert table(out / "treatment.csv")[0]["transformation"] == "none"
    for step in ("denominated", "imputed", "screened", "treated"):
        assert table(out / f"{step}.csv")[2] == {"uCode": "CC", "I1": "10.5", "I2": "", "I3": "30.0"}
    assert not (out / "robustness.csv").exists()
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert score(folder).exit_code == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_people_get_a_table_in_their_language(folder: Path) -> None:
    shown = score(folder, "--lang", "zh")
    assert "3 个单位" in shown.output and "CC" in shown.output


@pytest.mark.parametrize(
    ("file", "old", "new", "rule", "where"),
    [
        ("meta.csv", "Direction", "Richtung", "score.meta.column", "meta.csv"),
        ("meta.csv", "1,I2,Second", "1,I1,Second", "score.meta.unique", "line 3, column iCode"),
        ("meta.csv", "1,I1,First,1,1,A", "1,I1,First,1,1,", "score.meta.parent", "line 2, column Parent"),
        ("meta.csv", "1,I1,First,1,1,A", "1,I1,First,1,1,B", "score.meta.parent", "line 2, column Parent"),
        ("meta.csv", "1,I1,First,1,1,A", "1,I1,First,1,1,I2", "score.meta.parent", "line 2, column Parent"),
        ("meta.csv", "1,I1,First,1,1,A", "1,I1,First,0,1,A", "score.meta.direction", "line 2, column Direction"),
        ("meta.csv", "1,I1,First,1,1,A", "1,I1,First,1,-1,A", "score.meta.weight", "line 2, column Weight"),
        ("meta.csv", "1,I1,First,1,1,A", "1,I1,First,1,one,A", "score.meta.number", "line 2, column Weight"),
        ("meta.csv", "1,I1,First,1,1,A", "1,I1,First,1,,A", "score.meta.weight", "column Weight"),
        ("meta.csv", "1,I1,First,1,1,A", "2,I1,First,1,1,A", "score.meta.level", "line 2, column Level"),
        ("meta.csv", "2,A,Pillar,1,1,T", "3,A,Pillar,1,1,T", "score.meta.level", "line 5, column Level"),
        ("meta.csv", "3,T,Index,1,,", "3,T,Index,1,1,A", "score.meta.cycle", "line 5, column Parent"),
        ("meta.csv", "2,A,Pillar,1,1,T", "2,A,Pillar,1,1,A", "score.meta.cycle", "line 5, column Parent"),
        ("meta.csv", ",,,Group", ",,,Bunch", "score.meta.type", "line 7, column Type"),
        (
            "meta.csv",
            "3,T,Index,1,,,Aggregate",
            "3,T,Index,1,,,Aggregate\n2,E,Empty,1,1,T,Aggregate",
            "score.meta.children",
            "line 7",
        ),
        ("meta.csv", "1,I3,Third,1,1,T", "1,I3,Third,1,0,T", None, ""),
        ("data.csv", "uCode", "code", "score.data.column", "data.csv"),
        ("data.csv", "I3\n", "I4\n", "score.data.column", "data.csv"),
        ("data.csv", "BB,Beta,north,NA", "BB,Beta,north,n.a.", "score.data.number", "line 3, column I1"),
        ("data.csv", "10.5", '"10,5"', "score.data.number", "line 4, column I1"),
        ("data.csv", "10.5", "inf", "score.data.number", "line 4, column I1"),
        ("data.csv", "10.5", "1e999", "score.data.number", "line 4, column I1"),
        ("data.csv", "10.5", "1_000", "score.data.number", "line 4, column I1"),
        ("data.csv", "BB,", "AA,", "score.data.unique", "line 3, column uCode"),
        ("data.csv", "BB,", ",", "score.data.code", "line 3, column uCode"),
        ("data.csv", "BB,Beta,north,NA,20,20", "BB,Beta,north,NA,20", "score.file.ragged", "line 3"),
        ("data.csv", "I2,I3", "I2,I2", "score.file.header", "line 1"),
        ("method.yaml", "normalise", "normalize", "score.method.unknown_key", "top level"),
        ("method.yaml", "minmax", "maxmin", "score.method.unknown_method", "normalise/method"),
        ("method.yaml", "arithmetic", "median", "score.method.unknown_method", "aggregate/0/method"),
        ("method.yaml", "minmax", "{method: minmax, mean: 3}", "score.method.parameter", "normalise"),
        ("method.yaml", "minmax", "{method: minmax, lower: 3, upper: 3}", "score.method.bounds", "normalise"),
        ("method.yaml", "minmax", "{method: minmax, lower: .nan}", "score.method.value", "normalise/lower"),
        (
            "method.yaml",
            "minmax",
            "{method: goalposts, bounds: {I1: [4, 2]}}",
            "score.method.bounds",
            "normalise/bounds",
        ),
        ("method.yaml", "minmax", "goalposts", "score.method.parameter", "normalise"),
        ("method.yaml", "arithmetic", "power", "score.method.parameter", "aggregate/0"),
        ("method.yaml", "arithmetic", "{method: power, p: 0}", "score.method.parameter", "aggregate/0"),
        ("method.yaml", "arithmetic", "{method: arithmetic, p: 2}", "score.method.parameter", "aggregate/0"),
        (
            "method.yaml",
            "arithmetic",
            "{method: arithmetic, min_share: 2}",
            "score.method.value",
            "aggregate/0/min_share",
        ),
        ("method.yaml", "arithmetic", "[arithmetic]\nrank: {decimals: -1}", "score.method.value", "rank/decimals"),
        ("method.yaml", "aggregate: arithmetic", "impute: group_mean", "score.method.parameter", "impute"),
        (
            "method.yaml",
            "aggregate: arithmetic",
            "impute: {method: mean, group: G}",
            "score.method.parameter",
            "impute",
        ),
        ("method.yaml", "aggregate: arithmetic", "robustness: {draws: 5}", "score.method.aggregate", "robustness"),
        ("method.yaml", METHOD, "- minmax", "score.method.shape", "method.yaml"),
        ("method.yaml", "arithmetic", "arithmetic\naggregate: geometric", None, "method.yaml"),
    ],
)
def test_every_mistake_is_told_with_its_place(
    folder: Path, file: str, old: str, new: str, rule: str | None, where: str
) -> None:
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")
    shown = score(folder, "--json")
    if rule is None and not where:
        assert shown.exit_code == 0, shown.output
        return
    assert shown.exit_code == 3, shown.output
    document = json.loads(shown.stdout)
    assert where in document["where"] and document["error"] and document["next"]
    assert document["why"] == rule or (rule is None and "stands twice" in document["why"])
    assert not (folder / "out 结果").exists()


@pytest.mark.parametrize("file", ["meta.csv", "data.csv", "method.yaml"])
def test_a_file_that_is_not_there_or_not_text_is_bad_input(folder: Path, file: str) -> None:
    (folder / file).write_bytes(b"\xff\xfe\x00")
    assert score(folder).exit_code == 3
    (folder / file).unlink()
    assert score(folder).exit_code == 3
    (folder / file).write_text("", "utf-8")
    assert score(folder).exit_code == (0 if file == "method.yaml" else 3)  # an empty method does nothing


def test_lines_are_counted_as_an_editor_does_over_breaks_inside_cells(folder: Path) -> None:
    (folder / "data.csv").write_text(DATA.replace("Alpha, the first", "Alpha\nthe first").replace("10.5", "x"), "utf-8")
    assert "line 5, column I1" in json.loads(score(folder, "--json").stdout)["where"]


def test_short_forms_mean_what_the_long_ones_say() -> None:
    short = method.parse(
        {
            "denominate": "none",
            "impute": "none",
            "treat": "none",
            "normalise": "minmax",
            "aggregate": "arithmetic",
            "screen": None,
            "robustness": None,
        }
    )
    long = method.parse({"normalise": {"method": "minmax"}, "aggregate": [{"method": "arithmetic"}]})
    assert short == long
    assert method.parse({}) == method.Method()
    varied = method.parse(
        {
            "normalise": {"method": "minmax", "lower": 1, "upper": 10},
            "aggregate": {"method": "arithmetic", "weights": "equal", "min_share": 0.5},
            "robustness": {"normalise": ["minmax", "zscore"], "aggregate": ["geometric", ["arithmetic", "geometric"]]},
        }
    ).robustness
    assert varied is not None
    assert [scale.lower for scale in varied.normalise] == [1, 0]
    assert varied.aggregate[0] == (method.Aggregate("geometric", "equal", 0.5),)
    assert varied.aggregate[1] == (method.Aggregate("arithmetic"), method.Aggregate("geometric"))
    assert varied.draws == 1000


# ------------------------------------------------------------------------------------------------------- robustness


def world(units: int, indicators: int) -> tuple[data.Framework, data.Dataset]:
    """Four pillars under one index, log-normal data with a few gaps."""
    nodes = tuple(data.Node(f"I{n}", 1, 1, 1.0 + n % 3, f"A{n % 4}") for n in range(indicators))
    pillars = tuple(data.Node(f"A{n}", 2, 1, 1.0, "T") for n in range(4))
    generator = np.random.Generator(np.random.PCG64(1))
    values = np.exp(generator.standard_normal((units, indicators)))
    values[generator.random(values.shape) < 0.03] = np.nan
    framework = data.Framework("meta.csv", nodes, (*pillars, data.Node("T", 3, 1, None, None)))
    return framework, data.Dataset("data.csv", tuple(f"U{n}" for n in range(units)), values, {}, {})


def simulated(framework: data.Framework, rows: data.Dataset, folder: Path = Path(), **options: object) -> np.ndarray:
    document = {"normalise": "minmax", "aggregate": "arithmetic", "robustness": options}
    spread = engine.run(rows, framework, method.parse(document, folder=folder)).robustness
    assert spread is not None
    return np.column_stack([spread.nominal, spread.mean, spread.median, spread.q05, spread.q95])


def test_draws_are_the_same_twice_and_others_with_another_seed() -> None:
    tree, rows = world(12, 8)
    one = simulated(tree, rows, draws=300, seed=4, weights=0.5)
    np.testing.assert_array_equal(one, simulated(tree, rows, draws=300, seed=4, weights=0.5))
    assert (one != simulated(tree, rows, draws=300, seed=5, weights=0.5)).any()
    assert (one[:, 3] <= one[:, 2]).all() and (one[:, 2] <= one[:, 4]).all()


def test_without_anything_that_varies_every_rank_is_the_nominal_one() -> None:
    tree, rows = world(12, 8)
    still = simulated(tree, rows, draws=7)
    np.testing.assert_array_equal(still, still[:, [0] * 5])


def test_every_weight_set_meets_every_combination(tmp_path: Path) -> None:
    tree, rows = world(9, 8)
    (tmp_path / "sets.csv").write_text("I0,A1\n1,1\n5,0.5\n0,3\n", "utf-8")
    both = simulated(tree, rows, tmp_path, weight_sets="sets.csv", normalise=["minmax", "rank"])
    by_hand = []
    for scale in ("minmax", "rank"):
        for first, pillar in ((1, 1), (5, 0.5), (0, 3)):
            weights = {"I0": first, "A1": pillar}
            nodes = [
                data.Node(node.code, node.level, 1, weights.get(node.code, node.weight), node.parent)
                for node in tree.nodes
            ]
            changed = data.Framework("m", tuple(nodes[:8]), tuple(nodes[8:]))
            by_hand.append(
                engine.run(rows, changed, method.parse({"normalise": scale, "aggregate": "arithmetic"})).ranks[:, -1]
            )
    np.testing.assert_allclose(both[:, 1], np.mean(by_hand, axis=0))
    np.testing.assert_allclose(both[:, 3], np.quantile(by_hand, 0.05, axis=0))
    # a weight that the sets give is not drawn, the others are
    named = simulated(tree, rows, tmp_path, weight_sets="sets.csv", weights=0.0)
    (tmp_path / "all.csv").write_text(
        ",".join(tree.codes) + "\n" + ",".join(str(node.weight or 1) for node in tree.nodes) + "\n", "utf-8"
    )
    fixed = simulated(tree, rows, tmp_path, weight_sets="all.csv", weights=0.9)
    np.testing.assert_array_equal(fixed, fixed[:, [0] * 5])
    assert named.shape == fixed.shape


@pytest.mark.parametrize(
    ("text", "options", "rule"),
    [
        ("I0,Z\n1,1\n", {}, "score.weight_sets.code"),
        ("I0\n-1\n", {}, "score.weight_sets.number"),
        ("I0\nx\n", {}, "score.weight_sets.number"),
        ("I0\n", {}, "score.weight_sets.empty"),
        ("I0\n1\n", {"draws": 2}, "score.robustness.draws"),
        ("I0,I4\n0,0\n", {}, "score.meta.weight"),
    ],
)
def test_weight_sets_that_cannot_be_used_are_refused(
    tmp_path: Path, text: str, options: dict[str, int], rule: str
) -> None:
    (tmp_path / "sets.csv").write_text(text, "utf-8")
    tree, rows = world(5, 8)
    with pytest.raises(BadInputError) as caught:
        simulated(tree, rows, tmp_path, weight_sets="sets.csv", **options)
    assert caught.value.why == rule


def test_an_index_has_to_have_one_top_to_be_simulated() -> None:
    _, rows = world(5, 8)
    nodes = tuple(data.Node(f"I{n}", 1, 1, 1.0, f"A{n % 2}") for n in range(8))
    two = data.Framework("meta.csv", nodes, (data.Node("A0", 2, 1, 1.0, None), data.Node("A1", 2, 1, 1.0, None)))
    with pytest.raises(BadInputError, match="2 aggregates without a parent"):
        simulated(two, rows)


def test_a_unit_that_is_never_ranked_has_no_ranks_and_one_that_sometimes_is_has_some(tmp_path: Path) -> None:
    tree, rows = world(6, 8)
    rows.values[0] = np.nan
    rows.values[1, [0, 4]] = np.nan  # all of A0
    (tmp_path / "sets.csv").write_text("A0\n1\n0.1\n", "utf-8")
    document = {
        "normalise": "minmax",
        "aggregate": {"method": "arithmetic", "min_share": 0.9},
        "robustness": {"weight_sets": "sets.csv"},
    }
    rows.values[2:] = np.nan_to_num(rows.values[2:], nan=1.0)
    rows.values[1, [1, 2, 3, 5, 6, 7]] = 1.0
    spread = engine.run(rows, tree, method.parse(document, folder=tmp_path)).robustness
    assert spread is not None
    assert np.isnan([spread.nominal[0], spread.mean[0], spread.q95[0], spread.nominal[1]]).all()
    assert 1 <= spread.mean[1] <= 5  # ranked when A0 weighs little
    assert not np.isnan(spread.mean[2:]).any()


def test_ten_thousand_draws_take_less_than_a_second() -> None:
    tree, rows = world(22, 32)
    before = time.process_time()
    simulated(
        tree, rows, draws=10_000, weights=0.25, normalise=["minmax", "zscore"], aggregate=["arithmetic", "geometric"]
    )
    assert time.process_time() - before < 1.0
