"""Received bytes: kept under their hash, never edited, never overwritten.

They are kept in a folder, or in an object store behind any fsspec URL (``s3://bucket/landing``). Then the folder holds
working copies, which may be cleared away at any time, and the object store is the record: what was put there is read
back and hashed before anything is loaded from it. An object store shows an object when it is whole; a protocol that
shows half-written files (``sftp``) is no place for this.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from parkindex.errors import AlteredError, BadInputError, ServiceDownError

_CHUNK = 1 << 20
_MOST_AT_ONCE = 1 << 30
# Between two file systems of different kinds, or on one that has no such call.
_KERNEL_CANNOT = (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


@dataclass(frozen=True)
class Stored:
    """A file in the landing folder.

    Attributes:
        sha256: Hash of its bytes.
        size_bytes: Size.
        path: Where it can be read.
        relative: Its place in the landing folder or store.
    """

    sha256: str
    size_bytes: int
    path: Path
    relative: str


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def keep(landing: Path, feed: str, path: Path, remote: str | None = None) -> Stored:
    """Copy a file into the landing folder, by its hash; the same bytes again change nothing.

    The copy is hashed, so what is stored is what was hashed even when the original is being written to. It appears
    under its final name only when it is whole and on disk.

    Args:
        landing: The landing folder.
        feed: Feed the file belongs to.
        path: The file as delivered.
        remote: URL of the object store that is the record; None when the folder is.

    Raises:
        BadInputError: There is no such file, or it is not a regular one.
        AlteredError: The object store holds other bytes under this hash.
        ServiceDownError: The object store cannot be used.
        OSError: The disk is full or not writable; nothing is left behind.
    """
    if not path.is_file():
        raise BadInputError(
            "There is no such file.",
            where=str(path),
            why="a folder" if path.is_dir() else "not found",
            next_step=f"give the path of a file: parkindex land {feed} PATH",
        )
    with path.open("rb") as source:
        stored = _write(landing, feed, source)
    if remote is not None:
        _put(remote, stored)
    return stored


def local(landing: Path, relative: str, remote: str | None = None) -> Path:
    """Return where kept bytes can be read, brought back from the object store if the working copy is gone.

    Args:
        landing: The landing folder.
        relative: Place in it, ``<feed>/<first two digits>/<sha256>``.
        remote: URL of the object store; None when the folder is the record.

    Raises:
        BadInputError: They are nowhere.
        AlteredError: They are not the bytes of this hash.
        ServiceDownError: The object store cannot be used.
    """
    path = landing / relative
    if path.is_file():
        return path
    feed, _, sha256 = relative.split("/")
    if remote is not None:
        filesystem, target = _opened(remote, relative)
        try:
            with filesystem.open(target, "rb") as source:
                stored = _write(landing, feed, source, expected=sha256)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _down(remote, error) from error
        else:
            return stored.path
    raise BadInputError(
        "Received bytes are not where they were kept.",
        where=f"{remote or landing}/{relative}",
        why="not found",
        next_step="restore the landing folder from its backup",
    )


def is_kept(landing: Path, relative: str, remote: str | None = None) -> bool:
    """Whether received bytes are kept, in the folder or in the object store."""
    if (landing / relative).is_file():
        return True
    if remote is None:
        return False
    filesystem, target = _opened(remote, relative)
    try:
        return bool(filesystem.exists(target))
    except OSError as error:
        raise _down(remote, error) from error


def remove(landing: Path, relative: str, remote: str | None = None) -> bool:
    """Remove received bytes whose erasure is recorded; returns whether there were any.

    Raises:
        ServiceDownError: The object store cannot be used.
    """
    path = landing / relative
    there = path.is_file()
    path.unlink(missing_ok=True)
    if remote is not None:
        filesystem, target = _opened(remote, relative)
        try:
            if filesystem.exists(target):
                filesystem.rm_file(target)
                there = True
        except OSError as error:
            raise _down(remote, error) from error
    return there


def _write(landing: Path, feed: str, source: Any, expected: str | None = None) -> Stored:
    """Write a stream under the hash of its bytes, whole or not at all."""
    folder = landing / feed
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as target, ThreadPoolExecutor(max_workers=1) as other:
            _copy(source, target)
            target.flush()
            size = target.tell()
            # The disk takes the bytes while they are hashed.
            on_disk = other.submit(os.fsync, target.fileno())
            sha256 = sha256_of(Path(temporary))
            on_disk.result()
        if expected is not None and sha256 != expected:
            raise _altered(f"{feed}/{expected[:2]}/{expected}", f"they hash to {sha256}")
        relative = f"{feed}/{sha256[:2]}/{sha256}"
        final = landing / relative
        if not final.exists():
            final.parent.mkdir(exist_ok=True)
            Path(temporary).chmod(0o444)
            Path(temporary).rename(final)
            _sync_folder(final.parent)
        elif final.stat().st_size != size:
            raise _altered(relative, f"{final.stat().st_size} bytes are there, {size} were received")
    finally:
        Path(temporary).unlink(missing_ok=True)
    return Stored(sha256, size, final, relative)


def _copy(source: Any, target: BinaryIO) -> None:
    """Copy a stream from where it stands; a local file within the kernel, where that can."""
    if isinstance(source, io.BufferedReader) and hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(source.fileno(), target.fileno(), _MOST_AT_ONCE):
                pass
        except OSError as error:
            if error.errno not in _KERNEL_CANNOT or os.fstat(target.fileno()).st_size:
                raise
        else:
            target.seek(0, os.SEEK_END)
            if target.tell() == os.fstat(source.fileno()).st_size:
                return
            # A file system that says its files are empty (/proc), or a file that grows.
        source.seek(0)
        target.seek(0)
        target.truncate()
    shutil.copyfileobj(source, target, _CHUNK)


def _put(remote: str, stored: Stored) -> None:
    """Put a file into the object store unless it is there, and read back what is there."""
    filesystem, target = _opened(remote, stored.relative)
    try:
        if not filesystem.exists(target):
            with suppress(FileExistsError):  # somebody put the same bytes in the meantime; they are checked like ours
                filesystem.put_file(str(stored.path), target, mode="create")
        digest = hashlib.sha256()
        with filesystem.open(target, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise _down(remote, error) from error
    if digest.hexdigest() != stored.sha256:
        raise _altered(f"{remote}/{stored.relative}", f"they hash to {digest.hexdigest()}")


def _opened(remote: str, relative: str) -> tuple[Any, str]:
    """Return the filesystem of a URL and the path of an object in it."""
    from fsspec.core import url_to_fs  # noqa: PLC0415 - most installations keep files in a folder

    try:
        filesystem, root = url_to_fs(remote)
    except (ImportError, ValueError) as error:
        raise ServiceDownError(
            "The landing store's protocol is not installed.",
            where=remote,
            why=str(error),
            next_step="install the package that fsspec names, or correct PARKINDEX_LANDING_URL",
        ) from error
    return filesystem, f"{str(root).rstrip('/')}/{relative}"


def _down(remote: str, error: OSError) -> ServiceDownError:
    return ServiceDownError(
        "The landing store cannot be used; nothing was loaded.",
        where=remote,
        why=str(error) or type(error).__name__,
        next_step="see that the store is reachable and its credentials are right, then land again",
    )


def _altered(where: str, why: str) -> AlteredError:
    return AlteredError(
        "The landing folder holds other bytes under a hash than were received.",
        where=where,
        why=why,
        next_step="restore the file from its backup; nothing was loaded from it",
    )


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
