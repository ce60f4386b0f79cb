r"""Measure ingest: parkindex beside COPY's floor and other loaders, in one run, on one durable Postgres.

Every way runs in a process of its own, ways in turn, round by round; of the rounds the median counts. The tables are
logged and fsync is on. The floor is ``psql \copy`` of only the good rows into a table of the contract's columns: it
validates nothing, and writes none of the match keys, row hashes and lineage that parkindex writes beside them; what
these cost is measured by a second floor, ``psql \copy`` of exactly the rows that parkindex wrote.

Usage: ``python benchmarks/ingest.py [--size small|full] [--ways WAY,...] [--rounds N] [--json PATH]``.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import ingest_data
import machine
import psutil
import psycopg

HERE = Path(__file__).resolve().parent
_PEERS = HERE.parent / ".venv-bench" / "bin" / "python"
_SIZES = {
    "small": {"rows": 50_000, "growth": [10_000, 50_000], "others": 5_000, "documents": 500},
    "full": {
        "rows": 1_000_000,
        "growth": [100_000, 300_000, 1_000_000, 3_000_000],
        "others": 100_000,
        "documents": 20_000,
    },
}
_SAMPLED_EVERY = 0.05
_SETTLES_WITHIN = 5.0
# Way → what it is; in the order of the table. Those of parkindex are `csv …`; the peers are in ingest_peers.py.
WAYS = {
    "floor": r"psql \copy, good rows, the contract's columns",
    "floor_wide": r"psql \copy, exactly what parkindex wrote",
    "psycopg": "psycopg COPY, bytes passed through",
    "csv_utf8": "parkindex, CSV UTF-8",
    "csv_gb18030": "parkindex, CSV GB18030",
    "duckdb": "DuckDB parse and type, then COPY",
    "adbc": "Arrow parse and type, ADBC",
    "pandas": "pandas chunks, then COPY",
    "pydantic": "pydantic model per row, then COPY",
    "dlt_fastest": "dlt, Arrow → Parquet → ADBC",
    "dlt_default": "dlt, default",
}
_OURS = ("csv_utf8", "csv_gb18030")
_FLOORS = ("floor", "floor_wide")
_SLOW = ("pandas", "pydantic", "dlt_default")
LEFT_OUT = {
    "sling": "its package downloads a binary from a code host when it first runs",
    "DuckDB's postgres extension": "it is downloaded when it is first loaded; DuckDB parses and types, COPY writes",
}


@dataclass(frozen=True)
class Bench:
    """Where a run keeps its things.

    Attributes:
        folder: Data files, cluster and landing folder.
        url: URL of the database, as SQLAlchemy has it.
    """

    folder: Path
    url: str

    @property
    def dsn(self) -> str:
        """The same for libpq."""
        return self.url.replace("postgresql+psycopg://", "postgresql://")


# ------------------------------------------------------------------------------------------- what runs in a child


def _land(bench: Bench, path: Path, contract_path: Path, kept: bool) -> dict[str, Any]:
    """Land one file in an emptied table; runs in a process of its own."""
    from sqlalchemy import create_engine

    from parkindex.contracts import load_file
    from parkindex.contracts.derive import ddl
    from parkindex.raw.load import land
    from parkindex.settings import Settings

    contract = load_file(contract_path)
    engine = create_engine(bench.url)
    home = bench.folder / "home"
    with engine.begin() as connection:
        for table in contract.tables:
            connection.exec_driver_sql(f"drop table if exists raw.{table.raw_table}")
        connection.exec_driver_sql("delete from raw.rejects")
        connection.exec_driver_sql("delete from raw.batches")
        for statement in ddl(contract):
            connection.exec_driver_sql(statement)
    _checkpoint(bench)
    begun = time.monotonic()
    (batch,) = land(engine, Settings(home=home, inbox=home / "inbox"), contract, [path])
    seconds = time.monotonic() - begun
    if batch.status != "loaded":
        raise SystemExit(f"{path.name}: {batch.status}: {batch.reason}")
    made = {
        "seconds": seconds,
        "cpu_seconds": machine.cpu_seconds(),
        "peak_rss": machine.peak_rss(),
        "accepted": batch.rows_accepted,
        "rejected": batch.rows_rejected,
        "repeated": batch.rows_duplicate,
    }
    if kept:
        _dump(bench, contract.tables[0].raw_table, bench.folder / "wide.csv")
    shutil.rmtree(home / "landing")
    return made


def _bare(path: Path) -> dict[str, Any]:
    """Parse a workbook or an archive of documents with the parser that the reader uses, and nothing else."""
    begun = time.monotonic()
    if path.suffix == ".xlsx":
        from python_calamine import CalamineWorkbook

        count = len(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()) - 1
    elif path.suffix == ".json":
        count = len(json.loads(path.read_bytes()))
    else:
        from lxml import etree

        with zipfile.ZipFile(path) as archive:
            count = len([etree.fromstring(archive.read(entry)) for entry in archive.infolist()])
    return {
        "seconds": time.monotonic() - begun,
        "cpu_seconds": machine.cpu_seconds(),
        "peak_rss": machine.peak_rss(),
        "accepted": count,
        "rejected": None,
    }


def _dump(bench: Bench, table: str, into: Path) -> None:
    with (
        psycopg.connect(bench.dsn) as connection,
        into.open("wb") as target,
        connection.cursor().copy(f"copy raw.{table} to stdout with (format csv)") as copy,
    ):
        for piece in copy:
            target.write(piece)


def _checkpoint(bench: Bench) -> None:
    with psycopg.connect(bench.dsn, autocommit=True) as connection:
        connection.execute("checkpoint")


# ------------------------------------------------------------------------------------------------- what measures


def _floor(bench: Bench, cluster: Any, psql: Path, source: Path, *, wide: bool) -> dict[str, Any]:
    r"""Run ``psql \copy`` into a typed table."""
    listed = ", ".join(f"{name} {kind}" for name, kind in ingest_data.COLUMNS)
    made = f"like raw.{ingest_data.TABLE}" if wide else listed
    with psycopg.connect(bench.dsn, autocommit=True) as connection:
        connection.execute("drop table if exists floor")
        connection.execute(f"create table floor ({made})")
    _checkpoint(bench)
    header = "" if wide else ", header"
    command = [str(psql), bench.dsn, "-qXc", f"\\copy floor from '{source}' with (format csv{header})"]
    found = _measured(command, cluster)
    with psycopg.connect(bench.dsn) as connection:
        (accepted,) = connection.execute("select count(*) from floor").fetchone() or (0,)
    return {**found, "accepted": accepted, "rejected": None}


def _measured(command: list[str], cluster: Any) -> dict[str, Any]:
    """Run a command; return wall time, processor time of it and of the server, its peak memory with its children.

    What the command says about itself (one JSON line at the end) goes before what is seen from outside.
    """
    sessions = len(cluster.pids())
    server = _server_cpu(cluster)
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=_environment(), text=True) as process:
        watch = _Watch(process.pid)
        output, _ = process.communicate()
        seconds = time.monotonic() - begun
        watch.stop()
    until = time.monotonic() + _SETTLES_WITHIN
    while len(cluster.pids()) > sessions and time.monotonic() < until:
        time.sleep(_SAMPLED_EVERY)  # a session's time counts as the server's only once the server has seen it end
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command[:3])} ended with {process.returncode}")
    last = output.strip().splitlines()[-1:] or ["{}"]
    said = json.loads(last[0]) if last[0].startswith("{") else {}
    found = {"seconds": seconds, "cpu_seconds": watch.cpu_seconds, "server_cpu_seconds": _server_cpu(cluster) - server}
    return {**found, **said, "peak_rss": max(watch.peak_rss, said.get("peak_rss", 0))}


class _Watch:
    """Follows a process and its children: peak memory and processor time."""

    def __init__(self, pid: int) -> None:
        self.peak_rss = 0
        self.cpu_seconds = 0.0
        self._process = psutil.Process(pid)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(_SAMPLED_EVERY):
            try:
                family = [self._process, *self._process.children(recursive=True)]
                self.peak_rss = max(self.peak_rss, sum(one.memory_info().rss for one in family))
                self.cpu_seconds = sum(sum(one.cpu_times()[:2]) for one in family)
            except psutil.NoSuchProcess:
                continue

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()
        self._thread.join()


def _server_cpu(cluster: Any) -> float:
    """Return the processor time of the server's processes, ended ones included."""
    total = 0.0
    for pid in cluster.pids():
        try:
            total += sum(psutil.Process(pid).cpu_times()[: 4 if pid == cluster.pid else 2])
        except psutil.NoSuchProcess:
            continue
    return total


