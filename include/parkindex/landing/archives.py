"""Archives within budgets; nothing is ever written to disk under a name that an archive chose.

A ZIP says what it holds before anything of it is opened; a TAR and a GZIP file say it as they are read, and are refused
at the byte that exceeds their budget.
"""

from __future__ import annotations

import errno
import gzip
import io
import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn, cast

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
# JSON, GeoJSON, XML and XLS are held in memory whole.
DOCUMENT_BYTES = 256 * _MIB

_PACKED = {".tar.gz": "tar", ".tgz": "tar", ".tar": "tar", ".zip": "zip", ".gz": "gzip"}
# What zipfile, tarfile and gzip raise on damaged bytes; RuntimeError: a member that says it is encrypted.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    RuntimeError,
    OverflowError,
)
_TAR_BLOCK = 512
_MAC_FOLDER = "__MACOSX"


def packing(name: str) -> str | None:
    """Return how a file is packed, by its name: ``zip``, ``tar`` (compressed or not), ``gzip`` or None."""
    return next((kind for suffix, kind in _PACKED.items() if name.lower().endswith(suffix)), None)


def walk(
    path: Path, kind: str, *, pattern: str = "*", notes: list[str], budget: Budget = ARCHIVE
) -> Iterator[tuple[int, str, IO[bytes]]]:
    """Yield the members of a ZIP or TAR: ordinal (from 1, of all files in it), name, and a stream of the bytes.

    A stream is good until the next member is asked for.

    Args:
        path: The archive.
        kind: ``zip`` or ``tar``.
        pattern: Which members are read, by the last part of their name; the others are noted.
        notes: Takes what was ignored.
        budget: What it may hold.

    Raises:
        FileRefusedError: It is damaged, leads out of itself, holds links or archives, or exceeds its budget.
    """
    found = _zip_members(path, budget) if kind == "zip" else _tar_members(path, budget)
    ignored: list[str] = []
    read = False
    try:
        for ordinal, (name, stream) in enumerate(found, start=1):
            if _is_litter(name) or not fnmatchcase(PurePosixPath(name).name.lower(), pattern.lower()):
                ignored.append(name)
            elif packing(name) is not None:
                refuse("file.archive", f"The member {name!r} is an archive in an archive.")
            else:
                read = True
                yield ordinal, name, stream
    except _DAMAGED as error:
        refuse("file.archive", f"The archive is damaged: {error}")
    except OSError as error:
        _refuse_offset(error)
    if not read:
        refuse("file.empty", f"The archive holds no member {pattern!r}.")
    if ignored:
        shown = ", ".join(ignored[:5]) + (" …" if len(ignored) > 5 else "")
        notes.append(f"note: ignored {len(ignored)} member(s) of the archive: {shown}")


def _refuse_offset(error: OSError) -> NoReturn:
    """Refuse a file that names an offset before its own beginning; any other failure of the disk is none of its."""
    if error.errno != errno.EINVAL:
        raise error
    refuse("file.archive", f"The archive is damaged: {error}")


def _is_litter(name: str) -> bool:
    """Whether a member is what Finder or Explorer leave in a folder."""
    last = PurePosixPath(name).name
    return name.startswith(f"{_MAC_FOLDER}/") or last in (".DS_Store", "Thumbs.db") or last.startswith("._")


def unpacked(path: Path, into: Path) -> Path:
    """Write what a GZIP file holds to a file, within its budget, and return the file's path."""
    with into.open("wb") as target:
        for piece in chunks(path, _MIB, compressed=True):
            target.write(piece)
    return into


def copy(stream: IO[bytes], into: Path) -> Path:
    """Write a member to a file of our own naming, and return the file's path.

    Raises:
        FileRefusedError: The member is damaged.
    """
    try:
        with into.open("wb") as target:
            shutil.copyfileobj(stream, target, _MIB)
    except _DAMAGED as error:
        refuse("file.archive", f"A member is damaged: {error}")
    return into


def whole(stream: IO[bytes]) -> bytes:
    """Return the bytes of a member that is held in memory.

    Raises:
        FileRefusedError: It is damaged, or larger than a document may be.
    """
    try:
        content = stream.read(DOCUMENT_BYTES + 1)
    except _DAMAGED as error:
        refuse("file.archive", f"A member is damaged: {error}")
    _check_document(len(content))
    return content


def document(path: Path) -> bytes:
    """Return the bytes of a file that is held in memory.

    Raises:
        FileRefusedError: It is larger than a document may be.
    """
    _check_document(path.stat().st_size)
    return path.read_bytes()


