"""Worked examples with sources, and what an index does at the edges: defined, or refused by name."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from parkindex import scoring
from parkindex.cli.__main__ import cli
from parkindex.errors import BadInputError
from parkindex.scoring import Aggregate, Dataset, Framework, Node, parse_method, run

NAN = math.nan
NORMALISATIONS = (
    "minmax",
    "zscore",
    "scaled",
    "dist2max",
    "fracmax",
    "rank",
    "prank",
    "borda",
    {"method": "goalposts", "bounds": {"I1": [0, 10], "I2": [0, 10]}},
    {"method": "dist2ref", "unit": "U1"},
    "dist2target",
)


def world(*values: list[float], weights: tuple[float, float] = (1, 1)) -> tuple[Dataset, Framework]:
    """Two indicators with the target 8 under one aggregate T."""
    indicators = tuple(
        Node(f"I{place}", 1, 1, weight, "T", target=8.0) for place, weight in enumerate(weights, start=1)
    )
    units = tuple(f"U{row}" for row in range(1, len(values) + 1))
    return Dataset("data.csv", units, np.array(values, dtype=float), {}, {}), Framework(
        "meta.csv", indicators, (Node("T", 2, 1, None, None),)
    )


def files(folder: Path, **texts: str) -> Result:
    """Run the verb on three files."""
    words = ["score", "--out", str(folder / "out"), "--json"]
    for name, suffix in (("data", "csv"), ("meta", "csv"), ("method", "yaml")):
        path = folder / f"{name}.{suffix}"
        path.write_bytes(texts[name].encode("utf-8"))
        words += [f"--{name}", str(path)]
    return CliRunner().invoke(cli, words)


def written(folder: Path, name: str) -> dict[str, dict[str, str]]:
    with (folder / "out" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return {row["uCode"]: row for row in csv.DictReader(stream)}


# --------------------------------------------------------------------------------------------------- worked examples

HDI_META = """Level,iCode,Direction,Weight,Parent,Type
1,LE,1,1,Health,Indicator
1,EYS,1,1,Education,Indicator
1,MYS,1,1,Education,Indicator
1,lnGNI,1,1,Income,Indicator
2,Health,1,1,HDI,Aggregate
2,Education,1,1,HDI,Aggregate
2,Income,1,1,HDI,Aggregate
3,HDI,1,,,Aggregate
"""
HDI_METHOD = f"""
normalise:
  method: goalposts
  lower: 0
  upper: 1
  bounds: {{LE: [20, 85], EYS: [0, 18], MYS: [0, 15], lnGNI: [{math.log(100)!r}, {math.log(75000)!r}]}}