def _environment() -> dict[str, str]:
    return {**os.environ, "DO_NOT_TRACK": "1", "RUNTIME__DLTHUB_TELEMETRY": "false"}


def _again(*arguments: str) -> list[str]:
    """Return the command that runs a part of this script in a process of its own."""
    return [sys.executable, str(Path(__file__).resolve()), *arguments]


# ------------------------------------------------------------------------------------------------------- formats


def _workbook(source: Path, rows: int) -> Path:
    """Write the first rows of a delivery as XLSX; a cell too many is left out."""
    import xlsxwriter

    target = source.with_name(f"workbook_{rows}.xlsx")
    if not target.exists():
        with xlsxwriter.Workbook(str(target), {"constant_memory": True, "strings_to_formulas": False}) as book:
            sheet = book.add_worksheet("registry")
            with source.open(encoding="utf-8", newline="") as read:
                for number, cells in zip(range(rows + 1), csv.reader(read), strict=False):
                    sheet.write_row(number, 0, cells[: len(ingest_data.COLUMNS)])
    return target


def _document(source: Path, rows: int) -> Path:
    """Write the first rows of a delivery as a JSON document; a cell too many is left out."""
    target = source.with_name(f"document_{rows}.json")
    if not target.exists():
        with source.open(encoding="utf-8", newline="") as read:
            reader = csv.reader(read)
            header = next(reader)
            items = [dict(zip(header, cells, strict=False)) for _, cells in zip(range(rows), reader, strict=False)]
        target.write_text(json.dumps(items, ensure_ascii=False), "utf-8")
    return target