def _check_document(size: int) -> None:
    if size > DOCUMENT_BYTES:
        refuse("file.budget", f"The document has {size} bytes or more; {DOCUMENT_BYTES} are allowed.")


def _zip_members(path: Path, budget: Budget) -> Iterator[tuple[str, IO[bytes]]]:
    entries = members(path, budget)
    with zipfile.ZipFile(path) as archive:
        for entry in entries:
            with archive.open(entry) as stream:
                yield _shown_name(entry), io.BufferedReader(_Exact(stream, entry.file_size), _MIB)


def _shown_name(entry: zipfile.ZipInfo) -> str:
    """Return a member's name; without the UTF-8 flag, a Chinese Windows wrote it in GB18030."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return entry.filename


def _tar_members(path: Path, budget: Budget) -> Iterator[tuple[str, IO[bytes]]]:
    with path.open("rb") as raw:
        is_compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        plain = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if is_compressed else raw)
        budgeted = _Budgeted(plain, path.stat().st_size, budget)
        counted = io.BufferedReader(budgeted, _MIB)
        with tarfile.open(fileobj=counted, mode="r|") as archive:
            seen: set[str] = set()
            for entry in archive:
                if entry.isdir():
                    continue
                name = entry.name
                if not entry.isreg() or entry.sparse is not None:
                    refuse("file.archive", f"The member {name!r} is no plain file (a link, a device or sparse).")
                _check_name(name, seen)
                if len(seen) > budget.entries:
                    refuse("file.budget", f"The archive has more than {budget.entries} members.")
                _check_member(name, entry.size, budget)
                stream = archive.extractfile(entry)
                if stream is not None:
                    yield name, stream
            # What follows the end of the archive is read too: a checksum may stand behind it.
            while counted.read(_MIB):
                pass
            if budgeted.tail.strip(b"\0") or len(budgeted.tail) < _TAR_BLOCK:
                refuse("file.truncated", "The TAR archive does not end with its end mark.")


class _Budgeted(io.RawIOBase):
    """A stream that refuses the file at the byte that exceeds its budget.

    Attributes:
        tail: The last block of bytes that was read.
    """

    def __init__(self, stream: IO[bytes], on_disk: int, budget: Budget) -> None:
        self._stream = stream
        self._on_disk = max(1, on_disk)
        self._budget = budget
        self._total = 0
        self.tail = b""

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, counting."""
        piece = self._stream.read(len(buffer))
        self._total += len(piece)
        _check_total(self._total, self._on_disk, self._budget)
        self.tail = (self.tail + piece)[-_TAR_BLOCK:] if len(piece) < _TAR_BLOCK else piece[-_TAR_BLOCK:]
        buffer[: len(piece)] = piece
        return len(piece)


class _Exact(io.RawIOBase):
    """A member's stream that must give as many bytes as the archive declares, no fewer and no more."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, counting down."""
        piece = self._stream.read(len(buffer))
        self._left -= len(piece)
        if self._left < 0 or (not piece and self._left):
            refuse("file.archive", "A member is not of the size that it declares.")
        buffer[: len(piece)] = piece
        return len(piece)


def members(path: Path, budget: Budget) -> list[zipfile.ZipInfo]:
    """Return the files in a ZIP in the archive's order, after checking names, flags and declared sizes.

    Raises:
        FileRefusedError: It is no ZIP (``file.archive``), or it exceeds its budget (``file.budget``).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except _DAMAGED as error:
        refuse("file.archive", f"The file is no ZIP archive that can be read: {error}")
    if len(entries) > budget.entries:
        refuse("file.budget", f"The archive has {len(entries)} members; {budget.entries} are allowed.")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        _check_name(name, seen)
        if entry.flag_bits & 0x1:
            refuse("file.archive", f"The member {name!r} is encrypted.")
        _check_member(name, entry.file_size, budget)
    total = sum(entry.file_size for entry in entries)
    compressed = max(1, sum(entry.compress_size for entry in entries))
    _check_total(total, compressed, budget)
    if total > budget.ratio_from and path.stat().st_size * budget.ratio < total:
        # Overlapping members declare honest sizes each and share their bytes.
        refuse("file.budget", f"The archive of {path.stat().st_size} bytes claims to hold {total}.")
    return entries


def _check_name(name: str, seen: set[str]) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":"):
        refuse("file.archive", f"The member name {name!r} leads out of the archive.")
    if name in seen:
        refuse("file.archive", f"The member {name!r} stands twice.")
    seen.add(name)


def _check_member(name: str, size: int, budget: Budget) -> None:
    if size > budget.member_bytes:
        refuse("file.budget", f"The member {name!r} has {size} bytes; {budget.member_bytes} allowed.")


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
