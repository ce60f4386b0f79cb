"""Received bytes: kept under their hash, never edited, never overwritten."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from parkindex.errors import BadInputError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Stored:
    """A file in the landing folder.

    Attributes:
        sha256: Hash of its bytes.
        size_bytes: Size.
        path: Where it is.
        relative: The same, relative to the landing folder.
    """

    sha256: str
    size_bytes: int
    path: Path
    relative: str


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def keep(landing: Path, feed: str, path: Path) -> Stored:
    """Copy a file into the landing folder, by its hash; the same bytes again change nothing.

    The copy is hashed while it is written, so what is stored is what was hashed even when the original is being
    written to. It appears under its final name only when it is whole and on disk.

    Args:
        landing: The landing folder.
        feed: Feed the file belongs to.
        path: The file as delivered.

    Raises:
        BadInputError: There is no such file, or it is not a regular one.
        OSError: The disk is full or not writable; nothing is left behind.
    """
    if not path.is_file():
        raise BadInputError(
            "There is no such file.",
            where=str(path),
            why="a folder" if path.is_dir() else "not found",
            next_step=f"give the path of a file: parkindex land {feed} PATH",
        )
    folder = landing / feed
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        size = 0
        with os.fdopen(handle, "wb") as target, path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
                size += len(chunk)
            target.flush()
            os.fsync(target.fileno())
        sha256 = digest.hexdigest()
        relative = f"{feed}/{sha256[:2]}/{sha256}"
        final = landing / relative
        if not final.exists():
            final.parent.mkdir(exist_ok=True)
            Path(temporary).chmod(0o444)
            Path(temporary).rename(final)
            _sync_folder(final.parent)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return Stored(sha256, size, final, relative)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
