#!/usr/bin/env python3
"""Check a bundle of a published ranking, offline, with Python 3.9 or later and nothing else.

    python3 verify.py [FOLDER] [--public-key HEX] [--head SHA256]

It checks that every file is the one the manifest lists and none was added, that the manifest was signed by the key it
names, that the published rows have the content hash of the release, that the tables for people and machines hold
exactly those rows, and that the hash chain leads from the first release to this one. Exit code 0: nothing was altered;
6: something was, each finding is named; 2: wrong usage.

Who can replace the whole folder can also sign it with a key of their own. Give --public-key and --head as printed or
sent to you elsewhere, and that is found too.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Finding = tuple[str, str, str]
    Point = tuple[int, int, int, int]

ALTERED = 6
# The style sheet that marks a release when another took its place: the one file that may change afterwards.
NOTICE = "notice.css"
# Not in the manifest's list: the manifest itself, what signs it, and the mark.
UNLISTED = {"manifest.json", "signature", NOTICE}
GENESIS = "0" * 64
# File for machines, the table whose rows it holds, the columns that name a row.
DATA_FILES = (
    ("ranking.data.csv", "park_ranking", ("park_code",)),
    ("indicator_scores.csv", "indicator_scores", ("park_code", "indicator_code")),
)
# The same ranking for spreadsheets: texts that a spreadsheet would run as a formula stand behind an apostrophe.
SAFE_FILES = (("ranking.csv", "park_ranking", ("park_code",)),)


def check(folder: Path | str, public_key: str | None = None, head: str | None = None) -> list[Finding]:
    """Return what was altered, as triples of texts (what, where, detail); an empty list when nothing was.

    Args:
        folder: The bundle.
        public_key: Public key in hexadecimal, from elsewhere.
        head: Chain hash of the release, from elsewhere.
    """
    folder = Path(folder)
    try:
        raw = (folder / "manifest.json").read_bytes()
        manifest = json.loads(raw)
        signature = (folder / "signature").read_bytes()
        found = _signature(manifest, raw, signature, public_key)
        found += _files(folder, manifest)
        found += _notice(folder)
        found += _chain(manifest, head)
        found += _rows(folder, manifest)
    except FileNotFoundError as error:
        return [("missing file", Path(str(error.filename)).name, "the bundle is not whole")]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        return [("unreadable record", "manifest.json or data", f"{type(error).__name__}: {error}")]
    return found


def _signature(manifest: dict[str, Any], raw: bytes, signature: bytes, public_key: str | None) -> list[Finding]:
    found: list[Finding] = []
    named = manifest["public_key"]
    if public_key is not None and named != public_key.lower():
        found.append(("signed by another key", "manifest.json", f"named {named}, expected {public_key}"))
    if not ed25519_verifies(bytes.fromhex(named), signature, raw):
        found.append(("signature does not fit", "signature", "manifest.json is not what was signed"))
    return found


def _files(folder: Path, manifest: dict[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    listed = manifest["files"]
    for name in sorted(listed):
        path = folder / name
        if not path.is_file():
            found.append(("missing file", name, "listed in manifest.json"))
            continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != listed[name]:
            found.append(("altered file", name, f"sha256 {digest}, published {listed[name]}"))
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in sorted(there - set(listed) - UNLISTED):
        if "__pycache__" not in name:
            found.append(("added file", name, "not listed in manifest.json"))
    return found


def notice(superseded_by: str | None) -> str:
    """Return the content of :data:`NOTICE` for a release that another took the place of, or (None) was withdrawn."""
    zh = f"已被 {superseded_by} 取代，仅供查阅" if superseded_by else "已撤回，仅供查阅"
    en = f"Superseded by {superseded_by}; kept for reference" if superseded_by else "Withdrawn; kept for reference"
    return (
        "/* Not part of the release. */\nhtml .banner.notice{display:block}\n"
        f'html[data-lang="zh"] .banner.notice::before{{content:"{zh}"}}\n'
        f'html[data-lang="en"] .banner.notice::before{{content:"{en}"}}\n'
    )


def _notice(folder: Path) -> list[Finding]:
    """Check that the mark says nothing but what it may say."""
    text = (folder / NOTICE).read_text("utf-8", errors="replace")
    named = re.search(r"Superseded by ([0-9]{4}[.][0-9]+);", text)
    if text not in ("", notice(named.group(1) if named else None)):
        return [("altered file", NOTICE, "it says something else than that the release was superseded or withdrawn")]
    return []


def _chain(manifest: dict[str, Any], head: str | None) -> list[Finding]:
    found: list[Finding] = []
    previous = GENESIS
    for place, link in enumerate(manifest["chain"], start=1):
        record = {name: value for name, value in link.items() if name != "chain_sha256"}
        where = f"chain, release {record.get('release_id')}"
        if record["sequence"] != str(place) or record["previous_sha256"] != previous:
            found.append(("broken chain", where, "it does not follow the release before"))
        if hashlib.sha256(_dumps(record)).hexdigest() != link["chain_sha256"]:
            found.append(("altered record", where, "its hash is not the chain's"))
        previous = link["chain_sha256"]
    last = manifest["chain"][-1]
    if dict(last) != manifest["release"]:
        found.append(("altered record", f"release {manifest['release'].get('release_id')}", "not the chain's last"))
    if head is not None and previous != head.lower():
        found.append(("another head", "chain", f"head {previous}, expected {head}"))
    return found


def _rows(folder: Path, manifest: dict[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    for name, field in (("data/content.jsonl", "content_sha256"), ("data/annex.jsonl", "annex_sha256")):
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        published = manifest["release"][field]
        if digest != published:
            found.append(("altered rows", name, f"{field} {digest}, published {published}"))
    rows: dict[str, list[dict[str, str]]] = {}
    for line in (folder / "data/content.jsonl").read_text("utf-8").splitlines()[1:]:
        table, row = json.loads(line)
        rows.setdefault(table, []).append({**row, "release_id": manifest["release"]["release_id"]})
    for name, table, key in DATA_FILES:
        found += _cells(folder / name, rows.get(table, []), key, str)
    for name, table, key in SAFE_FILES:
        found += _cells(folder / name, rows.get(table, []), key, spreadsheet_safe)
    return found


def _cells(path: Path, rows: list[dict[str, str]], key: Sequence[str], shown: Callable[[str], str]) -> list[Finding]:
    """Compare a table for people or machines with the published rows, cell by cell."""
    found: list[Finding] = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        written = {tuple(row[name] for name in key): row for row in csv.DictReader(stream)}
    published = {tuple(row[name] for name in key): row for row in rows}
    for place in sorted(published.keys() | written.keys()):
        where = f"{path.name} {'/'.join(place)}"
        if place not in written or place not in published:
            found.append(("added row" if place in written else "missing row", where, "not as published"))
            continue
        for name, text in written[place].items():
            value = published[place].get(name)
            expected = "" if value is None else shown(value)
            if text != expected:
                found.append(("altered cell", f"{where} {name}", f"published {expected}, now {text}"))
    return found


def spreadsheet_safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; numbers stay numbers."""
    if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "\0") and not _is_number(text):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdecimal() and text.isascii()


