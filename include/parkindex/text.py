"""Text as keys: one normalisation, for landing and for the names inside a landed list.

A match key is what two spellings of one name share. It is computed once per row, vectorised, when a file is loaded;
the original text stands beside it.
"""

from __future__ import annotations

import polars as pl

# Zero-width and directional marks that copy-and-paste leaves in names, and all blanks.
_INVISIBLE = r"[\s\u00a0\u200b-\u200f\u202a-\u202e\u2060\ufeff]+"
_MASK = "＊"
MASKED = _MASK * 2


def identifier_key(column: pl.Expr) -> pl.Expr:
    """Key of a code: NFKC, no blanks, no hyphens, upper case."""
    return _compact(column).str.replace_all(r"[-‐－]", "").str.to_uppercase()


def name_key(column: pl.Expr) -> pl.Expr:
    """Key of an enterprise name: NFKC (full-width letters and brackets become ASCII), no blanks, lower case."""
    return _compact(column).str.replace_all(r"[〔【\[]", "(").str.replace_all(r"[〕】\]]", ")").str.to_lowercase()


def address_key(column: pl.Expr) -> pl.Expr:
    """Key of an address: as a name's, with every kind of dash made one."""
    return name_key(column).str.replace_all(r"[‐‑–—―－]", "-")


KEY_FUNCTIONS = {"identifier": identifier_key, "name": name_key, "address": address_key}


# Texts that are their own keys: no character of them changes under NFKC, case or bracket. CJK without compatibility
# forms; most codes, names and addresses are of this kind once their full-width brackets are made ASCII.
_OWN_KEY = {
    "identifier": r"^[0-9A-Z]*$",
    "name": "^[0-9a-z()\u4e00-\u9fa5-]*$",
    "address": "^[0-9a-z()\u4e00-\u9fa5-]*$",
}


def keys(kind: str, texts: pl.Series) -> pl.Series:
    """Return the keys of texts; null where there is none.

    The same as the expression of ``KEY_FUNCTIONS``, which only the texts that need it go through.
    """
    rest = ~texts.str.contains(_OWN_KEY[kind]).fill_null(value=True)
    if not rest.any():
        return texts
    keyed = texts.filter(rest)
    if kind != "identifier":
        # Often the brackets are all that changes.
        keyed = keyed.str.replace_many({"（": "(", "）": ")"})
        slow = ~keyed.str.contains(_OWN_KEY[kind])
        if slow.any():
            keyed = keyed.scatter(slow.arg_true(), _slow_keys(kind, keyed.filter(slow)))
    else:
        keyed = _slow_keys(kind, keyed)
    return texts.clone().scatter(rest.arg_true(), keyed)


def _slow_keys(kind: str, texts: pl.Series) -> pl.Series:
    return texts.to_frame("text").select(KEY_FUNCTIONS[kind](pl.col("text"))).to_series()


def key_of(kind: str, text: str) -> str:
    """Return the key of one text, by the same expressions. ``kind`` is a name in ``KEY_FUNCTIONS``."""
    frame = pl.DataFrame({"text": [text]}).select(KEY_FUNCTIONS[kind](pl.col("text")))
    return str(frame.item())


def masked(value: str | None) -> str:
    """Return a personal value as it may stand in a message: its first character, then a mask."""
    return "" if not value else value[0] + MASKED


def _compact(column: pl.Expr) -> pl.Expr:
    return column.str.normalize("NFKC").str.replace_all(_INVISIBLE, "")
