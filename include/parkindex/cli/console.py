"""What a command says, and how: people's text or one JSON document, Chinese or English, errors with a next step."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from parkindex import settings as settings_module
from parkindex.errors import ParkindexError

_LABELS = {
    "zh": {"error": "错误", "where": "位置", "why": "原因", "next": "下一步"},
    "en": {"error": "error", "where": "where", "why": "why", "next": "next"},
}


@dataclass
class Console:
    """Output of one command.

    Attributes:
        as_json: Print one JSON document on stdout; messages go to stderr.
        language: ``zh`` or ``en``.
        debug: Show tracebacks.
    """

    as_json: bool = False
    language: str = "en"
    debug: bool = False

    def say(self, zh: str, en: str) -> None:
        """Print a message in the reader's language; beside a JSON document it goes to stderr."""
        click.echo(zh if self.language == "zh" else en, err=self.as_json)

    def result(self, document: Any, zh: str | None = None, en: str | None = None) -> None:
        """Print the result: the document with ``--json``, otherwise the text."""
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
        elif zh is not None and en is not None:
            self.say(zh, en)

    def table(self, rows: Sequence[dict[str, Any]], columns: Sequence[str], empty: tuple[str, str]) -> None:
        """Print rows as an aligned table (full-width characters count twice), or what it means that there are none."""
        if not rows:
            self.say(*empty)
            return
        from rich.cells import cell_len

        cells = [list(columns), *([_text(row.get(column)) for column in columns] for row in rows)]
        widths = [max(cell_len(line[place]) for line in cells) for place in range(len(columns))]
        for line in cells:
            padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
            click.echo("  ".join(padded).rstrip())

    def error(self, error: ParkindexError) -> None:
        """Print an error: what, where, why, and the command to run next."""
        if self.as_json:
            click.echo(json.dumps(error.as_dict(), ensure_ascii=False, indent=2))
        labels = _LABELS[self.language]
        click.echo(f"{labels['error']}: {error.what}", err=True)
        for label, value in (("where", error.where), ("why", error.why), ("next", error.next_step)):
            if value:
                click.echo(f"  {labels[label]}: {value}", err=True)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if hasattr(value, "isoformat"):
        return str(value.isoformat(sep=" ", timespec="minutes")) if hasattr(value, "hour") else str(value)
    return str(value)


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options every verb takes, and its errors their exit code and their form."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, messages on stderr.")
    @click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of messages (default: LANG).")
    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @functools.wraps(function)
    def run(as_json: bool, lang: str | None, debug: bool, **arguments: Any) -> None:
        console = Console(as_json, lang or settings_module.load().language, debug)
        try:
            function(console, **arguments)
        except ParkindexError as error:
            if debug:
                raise
            console.error(error)
            sys.exit(int(error.exit_code))
        except Exception as error:
            known = _as_known_error(error)
            if debug or known is None:
                if debug:
                    raise
                click.echo(f"internal error: {type(error).__name__}: {error}", err=True)
                click.echo("  next: run it again with --debug and report what it prints", err=True)
                sys.exit(1)
            console.error(known)
            sys.exit(int(known.exit_code))

    return run


def _as_known_error(error: Exception) -> ParkindexError | None:
    """Give failures of services and of the machine the form of our own errors."""
    from parkindex.errors import ServiceDownError

    if type(error).__module__.startswith("sqlalchemy") and type(error).__name__ in (
        "OperationalError",
        "InterfaceError",
    ):
        cause = str(getattr(error, "orig", error)).strip().splitlines()
        return ServiceDownError(
            "The warehouse does not answer.",
            why=cause[0] if cause else type(error).__name__,
            next_step="parkindex status; then `make up`, or check PARKINDEX_WAREHOUSE_URL",
        )
    if isinstance(error, OSError) and error.errno is not None:
        return ServiceDownError(
            "The machine refused.",
            where=str(error.filename or ""),
            why=error.strerror or str(error),
            next_step="parkindex doctor",
        )
    return None
