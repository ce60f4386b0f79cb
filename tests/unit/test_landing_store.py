"""Received bytes in an object store: put once, read back, brought back, and never other bytes under a hash."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import fsspec
import pytest

from parkindex import settings as settings_module
from parkindex.errors import AlteredError, BadInputError, ServiceDownError
from parkindex.landing import store
from parkindex.settings import Settings

URL = "memory://bucket/landing"


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    yield filesystem
    filesystem.store.clear()


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("代码\nA\n", "utf-8")
    return path


def test_bytes_are_put_once_under_their_hash(memory: fsspec.AbstractFileSystem, delivery: Path, tmp_path: Path) -> None:
    kept = store.keep(tmp_path / "landing", "shops", delivery, URL)
    assert memory.cat(f"/bucket/landing/{kept.relative}") == delivery.read_bytes()
    first = memory.modified(f"/bucket/landing/{kept.relative}")
    assert store.keep(tmp_path / "landing", "shops", delivery, URL) == kept
    assert memory.modified(f"/bucket/landing/{kept.relative}") == first
    assert memory.find("/bucket") == [f"/bucket/landing/{kept.relative}"]


def test_working_copies_come_back_from_the_store(
    memory: fsspec.AbstractFileSystem, delivery: Path, tmp_path: Path
) -> None:
    kept = store.keep(tmp_path / "landing", "shops", delivery, URL)
    assert store.local(tmp_path / "landing", kept.relative) == kept.path
    kept.path.unlink()
    assert store.local(tmp_path / "landing", kept.relative, URL).read_bytes() == delivery.read_bytes()
    kept.path.unlink()
    with pytest.raises(BadInputError, match="not where they were kept"):
        store.local(tmp_path / "landing", kept.relative)
    memory.pipe(f"/bucket/landing/{kept.relative}", b"other")
    with pytest.raises(AlteredError):
        store.local(tmp_path / "landing", kept.relative, URL)
    memory.rm(f"/bucket/landing/{kept.relative}")
    with pytest.raises(BadInputError, match="not where they were kept"):
        store.local(tmp_path / "landing", kept.relative, URL)


def test_other_bytes_under_a_hash_are_never_loaded_nor_overwritten(
    memory: fsspec.AbstractFileSystem, delivery: Path, tmp_path: Path
) -> None:
    relative = f"shops/{store.sha256_of(delivery)[:2]}/{store.sha256_of(delivery)}"
    memory.pipe(f"/bucket/landing/{relative}", b"other")
    with pytest.raises(AlteredError, match="other bytes"):
        store.keep(tmp_path / "landing", "shops", delivery, URL)
    assert memory.cat(f"/bucket/landing/{relative}") == b"other"
    kept = store.keep(tmp_path / "plain", "shops", delivery)
    kept.path.chmod(0o644)
    kept.path.write_bytes(b"cut")
    with pytest.raises(AlteredError, match="other bytes"):
        store.keep(tmp_path / "plain", "shops", delivery)


def test_two_that_put_the_same_bytes_agree(
    memory: fsspec.AbstractFileSystem, delivery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store.keep(tmp_path / "one", "shops", delivery, URL)
    monkeypatch.setattr(type(memory), "exists", lambda self, path, **_: False)

    def put(self: object, source: str, target: str, mode: str) -> None:
        assert mode == "create"
        raise FileExistsError(target)

    monkeypatch.setattr(type(memory), "put_file", put)
    assert store.keep(tmp_path / "two", "shops", delivery, URL).sha256 == kept.sha256


@pytest.mark.parametrize("url", ["nosuch://bucket/landing", "s3://bucket/landing"])
def test_a_store_that_cannot_be_used_is_a_service_that_is_down(url: str, delivery: Path, tmp_path: Path) -> None:
    with pytest.raises(ServiceDownError, match="landing store"):
        store.keep(tmp_path / "landing", "shops", delivery, url)


def test_a_store_that_fails_is_a_service_that_is_down(
    memory: fsspec.AbstractFileSystem, delivery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, *_: object, **__: object) -> None:
        raise PermissionError("access denied")

    kept = store.keep(tmp_path / "landing", "shops", delivery, URL)
    kept.path.unlink()
    monkeypatch.setattr(type(memory), "open", fail)
    with pytest.raises(ServiceDownError, match="cannot be used"):
        store.keep(tmp_path / "landing", "shops", delivery, URL)
    kept.path.unlink()
    with pytest.raises(ServiceDownError, match="cannot be used"):
        store.local(tmp_path / "landing", kept.relative, URL)


def test_the_landing_is_a_url_in_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARKINDEX_LANDING_URL", "PARKINDEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    plain = Settings(home=tmp_path, inbox=tmp_path / "inbox")
    assert (plain.landing, plain.landing_store) == (tmp_path / "landing", None)
    monkeypatch.setenv("PARKINDEX_LANDING_URL", "file:///srv/%E8%90%BD%E5%9C%B0%20a")
    loaded = settings_module.load()
    assert (loaded.landing, loaded.landing_store) == (Path("/srv/落地 a"), None)
    monkeypatch.setenv("PARKINDEX_LANDING_URL", URL)
    monkeypatch.setenv("PARKINDEX_HOME", str(tmp_path))
    loaded = settings_module.load()
    assert (loaded.landing, loaded.landing_store) == (tmp_path / "landing", URL)


def test_tokens_are_no_sources_and_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKINDEX_SOURCE_PATENT_EVENTS", "https://events.example/")
    monkeypatch.setenv("PARKINDEX_SOURCE_PATENT_EVENTS_TOKEN", "hush")
    loaded = settings_module.load()
    assert loaded.source_urls["patent_events"] == "https://events.example/"
    assert "patent_events_token" not in loaded.source_urls
    assert loaded.source_tokens == {"patent_events": "hush"}
    assert "hush" not in repr(loaded)


@pytest.mark.parametrize("kernel", ["copies", "cannot", "sees nothing"])
def test_what_is_kept_is_what_was_delivered_whoever_copies_it(
    delivery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: str
) -> None:
    def cannot(*_: int) -> int:
        raise OSError(errno.EXDEV, "other file system")

    if kernel != "copies":
        monkeypatch.setattr(store.os, "copy_file_range", cannot if kernel == "cannot" else lambda *_: 0, raising=False)
    delivery.write_bytes(bytes(range(256)) * 10_000)
    kept = store.keep(tmp_path / "landing", "shops", delivery)
    assert kept.path.read_bytes() == delivery.read_bytes()
    assert kept.sha256 == sha256(delivery.read_bytes()).hexdigest() == kept.path.name
    assert kept.size_bytes == 2_560_000
    assert [one for one in (tmp_path / "landing" / "shops").iterdir() if one.is_file()] == []


def test_a_disk_that_is_full_leaves_nothing_behind(
    delivery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(store.os, "copy_file_range", full, raising=False)
    with pytest.raises(OSError, match="no space"):
        store.keep(tmp_path / "landing", "shops", delivery)
    assert [one for one in (tmp_path / "landing").rglob("*") if one.is_file()] == []
