"""Check digits and amounts: against numbers worked by hand and an independent, slow way to compute them."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkindex.raw import codes, geometry, money

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def slow_uscc_check(first: str) -> str:
    """GB 32100-2015, formula of the standard, digit by digit."""
    weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
    rest = sum(ALPHABET.index(char) * weight for char, weight in zip(first, weights, strict=True)) % 31
    return ALPHABET[0 if rest == 0 else 31 - rest]


def slow_application_check(digits: str) -> str:
    weights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]
    rest = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % 11
    return "X" if rest == 10 else str(rest)


def faults(found: dict[str, pl.Series]) -> list[list[str]]:
    """Return the rules broken, row by row."""
    height = len(next(iter(found.values())))
    return [[rule for rule, mask in found.items() if mask[row]] for row in range(height)]


@settings(deadline=None)
@given(
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(ALPHABET, min_size=9, max_size=9),
    st.sampled_from(ALPHABET),
)
def test_a_code_passes_exactly_with_its_check_character(head: str, place: str, body: str, last: str) -> None:
    first = head + place + body
    right = slow_uscc_check(first)
    assert codes.uscc_check_character(first) == right
    found = faults(codes.uscc_faults(pl.Series([first + last, None]), old_numbers_allowed=False))
    assert found == [[] if last == right else ["uscc.check_digit"], []]


@pytest.mark.parametrize(
    ("code", "strict", "lenient"),
    [
        ("310115000123456", ["uscc.old_registration_number"], []),
        ("310115000123457", ["uscc.old_registration_number"], ["uscc.old_number_check_digit"]),
        ("9131011500012345", ["uscc.shape"], ["uscc.shape"]),
        ("91310115I00012345X", ["uscc.shape"], ["uscc.shape"]),
        ("91310115000123456é", ["uscc.shape"], ["uscc.shape"]),
        ("上海某某公司", ["uscc.shape"], ["uscc.shape"]),
    ],
)
def test_what_is_no_code_is_told_apart(code: str, strict: list[str], lenient: list[str]) -> None:
    column = pl.Series([code])
    assert faults(codes.uscc_faults(column, old_numbers_allowed=False)) == [strict]
    assert faults(codes.uscc_faults(column, old_numbers_allowed=True)) == [lenient]


def test_a_column_without_values_breaks_nothing() -> None:
    empty = pl.Series([None, None], dtype=pl.String)
    assert faults(codes.uscc_faults(empty, old_numbers_allowed=False)) == [[], []]
    assert faults(codes.application_number_faults(empty)) == [[], []]
    assert all(len(mask) == 0 for mask in codes.application_number_faults(pl.Series([], dtype=pl.String)).values())


@settings(deadline=None)
@given(st.integers(1985, 2099), st.sampled_from("12389"), st.integers(0, 9_999_999), st.sampled_from("0123456789X"))
def test_an_application_number_passes_exactly_with_its_check_digit(
    year: int, kind: str, serial: int, last: str
) -> None:
    digits = f"{year}{kind}{serial:07}"
    right = slow_application_check(digits)
    written = [f"{digits}.{last}", f"CN{digits}.{last}", f"{digits}{last}"]
    expected = [] if last == right else ["patent.check_digit"]
    assert faults(codes.application_number_faults(pl.Series(written))) == [expected] * 3


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("202011123456", []),  # no check digit
        ("102020001123456", []),  # 15 digits of ST.96
        (f"85100001.{slow_application_check('85100001')}", []),
        ("85100001", []),
        ("ZL85100001", []),
        ("197911123456", ["patent.number_shape"]),  # before there was a patent office
        ("202041123456.7", ["patent.number_shape"]),  # no kind 4
        ("CN111111111A", ["patent.number_shape"]),  # a publication number
        ("202011123456.Y", ["patent.number_shape"]),
        ("20201112345.6.7", ["patent.number_shape"]),
    ],
)
def test_forms_of_application_numbers(number: str, expected: list[str]) -> None:
    assert faults(codes.application_number_faults(pl.Series([number]))) == [expected]


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("2,000(万元人民币)", "20000000", "CNY"),
        ("33（万美元）", "330000", "USD"),
        ("500万人民币", "5000000", "CNY"),
        ("100 (万人民币 )", "1000000", "CNY"),
        ("70(万德国马克)", "700000", "DEM"),
        ("1.5亿人民币", "150000000", "CNY"),
        ("2,741.6000(万元人民币)", "27416000", "CNY"),
        ("300(万日元)", "3000000", "JPY"),
        ("５０万元", "500000", "CNY"),
        ("12.34元", "12.34", "CNY"),
        ("1,234,567.8901港元", "1234567.8901", "HKD"),
    ],
)
def test_exact_amounts(text: str, amount: str, currency: str) -> None:
    assert money.parse(text) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    [
        "数千万人民币",
        "未透露",
        "未透露人民币",
        "30(万)",
        "3.28亿",
        "约100万元",
        "1,00万元",
        "-5万元",
        "万元",
        "",
        "1.23456元",
        "1e5元",
        "100万元 200万美元",
        "9" * 30 + "元",
    ],
)
def test_what_is_not_exact_has_no_amount(text: str) -> None:
    assert money.parse(text) is None


def test_a_column_of_amounts_keeps_its_rows() -> None:
    amounts, currencies = money.parsed(pl.Series(["1万元", None, "数万元", "2(万美元)", "1万元"]))
    assert amounts.to_list() == ["10000.0000", None, None, "20000.0000", "10000.0000"]
    assert currencies.to_list() == ["CNY", None, None, "USD", "CNY"]
    nothing, _ = money.parsed(pl.Series([None, "未透露"], dtype=pl.String))
    assert nothing.to_list() == [None, None]


SQUARE = "[[[121.5,31.2],[121.6,31.2],[121.6,31.3],[121.5,31.3],[121.5,31.2]]]"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (f'{{"type":"Polygon","coordinates":{SQUARE}}}', True),
        (f'{{"type":"MultiPolygon","coordinates":[{SQUARE}]}}', True),
        ('{"type":"Point","coordinates":[121.5,31.2]}', False),
        ('{"type":"Polygon","coordinates":[]}', False),
        ('{"type":"Polygon","coordinates":[[[121.5,31.2],[121.6,31.2]]]}', False),
        ('{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,1],[1,0],[0,0]]]}', False),
        ('{"type":"Polygon","coordinates":[[[31.2,121.5],[31.3,121.5],[31.3,121.6],[31.2,121.5]]]}', False),
        ('{"type":"Polygon","coordinates":[[["a","b"],["c","d"],["e","f"],["a","b"]]]}', False),
        ('{"type":"Polygon"}', False),
        ("null", False),
        ("{", False),
    ],
)
def test_polygons(text: str, good: bool) -> None:
    assert geometry.is_polygon(text) is good
