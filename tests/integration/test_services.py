"""Services start, are found, are stopped whole, and fail with a next step: with real Airflow where it matters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from parkindex.errors import ExitCode, ServiceDownError
from parkindex.runtime import airflow, doctor, processes, services
from parkindex.settings import Settings
from year_run import processes_of


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    home = tmp_path / "空 home"
    made = Settings(home=home, inbox=home / "inbox")
    yield made
    services.stop_all(made)


def test_the_warehouse_alone_starts_twice_and_stops(settings: Settings) -> None:
    services.up(settings, only_warehouse=True)
    first = services.status(settings)
    assert [row["name"] for row in first["services"]] == ["postgres"]
    assert first["services"][0]["state"] == "running"
    assert first["warehouse_url"] == settings.warehouse_url
    assert first["airflow_url"] is None
    assert settings.services_file.stat().st_mode & 0o777 == 0o600
    services.up(settings, only_warehouse=True)
    assert services.status(settings)["services"] == first["services"]
    assert {"name": "postgres", "pid": first["services"][0]["pid"]} in services.down(settings)
    assert services.status(settings)["warehouse_url"] is None
    assert processes_of(settings.home) == []
    with pytest.raises(ServiceDownError, match="not running"):
        _ = settings.warehouse_url


def test_a_second_command_is_refused_with_the_name_of_the_first(settings: Settings) -> None:
    with services.exclusive(settings, "ranking"):
        other = subprocess.run(
            [sys.executable, "-m", "parkindex.cli", "up", "--json"],
            env={**os.environ, "PARKINDEX_HOME": str(settings.home), "LANG": "C"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert services.lock_holder(settings) == f"`parkindex ranking`, process {os.getpid()}"
    assert other.returncode == ExitCode.SERVICE_DOWN
    said = json.loads(other.stdout)
    assert f"process {os.getpid()}" in said["why"]
    assert said["next"]
    with services.exclusive(settings, "down"):
        pass


def test_a_server_of_the_users_own_that_does_not_answer_leaves_nothing_running(settings: Settings) -> None:
    wrong = Settings(
        home=settings.home, inbox=settings.inbox, own_warehouse_url=f"postgresql://nobody@127.0.0.1:{_closed_port()}/x"
    )
    with pytest.raises(ServiceDownError, match="PARKINDEX_WAREHOUSE_URL does not answer") as caught:
        services.up(wrong, only_warehouse=True)
    assert "unset it" in caught.value.next_step
    assert processes_of(settings.home) == []


def test_what_a_killed_service_started_is_still_found(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    for folder in (settings.run, settings.logs):
        folder.mkdir()
    script = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
    service, child = services.spawn(
        settings, "scheduler", [sys.executable, "-c", script], dict(os.environ), settings.run
    )
    until = time.monotonic() + 10
    while len(processes.started_by(service.pid, service.started)) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)
    orphan = max(set(processes.started_by(service.pid, service.started)) - {service.pid})
    os.kill(service.pid, signal.SIGKILL)
    child.wait()
    assert services.status(settings)["services"][0]["state"] == "stopped"
    assert "ended by itself" in {finding.check: finding.finding for finding in doctor.examine(settings)}["scheduler"]
    assert [one["pid"] for one in services.down(settings)] == [orphan]
    assert processes.started(orphan) is None


def test_a_process_that_got_the_pid_of_a_service_is_left_alone(settings: Settings) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        start = processes.started(stranger.pid)
        assert start is not None
        settings.run.mkdir(parents=True)
        noted = [{"name": "scheduler", "pid": stranger.pid, "started": start - 1, "log": "x"}]
        settings.services_file.write_text(json.dumps({"boot_id": processes.boot_id(), "services": noted}), "utf-8")
        assert services.status(settings)["services"][0]["state"] == "stopped"
        assert services.down(settings) == []
        assert stranger.poll() is None
        stranger.terminate()


def test_airflow_that_does_not_start_says_why_and_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(component: str, *_arguments: str) -> list[str]:
        return [sys.executable, "-c", f"import time, sys; time.sleep(0.3); sys.exit('no {component} today')"]

    monkeypatch.setattr(airflow, "command", broken)
    monkeypatch.setattr(airflow, "migrate", lambda *_: None)
    with pytest.raises(ServiceDownError, match="ended while starting") as caught:
        services.up(settings)
    assert "today" in caught.value.why
    assert Path(caught.value.where).parent == settings.logs
    assert processes_of(settings.home) == []


def test_a_full_disk_is_said_and_leaves_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device", str(settings.home))

    monkeypatch.setattr(airflow, "migrate", full)
    with pytest.raises(OSError, match="No space left"):
        services.up(settings)
    assert processes_of(settings.home) == []


def test_doctor_finds_nothing_wrong_here(settings: Settings) -> None:
    found = doctor.examine(settings)
    assert [finding for finding in found if finding.level == doctor.ERROR] == []
    assert {"python", "disk", "memory", "ports", "postgres", "user", "fonts", "lock"} <= {one.check for one in found}
    assert all(finding.next for finding in found if finding.level != doctor.OK)


def _closed_port() -> int:
    return processes.free_port()