aggregate: [arithmetic, geometric]
rank: {{decimals: 3}}
"""


def test_the_human_development_index_is_that_of_its_technical_note(tmp_path: Path) -> None:
    # UNDP, Human Development Report 2020, technical note 1, worked example: health index 0.6971, education index
    # 0.3447, income index (ln 3,829 − ln 100) ÷ (ln 75,000 − ln 100) = 0.5506, HDI (product of the three)^⅓ = 0.510.
    # The first row has those indices. Twin is lower by less than the third decimal tells: equal, as the HDI ranks.
    rows = (
        ("Example", 20 + 65 * 0.6971, 18 * 0.3447, 15 * 0.3447, math.log(3829)),
        ("Twin", 20 + 65 * 0.6969, 18 * 0.3447, 15 * 0.3447, math.log(3829)),
        ("Richer", 20 + 65 * 0.6971, 18 * 0.3447, 15 * 0.3447, math.log(90_000)),
    )
    data = "uCode,LE,EYS,MYS,lnGNI\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    shown = files(tmp_path, data=data, meta=HDI_META, method=HDI_METHOD)
    assert shown.exit_code == 0, shown.output
    scores, ranks = written(tmp_path, "scores"), written(tmp_path, "ranks")
    assert [scores["Example"][code] for code in ("Health", "Education", "Income", "HDI")] == [
        "0.697",
        "0.345",
        "0.551",
        "0.51",
    ]
    assert float(written(tmp_path, "normalised")["Example"]["lnGNI"]) == pytest.approx(0.5506, abs=5e-5)
    assert scores["Richer"]["Income"] == "1.0"  # income beyond the goalpost is capped
    assert [ranks[unit]["HDI"] for unit in ("Richer", "Example", "Twin")] == ["1", "2", "2"]
    # Not rounded first, the two are apart.
    shown = files(tmp_path, data=data, meta=HDI_META, method=HDI_METHOD.replace("decimals: 3", "decimals: null"))
    assert shown.exit_code == 0
    assert [written(tmp_path, "ranks")[unit]["HDI"] for unit in ("Richer", "Example", "Twin")] == ["1", "2", "3"]


def test_rounding_before_ranking_never_reaches_the_level_above() -> None:
    # 0.0004 and 0.0005 differ at three decimals (0.000, 0.001); the mean above is taken from what is not rounded.
    dataset, framework = world([0.0004, 0.0006], [0.0005, 0.0004])
    index = run(dataset, framework, parse_method({"aggregate": "arithmetic", "rank": {"decimals": 3}}))
    np.testing.assert_array_equal(index.scores[:, 2], [0.001, 0.0])  # 0.00050 away from zero, 0.00045 down


def test_copeland_ranks_the_three_countries_of_the_handbook() -> None:
    # OECD/JRC handbook (2008), step 6, after Munda and Nardo (2005): GDP up; unemployment, waste, income disparity and
    # crime down; weights 0.165 ×2, 0.333, 0.165 ×2. A outranks B by 0.663, C outranks A and B by 0.663 each: C, A, B.
    values = np.array([[22_000, 0.17, 0.4, 10.5, 40], [45_000, 0.09, 0.45, 11, 45], [20_000, 0.08, 0.35, 5.3, 80]])
    directions, weights = (1, -1, -1, -1, -1), (0.165, 0.165, 0.333, 0.165, 0.165)
    framework = Framework(
        "meta.csv",
        tuple(
            Node(f"I{place}", 1, direction, weight, "T")
            for place, (direction, weight) in enumerate(zip(directions, weights, strict=True))
        ),
        (Node("T", 2, 1, None, None),),
    )
    dataset = Dataset("data.csv", ("A", "B", "C"), values, {}, {})
    index = run(dataset, framework, parse_method({"normalise": "rank", "aggregate": "copeland"}))
    np.testing.assert_array_equal(index.scores[:, -1], [0, -2, 2])
    np.testing.assert_array_equal(index.ranks[:, -1], [2, 3, 1])


def test_many_draws_of_copeland_are_one_after_the_other() -> None:
    chance = np.random.Generator(np.random.PCG64(5))
    values = np.round(chance.uniform(0, 5, (9, 6)))
    values[chance.uniform(size=values.shape) < 0.2] = NAN
    framework = Framework(
        "meta.csv",
        (*(Node(f"I{place}", 1, 1, 1.0, "AB"[place % 2]) for place in range(6)),),
        (Node("A", 2, 1, 1.0, "T"), Node("B", 2, 1, 2.0, "T"), Node("T", 3, 1, None, None)),
    )
    weights = np.round(chance.uniform(0, 3, (40, 9))) + 0.5
    units = tuple(f"U{row}" for row in range(9))
    rules = scoring.rules_per_level(framework, [Aggregate("arithmetic"), Aggregate("copeland", min_share=0.3)], "m")
    together = scoring.aggregate(framework, values, weights, rules, units)[-1]
    for draw in range(len(weights)):
        alone = scoring.aggregate(framework, values, weights[draw : draw + 1], rules, units)[-1][0]
        np.testing.assert_array_equal(together[draw], alone)


# -------------------------------------------------------------------------------------------------------------- edges


@pytest.mark.parametrize("scale", NORMALISATIONS, ids=str)
def test_a_row_and_a_column_without_any_value_stay_missing_and_disturb_nobody(scale: object) -> None:
    method = parse_method({"normalise": scale, "aggregate": "arithmetic"})
    index = run(*world([2, NAN], [5, NAN], [NAN, NAN]), method)
    assert np.isnan(index.normalised[:, 1]).all() and np.isnan(index.normalised[2]).all()
    assert np.isnan(index.scores[2, -1]) and np.isnan(index.ranks[2, -1])
    full = run(*world([2, 2], [5, 5]), method)
    np.testing.assert_array_equal(index.scores[:2, 0], full.scores[:, 0])
    np.testing.assert_array_equal(index.ranks[:2, -1], full.ranks[:, -1])


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("minmax", None),
        ("zscore", None),
        ("dist2max", None),
        ("prank", 0.0),
        ("borda", 0.0),
        ("rank", 1.0),
        ("scaled", 4.0),
        ("fracmax", 1.0),
        ({"method": "dist2ref", "unit": "U1"}, 1.0),
        ("dist2target", 0.0),
        ({"method": "goalposts", "bounds": {"I1": [0, 10], "I2": [0, 10]}}, 40.0),
    ],
    ids=str,
)
def test_a_constant_column_has_a_score_where_one_is_defined_and_is_refused_where_not(
    scale: object, expected: float | None
) -> None:
    method = parse_method({"normalise": scale, "aggregate": "arithmetic"})
    dataset, framework = world([4, 1], [4, 2], [4, 3])
    if expected is None:
        with pytest.raises(BadInputError, match="I1 has one value only") as refused:
            run(dataset, framework, method)
        assert refused.value.why == "score.normalise.constant"
        return
    np.testing.assert_array_equal(run(dataset, framework, method).normalised[:, 0], [expected] * 3)


@pytest.mark.parametrize("scale", NORMALISATIONS, ids=str)
def test_one_unit_is_ranked_first_or_refused_by_name(scale: object) -> None:
    method = parse_method({"normalise": scale, "aggregate": "arithmetic"})
    if scale in ("minmax", "zscore", "dist2max", "prank"):
        with pytest.raises(BadInputError, match="I1 has one value only"):
            run(*world([4, 6]), method)
        return
    index = run(*world([4, 6]), method)
    assert index.ranks[0, -1] == 1 and np.isfinite(index.scores).all()
    assert run(*world([4, 6]), parse_method({"aggregate": "copeland"})).scores[0, -1] == 0


@pytest.mark.parametrize("mean", ["geometric", "harmonic", {"method": "power", "p": -1}])
@pytest.mark.parametrize("value", [0.0, -3.0])
def test_a_geometric_mean_refuses_a_zero_and_a_negative_number_by_name(mean: object, value: float) -> None:
    with pytest.raises(BadInputError, match=rf"positive numbers, but I2 of U2 is {value:g} \(1") as refused:
        run(*world([4, 6], [4, value]), parse_method({"aggregate": mean}))
    assert refused.value.why == "score.aggregate.not_positive" and "lower: 1" in str(refused.value.next_step)
    # What weighs nothing is not looked at, and what is missing is no number.
    assert run(*world([4, 6], [5, value], weights=(1, 0)), parse_method({"aggregate": mean})).ranks[1, -1] == 1
    assert run(*world([4, 6], [5, NAN]), parse_method({"aggregate": mean})).scores[1, -1] == pytest.approx(5)


def test_weights_that_add_up_to_nothing_are_refused_and_equal_ones_do_not_need_them() -> None:
    dataset, framework = world([4, 6], [5, 5], weights=(0, 0))
    with pytest.raises(BadInputError, match="The weights below T add up to 0"):
        run(dataset, framework, parse_method({"aggregate": "arithmetic"}))
    equal = run(dataset, framework, parse_method({"aggregate": {"method": "arithmetic", "weights": "equal"}}))
    np.testing.assert_array_equal(equal.scores[:, -1], [5, 5])
    np.testing.assert_array_equal(equal.ranks[:, -1], [1, 1])


def test_a_gap_between_levels_is_fine_for_one_rule_and_refused_for_a_list() -> None:
    framework = Framework(
        "meta.csv",
        (Node("I1", 1, 1, 1.0, "A"), Node("I2", 1, 1, 1.0, "T")),
        (Node("A", 2, 1, 1.0, "T"), Node("T", 5, 1, None, None)),
    )
    dataset = Dataset("data.csv", ("U1", "U2"), np.array([[4.0, 2.0], [1.0, 3.0]]), {}, {})
    index = run(dataset, framework, parse_method({"aggregate": "arithmetic"}))
    np.testing.assert_array_equal(index.scores[:, -1], [3, 2])
    with pytest.raises(BadInputError, match="No aggregate is on level 3"):
        run(dataset, framework, parse_method({"aggregate": ["arithmetic", "geometric"]}))


def test_files_as_people_save_them_are_read_as_they_are_meant(tmp_path: Path) -> None:
    # A byte order mark, quoted numbers, Windows line ends, blank lines, columns nobody uses, no Unit, Target or
    # Denominator; the top's weight left open.
    shown = files(
        tmp_path,
        data='\ufeffuCode,Note,"I1",I2,Year\r\n"U1","a, b","1.5 ",4e0,2024\r\n\r\nU2,,+2.5,.5,2024\r\n',
        meta="\ufeffLevel,iCode,Direction,Weight,Parent,Type\r\n"
        '"1","I1","1","0.5","T","Indicator"\r\n1,I2,-1,NA,T,Indicator\r\n2,T,1,NA,NA,Aggregate\r\nNA,Note,NA,NA,NA,Other\r\n',
        method="\ufeffnormalise: none\naggregate: {method: arithmetic, weights: equal}\n",
    )
    assert shown.exit_code == 0, shown.output
    assert {unit: row["T"] for unit, row in written(tmp_path, "scores").items()} == {"U1": "2.75", "U2": "1.5"}


def test_imputing_by_group_then_screening_then_denominators_are_taken_in_the_order_of_the_keys(tmp_path: Path) -> None:
    meta = (
        "Level,iCode,Direction,Weight,Parent,Type,Denominator\n"
        "1,I1,1,1,T,Indicator,Staff\n1,I2,1,1,T,Indicator,\n2,T,1,,,Aggregate,\n,Staff,,,,Denominator,\n,G,,,,Group,\n"
    )
    data = "uCode,G,Staff,I1,I2\nA,x,2,8,0\nB,x,4,,5\nC,y,1,,0\nD,y,5,10,6\n"
    method = (
        "denominate: true\nimpute: {method: group_median, group: G}\n"
        "screen: {min_availability: 1, min_nonzero: 0.6}\naggregate: arithmetic\n"
    )
    shown = files(tmp_path, data=data, meta=meta, method=method)
    assert shown.exit_code == 0, shown.output
    # I1 per staff: 4, –, –, 2; filled inside the group: 4, 2. Half of A and of C is not zero: less than 0.6.
    assert [row["I1"] for row in written(tmp_path, "imputed").values()] == ["4.0", "4.0", "2.0", "2.0"]
    assert list(written(tmp_path, "screened")) == ["B", "D"]
    assert [row["T"] for row in written(tmp_path, "scores").values()] == ["4.5", "4.0"]


def test_every_word_of_the_package_is_documented_and_there() -> None:
    for name in scoring.__all__:
        assert (getattr(scoring, name).__doc__ or "").strip(), name


# --------------------------------------------------------------------------------------------------------- properties

_FIXED = {"method": "goalposts", "lower": 1, "bounds": {"I1": [0, 10], "I2": [0, 10]}}
_MEANS = st.sampled_from(["arithmetic", "geometric", "harmonic", {"method": "power", "p": 2}])
_ROWS = st.lists(st.tuples(st.floats(-5, 15), st.floats(-5, 15)), min_size=2, max_size=6)


@settings(max_examples=50, deadline=None)
@given(_ROWS, _MEANS, st.floats(0.01, 9), st.integers(1, 9), st.integers(1, 9), st.data())
def test_no_score_falls_when_an_indicator_gets_better_and_no_other_moves(
    rows: list[tuple[float, float]], mean: object, gain: float, one: int, other: int, data: st.DataObject
) -> None:
    place, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 1))
    method = parse_method({"normalise": _FIXED, "aggregate": mean})
    better = [list(row) for row in rows]
    better[place][column] += gain
    before = run(*world(*map(list, rows), weights=(one, other)), method)
    after = run(*world(*better, weights=(one, other)), method)
    assert after.scores[place, -1] >= before.scores[place, -1] * (1 - 1e-12)
    np.testing.assert_array_equal(np.delete(after.scores, place, 0), np.delete(before.scores, place, 0))
    assert after.ranks[place, -1] <= before.ranks[place, -1] or np.isclose(
        after.scores[place, -1], before.scores[place, -1]
    )


@settings(max_examples=50, deadline=None)
@given(_ROWS, _MEANS, st.tuples(st.floats(-5, 15), st.floats(-5, 15)))
def test_a_further_unit_under_fixed_bounds_moves_no_score_and_turns_no_order_round(
    rows: list[tuple[float, float]], mean: object, further: tuple[float, float]
) -> None:
    method = parse_method({"normalise": _FIXED, "aggregate": mean})
    alone = run(*world(*map(list, rows)), method)
    more = run(*world(*map(list, rows), list(further)), method)
    np.testing.assert_array_equal(more.scores[:-1], alone.scores)
    first, second = alone.ranks[:, -1], more.ranks[:-1, -1]
    np.testing.assert_array_equal(np.sign(first[:, None] - first), np.sign(second[:, None] - second))


@settings(max_examples=50, deadline=None)
@given(_ROWS, _MEANS, st.integers(1, 9), st.integers(1, 9), st.sampled_from([0.001, 3.0, 1e6]))
def test_weights_have_no_scale(
    rows: list[tuple[float, float]], mean: object, one: int, other: int, factor: float
) -> None:
    method = parse_method({"normalise": _FIXED, "aggregate": mean})
    first = run(*world(*map(list, rows), weights=(one, other)), method)
    second = run(*world(*map(list, rows), weights=(one * factor, other * factor)), method)
    np.testing.assert_allclose(second.scores, first.scores, rtol=1e-12)
