from __future__ import annotations

import hashlib
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from parkindex.ledger import tables
from parkindex.publish import bundle_check, canonical, chain, code, contents, signing

PARK = {"edition": 2025, "park_code": "P01", "status": "not_assessed", "strikes": None, "rule": "none", "evidence": "–"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (Decimal("12.500000000000"), "12.5"),
        (Decimal("100.000"), "100"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.000"), "0"),
        (Decimal("0.000000000001"), "0.000000000001"),
        (-3, "-3"),
        (True, "true"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))), "2025-12-31T16:00:00.000000Z"),
        ("园\u2028", "园\u2028"),
    ],
)
def test_values_have_one_text(value: object, text: str | None) -> None:
    assert canonical.text_of(value) == text


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal("sNaN")])
def test_what_is_no_number_is_refused(value: Decimal) -> None:
    with pytest.raises(ValueError, match="not a number"):
        canonical.text_of(value)


def test_binary_floats_have_no_canonical_text() -> None:
    with pytest.raises(TypeError, match="float"):
        canonical.text_of(math.pi)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**20), max_value=10**20))
def test_the_text_of_a_number_is_the_number(value: Decimal) -> None:
    text = canonical.text_of(value)
    assert text is not None
    assert Decimal(text) == value
    assert text == canonical.text_of(Decimal(text))


@given(st.permutations([{**PARK, "park_code": f"P{number:02}"} for number in range(1, 8)]))
def test_the_stream_does_not_depend_on_the_order_of_rows(rows: list[dict[str, object]]) -> None:
    stream = canonical.stream(("parkindex.content", 1), (tables.released_park_status,), {"park_status": rows})
    assert hashlib.sha256(stream).hexdigest() == "7c0abb1a96367e4600a1af8cc2f033caf6e4d6198eb5f6e767af76171c5dbf76"


def test_a_null_is_left_out_and_a_release_is_not_part_of_a_row() -> None:
    line = canonical.line("park_status", {**PARK, "release_id": "2025.1"})
    assert line == (
        b'["park_status",{"edition":"2025","evidence":"\xe2\x80\x93","park_code":"P01","rule":"none",'
        b'"status":"not_assessed"}]\n'
    )


def test_changes_name_cells_and_whole_rows() -> None:
    old = {"park_status": [PARK, {**PARK, "park_code": "P02"}]}
    new = {"park_status": [{**PARK, "strikes": 1}]}
    found = contents.changes(old, new, (tables.released_park_status,))
    assert [(one.row_key, one.column_name, one.old_value, one.new_value) for one in found] == [
        ("P01", "strikes", None, "1"),
        ("P02", "status", "not_assessed", None),
        ("P02", "rule", "none", None),
        ("P02", "evidence", "–", None),
    ]


def test_the_chain_covers_every_column_of_a_release_but_its_own_hash() -> None:
    assert {*chain.CHAINED, "chain_sha256"} == {column.name for column in tables.releases.columns}


# ----------------------------------------------------------------------------------------------------- hash of the code


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout at a path with a blank and Chinese characters."""
    root = tmp_path / "检出 one"
    for name, text in {
        "include/parkindex/a.py": "A = 1\n",
        "dbt_project/models/x.sql": "select 1\n",
        "contracts/f.odcs.yaml": "id: f\n",
        "expectations/e.yaml": "[]\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def test_code_hash_depends_on_paths_and_bytes_only(checkout: Path, tmp_path: Path) -> None:
    before = code.code_sha256(checkout)
    for leaving in (
        "include/parkindex/__pycache__/a.cpython-311.pyc",
        "include/parkindex/.a.py.swp",
        "dbt_project/target/manifest.json",
        "dbt_project/logs/dbt.log",
        "docs/a.md",
    ):
        path = checkout / leaving
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left by a tool", "utf-8")
    (checkout / "dbt_project/models/_sources.yml").write_text("# GENERATED from contracts\n", "utf-8")
    assert code.code_sha256(checkout) == before
    moved = tmp_path / "elsewhere"
    checkout.rename(moved)
    assert code.code_sha256(moved) == before


@pytest.mark.parametrize("name", ["include/parkindex/a.py", "contracts/f.odcs.yaml", "expectations/e.yaml"])
def test_code_hash_changes_with_any_file_that_decides(checkout: Path, name: str) -> None:
    before = code.code_sha256(checkout)
    (checkout / name).write_text("another\n", "utf-8")
    changed = code.code_sha256(checkout)
    (checkout / name).rename(checkout / name.replace(".", "_renamed.", 1))
    assert len({before, changed, code.code_sha256(checkout)}) == 3


# ------------------------------------------------------------------------------------------------------------ signature


def test_the_offline_check_knows_the_vectors_of_rfc_8032() -> None:
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert bundle_check.ed25519_verifies(public, signature, b"\x72")
    assert not bundle_check.ed25519_verifies(public, signature, b"\x73")
    assert not bundle_check.ed25519_verifies(public, signature[:-1], b"\x72")
    assert not bundle_check.ed25519_verifies(b"\xff" * 32, signature, b"\x72")


def test_the_offline_check_agrees_with_the_library() -> None:
    for seed in range(8):
        private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(bytes([seed])).digest())
        message = bytes([seed]) * (seed * 37)
        signature = private.sign(message)
        public = bytes.fromhex(signing.public_hex(private))
        assert bundle_check.ed25519_verifies(public, signature, message)
        broken = bytes([signature[0] ^ 1]) + signature[1:]
        assert not bundle_check.ed25519_verifies(public, broken, message)


def test_the_offline_check_needs_nothing_but_python() -> None:
    source = Path(bundle_check.__file__).read_text("utf-8")
    imported = {line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert imported == {"__future__", "argparse", "csv", "hashlib", "json", "sys", "pathlib", "re", "typing"}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-园", "'-园"),
        ("\tx", "'\tx"),
        ("-1.25", "-1.25"),
        ("-", "'-"),
        ("-1-1", "'-1-1"),
        ("上海", "上海"),
        ("", ""),
    ],
)
def test_only_texts_that_a_spreadsheet_would_run_are_escaped(text: str, safe: str) -> None:
    assert bundle_check.spreadsheet_safe(text) == safe


def test_instants_are_compared_in_utc() -> None:
    assert canonical.text_of(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"
