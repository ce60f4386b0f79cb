"""Corrections as data: every part that is missing, unknown or does not fit is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract_files import small
from parkindex.contracts import corrections
from parkindex.errors import BadInputError

GOOD = """\
id: b-kind
feed: shops
reason: a typing error of the provider
source: letter of 2025-02-28
who: 张三
valid_until: 2026-12-31
locate: {code: B}
expect: {kind: 花}
action: override
set: {kind: 茶}
"""


def load(folder: Path, text: str, name: str = "b-kind") -> tuple[corrections.Correction, ...]:
    made = folder / "corrections"
    made.mkdir(exist_ok=True)
    (made / f"{name}.yaml").write_text(text, "utf-8")
    return corrections.load_all({"shops": small(folder)}, made)


def test_a_correction_is_read_whole(tmp_path: Path) -> None:
    (one,) = load(tmp_path, GOOD)
    assert (one.table, one.locate, one.expect, one.new) == ("shops", {"code": "B"}, {"kind": "花"}, {"kind": "茶"})
    assert one.valid_until.isoformat() == "2026-12-31"
    (scaled,) = load(tmp_path, GOOD.replace("override", "scale").replace("set: {kind: 茶}", "scale: {area: 0.0001}"))
    assert str(scaled.factors["area"]) == "0.0001"
    assert corrections.of_feed(small(tmp_path), tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ("who: 张三\n", "", "correction.schema", 1),
        ("who: 张三", "whom: 张三", "correction.schema", 1),
        ("reason: a typing error of the provider", "reason: typo", "correction.schema", 3),
        ("valid_until: 2026-12-31", "valid_until: 2026-02-30", "correction.schema", 6),
        ("action: override", "action: delete", "correction.schema", 9),
        ("action: override", "action: drop", "correction.schema", 10),
        ("set: {kind: 茶}\n", "", "correction.schema", 1),
        ("expect: {kind: 花}", "expect: {}", "correction.schema", 8),
        ("feed: shops", "feed: shop", "correction.reference", 2),
        ("feed: shops", "feed: shops\ntable: rooms", "correction.reference", 3),
        ("set: {kind: 茶}", "set: {colour: 茶}", "correction.reference", 10),
        ("id: b-kind", "id: c-kind", "correction.file_name", 1),
        ("who: 张三", "who: [", "correction.yaml", 7),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(tmp_path: Path, old: str, new: str, rule: str, line: int) -> None:
    assert old in GOOD
    with pytest.raises(BadInputError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert caught.value.why.startswith(rule)
    assert caught.value.where.endswith(f"b-kind.yaml:{line}")
    assert caught.value.next_step


def test_texts_are_not_scaled(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="kind is no number"):
        load(tmp_path, GOOD.replace("override", "scale").replace("set: {kind: 茶}", "scale: {kind: 10}"))
