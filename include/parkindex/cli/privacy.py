"""Verbs about what is not shown to all: privacy, retention, erase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from parkindex import pipeline
from parkindex import settings as settings_module
from parkindex.cli.console import Console, verb

if TYPE_CHECKING:
    from parkindex.raw.erasure import Erased

_AS = click.option("--as", "by", required=True, help="Who does it.")


@click.group()
def privacy() -> None:
    """Personal data and disclosure: report, roles, officer, reveal."""


@privacy.command()
@click.argument("release", required=False)
@verb
def report(console: Console, release: str | None) -> None:
    """Say what a release withholds, how small its groups are, what is personal, and who read what."""
    from parkindex.publish import privacy_report

    found = privacy_report.make(pipeline.engine_of(settings_module.load()), release)
    console.result(found)
    if console.as_json:
        return
    for section, columns, empty in privacy_report.SECTIONS:
        console.say(f"\n{section.zh}", f"\n{section.en}")
        console.table(found[section.key], columns, empty)


@privacy.command()
@verb
def roles(console: Console) -> None:
    """Print who may do what in the warehouse, and what stands beside it."""
    from parkindex.ledger import matrix
    from parkindex.ledger import roles as held

    with pipeline.engine_of(settings_module.load()).connect() as connection:
        missing, surplus = held.differences(connection)
    rows = [
        {
            "role": role.name,
            "schema": grant.schema,
            "may": ", ".join(sorted(grant.verbs)).lower(),
            "relations": "all" if grant.only is None else ", ".join(grant.only),
            "but": ", ".join(grant.but),
        }
        for role in matrix.ROLES
        for grant in role.grants
    ]
    differing = [
        {"state": state, "role": one.login, "on": f"{one.kind} {one.place}.{one.name}", "verb": one.verb}
        for state, found in (("missing", missing), ("surplus", surplus))
        for one in found
    ]
    console.result({"matrix": rows, "differences": differing})
    if not console.as_json:
        console.table(rows, ["role", "schema", "may", "relations", "but"], ("没有角色。", "There are no roles."))
        nothing = ("数据库中的授权与此一致。", "The warehouse grants exactly this.")
        console.table(differing, ["state", "role", "on", "verb"], nothing)


@privacy.command()
@click.argument("park")
@_AS
@verb
def officer(console: Console, park: str, by: str) -> None:
    """Make the login of a park's officers: it sees the published views and its own park's records."""
    from parkindex.ledger import roles as held

    settings = settings_module.load()
    login = held.register_officer(pipeline.engine_of(settings), settings.run / "readers.json", park, by)
    dsn = f"parkindex url --role park_officer --park {park.upper()}"
    console.result({"login": login, "park_code": park.upper()}, f"已登记 {login}:{dsn}", f"Made {login}: {dsn}")


@privacy.command()
@click.argument("feed")
@click.option("--batch", type=int, required=True, help="Delivery whose personal fields are opened.")
@click.option("--purpose", required=True, help="What for; it is logged.")
@_AS
@verb
def reveal(console: Console, feed: str, batch: int, purpose: str, by: str) -> None:
    """Open the sealed personal fields of a delivery; who, when and what for is logged first."""
    from parkindex.raw import revealing

    settings = settings_module.load()
    rows = revealing.reveal(pipeline.engine_of(settings), settings, feed, batch, by, purpose)
    console.result({"feed": feed, "batch_id": batch, "rows": rows})
    if not console.as_json:
        columns = list(rows[0]) if rows else []
        console.table(rows, columns, ("没有封存的个人信息。", "Nothing personal is sealed there."))


@click.command()
@click.option("--apply", is_flag=True, help="Erase; without it nothing is changed.")
@click.option("--as", "by", default="", help="Who erases.")
@click.option("--reason", default="retention time is over", show_default=True)
@verb
def retention(console: Console, apply: bool, by: str, reason: str) -> None:
    """List deliveries whose personal fields are kept longer than the policy allows; --apply erases them."""
    from datetime import UTC, datetime

    from parkindex.raw import erasure

    settings = settings_module.load()
    engine = pipeline.engine_of(settings)
    found = erasure.due(engine, settings, datetime.now(UTC))
    if apply:
        erasure.erase(engine, settings, found, by, reason)
        erasure.remove_leftovers(engine, settings)
    _tell(console, found, apply)


@click.command()
@click.argument("feed")
@click.option("--batch", "batches", type=int, multiple=True, required=True, help="Delivery; may be given again.")
@click.option("--apply", is_flag=True, help="Erase; without it nothing is changed.")
@click.option("--as", "by", default="", help="Who erases.")
@click.option("--reason", default="", help="Why, for example the request of a person.")
@verb
def erase(console: Console, feed: str, batches: tuple[int, ...], apply: bool, by: str, reason: str) -> None:
    """Erase the personal fields of deliveries; hashes, counts and everything that is not personal stay."""
    from parkindex.raw import erasure

    settings = settings_module.load()
    engine = pipeline.engine_of(settings)
    found = erasure.of_batches(engine, settings, feed, list(batches))
    if apply:
        erasure.erase(engine, settings, found, by, reason)
    _tell(console, found, apply)


def _tell(console: Console, found: list[Erased], applied: bool) -> None:
    rows = [one.as_dict() for one in found]
    console.result({"applied": applied, "deliveries": rows})
    if console.as_json:
        return
    columns = ["batch_id", "feed", "source_file", "received_at", "cells_in_raw", "cells_in_rejects", "file_removed"]
    console.table(rows, columns, ("没有需要删除的个人信息。", "There is nothing to erase."))
    if rows and not applied:
        console.say("未作更改:加 --apply 才会删除。", "Nothing was changed: add --apply to erase.")
