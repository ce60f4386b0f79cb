"""Other ways to bring the same rows into the same typed table, each run in a process of its own.

Runs in ``.venv-bench`` and imports nothing of parkindex. Usage: ``ingest_peers.py WAY JOB`` where JOB is a JSON file
with url, good (CSV of good rows), whole (the delivery), header (as delivered) and columns (name, Postgres type). Prints
one JSON object: seconds, cpu_seconds, peak_rss, accepted, rejected.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import machine

Job = dict[str, Any]
Counts = tuple[int, int | None]
_PIECE = 1 << 20
_BATCH = 50_000
_TABLE = "peer"


def _create(job: Job, columns: list[list[str]] | None = None) -> None:
    import psycopg

    listed = ", ".join(f"{name} {kind}" for name, kind in columns or job["columns"])
    with psycopg.connect(job["url"], autocommit=True) as connection:
        connection.execute(f"drop table if exists {_TABLE}")
        connection.execute(f"create table {_TABLE} ({listed})")


def _arrow_types(job: Job) -> dict[str, Any]:
    import pyarrow as pa

    made = {}
    for name, kind in job["columns"]:
        if kind.startswith("numeric"):
            precision, scale = (int(part) for part in re.findall(r"\d+", kind))
            made[name] = pa.decimal128(precision, scale)
        else:
            made[name] = {"text": pa.string(), "date": pa.date32(), "integer": pa.int32()}[kind]
    return made


def _arrow_batches(job: Job) -> Iterator[Any]:
    from pyarrow import csv as arrow_csv

    convert = arrow_csv.ConvertOptions(column_types=_arrow_types(job), strings_can_be_null=True, null_values=[""])
    yield from arrow_csv.open_csv(job["good"], arrow_csv.ReadOptions(block_size=1 << 24), convert_options=convert)


def psycopg_copy(job: Job) -> Counts:
    """COPY, bytes passed through."""
    import psycopg

    with (
        psycopg.connect(job["url"]) as connection,
        connection.cursor() as cursor,
        Path(job["good"]).open("rb") as source,
    ):
        with cursor.copy(f"copy {_TABLE} from stdin with (format csv, header)") as copy:
            while piece := source.read(_PIECE):
                copy.write(piece)
        return cursor.rowcount, None


def duckdb_copy(job: Job) -> Counts:
    """DuckDB parses and types the file, COPY takes what it writes (its postgres extension needs a download)."""
    import duckdb

    types = {name: {"text": "VARCHAR", "integer": "INTEGER"}.get(kind, kind.upper()) for name, kind in job["columns"]}
    types = {name: kind.replace("NUMERIC", "DECIMAL") for name, kind in types.items()}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as engine:
        typed = Path(folder) / "typed.csv"
        engine.execute(
            f"copy (select * from read_csv(?, header=true, columns={types!r})) to '{typed}' (header false)",
            [job["good"]],
        )
        return psycopg_copy_of(job, typed)


def psycopg_copy_of(job: Job, path: Path) -> Counts:
    """COPY a CSV file without a header."""
    import psycopg

    with psycopg.connect(job["url"]) as connection, connection.cursor() as cursor, path.open("rb") as source:
        with cursor.copy(f"copy {_TABLE} from stdin with (format csv)") as copy:
            while piece := source.read(_PIECE):
                copy.write(piece)
        return cursor.rowcount, None


def pandas_copy(job: Job) -> Counts:
    """Pandas reads and types chunks and writes them as CSV into COPY, the usual recipe."""
    import pandas as pd
    import psycopg

    dates = [name for name, kind in job["columns"] if kind == "date"]
    integers = {name: "Int64" for name, kind in job["columns"] if kind == "integer"}
    texts = {name: "str" for name, kind in job["columns"] if kind == "text" or kind.startswith("numeric")}
    accepted = 0
    with psycopg.connect(job["url"]) as connection, connection.cursor() as cursor:
        for frame in pd.read_csv(job["good"], chunksize=_BATCH, dtype={**integers, **texts}, parse_dates=dates):
            buffer = io.StringIO()
            frame.to_csv(buffer, index=False, header=False, date_format="%Y-%m-%d")
            with cursor.copy(f"copy {_TABLE} from stdin with (format csv)") as copy:
                copy.write(buffer.getvalue())
            accepted += len(frame)
    return accepted, None


def pydantic_rows(job: Job) -> Counts:
    """One pydantic model per row of the delivery; good ones into COPY, bad ones counted."""
    import psycopg
    from pydantic import ValidationError, create_model

    fields: dict[str, Any] = {}
    for name, kind in job["columns"]:
        python = {"text": str, "date": date, "integer": int}.get(kind, Decimal)
        fields[name] = (python, ...) if name in job["required"] else (python | None, None)
    row_model = create_model("Row", __validators__=_validators(job), **fields)
    names = [name for name, _ in job["columns"]]
    accepted = rejected = 0
    seen: set[tuple[str, ...]] = set()
    with psycopg.connect(job["url"]) as connection, Path(job["whole"]).open(encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        next(reader)
        with connection.cursor() as cursor, cursor.copy(f"copy {_TABLE} from stdin") as copy:
            for cells in reader:
                known = tuple(cells)
                if known in seen:
                    continue
                seen.add(known)
                try:
                    # A cell too many or too few ends the pairing with a ValueError.
                    values = {n: None if c in ("", "N/A", "-") else c for n, c in zip(names, cells, strict=True)}
                    model = row_model.model_validate(values)
                except (ValidationError, ValueError):
                    rejected += 1
                    continue
                copy.write_row([getattr(model, name) for name in names])
                accepted += 1
    return accepted, rejected


def _validators(job: Job) -> dict[str, Any]:
    """Return the contract's rules as pydantic validators."""
    from pydantic import field_validator, model_validator

    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    weights = [pow(3, place, 31) for place in range(17)]
    rules = job["rules"]

    def check(cls: Any, value: Any, info: Any) -> Any:  # noqa: ARG001 - the signature is pydantic's
        rule = rules[info.field_name]
        if value is None:
            return value
        if "enum" in rule and value not in rule["enum"]:
            raise ValueError("enum")
        if "pattern" in rule and not re.fullmatch(rule["pattern"], value):
            raise ValueError("pattern")
        low, high = rule.get("minimum"), rule.get("maximum")
        if low is not None and value < type(value)(low) if not isinstance(value, date) else False:
            raise ValueError("range")
        if high is not None and value > type(value)(high) if not isinstance(value, date) else False:
            raise ValueError("range")
        if rule.get("check") == "uscc":
            total = sum(alphabet.index(char) * weight for char, weight in zip(value, weights, strict=False))
            if len(value) != 18 or alphabet[(31 - total % 31) % 31] != value[17]:
                raise ValueError("check digit")
        return value

    def compare(self: Any) -> Any:
        if self.rd_staff is not None and self.employees is not None and self.rd_staff > self.employees:
            raise ValueError("at most")
        return self

    return {"check": field_validator(*rules)(check), "compare": model_validator(mode="after")(compare)}


