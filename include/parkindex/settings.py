"""Where things are. The only module that reads the environment.

==================================  =====================================================================
variable                            meaning (default)
==================================  =====================================================================
``PARKINDEX_HOME``                  run state: data, landing, inbox, releases, logs (``var/`` in the checkout)
``PARKINDEX_WAREHOUSE_URL``         a Postgres 15-17 of your own (default: the embedded one)
``PARKINDEX_<ROLE>_URL``            a login for ``LOADER``, ``BUILDER`` or ``PUBLISHER`` (the owner, acting as it)
``PARKINDEX_AIRFLOW_DB_URL``        the same for Airflow's metadata (default: the embedded one)
``PARKINDEX_INBOX``                 folder where providers drop files, one sub-folder per feed (``<home>/inbox``)
``PARKINDEX_LANDING_URL``           where received bytes are kept: a folder or object store (``file://<home>/landing``)
``PARKINDEX_SOURCE_<FEED>``         URL of a feed's HTTP source, overriding the contract's
``PARKINDEX_SOURCE_<FEED>_TOKEN``   bearer token that the source asks for
``PARKINDEX_ANCHORS``               where heads of the chain are handed to, URLs between blanks (a file in ``<home>``)
``PARKINDEX_SMTP_PASSWORD``         password of the mail server among them
``PARKINDEX_NOTIFY``                where notices go, addresses apart by blanks: see ``parkindex.notices`` (``log:``)
``PARKINDEX_WATCH``                 ``paused``: the DAG ``watch_inbox`` starts paused (default: it is on)
``PARKINDEX_WATCH_SECONDS``         how often it looks, and how long a file must have been at rest (60)
``PARKINDEX_LANG``                  ``zh`` or ``en`` for messages (from ``LANG``)
==================================  =====================================================================
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from parkindex.errors import ServiceDownError, UsageError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CONTRACTS_DIR = PROJECT_ROOT / "contracts"
METHODOLOGY_DIR = PROJECT_ROOT / "methodology"
EXPECTATIONS_DIR = PROJECT_ROOT / "expectations"
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
DAGS_DIR = PROJECT_ROOT / "dags"
DEFAULT_EDITION = 2025
BUSINESS_TIME_ZONE = "Asia/Shanghai"

_SOURCE_PREFIX = "PARKINDEX_SOURCE_"
_TOKEN_SUFFIX = "_TOKEN"  # noqa: S105 - the end of a variable's name
_FILE_SCHEME = "file://"

# Telemetry of every tool we start is off; a run without egress must pass (docs/architecture.md).
QUIET_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "PYTHONUTF8": "1",
}


@dataclass(frozen=True)
class Settings:
    """Paths and addresses of one installation.

    ``home`` is absolute. ``acting_as`` is the role of the warehouse that a job takes on after the owner has logged in.
    """

    home: Path
    inbox: Path
    own_warehouse_url: str | None = None
    own_airflow_db_url: str | None = None
    source_urls: dict[str, str] = field(default_factory=dict)
    language: str = "en"
    landing_url: str | None = None
    source_tokens: dict[str, str] = field(default_factory=dict, repr=False)
    anchors: tuple[str, ...] = ()
    smtp_password: str | None = field(default=None, repr=False)
    role_urls: dict[str, str] = field(default_factory=dict, repr=False)
    acting_as: str | None = None
    notify: tuple[str, ...] = field(default=("log:",), repr=False)
    watch_starts_paused: bool = False
    watch_seconds: int = 60

    @property
    def landing(self) -> Path:
        """Folder of received bytes, named by content hash; beside an object store, of working copies of them."""
        if self.landing_url is not None and self.landing_url.startswith(_FILE_SCHEME):
            return Path(unquote(self.landing_url.removeprefix(_FILE_SCHEME)))
        return self.home / "landing"

    @property
    def landing_store(self) -> str | None:
        """URL of the object store that holds received bytes; None when the folder does."""
        is_folder = self.landing_url is None or self.landing_url.startswith(_FILE_SCHEME)
        return None if is_folder else self.landing_url

    @property
    def releases(self) -> Path:
        """Folder of published bundles."""
        return self.home / "releases"

    @property
    def keys(self) -> Path:
        """Folder of the installation's secret keys."""
        return self.home / "keys"

    @property
    def run(self) -> Path:
        """Folder of pid files, addresses and generated secrets."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """Folder of logs."""
        return self.home / "logs"

    @property
    def services_file(self) -> Path:
        """File in which the runtime says what runs and where."""
        return self.run / "services.json"

    def services(self) -> dict[str, Any]:
        """Return what the runtime last said about its services; empty when nothing was started."""
        try:
            loaded: dict[str, Any] = json.loads(self.services_file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return loaded

    @property
    def warehouse_url(self) -> str:
        """SQLAlchemy URL (``postgresql+psycopg://…``) of the warehouse, as its owner.

        Raises:
            ServiceDownError: No warehouse of the user's own is set and the embedded one was not started.
        """
        url = self.own_warehouse_url or self.services().get("warehouse_url")
        if not url:
            raise ServiceDownError(
                "The warehouse is not running.",
                where=str(self.services_file),
                why="no embedded Postgres was started and PARKINDEX_WAREHOUSE_URL is not set",
                next_step="run `make up`, or set PARKINDEX_WAREHOUSE_URL",
            )
        return with_driver(str(url))

    def source_url(self, feed: str) -> str | None:
        """Return the HTTP source of a feed, if one is configured or the runtime serves a sample of it."""
        served: dict[str, str] = self.services().get("source_urls", {})
        return self.source_urls.get(feed) or served.get(feed)


def with_driver(url: str) -> str:
    """Return a Postgres URL that names the psycopg driver, whichever spelling was given."""
    for prefix in ("postgresql+psycopg2://", "postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def load() -> Settings:
    """Read the settings from the environment."""
    home = Path(os.environ.get("PARKINDEX_HOME") or PROJECT_ROOT / "var").expanduser().resolve()
    inbox = os.environ.get("PARKINDEX_INBOX")
    language = os.environ.get("PARKINDEX_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    sources = {
        name.removeprefix(_SOURCE_PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(_SOURCE_PREFIX) and value
    }
    return Settings(
        home=home,
        inbox=Path(inbox).expanduser().resolve() if inbox else home / "inbox",
        own_warehouse_url=os.environ.get("PARKINDEX_WAREHOUSE_URL") or None,
        own_airflow_db_url=os.environ.get("PARKINDEX_AIRFLOW_DB_URL") or None,
        source_urls={name: value for name, value in sources.items() if not name.endswith(_TOKEN_SUFFIX.lower())},
        source_tokens={
            name.removesuffix(_TOKEN_SUFFIX.lower()): value
            for name, value in sources.items()
            if name.endswith(_TOKEN_SUFFIX.lower())
        },
        landing_url=os.environ.get("PARKINDEX_LANDING_URL") or None,
        anchors=tuple(os.environ.get("PARKINDEX_ANCHORS", "").split()),
        smtp_password=os.environ.get("PARKINDEX_SMTP_PASSWORD") or None,
        role_urls={
            role: with_driver(url)
            for role in ("loader", "builder", "publisher")
            if (url := os.environ.get(f"PARKINDEX_{role.upper()}_URL"))
        },
        notify=tuple((os.environ.get("PARKINDEX_NOTIFY") or "log:").split()),
        watch_starts_paused=os.environ.get("PARKINDEX_WATCH") == "paused",
        watch_seconds=_whole_number("PARKINDEX_WATCH_SECONDS", 60),
        language="zh" if language.lower().startswith("zh") else "en",
    )


def _whole_number(name: str, default: int) -> int:
    """Read a positive whole number from the environment.

    Raises:
        UsageError: It is none.
    """
    told = os.environ.get(name) or str(default)
    if not told.isdecimal() or int(told) < 1:
        raise UsageError(f"{name} is no positive whole number.", where=name, why=told, next_step="unset or correct it")
    return int(told)


def child_environment(settings: Settings, **extra: str) -> dict[str, str]:
    """Return the environment for a process that we start: ours, telemetry off, UTF-8, the same home.

    Args:
        settings: The installation the child belongs to.
        extra: Variables to add.
    """
    environment = {**os.environ, **QUIET_ENVIRONMENT, "PARKINDEX_HOME": str(settings.home), **extra}
    environment["PARKINDEX_INBOX"] = str(settings.inbox)
    environment["PYTHONPATH"] = os.pathsep.join(
        part for part in (str(PROJECT_ROOT / "include"), os.environ.get("PYTHONPATH", "")) if part
    )
    return environment
