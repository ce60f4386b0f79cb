"""Every step of the index engine against numbers worked out by hand, and properties that hold for any data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from parkindex.errors import BadInputError
from parkindex.scoring import prepare
from parkindex.scoring.aggregate import aggregate, effective_weights, rules_per_level, weights_of
from parkindex.scoring.data import Dataset, Framework, Node
from parkindex.scoring.engine import run
from parkindex.scoring.method import Aggregate, Impute, Screen, Treat, parse
from parkindex.scoring.normalise import normalise
from parkindex.scoring.ranks import half_up, ranks, settled
from parkindex.scoring.treat import boxcox_lambda, kurtosis, skewness, transform, treat

NAN = math.nan
REFUSED = -math.inf


def framework(
    directions: tuple[int, ...] = (1,), targets: tuple[float | None, ...] = (), weights: tuple[float, ...] = ()
) -> Framework:
    """Indicators I1 … under one aggregate T."""
    indicators = tuple(
        Node(
            f"I{place + 1}",
            1,
            direction,
            weights[place] if weights else 1.0,
            "T",
            targets[place] if targets else None,
        )
        for place, direction in enumerate(directions)
    )
    return Framework("meta.csv", indicators, (Node("T", 2, 1, None, None),))


def dataset(values: list[list[float]], **texts: tuple[str, ...]) -> Dataset:
    units = tuple(f"U{row + 1}" for row in range(len(values)))
    return Dataset("data.csv", units, np.array(values, dtype=float), {}, dict(texts))


# ------------------------------------------------------------------------------------------------- rounding and ranks


def test_a_half_is_rounded_away_from_zero_also_when_binary_hides_it() -> None:
    values = np.array([62.505, 62.515, 0.125, -0.125, 2.5, 1.005, 8.5e-3, NAN, -0.001])
    np.testing.assert_array_equal(half_up(values, 2), [62.51, 62.52, 0.13, -0.13, 2.5, 1.01, 0.01, NAN, 0.0])
    assert not np.signbit(half_up(np.array([-0.001]), 2))[0]
    assert half_up(np.array([0.9585]), 3)[0] == 0.959
    assert half_up(np.array([62.5049999]), 2)[0] == 62.5


@given(st.decimals(min_value=-10_000, max_value=10_000, places=6), st.integers(0, 5))
def test_rounding_is_that_of_decimal_arithmetic(number: object, decimals: int) -> None:
    from decimal import ROUND_HALF_UP, Decimal

    assert isinstance(number, Decimal)
    expected = float(number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
    assert half_up(np.array([float(number)]), decimals)[0] == expected


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        ("min", [2, 1, 2, NAN, 4]),
        ("max", [3, 1, 3, NAN, 4]),
        ("average", [2.5, 1, 2.5, NAN, 4]),
        ("dense", [2, 1, 2, NAN, 3]),
    ],
)
def test_what_ties_share(ties: str, expected: list[float]) -> None:
    np.testing.assert_array_equal(ranks(np.array([5.0, 9.0, 5.0, NAN, 1.0]), ties=ties), expected)  # type: ignore[arg-type]


def test_settling_removes_the_noise_of_a_sum_and_nothing_else() -> None:
    a, b = settled(np.array([0.1 + 0.2, 0.3]))
    assert a == b
    c, d = settled(np.array([1.0, 1.0 + 1e-11]))
    assert c != d
    np.testing.assert_array_equal(settled(np.array([0.0, NAN])), [0.0, NAN])


# ---------------------------------------------------------------------------------------- denominate, impute, screen


def test_denominating_divides_and_keeps_what_is_missing_missing() -> None:
    two = Framework(
        "meta.csv",
        (Node("I1", 1, 1, 1.0, "T", None, "Pop"), Node("I2", 1, 1, 1.0, "T")),
        (Node("T", 2, 1, None, None),),
    )
    units = Dataset(
        "data.csv",
        ("U1", "U2", "U3"),
        np.array([[6.0, 7.0], [5.0, 8.0], [NAN, 9.0]]),
        {"Pop": np.array([3.0, NAN, 0.0])},
        {},
    )
    np.testing.assert_array_equal(prepare.denominate(units, two), [[2, 7], [NAN, 8], [NAN, 9]])
    units.values[2, 0] = 1
    with pytest.raises(BadInputError, match="denominator of I1 is 0 for U3"):
        prepare.denominate(units, two)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Impute("mean"), [[1, 5], [2, 5], [9, 5], [4, 5]]),
        (Impute("median"), [[1, 5], [2, 5], [9, 5], [2, 5]]),
        (Impute("group_mean", "G"), [[1, 5], [2, 5], [9, NAN], [9, NAN]]),
        (Impute("group_median", "G"), [[1, 5], [2, 5], [9, NAN], [9, NAN]]),
        (Impute(), [[1, 5], [2, NAN], [9, NAN], [NAN, NAN]]),
    ],
)
def test_imputing_fills_from_the_column_or_the_group(how: Impute, expected: list[list[float]]) -> None:
    units = dataset([[1, 5], [2, NAN], [9, NAN], [NAN, NAN]], G=("a", "a", "b", "b"))
    np.testing.assert_array_equal(prepare.impute(units.values, how, units), expected)


def test_imputing_refuses_an_unknown_group_column_and_a_unit_without_group() -> None:
    units = dataset([[1.0], [NAN]], G=("a", ""))
    with pytest.raises(BadInputError, match="group column `H` is missing"):
        prepare.impute(units.values, Impute("group_mean", "H"), units)
    with pytest.raises(BadInputError, match="U2 has no group"):
        prepare.impute(units.values, Impute("group_mean", "G"), units)


def test_screening_keeps_who_is_exactly_at_the_threshold() -> None:
    values = np.array([[1.0] * 9 + [NAN], [1.0] * 8 + [NAN] * 2, [0.0] * 5 + [1.0] * 5, [0.0] * 6 + [1.0] * 4])
    assert prepare.screen(values, Screen(0.9, 0)).tolist() == [True, False, True, True]
    assert prepare.screen(values, Screen(0, 0.5)).tolist() == [True, True, True, False]
    assert prepare.screen(np.full((1, 3), NAN), Screen(0.1, 0.5)).tolist() == [False]
    assert prepare.screen(np.array([[1.0] * 27 + [NAN] * 3]), Screen(0.9)).tolist() == [True]


# ------------------------------------------------------------------------------------------------------------- treat


def test_skewness_and_kurtosis_are_those_of_a_spreadsheet() -> None:
    x = np.array([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, NAN])
    # SKEW() and KURT() of the eight values, by their definitions
    n, mean = 8, 5.0
    s = math.sqrt(32 / 7)
    cubes = sum(((v - mean) / s) ** 3 for v in x[:-1])
    fourths = sum(((v - mean) / s) ** 4 for v in x[:-1])
    assert skewness(x) == pytest.approx(n / ((n - 1) * (n - 2)) * cubes, rel=1e-14)
    expected = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * fourths - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    assert kurtosis(x) == pytest.approx(expected, rel=1e-14)
    assert skewness(np.array([1.0, 2.0])) is None and kurtosis(np.array([1.0, 2.0, 4.0])) is None
    assert skewness(np.full(9, 3.0)) is None and kurtosis(np.full(9, 3.0)) is None


@pytest.mark.parametrize("factor", [2.0**-900, 2.0**900])
def test_skewness_and_kurtosis_have_no_scale_however_large_or_small_numbers_are(factor: float) -> None:
    x = np.array([1.0, 2.0, 4.0, 9.0, 30.0])
    assert skewness(x * factor) == skewness(x) and kurtosis(x * factor) == kurtosis(x)


def test_a_column_that_passes_is_not_touched() -> None:
    x = np.arange(12.0)[:, None]
    treated, (row,), points = treat(x, Treat())
    np.testing.assert_array_equal(treated, x)
    assert (row.passed, row.points, row.transformation, row.passed_after) == (True, 0, "none", True)
    assert not points.any() and row.skew_after == row.skew_before


def test_one_outlier_is_moved_to_the_next_value_at_its_own_end() -> None:
    high = np.append(np.arange(1.0, 11.0), 1000.0)
    treated, (row, _), points = treat(np.column_stack([high, -high]), Treat())
    assert treated[-1].tolist() == [10.0, -10.0]
    np.testing.assert_array_equal(treated[:-1, 0], high[:-1])
    assert points[-1].tolist() == [1, -1] and row.points == 1 and row.passed is False and row.passed_after is True


def test_equal_outliers_move_together_and_the_limit_stops() -> None:
    x = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 500, 500, 900, NAN])[:, None]
    treated, (row,), points = treat(x, Treat(skew=0.1, kurtosis=-5, max_winsorised=2))
    # 900 → 500 is one point; then the three 500s go to 16 together: three points, over the limit by the tie
    assert row.points == 3 and treated[16:19, 0].tolist() == [16, 16, 16]
    assert points[16:19, 0].tolist() == [1, 1, 1] and np.isnan(treated[19, 0])


def test_what_winsorising_does_not_help_is_transformed_from_the_original() -> None:
    x = np.append(np.arange(20.0) / 10, [500.0, 600.0])[:, None]
    treated, (row,), points = treat(x, Treat(max_winsorised=1, then="log_ct"))
    low, high = x.min(), x.max()
    np.testing.assert_allclose(treated, np.log(x - low + 0.01 * (high - low)), rtol=1e-15)
    assert row.transformation == "log_ct" and row.points == 0 and not points.any()
    untreated, (row,), points = treat(x, Treat(max_winsorised=1, then="none"))
    assert row.transformation == "none" and row.points == 1 and row.passed_after is False
    assert untreated[-1, 0] == x[-2, 0]


def test_log_ct_plus_turns_with_the_skew() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0, 50.0])
    up, name = transform(x, "log_ct_plus")
    np.testing.assert_allclose(up, np.log(x + 0.5))
    assert name == "log_ct"
    down, name = transform(-x, "log_ct_plus")
    np.testing.assert_allclose(down, -np.log(x + 0.5))
    assert name == "log_ct_neg"
    assert np.all(np.diff(down[::-1]) > 0)


def test_boxcox_finds_the_power_that_scipy_finds() -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.Generator(np.random.PCG64(5))
    for x in (
        np.exp(generator.standard_normal(60)),
        generator.random(40) + 0.5,
        generator.standard_normal(50) ** 4 + 1,
    ):
        expected, power = stats.boxcox(x)
        assert boxcox_lambda(x) == pytest.approx(power, abs=1e-4)
        np.testing.assert_allclose(transform(x, "boxcox")[0], expected, rtol=1e-3, atol=1e-3)
    shifted = generator.standard_normal(30)
    moved, name = transform(np.append(shifted, NAN), "boxcox")
    np.testing.assert_allclose(moved[:-1], stats.boxcox(shifted - shifted.min() + 1)[0], rtol=1e-3, atol=1e-3)
    assert name == "boxcox" and np.isnan(moved[-1])


# --------------------------------------------------------------------------------------------------------- normalise

X = [10.0, 20.0, NAN, 50.0]


@pytest.mark.parametrize(
    ("method", "up", "down"),
    [
        ("none", X, X),
        ("minmax", [0, 25, NAN, 100], [100, 75, NAN, 0]),
        ({"method": "minmax", "lower": 1, "upper": 9}, [1, 3, NAN, 9], [9, 7, NAN, 1]),
        ("dist2max", [0, 0.25, NAN, 1], [1, 0.75, NAN, 0]),
        ("fracmax", [0.2, 0.4, NAN, 1], [1, 2, NAN, 5]),
        ("rank", [1, 2, NAN, 3], [3, 2, NAN, 1]),
        ("borda", [0, 1, NAN, 2], [2, 1, NAN, 0]),
        ("prank", [0, 0.5, NAN, 1], [1, 0.5, NAN, 0]),
        ({"method": "scaled", "lower": 0, "upper": 200}, [5, 10, NAN, 25], [-5, -10, NAN, -25]),
        ({"method": "dist2ref", "unit": "U2"}, [0, 1, NAN, 1], [1, 1, NAN, 0]),
        ({"method": "dist2ref", "unit": "U2", "cap": False}, [0, 1, NAN, 4], [4 / 3, 1, NAN, 0]),
        ({"method": "dist2ref", "unit": "U4"}, [0, 0.25, NAN, 1], [1, 1, NAN, 1]),
        ("dist2target", [0, 1 / 3, NAN, 1], [1, 1, NAN, 0]),
        ({"method": "dist2target", "cap": False}, [0, 1 / 3, NAN, 4 / 3], [4, 3, NAN, 0]),
        (
            {"method": "goalposts", "bounds": {"I1": [20, 40], "I2": [20, 40]}},
            [0, 0, NAN, 100],
            [100, 100, NAN, 0],
        ),
        (
            {"method": "goalposts", "bounds": {"I1": [20, 40], "I2": [20, 40]}, "clip": False, "lower": 0, "upper": 10},
            [-5, 0, NAN, 15],
            [15, 10, NAN, -5],
        ),
    ],
)
def test_every_normalisation_in_both_directions(method: object, up: list[float], down: list[float]) -> None:
    how = parse({"normalise": method}).normalise
    values = np.column_stack([X, X])
    result = normalise(values, framework((1, -1), (40.0, 40.0)), ("U1", "U2", "U3", "U4"), how)
    np.testing.assert_allclose(result, np.column_stack([up, down]), rtol=1e-14, atol=1e-14, equal_nan=True)


def test_zscore_has_the_mean_and_the_deviation_asked_for() -> None:
    values = np.array([[2.0], [4.0], [NAN], [9.0]])
    result = normalise(values, framework((-1,)), ("a", "b", "c", "d"), parse({"normalise": "zscore"}).normalise)
    np.testing.assert_allclose(result[:, 0], [3 / 13**0.5, 1 / 13**0.5, NAN, -4 / 13**0.5], equal_nan=True)
    how = parse({"normalise": {"method": "zscore", "mean": 100, "sd": 15}}).normalise
    known = normalise(values, framework(), ("a", "b", "c", "d"), how)[[0, 1, 3], 0]
    assert known.mean() == pytest.approx(100) and known.std(ddof=1) == pytest.approx(15)


def test_ties_share_the_lowest_place_when_normalised_by_rank() -> None:
    values = np.array([[5.0], [7.0], [5.0], [9.0]])
    for method, expected in (("rank", [1, 3, 1, 4]), ("borda", [0, 2, 0, 3]), ("prank", [0, 2 / 3, 0, 1])):
        result = normalise(values, framework(), ("a", "b", "c", "d"), parse({"normalise": method}).normalise)
        np.testing.assert_allclose(result[:, 0], expected)


@pytest.mark.parametrize(
    ("method", "values", "rule"),
    [
        ("minmax", [3.0, 3.0], "constant"),
        ("zscore", [3.0, 3.0], "constant"),
        ("dist2max", [3.0, 3.0], "constant"),
        ("prank", [3.0, NAN], "constant"),
        ("fracmax", [0.0, -1.0], "constant"),
        ("dist2target", [1.0, 2.0], "target"),
        ({"method": "dist2ref", "unit": "U9"}, [1.0, 2.0], "unit"),
        ({"method": "dist2ref", "unit": "U2"}, [1.0, NAN], "unit"),
        ({"method": "dist2ref", "unit": "U1", "cap": False}, [1.0, 2.0], "goal"),
        ({"method": "goalposts", "bounds": {"I9": [0, 1]}}, [1.0, 2.0], "bounds"),
    ],
)
def test_what_cannot_be_normalised_is_refused_by_name(method: object, values: list[float], rule: str) -> None:
    with pytest.raises(BadInputError) as caught:
        normalise(np.array(values)[:, None], framework(), ("U1", "U2"), parse({"normalise": method}).normalise)
    assert caught.value.why == f"score.normalise.{rule}"


def test_a_column_without_any_value_stays_missing() -> None:
    result = normalise(np.full((2, 1), NAN), framework(), ("a", "b"), parse({"normalise": "minmax"}).normalise)
    assert np.isnan(result).all()


def test_fracmax_warns_where_it_turns_the_order_round() -> None:
    index = run(
        dataset([[1.0, 2.0], [4.0, 5.0]]),
        framework((1, -1)),
        parse({"normalise": "fracmax", "aggregate": "arithmetic"}),
    )
    assert index.warnings == ["fracmax turns the order round, the largest value being negative: I2"]


# --------------------------------------------------------------------------------------------------------- aggregate


def means(values: list[list[float]], weights: tuple[float, ...], rule: Aggregate) -> list[float]:
    tree = framework((1,) * len(weights), weights=weights)
    units = tuple(f"U{row}" for row in range(len(values)))
    result = aggregate(tree, np.array(values), weights_of(tree, {2: rule})[None, :], {2: rule}, units)[-1]
    return [float(number) for number in result[0]]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Aggregate("arithmetic"), [(2 + 3 * 8) / 4, 8.0, NAN, 3.0]),
        (Aggregate("arithmetic", weights="equal"), [5.0, 8.0, NAN, 2.0]),
        (Aggregate("geometric"), [(2 * 8**3) ** 0.25, 8.0, NAN, REFUSED]),
        (Aggregate("harmonic"), [4 / (1 / 2 + 3 / 8), 8.0, NAN, REFUSED]),
        (Aggregate("power", p=2), [((4 + 3 * 64) / 4) ** 0.5, 8.0, NAN, (3 * 16 / 4) ** 0.5]),
        (Aggregate("power", p=-2), [((1 / 4 + 3 / 64) / 4) ** -0.5, 8.0, NAN, REFUSED]),
        (Aggregate("power", p=1), [6.5, 8.0, NAN, 3.0]),
        (Aggregate("arithmetic", min_share=0.75), [6.5, 8.0, NAN, 3.0]),
        (Aggregate("arithmetic", min_share=0.750001), [6.5, NAN, NAN, 3.0]),
    ],
)
def test_every_mean_with_missing_values_and_zeros(rule: Aggregate, expected: list[float]) -> None:
    values = [[2.0, 8.0], [NAN, 8.0], [NAN, NAN], [0.0, 4.0]]
    if expected[-1] == REFUSED:
        with pytest.raises(BadInputError, match="needs positive numbers, but I1 of U3 is 0"):
            means(values, (1.0, 3.0), rule)
        values, expected = values[:-1], expected[:-1]
    np.testing.assert_allclose(means(values, (1.0, 3.0), rule), expected, rtol=1e-14)


def test_an_indicator_without_weight_does_not_count_also_when_it_is_0() -> None:
    for method in ("geometric", "harmonic"):
        assert means([[0.0, 4.0]], (0.0, 2.0), Aggregate(method)) == [pytest.approx(4.0)]
    assert np.isnan(means([[3.0, NAN]], (0.0, 2.0), Aggregate("arithmetic"))).all()


def test_copeland_counts_who_outranks_whom() -> None:
    # weights 2 1 1. A beats B on the first (2 of 4) and loses two: o = ½, undecided. A–C: 2 + ½ = 2.5 of 4, A wins.
    # B–C: loses the first, wins the others: o = ½.
    values = [[9.0, 1.0, 5.0], [1.0, 2.0, 6.0], [5.0, 1.0, 5.0]]
    assert means(values, (2.0, 1.0, 1.0), Aggregate("copeland")) == [1.0, 0.0, -1.0]
    # by equal weights B beats both 2 : 1, and A beats C 2 : 1 with ties counted half
    assert means(values, (2.0, 1.0, 1.0), Aggregate("copeland", weights="equal")) == [0.0, 2.0, -2.0]


def test_copeland_compares_over_what_both_have_and_leaves_out_who_has_too_little() -> None:
    values = [[9.0, NAN], [5.0, 1.0], [NAN, 7.0], [NAN, NAN]]
    # U0–U1 by the first only, U1–U2 by the second only, U0–U2 share nothing; U3 has nothing and counts for nobody
    np.testing.assert_array_equal(means(values, (1.0, 1.0), Aggregate("copeland")), [1, -2, 1, NAN])
    least = Aggregate("copeland", min_share=0.6)
    np.testing.assert_array_equal(means(values, (1.0, 1.0), least), [NAN, 0, NAN, NAN])
    # halves of weights that binary cannot hold are halves all the same
    assert means([[2.0, 1.0, 1.0], [1.0, 2.0, 2.0]], (0.3, 0.1, 0.2), Aggregate("copeland")) == [0.0, 0.0]


@pytest.mark.parametrize("method", ["geometric", "harmonic", "power"])
def test_a_mean_of_positive_numbers_refuses_a_negative_one(method: str) -> None:
    with pytest.raises(BadInputError, match="I2 of U1 is -1"):
        means([[1.0, 1.0], [1.0, -1.0]], (1.0, 1.0), Aggregate(method, p=2))


def three_levels() -> Framework:
    """T (3) over A (2) with I1, I2, and over I3 directly."""
    return Framework(
        "meta.csv",
        (Node("I1", 1, 1, 1.0, "A"), Node("I2", 1, 1, 3.0, "A"), Node("I3", 1, 1, 1.0, "T")),
        (Node("A", 2, 1, 3.0, "T"), Node("T", 3, 1, None, None)),
    )


def test_an_indicator_may_hang_directly_below_level_3_and_every_level_has_its_rule() -> None:
    tree = three_levels()
    index = run(
        dataset([[4.0, 8.0, 2.0], [NAN, 1.0, 9.0]]),
        tree,
        parse({"aggregate": ["arithmetic", {"method": "geometric", "weights": "equal"}]}),
    )
    np.testing.assert_allclose(index.scores[:, 3], [7.0, 1.0])
    np.testing.assert_allclose(index.scores[:, 4], [14**0.5, 3.0])
    np.testing.assert_array_equal(index.ranks[:, -1], [1, 2])
    np.testing.assert_allclose(index.effective_weights, [0.125, 0.375, 0.5, 0.5, 1.0])
    same = parse({"aggregate": {"method": ["arithmetic", "geometric"]}})
    assert [rule.method for rule in same.aggregate] == ["arithmetic", "geometric"]
    np.testing.assert_allclose(run(dataset([[4.0, 8.0, 2.0]]), tree, same).scores[0, 4], (7**3 * 2) ** 0.25)


def test_min_share_is_tested_at_every_level() -> None:
    rows = dataset([[4.0, NAN, 2.0], [NAN, 8.0, NAN], [4.0, 8.0, NAN]])
    index = run(rows, three_levels(), parse({"aggregate": {"method": "arithmetic", "min_share": 0.75}}))
    # U1: a quarter of A, so no A, so a quarter of T. U2: three quarters of A, three quarters of T.
    np.testing.assert_array_equal(index.scores[:, 3:], [[NAN, NAN], [8, 8], [7, 7]])


def test_rules_have_to_be_one_or_as_many_as_levels() -> None:
    rule = Aggregate("arithmetic")
    with pytest.raises(BadInputError, match="3 aggregation rules for 2 levels"):
        rules_per_level(three_levels(), [rule] * 3, "method.yaml")


def test_a_missing_weight_is_refused_unless_weights_are_equal() -> None:
    tree = Framework("meta.csv", (Node("I1", 1, 1, None, "T"),), (Node("T", 2, 1, None, None),))
    with pytest.raises(BadInputError, match="I1 has no weight"):
        weights_of(tree, {2: Aggregate("arithmetic")})
    assert weights_of(tree, {2: Aggregate("arithmetic", weights="equal")}).tolist() == [1.0, 1.0]


def test_decimals_round_what_is_ranked_and_printed_but_not_what_is_passed_up() -> None:
    rows = dataset([[0.5, 0.5, 0.0], [0.4, 0.4, 0.25]])
    index = run(
        rows,
        three_levels(),
        parse({"aggregate": {"method": "arithmetic", "weights": "equal"}, "rank": {"decimals": 0}}),
    )
    # A: 0.5 → 1, 0.4 → 0. T: 0.25 and 0.325 from the unrounded A, both 0 and tied.
    np.testing.assert_array_equal(index.scores[:, 3:], [[1, 0], [0, 0]])
    np.testing.assert_array_equal(index.ranks[:, 3:], [[1, 1], [2, 1]])
    np.testing.assert_array_equal(index.scores[:, :3], rows.values)


def test_without_decimals_units_with_the_same_data_are_tied_whatever_their_place() -> None:
    generator = np.random.Generator(np.random.PCG64(2))
    row = generator.random(7)
    values = np.vstack([row, generator.random((20, 7)), row])
    index = run(
        Dataset("d", tuple(map(str, range(22))), values, {}, {}), framework((1,) * 7), parse({"aggregate": "geometric"})
    )
    assert index.ranks[0, -1] == index.ranks[-1, -1]


def test_screened_units_are_named_and_leave_before_treatment() -> None:
    rows = dataset([[1.0, NAN], [2.0, 3.0], [4.0, 5.0]])
    index = run(rows, framework((1, 1)), parse({"screen": {"min_availability": 1}, "aggregate": "arithmetic"}))
    assert index.kept == ("U2", "U3") and index.warnings == ["screened out: U1"]
    assert index.treated.shape == (2, 2) and index.imputed.shape == (3, 2)
    with pytest.raises(BadInputError, match="No unit has enough data"):
        run(dataset([[NAN, NAN]]), framework((1, 1)), parse({"screen": {"min_availability": 0.5}}))


def test_without_aggregation_the_indicators_are_the_scores() -> None:
    index = run(dataset([[1.0, 2.0], [3.0, 1.0]]), framework((1, -1)), parse({"normalise": "rank"}))
    np.testing.assert_array_equal(index.scores, [[1, 1], [2, 2]])
    np.testing.assert_array_equal(index.ranks, [[2, 2], [1, 1]])


# -------------------------------------------------------------------------------------------------------- properties

COLUMN = arrays(np.float64, (9, 3), elements=st.integers(-1000, 1000).map(lambda number: number / 8), unique=True)
METHODS = st.sampled_from(["minmax", "zscore", "dist2max", "rank", "prank", "borda"])
AGGREGATIONS = st.sampled_from(["arithmetic", "copeland"])


@settings(max_examples=40, deadline=None)
@given(COLUMN, METHODS, AGGREGATIONS, st.permutations(range(9)))
def test_the_order_of_units_does_not_matter(x: np.ndarray, scale: str, means: str, order: list[int]) -> None:
    tree = framework((1, -1, 1), weights=(1.0, 2.0, 4.0))
    method = parse({"treat": {"then": "log_ct"}, "normalise": scale, "aggregate": means, "rank": {"decimals": 6}})
    units = tuple(f"U{row}" for row in range(9))
    one = run(Dataset("d", units, x, {}, {}), tree, method)
    other = run(Dataset("d", tuple(units[row] for row in order), x[order], {}, {}), tree, method)
    np.testing.assert_allclose(other.scores, one.scores[order], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(other.ranks[:, -1], one.ranks[order, -1])


@settings(max_examples=40, deadline=None)
@given(COLUMN, st.sampled_from(["minmax", "zscore", "dist2max", "prank"]), st.floats(0.1, 10), st.floats(-50, 50))
def test_units_of_measurement_do_not_matter(x: np.ndarray, scale: str, factor: float, shift: float) -> None:
    how = parse({"normalise": scale}).normalise
    units = tuple(map(str, range(9)))
    one = normalise(x, framework((1, 1, -1)), units, how)
    other = normalise(x * factor + shift, framework((1, 1, -1)), units, how)
    np.testing.assert_allclose(other, one, rtol=1e-7, atol=1e-7)


@given(st.lists(st.floats(0.01, 100), min_size=7, max_size=7))
def test_effective_weights_of_a_level_add_up_to_one(weights: list[float]) -> None:
    tree = Framework(
        "meta.csv",
        tuple(Node(f"I{place}", 1, 1, weight, "AB"[place % 2]) for place, weight in enumerate(weights[:5])),
        (Node("A", 2, 1, weights[5], "T"), Node("B", 2, 1, weights[6], "T"), Node("T", 3, 1, None, None)),
    )
    rules = rules_per_level(tree, [Aggregate("arithmetic")], "m")
    effective = effective_weights(tree, weights_of(tree, rules))
    assert effective[:5].sum() == pytest.approx(1) and effective[5:7].sum() == pytest.approx(1) and effective[7] == 1


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, (6, 3), elements=st.floats(0.01, 100)), st.lists(st.floats(0.1, 10), min_size=3, max_size=3))
def test_means_lie_between_their_parts_and_in_their_order(x: np.ndarray, weights: list[float]) -> None:
    rows, given_weights = [list(map(float, row)) for row in x], tuple(weights)
    rules = [Aggregate("harmonic"), Aggregate("geometric"), Aggregate("arithmetic"), Aggregate("power", p=3)]
    in_order = np.array([means(rows, given_weights, rule) for rule in rules])
    assert np.all(np.diff(in_order, axis=0) >= -1e-9 * in_order.max())
    assert np.all(in_order >= x.min(axis=1) * (1 - 1e-9)) and np.all(in_order <= x.max(axis=1) * (1 + 1e-9))