def adbc(job: Job) -> Counts:
    """Arrow parses and types, ADBC writes binary COPY (into a table it makes: it has no numeric of its own)."""
    from adbc_driver_postgresql import dbapi

    with closing(dbapi.connect(job["url"])) as connection, connection.cursor() as cursor:
        cursor.execute(f"drop table if exists {_TABLE}")
        accepted = 0
        for batch in _arrow_batches(job):
            cursor.adbc_ingest(_TABLE, batch, mode="create" if accepted == 0 else "append")
            accepted += batch.num_rows
        connection.commit()
    return accepted, None


def dlt_default(job: Job) -> Counts:
    """Dlt as its documentation begins: dictionaries in, everything else left to it."""

    def rows() -> Iterator[dict[str, Any]]:
        with Path(job["good"]).open(encoding="utf-8", newline="") as source:
            for row in csv.DictReader(source):
                yield {name: value or None for name, value in row.items()}

    return _dlt(job, rows)


def dlt_fastest(job: Job) -> Counts:
    """Dlt with Arrow batches, Parquet through ADBC: the fastest way it has."""
    return _dlt(job, lambda: _arrow_batches(job), loader_file_format="parquet")


def _dlt(job: Job, source: Callable[[], Iterator[Any]], **options: Any) -> Counts:
    import dlt
    import psycopg

    with psycopg.connect(job["url"], autocommit=True) as connection:
        connection.execute("drop schema if exists dlt_bench cascade")
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(job["url"]),
            dataset_name="dlt_bench",
        )
        hints = {
            name: {"data_type": {"text": "text", "date": "date", "integer": "bigint"}.get(kind, "decimal")}
            for name, kind in job["columns"]
        }
        pipeline.run(dlt.resource(source, name=_TABLE, columns=hints), **options).raise_on_failed_jobs()
    with psycopg.connect(job["url"]) as connection:
        (accepted,) = connection.execute(f"select count(*) from dlt_bench.{_TABLE}").fetchone() or (0,)
    return accepted, None


WAYS: dict[str, Callable[[Job], Counts]] = {
    "psycopg": psycopg_copy,
    "duckdb": duckdb_copy,
    "adbc": adbc,
    "pandas": pandas_copy,
    "pydantic": pydantic_rows,
    "dlt_fastest": dlt_fastest,
    "dlt_default": dlt_default,
}
PACKAGES = ("adbc-driver-postgresql", "dlt", "duckdb", "pandas", "psycopg", "pyarrow", "pydantic")


def main() -> None:
    """Run one way and say what it took."""
    if sys.argv[1] == "versions":
        sys.stdout.write(json.dumps(machine.described(PACKAGES)["packages"]))
        return
    job: Job = json.loads(Path(sys.argv[2]).read_text("utf-8"))
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    _create(job)
    begun = time.monotonic()
    accepted, rejected = WAYS[sys.argv[1]](job)
    seconds = time.monotonic() - begun
    said = {"seconds": seconds, "cpu_seconds": machine.cpu_seconds(), "peak_rss": machine.peak_rss()}
    sys.stdout.write("\n" + json.dumps({**said, "accepted": accepted, "rejected": rejected}) + "\n")


if __name__ == "__main__":
    main()