def _dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# Ed25519 as in RFC 8032, section 6: slow, small, and without any library.
_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_I = pow(2, (_P - 1) // 4, _P)


def ed25519_verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature of 64 bytes fits a message and a public key of 32 bytes."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = _point(public), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= _L:
        return False
    digest = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    return _same(_times(scalar, _BASE), _plus(commitment, _times(digest, key)))


def _point(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


def _x_of(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _I % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _plus(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(scalar: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _plus(result, point)
        point = _plus(point, point)
        scalar >>= 1
    return result


def _same(p: Point, q: Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % _P == 0 and (p[1] * q[2] - q[1] * p[2]) % _P == 0


_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
_BASE: Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Check a published bundle, offline.")
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).resolve().parent))
    parser.add_argument("--public-key", help="public key in hexadecimal, from elsewhere")
    parser.add_argument("--head", help="chain hash of the release, from elsewhere")
    arguments = parser.parse_args()
    found = check(arguments.folder, arguments.public_key, arguments.head)
    for what, where, detail in found:
        _say(f"ALTERED: {what}: {where} ({detail})")
    if found:
        return ALTERED
    manifest = json.loads((Path(arguments.folder) / "manifest.json").read_text("utf-8"))
    release = manifest["release"]
    _say(f"Nothing was altered: release {release['release_id']}, content {release['content_sha256']}")
    _say(f"head of the chain: {release['chain_sha256']}")
    _say(f"signed by:         {manifest['public_key']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
