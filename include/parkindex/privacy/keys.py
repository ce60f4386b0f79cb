"""Secret keys of an installation: random, in files for their owner only, never in the warehouse.

``personal.key`` seals personal fields; destroying it destroys every sealed value. ``pseudonyms-<year>.key`` makes the
pseudonyms of one release year: those of two years cannot be joined.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from parkindex.errors import BadInputError

PERSONAL = "personal"
_BYTES = 64
_OWNER_ONLY = 0o600


def of_year(year: int) -> str:
    """Return the name of the key that makes a release year's pseudonyms and commitments."""
    return f"pseudonyms-{year}"


def key(folder: Path, name: str, *, make: bool = True) -> bytes:
    """Return a key of 64 bytes; make it when there is none.

    Args:
        folder: The installation's folder of keys.
        name: ``personal``, or as :func:`of_year` says.
        make: Whether one may be made; not where something is to be opened.

    Raises:
        BadInputError: The file is no key, or there is none and none may be made.
    """
    path = folder / f"{name}.key"
    if make and not path.exists():
        _make(path)
    try:
        found = bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError:
        found = b""
    except ValueError:
        found = b"?"
    if len(found) != _BYTES:
        raise BadInputError(
            f"The key {name} is missing." if not found else f"The key {name} is damaged.",
            where=str(path),
            why="what was sealed with it can only be opened with it",
            next_step="restore the file from where keys are kept",
        )
    return found


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(draft, path)  # the first of two makers wins; neither overwrites the other's key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
