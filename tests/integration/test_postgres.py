"""The embedded Postgres starts, answers, survives being killed, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from parkindex.errors import ServiceDownError
from parkindex.ledger.tables import SCHEMAS
from parkindex.runtime.postgres import Cluster
from parkindex.settings import Settings


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "带 空格" / "postgres", durable=False)
    yield made
    made.stop()


def _scalar(cluster: Cluster, statement: str) -> object:
    with psycopg.connect(cluster.url("postgres").replace("+psycopg", "")) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def test_starts_under_a_path_with_blanks_and_chinese_and_keeps_its_port(cluster: Cluster) -> None:
    cluster.start()
    first = cluster.port
    assert _scalar(cluster, "select upper('ä') || current_setting('timezone')") == "ÄUTC"
    assert _scalar(cluster, "show server_encoding") == "UTF8"
    assert (cluster.root / "password").stat().st_mode & 0o777 == 0o600
    assert cluster.stop()
    assert not cluster.is_running()
    assert cluster.pids() == []
    cluster.start()
    assert cluster.port == first


def test_takes_another_port_when_its_own_is_taken(cluster: Cluster) -> None:
    cluster.start()
    first = cluster.port
    cluster.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first))
        other.listen()
        cluster.start()
        assert cluster.port != first
        assert cluster.is_running()


def test_what_was_committed_survives_a_killed_server(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "kept")
    cluster.start()
    with psycopg.connect(cluster.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("create table kept (n int)")
        connection.execute("insert into kept values (42)")
    server = cluster.pid
    assert server is not None
    os.kill(server, signal.SIGKILL)
    cluster.start()
    assert cluster.pid != server
    assert _scalar(cluster, "select n from kept") == 42
    assert cluster.stop()
    assert cluster.pids() == []


def test_a_copied_sequence_gives_no_number_twice_after_a_crash(tmp_path: Path) -> None:
    """Numbers that were committed before the server was stopped at once are not given again."""
    cluster = Cluster(tmp_path / "kept")
    cluster.start()
    cluster.ensure_database("original")
    number = "select nextval('numbers')"
    with psycopg.connect(cluster.url("original").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("create sequence numbers")
        connection.execute(number)
    cluster.ensure_database("copy", template="original")
    with psycopg.connect(cluster.url("copy").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"create table told as {number} as number")
        told = connection.execute("select number from told").fetchone()
    server = cluster.pid
    assert server is not None
    os.kill(server, signal.SIGQUIT)
    cluster.start()
    with psycopg.connect(cluster.url("copy").replace("+psycopg", ""), autocommit=True) as connection:
        assert connection.execute("select number from told").fetchone() == told == (2,)
        given = connection.execute(number).fetchone()
    assert given is not None and given[0] > 2
    cluster.stop()


def test_a_pid_file_of_a_strange_process_does_not_deceive(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n", "utf-8")
    assert not cluster.is_running()
    cluster.start()
    assert cluster.is_running()


def test_says_why_it_does_not_start(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data / "postgresql.conf").write_text("shared_buffers = 'a lot'\n", "ascii")
    (cluster.data / "global" / "pg_control").rename(cluster.data / "global" / "pg_control.gone")
    with pytest.raises(ServiceDownError, match="did not start") as caught:
        cluster.start()
    assert "pg_control" in caught.value.why or "shared_buffers" in caught.value.why
    assert caught.value.where == str(cluster.log)
    assert cluster.pids() == []


def test_warehouses_are_migrated_and_apart(make_warehouse: Callable[[], Settings]) -> None:
    one, other = make_warehouse(), make_warehouse()
    assert one.warehouse_url != other.warehouse_url
    engine = create_engine(one.warehouse_url, poolclass=NullPool)
    with engine.connect() as connection:
        found: set[str] = set(connection.execute(text("select nspname from pg_namespace")).scalars())
        assert set(SCHEMAS) <= found
        assert connection.execute(text("select count(*) from raw.batches")).scalar_one() == 0
