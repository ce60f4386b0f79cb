"""Who an unknown name could be: scored candidates for a person to look at. They propose, they never link.

Blocking keeps the work near linear: a name is compared with those registered names only that share its whole brand, a
pair of characters at the beginning of its brand, or brand and trade but for one character; a block that more than
``BLOCK_LIMIT`` registered names share says nothing and is left out. The score is a similarity of texts (rapidfuzz), not
a probability.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process

from parkindex.identity import company_names

# Registered names that may share a block; a name meets at most seven blocks.
BLOCK_LIMIT = 300
# Candidates kept per name, and the least score of one.
KEPT = 5
LEAST_SCORE = 0.6
# A name that is not the registered one, however near, is never sure.
_HIGHEST = 0.99
# Score of a registered name whose brand and trade begin with all that was asked.
_BEGINS_ALIKE = 0.75
_SCHEMA = {"name_key": pl.String, "enterprise_id_uscc": pl.String, "registered_key": pl.String, "score": pl.Float64}


def propose(asked: pl.Series, registered: pl.DataFrame) -> pl.DataFrame:
    """Return the best candidates of names.

    Args:
        asked: Match keys that lead to nobody, distinct.
        registered: Columns ``name_key`` and ``enterprise_id_uscc``, one row per name an enterprise ever had.

    Returns:
        Columns ``name_key, enterprise_id_uscc, registered_key, score`` (0 to 0.99, four decimals), at most ``KEPT``
        enterprises per name, ordered by name, then score downwards, then USCC.
    """
    if not len(asked) or not registered.height:
        return pl.DataFrame(schema=_SCHEMA)
    questions = _parts(asked.rename("name_key").to_frame())
    known = _parts(registered)
    pairs = _pairs(questions, known)
    if not pairs.height:
        return pl.DataFrame(schema=_SCHEMA)
    scored = pairs.with_columns(score=pl.Series(_scores(pairs)))
    best = (
        scored.filter(pl.col("score") >= LEAST_SCORE)
        .sort("name_key", "enterprise_id_uscc", "score", "registered_key", descending=[False, False, True, False])
        .unique(["name_key", "enterprise_id_uscc"], keep="first", maintain_order=True)
        .sort("name_key", "score", "enterprise_id_uscc", descending=[False, True, False])
    )
    return best.group_by("name_key", maintain_order=True).head(KEPT).select(list(_SCHEMA))


def _parts(names: pl.DataFrame) -> pl.DataFrame:
    named = names.with_columns(canonical=company_names.canonical(pl.col("name_key")))
    cored = named.with_columns(core=company_names.core(pl.col("canonical")))
    return cored.with_columns(brand=company_names.brand(pl.col("core"))).with_row_index("row")


def _blocks(parts: pl.DataFrame) -> pl.DataFrame:
    """Return (row, block): the brand whole, its first pairs of characters, the core without one of its first three."""
    brand, core = pl.col("brand"), pl.col("core")
    pairs = [brand.str.slice(place, 2) for place in range(3)]
    shorter = [pl.lit("-") + core.str.slice(0, place) + core.str.slice(place + 1) for place in range(3)]
    blocks = [
        pl.lit("=") + brand,
        *(pl.when(pair.str.len_chars() == 2).then(pair) for pair in pairs),
        *(pl.when(core.str.len_chars() > 3).then(one) for one in shorter),
    ]
    return (
        parts.select("row", block=pl.concat_list(blocks).list.unique()).explode("block").filter(pl.col("block") != "")
    )


def _pairs(questions: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    asked_blocks = _blocks(questions)
    wanted = asked_blocks.select("block").unique()
    held = _blocks(known).join(wanted, on="block", how="semi")
    rare = held.group_by("block").len().filter(pl.col("len") <= BLOCK_LIMIT).select("block")
    meeting = (
        asked_blocks.join(held.join(rare, on="block", how="semi"), on="block", suffix="_known")
        .select("row", "row_known")
        .unique()
        .sort("row", "row_known")
    )
    return (
        meeting.join(questions, on="row")
        .join(known.rename({"row": "row_known"}), on="row_known", suffix="_known")
        .rename({"name_key_known": "registered_key"})
    )


def _scores(pairs: pl.DataFrame) -> list[float]:
    """Score pairs: alike as a whole, alike in brand and trade, or a brand that the registered brand begins with."""

    def similarity(column: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        ones, others = pairs[column].to_list(), pairs[f"{column}_known"].to_list()
        return process.cpdist(ones, others, scorer=fuzz.ratio, dtype=np.float64, workers=1) / 100

    whole, core, brand = similarity("canonical"), similarity("core"), similarity("brand")
    # A mention by brand alone shares nothing but the brand: then that decides, and stays a doubt.
    begins = np.array(
        [known.startswith(asked) for asked, known in zip(pairs["core"], pairs["core_known"], strict=True)], dtype=bool
    )
    score = np.maximum(0.35 * whole + 0.35 * core + 0.3 * brand, np.where(begins, _BEGINS_ALIKE, 0.0))
    rounded: list[float] = np.round(np.minimum(score, _HIGHEST), 4).tolist()
    return rounded
