"""Check digits, vectorised: unified social credit codes and Chinese patent application numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

# GB 32100-2015: 31 characters (no I, O, S, V, Z), weights 3^(i-1) mod 31, check value 31 - (sum mod 31).
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)], dtype=np.int64)
_USCC_SHAPE = r"^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$"
_OLD_REGISTRATION = r"^[0-9]{15}$"

# Application numbers (ZC 0006-2003): digits times 2..9,2..5 (2..9 before 2003), sum mod 11, 10 written X.
_APPLICATION_WEIGHTS = np.array([2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5], dtype=np.int64)
_APPLICATION_PREFIX = r"^(CN|ZL)"
# Year of four digits (two before 2003), kind (1 invention, 2 utility model, 3 design, 8 and 9 PCT), serial number.
_YEAR_4 = r"(19(8[5-9]|9[0-9])|20[0-9]{2})"
_YEAR_2 = r"(8[5-9]|9[0-9]|0[0-3])"
_LONG = rf"^{_YEAR_4}[12389][0-9]{{7}}"
_SHORT = rf"^{_YEAR_2}[12389][0-9]{{5}}"
# The 15-digit form of ST.96 ("standard"): kind of two digits, year, serial of nine; it has no check digit.
_STANDARD = rf"^[1-9][0-9]{_YEAR_4}[0-9]{{9}}$"

Masks = dict[str, pl.Series]


def uscc_faults(keys: pl.Series, *, old_numbers_allowed: bool) -> Masks:
    """Find keys that are no unified social credit code.

    Args:
        keys: Identifier keys (NFKC, upper case, no blanks); null where there is no value.
        old_numbers_allowed: Whether a 15-digit registration number of the time before 2015 may stand instead.

    Returns:
        Rule id → mask, one rule at most per row.
    """
    is_old = keys.str.contains(_OLD_REGISTRATION).fill_null(value=False)
    shaped = keys.str.contains(_USCC_SHAPE).fill_null(value=False)
    faults: Masks = {"uscc.shape": keys.is_not_null() & ~shaped & ~is_old}
    if old_numbers_allowed:
        faults["uscc.old_number_check_digit"] = _spread(is_old, _wrong_registration_digit(keys.filter(is_old)))
    else:
        faults["uscc.old_registration_number"] = is_old
    codes = _characters(keys.filter(shaped), 18)
    values = _lookup(USCC_ALPHABET)[codes]
    expected = (31 - (values[:, :17] @ _USCC_WEIGHTS) % 31) % 31
    faults["uscc.check_digit"] = _spread(shaped, expected != values[:, 17])
    return faults


def _wrong_registration_digit(numbers: pl.Series) -> npt.NDArray[np.bool_]:
    """Return which 15-digit numbers have a wrong last digit (GS 15-2006: ISO 7064 MOD 11,10)."""
    digits = _lookup("0123456789")[_characters(numbers, 15)]
    product = np.full(len(numbers), 10)
    for place in range(14):
        total = (product + digits[:, place]) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    return np.asarray((product + digits[:, 14]) % 10 != 1)


def uscc_check_character(first: str) -> str:
    """Return the check character of the first 17 characters of a code.

    Raises:
        ValueError: A character is not in the alphabet.
    """
    total = sum(USCC_ALPHABET.index(char) * int(weight) for char, weight in zip(first, _USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def application_number_faults(keys: pl.Series) -> Masks:
    """Find keys that are no Chinese application number, in any of the forms in use.

    Forms: ``202110991218.8``, ``2021109912188`` or ``202110991218`` (from 2003), ``85100001.X``, ``85100001X`` or
    ``85100001`` (before), each with or without ``CN`` or ``ZL``; ``102021000991218`` (15 digits).

    Args:
        keys: Identifier keys; null where there is no value.

    Returns:
        Rule id → mask, one rule at most per row.
    """
    bare = keys.str.replace(_APPLICATION_PREFIX, "").str.replace(r"\.([0-9X])$", "$1")
    checked = {12: rf"{_LONG}[0-9X]$", 8: rf"{_SHORT}[0-9X]$"}
    unchecked = [rf"{_LONG}$", rf"{_SHORT}$", _STANDARD]
    known = pl.Series([False]).new_from_index(0, len(keys)) if len(keys) else pl.Series([], dtype=pl.Boolean)
    for pattern in unchecked:
        known = known | bare.str.contains(pattern).fill_null(value=False)
    wrong = known & False
    for digits, pattern in checked.items():
        fits = bare.str.contains(pattern).fill_null(value=False)
        known = known | fits
        wrong = wrong | _spread(fits, _wrong_application_digit(bare.filter(fits), digits))
    return {"patent.number_shape": keys.is_not_null() & ~known, "patent.check_digit": wrong}


def _wrong_application_digit(numbers: pl.Series, digits: int) -> npt.NDArray[np.bool_]:
    values = _lookup("0123456789X")[_characters(numbers, digits + 1)]
    expected = (values[:, :digits] @ _APPLICATION_WEIGHTS[:digits]) % 11
    return np.asarray(expected != values[:, digits])


def _characters(texts: pl.Series, width: int) -> npt.NDArray[np.uint8]:
    """Return ASCII texts of one width as a matrix of character codes."""
    joined = "".join(texts.to_list()) if len(texts) < 2 else str(texts.str.join("").item())
    return np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(len(texts), width)


def _lookup(alphabet: str) -> npt.NDArray[np.int64]:
    table = np.zeros(128, dtype=np.int64)
    for value, char in enumerate(alphabet):
        table[ord(char)] = value
    return table


def _spread(where: pl.Series, found: npt.NDArray[np.bool_]) -> pl.Series:
    """Put results for the rows of ``where`` back into the whole column; the others are False."""
    whole = np.zeros(len(where), dtype=bool)
    whole[where.to_numpy()] = found
    return pl.Series(whole)
