"""Text as keys: one normalisation, used at landing and nowhere else.

A match key is what two spellings of one name share. It is computed once per row, vectorised, when a file is loaded;
the original text stands beside it.
"""

from __future__ import annotations

import polars as pl

# Zero-width and directional marks that copy-and-paste leaves in names, and all blanks.
_INVISIBLE = r"[\s\u00a0\u200b-\u200f\u202a-\u202e\u2060\ufeff]+"
_MASK = "＊"


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


def key_of(kind: str, text: str) -> str:
    """Return the key of one text, by the same expressions. ``kind`` is a name in ``KEY_FUNCTIONS``."""
    frame = pl.DataFrame({"text": [text]}).select(KEY_FUNCTIONS[kind](pl.col("text")))
    return str(frame.item())


def masked(value: str | None) -> str:
    """Return a personal value as it may stand in a message: its first character, then a mask."""
    return "" if not value else value[0] + _MASK * 2


def _compact(column: pl.Expr) -> pl.Expr:
    return column.str.normalize("NFKC").str.replace_all(_INVISIBLE, "")
