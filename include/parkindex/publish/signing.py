"""The installation's signing key: Ed25519, made on first use, kept in ``<home>/keys`` for its owner only."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from parkindex.errors import BadInputError
from parkindex.settings import Settings

_FILE = "signing.pem"
_OWNER_ONLY = 0o600


def key(settings: Settings) -> Ed25519PrivateKey:
    """Return the installation's key; make it when there is none.

    Raises:
        BadInputError: The file is there and holds no Ed25519 key.
    """
    path = settings.home / "keys" / _FILE
    if not path.exists():
        _make(path)
    loaded = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(loaded, Ed25519PrivateKey):
        raise BadInputError(
            "The signing key is of another kind.",
            where=str(path),
            why=f"{type(loaded).__name__} instead of Ed25519",
            next_step="put the right key there, or move the file away to have a new key made",
        )
    return loaded


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(pem)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(draft, path)  # the first of two makers wins; neither overwrites the other's key
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def public_hex(private: Ed25519PrivateKey) -> str:
    """Return the 32 bytes of the public key in hexadecimal."""
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def public_pem(private: Ed25519PrivateKey) -> bytes:
    """Return the public key as OpenSSL reads it."""
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