def _gazette(folder: Path, documents: int) -> Path:
    """Write publications of the gazette as a ZIP of XML documents."""
    from parkindex.sample.feeds.patents import render

    target = folder / f"gazette_{documents}.zip"
    if not target.exists():
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(documents):
                text = render(
                    number=f"1{number:08d}",
                    kind="B",
                    published="20240315",
                    application=f"2021{1:01d}{number:07d}",
                    filed="20210827",
                    title=f"一种数据处理方法及装置 {number}",
                    applicants=[(f"上海某某{number % 997}科技有限公司", "201203 上海市浦东新区张江路1号")],
                    classes=("G06F 16/2458(2019.01)", "G06F 40/30(2020.01)"),
                )
                archive.writestr(f"{number:07d}.XML", text)
    return target


# ------------------------------------------------------------------------------------------------------------ runs


def _rounds(ways: list[str], rounds: int, run: Callable[[str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Run ways in turn; return the medians of each with all its times."""
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in ways:
            one = run(way)
            found[way].append(one)
            click.echo(
                f"  round {number + 1} {way:14} {one['seconds']:8.2f} s  {one['peak_rss'] / 2**20:6.0f} MiB", err=True
            )
    return {way: _median(one) for way, one in found.items()}


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("seconds", "cpu_seconds", "server_cpu_seconds", "peak_rss")
    medians = {name: statistics.median(run.get(name, 0.0) for run in runs) for name in names}
    return {**runs[-1], **medians, "all_seconds": [round(run["seconds"], 3) for run in runs]}


def _job(bench: Bench, files: ingest_data.Files) -> Path:
    """Write what the peers need to know."""
    path = bench.folder / "job.json"
    said = {
        "url": bench.dsn,
        "good": str(files.good),
        "whole": str(files.whole),
        "columns": [list(column) for column in ingest_data.COLUMNS],
        "required": ingest_data.required(),
        "rules": ingest_data.rules(),
    }
    path.write_text(json.dumps(said), "utf-8")
    return path


def _measure(
    bench: Bench, cluster: Any, psql: Path, size: str, rounds: tuple[int, int], ways: list[str]
) -> dict[str, Any]:
    sizes: dict[str, Any] = _SIZES[size]
    contract = ingest_data.write_contract(bench.folder)
    files = ingest_data.generate(bench.folder / "data", sizes["rows"])
    gb18030 = ingest_data.as_gb18030(files.whole)
    job = _job(bench, files)

    def land(path: Path, by: Path = contract, *, kept: bool = False) -> dict[str, Any]:
        arguments = [str(bench.folder), bench.url, str(path), str(by), *(["--kept"] if kept else [])]
        return _measured(_again("one-landing", *arguments), cluster)

    def run(way: str) -> dict[str, Any]:
        if way in _FLOORS:
            wide = way == "floor_wide"
            return _floor(bench, cluster, psql, bench.folder / "wide.csv" if wide else files.good, wide=wide)
        if way in _OURS:
            return land(files.whole if way == "csv_utf8" else gb18030)
        return _measured([str(_PEERS), str(HERE / "ingest_peers.py"), way, str(job)], cluster)

    click.echo(f"{sizes['rows']} rows x {len(ingest_data.COLUMNS)} columns, {files.size_bytes >> 20} MiB", err=True)
    land(files.whole, kept=True)  # warms the caches, and gives the second floor its rows
    quick = _rounds([way for way in ways if way not in _SLOW], rounds[0], run)
    slow = _rounds([way for way in ways if way in _SLOW], rounds[1], run)
    found = {**quick, **slow}
    formats = {}
    patents = HERE.parent / "contracts" / "patents.odcs.yaml"
    for name, path, by in (
        ("xlsx", _workbook(files.whole, sizes["others"]), contract),
        ("json", _document(files.whole, sizes["others"]), contract),
        ("xml", _gazette(bench.folder / "data", sizes["documents"]), patents),
    ):
        bare = _measured(_again("bare", str(path)), cluster)
        formats[name] = {"ours": land(path, by), "bare": bare, "size_bytes": path.stat().st_size}
    growth = []
    for rows in sizes["growth"]:
        grown = ingest_data.generate(bench.folder / "data", rows)
        growth.append(
            {
                "rows": rows,
                **land(grown.whole),
                "floor_seconds": _floor(bench, cluster, psql, grown.good, wide=False)["seconds"],
            }
        )
    return {
        "size": size,
        "rows": files.rows,
        "columns": len(ingest_data.COLUMNS),
        "good_rows": files.good_rows,
        "size_bytes": files.size_bytes,
        "rounds": rounds[0],
        "slow_rounds": rounds[1],
        "ways": {way: found[way] for way in WAYS if way in found},
        "slow": [way for way in ways if way in _SLOW],
        "formats": formats,
        "growth": growth,
        "left_out": LEFT_OUT,
    }


@click.group(invoke_without_command=True)
@click.option("--size", type=click.Choice(sorted(_SIZES)), default="small", show_default=True)
@click.option("--rounds", type=int, default=3, show_default=True)
@click.option("--slow-rounds", type=int, default=1, show_default=True, help="Of the ways that take many times as long.")
@click.option("--ways", default=",".join(WAYS), help="Which to measure; the floors and csv_utf8 always are.")
@click.option("--json", "into", type=click.Path(path_type=Path), help="Write the result here as well.")
@click.option("--folder", type=click.Path(path_type=Path), default=HERE.parent / "var" / "bench", show_default=True)
@click.pass_context
def main(
    context: click.Context, size: str, rounds: int, slow_rounds: int, ways: str, into: Path | None, folder: Path
) -> None:
    """Measure ingest beside its peers and print a table."""
    if context.invoked_subcommand:
        return
    from sqlalchemy import create_engine

    from parkindex.ledger import migrate
    from parkindex.runtime.postgres import Cluster, binaries

    always = {*_FLOORS, "csv_utf8"}
    chosen = [way for way in WAYS if way in ways.split(",") or way in always]
    folder = folder.resolve()
    (folder / "data").mkdir(parents=True, exist_ok=True)
    before = machine.described(("polars", "pyarrow", "psycopg", "numpy", "python-calamine", "lxml"))
    cluster = Cluster(folder / "postgres")
    cluster.start()
    try:
        cluster.drop_database("bench")
        cluster.ensure_database("bench")
        bench = Bench(folder, cluster.url("bench"))
        migrate.upgrade(create_engine(bench.url))
        with psycopg.connect(bench.dsn) as connection:
            names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_level", "shared_buffers")
            settings = {name: connection.execute(f"show {name}").fetchone()[0] for name in names}  # type: ignore[index]
        result = _measure(bench, cluster, binaries() / "psql", size, (rounds, slow_rounds), chosen)
    finally:
        cluster.stop()
    peers = subprocess.run([_PEERS, HERE / "ingest_peers.py", "versions"], capture_output=True, check=True).stdout
    after = {"load_1m_after": round(os.getloadavg()[0], 1)}
    result |= {"machine": {**before, **after}, "postgres": settings, "peers": json.loads(peers)}
    if into:
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    import render

    click.echo(render.tables(result))


@main.command("one-landing", hidden=True)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("url")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("contract", type=click.Path(path_type=Path))
@click.option("--kept", is_flag=True)
def one_landing(folder: Path, url: str, path: Path, contract: Path, kept: bool) -> None:
    """Land one file and say what it took."""
    click.echo("\n" + json.dumps(_land(Bench(folder, url), path, contract, kept)))


@main.command("bare", hidden=True)
@click.argument("path", type=click.Path(path_type=Path))
def bare(path: Path) -> None:
    """Parse one file and say what it took."""
    click.echo("\n" + json.dumps(_bare(path)))


if __name__ == "__main__":
    main()
