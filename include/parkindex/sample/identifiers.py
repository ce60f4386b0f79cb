"""Numbers with check digits: unified social credit codes and patent application numbers, whole columns at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# GB 32100-2015: 31 characters, weights 3^i mod 31. GB 11714-1997 for the organisation code inside.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)])
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
# The unified code was introduced on 1 October 2015 (国发〔2015〕33号).
_UNIFIED_SINCE = 16_709
_APPLICATION_WEIGHTS = np.array([2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5])


def unified_codes(districts: NDArray[np.int64], serials: NDArray[np.int64]) -> list[str]:
    """Return enterprise codes (prefix 91) with right check characters.

    Args:
        districts: GB/T 2260 code of the registering authority, shape (n,), six digits.
        serials: Eight-digit body of the organisation code, shape (n,); distinct ones give distinct codes.
    """
    n = len(serials)
    digits = np.empty((n, 17), dtype=np.int64)
    digits[:, 0] = 9
    digits[:, 1] = 1
    digits[:, 2:8] = _digits(districts, 6)
    digits[:, 8:16] = _digits(serials, 8)
    inner = (11 - digits[:, 8:16] @ _ORGANISATION_WEIGHTS % 11) % 11
    # An organisation code ends in 0-9 or X; X is also a character of the outer alphabet.
    digits[:, 16] = np.where(inner == 10, USCC_ALPHABET.index("X"), inner)
    outer = (31 - digits @ _USCC_WEIGHTS % 31) % 31
    return _text(np.column_stack([digits, outer]), USCC_ALPHABET)


def application_numbers(years: NDArray[np.int64], types: NDArray[np.int64], serials: NDArray[np.int64]) -> list[str]:
    """Return CN application numbers ``YYYYTNNNNNNN.C`` with right check digits.

    Args:
        years: Year of filing, shape (n,).
        types: 1 invention, 2 utility model, 3 design.
        serials: Up to seven digits, distinct within a year and type.
    """
    digits = np.column_stack([_digits(years, 4), types, _digits(serials, 7)])
    check = digits @ _APPLICATION_WEIGHTS % 11
    body = _text(digits, "0123456789")
    return [f"{number}.{'X' if c == 10 else c}" for number, c in zip(body, check.tolist(), strict=True)]


def former_numbers(districts: NDArray[np.int64], registered: NDArray[np.int64]) -> list[str]:
    """Return registration numbers of the time before the unified code, by enterprise; empty for younger ones.

    Fifteen digits, the last one a check digit (GS 15-2006: ISO 7064 MOD 11,10).

    Args:
        districts: GB/T 2260 code of the registering authority, shape (n,).
        registered: Day of registration, shape (n,).
    """
    n = len(districts)
    digits = np.column_stack([_digits(districts, 6), _digits(np.arange(n) + 12_345, 8)])
    product = np.full(n, 10)
    for place in range(14):
        summed = (product + digits[:, place]) % 10
        product = np.where(summed == 0, 10, summed) * 2 % 11
    body = _text(np.column_stack([digits, (11 - product) % 10]), "0123456789")
    old = (registered < _UNIFIED_SINCE).tolist()
    return [number if is_old else "" for number, is_old in zip(body, old, strict=True)]


def _digits(numbers: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    return numbers[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10


def _text(indices: NDArray[np.int64], alphabet: str) -> list[str]:
    letters = np.array(list(alphabet), dtype="U1")[indices]
    joined: list[str] = np.ascontiguousarray(letters).view(f"U{letters.shape[1]}").ravel().tolist()
    return joined
