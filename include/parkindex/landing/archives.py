"""Archives within budgets, checked before anything of them is opened; nothing is ever extracted to disk by name."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from parkindex.landing.refusal import refuse

_MIB = 1 << 20


@dataclass(frozen=True)
class Budget:
    """What an archive may hold.

    Attributes:
        entries: Most members.
        total_bytes: Most bytes after decompression.
        member_bytes: Most bytes of one member.
        ratio: Most bytes per compressed byte, once ``ratio_from`` bytes are exceeded.
        ratio_from: Bytes up to which the ratio does not matter: small repetitive files compress very well.
    """

    entries: int
    total_bytes: int
    member_bytes: int
    ratio: int = 100
    ratio_from: int = 32 * _MIB


# A workbook is held in memory while it is read; archives and compressed files are read in pieces.
WORKBOOK = Budget(entries=10_000, total_bytes=1024 * _MIB, member_bytes=512 * _MIB)
ARCHIVE = Budget(entries=2_000_000, total_bytes=64 * 1024 * _MIB, member_bytes=256 * _MIB)
COMPRESSED = Budget(entries=1, total_bytes=64 * 1024 * _MIB, member_bytes=64 * 1024 * _MIB)


def members(path: Path, budget: Budget) -> list[zipfile.ZipInfo]:
    """Return the files in a ZIP in the archive's order, after checking names, flags and declared sizes.

    Raises:
        FileRefusedError: It is no ZIP (``file.archive``), or it exceeds its budget (``file.budget``).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        refuse("file.archive", f"The file is no ZIP archive that can be read: {error}")
    if len(entries) > budget.entries:
        refuse("file.budget", f"The archive has {len(entries)} members; {budget.entries} are allowed.")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":"):
            refuse("file.archive", f"The member name {name!r} leads out of the archive.")
        if entry.flag_bits & 0x1:
            refuse("file.archive", f"The member {name!r} is encrypted.")
        if name in seen:
            refuse("file.archive", f"The member {name!r} stands twice.")
        seen.add(name)
        if entry.file_size > budget.member_bytes:
            refuse("file.budget", f"The member {name!r} has {entry.file_size} bytes; {budget.member_bytes} allowed.")
    total = sum(entry.file_size for entry in entries)
    compressed = max(1, sum(entry.compress_size for entry in entries))
    _check_total(total, compressed, budget)
    if total > budget.ratio_from and path.stat().st_size * budget.ratio < total:
        # Overlapping members declare honest sizes each and share their bytes.
        refuse("file.budget", f"The archive of {path.stat().st_size} bytes claims to hold {total}.")
    return entries


def read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member, no more than it declared.

    Raises:
        FileRefusedError: The member is damaged.
    """
    try:
        with archive.open(entry) as stream:
            content = stream.read(entry.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        refuse("file.archive", f"The member {entry.filename!r} is damaged: {error}")
    if len(content) != entry.file_size:
        refuse("file.archive", f"The member {entry.filename!r} is not of the size it declares.")
    return content


def chunks(path: Path, size: int, *, compressed: bool, budget: Budget = COMPRESSED) -> Iterator[bytes]:
    """Yield the bytes of a file in pieces of at most ``size``, out of gzip when it is ``compressed``.

    Raises:
        FileRefusedError: The compressed file is damaged or exceeds its budget.
    """
    yield from _decompressed(path, size, budget) if compressed else _plain(path, size)


def _plain(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(size):
            yield piece


def _decompressed(path: Path, size: int, budget: Budget) -> Iterator[bytes]:
    total = 0
    on_disk = max(1, path.stat().st_size)
    try:
        with gzip.open(path, "rb") as stream:
            while piece := stream.read(size):
                total += len(piece)
                _check_total(total, on_disk, budget)
                yield piece
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        refuse("file.archive", f"The compressed file is damaged: {error}")


def _check_total(total: int, compressed: int, budget: Budget) -> None:
    if total > budget.total_bytes:
        refuse("file.budget", f"The archive holds more than {budget.total_bytes} bytes.")
    if total > budget.ratio_from and total > compressed * budget.ratio:
        refuse("file.budget", f"The archive holds more than {budget.ratio} bytes per compressed byte.")
