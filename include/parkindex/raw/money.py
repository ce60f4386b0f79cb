"""Amounts written as texts: "2,000(万元人民币)", "1.5亿人民币", "(万 德国马克)" … to an exact amount and its currency.

Only what is exact has an amount: "数千万人民币" (tens of millions), "未透露" (undisclosed) and an amount without a
currency have none. ISO 4217 codes; currencies that are gone keep the codes they had. Assumed: 元 alone is the yuan,
since registration texts of the mainland leave it out.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

import polars as pl

CURRENCIES = {
    "人民币": "CNY",
    "元": "CNY",
    "元人民币": "CNY",
    "人民币元": "CNY",
    "美元": "USD",
    "美金": "USD",
    "日元": "JPY",
    "日圆": "JPY",
    "欧元": "EUR",
    "港元": "HKD",
    "港币": "HKD",
    "香港元": "HKD",
    "英镑": "GBP",
    "瑞士法郎": "CHF",
    "加元": "CAD",
    "加拿大元": "CAD",
    "澳元": "AUD",
    "澳大利亚元": "AUD",
    "新西兰元": "NZD",
    "新加坡元": "SGD",
    "新币": "SGD",
    "台币": "TWD",
    "新台币": "TWD",
    "澳门元": "MOP",
    "韩元": "KRW",
    "韩国元": "KRW",
    "瑞典克朗": "SEK",
    "丹麦克朗": "DKK",
    "挪威克朗": "NOK",
    "卢布": "RUB",
    "俄罗斯卢布": "RUB",
    "卢比": "INR",
    "印度卢比": "INR",
    "泰铢": "THB",
    "马来西亚林吉特": "MYR",
    "德国马克": "DEM",
    "法国法郎": "FRF",
    "意大利里拉": "ITL",
    "荷兰盾": "NLG",
    "比利时法郎": "BEF",
    "奥地利先令": "ATS",
    "西班牙比塞塔": "ESP",
    "芬兰马克": "FIM",
}
# First and last day of currencies that have one (Council Regulation (EC) 974/98; legal tender until 28 February 2002 at
# the latest; the mark ended with 2001, amounts in it were written until the euro's coins came).
_EURO_COINS = date(2002, 2, 28)
LIFETIMES: dict[str, tuple[date | None, date | None]] = {
    "EUR": (date(1999, 1, 1), None),
    **dict.fromkeys(("DEM", "FRF", "ITL", "NLG", "BEF", "ATS", "ESP", "FIM"), (None, _EURO_COINS)),
}
_UNITS = {"": 1, "千": 10**3, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8, "万亿": 10**12}
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_UNIT = "|".join(sorted(filter(None, _UNITS), key=len, reverse=True))
_CURRENCY = "|".join(sorted(CURRENCIES, key=len, reverse=True))
_MONEY = re.compile(rf"({_NUMBER})(?:\(({_UNIT})?({_CURRENCY})\)|({_UNIT})?({_CURRENCY}))")
_MOST = Decimal(10) ** 20  # numeric(24,4)


def parse(text: str) -> tuple[Decimal, str] | None:
    """Return amount (in currency units) and ISO code of a text, or None when it is not exact.

    Blanks do not matter, nor does the width of characters.
    """
    compact = "".join(unicodedata.normalize("NFKC", text).split())
    found = _MONEY.fullmatch(compact)
    if found is None:
        return None
    number, *rest = found.groups()
    unit, currency = (rest[0] or rest[2] or ""), (rest[1] or rest[3])
    amount = Decimal(number.replace(",", "")) * _UNITS[unit]
    if amount >= _MOST:
        return None
    kept = amount.quantize(Decimal("0.0001"))
    return (kept, CURRENCIES[currency]) if kept == amount else None


def parsed(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Parse a column: amounts as decimal texts, and ISO codes; both null where a text is not exact.

    Texts of amounts repeat a lot, so each distinct one is parsed once.
    """
    distinct = texts.drop_nulls().unique().to_list()
    results = {text: parse(text) for text in distinct}
    amounts = {text: format(result[0], "f") for text, result in results.items() if result}
    codes = {text: result[1] for text, result in results.items() if result}
    return (
        texts.replace_strict(amounts, default=None, return_dtype=pl.String) if amounts else _nothing(len(texts)),
        texts.replace_strict(codes, default=None, return_dtype=pl.String) if codes else _nothing(len(texts)),
    )


def out_of_time(currencies: pl.Series, days: pl.Series) -> pl.Series:
    """Return where a currency did not exist on a day; false where either is not known."""
    frame = pl.DataFrame({"currency": currencies, "day": days})
    wrong = pl.lit(value=False)
    for code, (first, last) in LIFETIMES.items():
        here = pl.col("currency") == code
        if first is not None:
            wrong = wrong | (here & (pl.col("day") < first))
        if last is not None:
            wrong = wrong | (here & (pl.col("day") > last))
    return frame.select(wrong.fill_null(value=False).alias("wrong")).to_series()


def _nothing(height: int) -> pl.Series:
    return pl.Series([None] * height, dtype=pl.String)
