"""Kill a loader with SIGKILL, land the file again, and compare with a warehouse that was never disturbed.

As a command, on a Postgres of its own: ``python tests/faults/kill.py 30`` kills at every step once and 30 times at a
random moment.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
for _path in (FOLDER, FOLDER.parent):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

from sqlalchemy import create_engine, text  # noqa: E402
from sqlalchemy.pool import NullPool  # noqa: E402

from contract_files import small  # noqa: E402
from delivered import delimited  # noqa: E402
from parkindex.contracts.derive import ddl  # noqa: E402
from parkindex.landing import store  # noqa: E402
from parkindex.raw import load, versions  # noqa: E402
from parkindex.settings import Settings  # noqa: E402

WHEN = datetime(2025, 3, 1, 8, 30, tzinfo=UTC)
HEADER = ["代码", "注册日期", "名称", "类别", "面积", "座位", "已占", "资本"]
# Step → function at which the loader dies, and whether it dies before or behind it.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "before the bytes are on disk": (os, "fsync", True),
    "between the bytes and the ledger": (store, "_sync_folder", False),
    "before the lock": (load.Delivery, "lock", True),
    "before the batch is recorded": (load.Loader, "begin", True),
    "behind the batch, before the rows": (load.Loader, "begin", False),
    "between the rows": (load.Loader, "copy_rows", False),
    "behind all rows, before contradictions": (load.Loader, "_take_back_contradictions", True),
    "behind contradictions": (load.Loader, "_take_back_contradictions", False),
    "while earlier versions are settled": (versions, "supersede", False),
    "before the commit": (load.Loader, "finish", False),
}


def delivery(folder: Path, count: int = 4_000) -> Path:
    """Write the file: good rows, every kind of bad one, repetitions and contradictions."""
    lines = [
        [
            f"K{n if n % 500 else 7}",
            "2020-02-29",
            f"名{n % 90}",
            "茶" if n % 50 else "酒",
            f"{n % 90 + 1}",
            "10",
            "3",
            "5万元",
        ]
        for n in range(count)
    ]
    lines += lines[10:30]
    path = folder / "到 货.csv"
    path.write_text(delimited([HEADER, *lines]), "utf-8")
    return path


def prepare(settings: Settings, folder: Path) -> None:
    """Create the raw table of the small contract."""
    with _engine(settings).begin() as connection:
        for statement in ddl(small(folder)):
            connection.exec_driver_sql(statement)


def land(settings: Settings, folder: Path, path: Path) -> load.Batch:
    """Land the file in this process."""
    (batch,) = load.land(_engine(settings), settings, small(folder), [path], WHEN)
    return batch


def content(settings: Settings) -> list[str]:
    """Return what landing left behind, less the numbers that count attempts."""
    found = []
    for statement in (
        "select to_jsonb(r) - '_batch_id' from raw.shops_v1 r",
        "select to_jsonb(r) - 'batch_id' - 'reject_id' - 'reported_at' from raw.rejects r",
        "select to_jsonb(b) - 'batch_id' - 'loaded_at' - 'landed_at' - 'recorded_at' from raw.batches b",
    ):
        with _engine(settings).connect() as connection:
            found += [repr(value) for value in connection.execute(text(statement)).scalars()]
    files = [one for one in settings.landing.rglob("*") if one.is_file() and not one.name.startswith(".incoming-")]
    found += [f"{one.relative_to(settings.landing)} {store.sha256_of(one)}" for one in files]
    return sorted(found)


def killed(settings: Settings, folder: Path, path: Path, step: str | float) -> bool:
    """Land the file in a child that dies at a step, or after some seconds; return whether it died."""
    # A server that has imported everything forks the children: a killed one costs no second to start.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["parkindex.raw.load", "kill"])
    child = context.Process(target=_child, args=(settings, folder, path, step))
    child.start()
    if isinstance(step, float):
        child.join(step)
        child.kill()
    child.join(60)
    assert child.exitcode in (0, -signal.SIGKILL), child.exitcode
    died = child.exitcode == -signal.SIGKILL
    child.close()
    return died


def _child(settings: Settings, folder: Path, path: Path, step: str | float) -> None:
    if isinstance(step, str):
        owner, name, before = STEPS[step]
        setattr(owner, name, _deadly(getattr(owner, name), before=before))
    # Small blocks, so that there is something between them.
    load.readers.delimited.read.__kwdefaults__["block_bytes"] = 30_000  # type: ignore[index]
    land(settings, folder, path)


def _deadly(function: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    def dying(*arguments: Any, **keywords: Any) -> Any:
        if not before:
            function(*arguments, **keywords)
        os.kill(os.getpid(), signal.SIGKILL)

    return dying


def _engine(settings: Settings) -> Any:
    return create_engine(settings.warehouse_url, poolclass=NullPool)


def check(undisturbed: list[str], settings: Settings, folder: Path, path: Path, step: str | float) -> bool:
    """Kill, land again, compare; return whether the child was killed before it was done."""
    died = killed(settings, folder, path, step)
    batch = land(settings, folder, path)
    assert batch.status in ("loaded", "already_landed"), batch
    assert content(settings) == undisturbed, step
    again = land(settings, folder, path)
    assert (again.status, again.batch_id) == ("already_landed", batch.batch_id)
    return died


@contextmanager
def own_warehouses(home: Path) -> Iterator[Callable[[], Settings]]:
    """Give new warehouses on a cluster of this process's own."""
    from parkindex import pipeline
    from parkindex.runtime.postgres import Cluster

    cluster = Cluster(home / "postgres", durable=False)
    cluster.start()
    made = 0

    def make() -> Settings:
        nonlocal made
        made += 1
        name = f"killed_{made}"
        cluster.ensure_database(name)
        settings = Settings(home=home / name, inbox=home / name / "inbox", own_warehouse_url=cluster.url(name))
        settings.inbox.mkdir(parents=True)
        pipeline.prepare(settings)
        return settings

    try:
        yield make
    finally:
        cluster.stop()


def main() -> int:
    """Kill at every step, and at random moments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("times", type=int, nargs="?", default=30, help="how often to kill at a random moment")
    parser.add_argument("--seed", type=int, default=2025)
    options = parser.parse_args()
    moments = random.Random(options.seed)  # noqa: S311 - a moment is no secret
    with tempfile.TemporaryDirectory() as name, own_warehouses(Path(name)) as make:
        folder = Path(name)
        path = delivery(folder, 20_000)
        settings = make()
        prepare(settings, folder)
        began = time.perf_counter()
        land(settings, folder, path)
        took = time.perf_counter() - began
        undisturbed = content(settings)
        steps = [*STEPS, *(moments.uniform(0, took * 1.2) for _ in range(options.times))]
        died = 0
        for step in steps:
            settings = make()
            prepare(settings, folder)
            died += check(undisturbed, settings, folder, path, step)
    print(f"{len(steps)} loads, {died} of them killed; every content as undisturbed")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
