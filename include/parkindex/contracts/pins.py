"""Pinned contracts: a version of a contract means the same bytes for ever.

``contracts/pins.json`` holds the hash of every version that was given to a provider. A contract that was edited and
kept its version is refused wherever it is loaded, on a laptop, in CI and in a run, before any file is read by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from parkindex.contracts.model import Contract
from parkindex.errors import BadInputError

FILE = "pins.json"

Pins = dict[str, dict[str, str]]


def read(folder: Path) -> Pins:
    """Return feed → version → hash; empty when nothing was pinned yet.

    Raises:
        BadInputError: The file is not what :func:`pin` writes.
    """
    path = folder / FILE
    try:
        found: Pins = json.loads(path.read_text("utf-8"))
        known = {feed: {str(version): str(pinned) for version, pinned in one.items()} for feed, one in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as error:
        raise BadInputError(
            "The pins of the contracts cannot be read.",
            where=str(path),
            why=f"contract.pinned: {error}",
            next_step="restore the file from version control",
        ) from error
    return known


def check(contract: Contract, folder: Path) -> None:
    """Refuse a contract that was changed without a new version.

    Raises:
        BadInputError: Its version is pinned to other bytes.
    """
    pinned = read(folder).get(contract.feed, {}).get(contract.version)
    if pinned is not None and pinned != contract.sha256:
        raise BadInputError(
            f"The contract of {contract.feed} was changed and is still version {contract.version}.",
            where=str(folder / f"{contract.feed}.odcs.yaml"),
            why=f"contract.pinned: {pinned[:12]} is pinned, {contract.sha256[:12]} is there",
            next_step="raise its version (`parkindex contract diff` says by how much), then `parkindex contract pin`",
        )


def pin(contracts: Iterable[Contract], folder: Path) -> list[str]:
    """Pin every version that is not pinned yet; what is pinned stays as it is.

    Returns:
        ``feed version`` of what was pinned now.
    """
    pins = read(folder)
    added = []
    for contract in contracts:
        versions = pins.setdefault(contract.feed, {})
        if contract.version not in versions:
            versions[contract.version] = contract.sha256
            added.append(f"{contract.feed} {contract.version}")
    if added:
        (folder / FILE).write_text(json.dumps(pins, indent=2, sort_keys=True) + "\n", "utf-8")
    return added
