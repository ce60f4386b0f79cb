"""Verbs about what is published: releases, show, compare, withdraw, rebuild, export, explain, verify."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from parkindex import pipeline
from parkindex import settings as settings_module
from parkindex.cli.console import Console, verb
from parkindex.errors import ExitCode, UsageError


@click.command()
@verb
def releases(console: Console) -> None:
    """List what is published, newest first."""
    from parkindex.publish import releases as store

    rows = store.list_releases(pipeline.engine_of(settings_module.load()))
    console.result({"releases": rows})
    if not console.as_json:
        columns = ["release_id", "edition", "is_current", "published_at", "approved_by", "content_sha256"]
        console.table(rows, columns, ("尚未发布任何版本。", "Nothing is published yet."))


@click.command()
@click.argument("release")
@verb
def show(console: Console, release: str) -> None:
    """Show one release: its record and its ranking."""
    from parkindex.publish import releases as store

    found = store.show(pipeline.engine_of(settings_module.load()), release)
    console.result(found)
    if not console.as_json:
        for name, value in found["release"].items():
            click.echo(f"{name:20} {value}")
        columns = ["rank", "is_tied", "park_code", "park_name_zh", "park_name_en", "score", "tier", "obs_status"]
        console.table(found["park_ranking"], columns, ("没有排名。", "No ranking."))


@click.command()
@click.argument("first")
@click.argument("second")
@verb
def compare(console: Console, first: str, second: str) -> None:
    """Compare two releases cell by cell."""
    from parkindex.publish import releases as store

    changes = store.compare(pipeline.engine_of(settings_module.load()), first, second)
    console.result({"first": first, "second": second, "changes": changes})
    if not console.as_json:
        columns = ["table_name", "row_key", "column_name", "value_before", "value_after"]
        console.table(changes, columns, ("没有差异。", "They are equal."))


@click.command()
@click.argument("release")
@click.option("--reason", required=True, help="Why, as printed.")
@verb
def withdraw(console: Console, release: str, reason: str) -> None:
    """Mark a release as withdrawn; nothing is deleted, the newest that stands becomes the current one."""
    from parkindex.publish import notices, withdrawals

    settings = settings_module.load()
    engine = pipeline.engine_of(settings)
    made = withdrawals.withdraw(engine, release, reason, by=pipeline.current_user())
    notices.refresh(engine, settings)
    console.result(
        made,
        f"已撤回 {made['release_id']};现行版本:{made['current'] or '无'}",
        f"Withdrawn: {made['release_id']}; current now: {made['current'] or 'none'}",
    )


@click.command()
@click.argument("release")
@verb
def rebuild(console: Console, release: str) -> None:
    """Make a release again from its inputs; exit 6 when it is not equal, saying what differs."""
    from parkindex.publish import rebuild as again

    settings = settings_module.load()
    made = again.rebuild(pipeline.engine_of(settings), settings, release, by=pipeline.current_user())
    console.result(
        made.as_dict(),
        f"{made.release_id}:{'重建结果一致' if made.is_equal else '重建结果不同'},内容哈希 {made.content_sha256}",
        f"{made.release_id}: {'equal' if made.is_equal else 'not equal'}, content {made.content_sha256}",
    )
    if not made.is_equal:
        if not console.as_json:
            causes = ", ".join(made.causes) or "–"
            console.say(f"与发布时不同的来源:{causes}", f"not as in the release: {causes}")
            for told in (line for lines in made.differing.values() for line in lines):
                click.echo(f"  {told}", err=True)
            columns = ["table_name", "row_key", "column_name", "old_value", "new_value"]
            console.table(made.as_dict()["changes"], columns, ("没有差异。", "No cell differs."))
        sys.exit(int(ExitCode.ALTERED))


@click.command()
@click.argument("release")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "xlsx", "parquet", "json", "html"]),
    default="csv",
    show_default=True,
    help="The ranking as csv, xlsx or parquet; every table as json; the pages as html.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="File (folder for html); default: named after the release."
)
@verb
def export(console: Console, release: str, kind: str, out: Path | None) -> None:
    """Write a release in another format, from its frozen rows."""
    from parkindex.publish import export as exports

    settings = settings_module.load()
    written = exports.write(pipeline.engine_of(settings), settings, release, kind, out)
    console.result({"release": release, "format": kind, "path": str(written)}, f"已写入 {written}", f"Wrote {written}")


@click.command()
@click.argument("edition", type=int)
@click.argument("park")
@click.argument("indicator", required=False)
@click.option("--limit", type=int, default=20, show_default=True, help="Records shown.")
@verb
def explain(console: Console, edition: int, park: str, indicator: str | None, limit: int) -> None:
    """Explain a park's rank, or one indicator down to the records, with file and row."""
    from parkindex.publish import explain as explanation

    found = explanation.explain(pipeline.engine_of(settings_module.load()), edition, park, indicator, limit)
    console.result(found.as_dict())
    if not console.as_json:
        click.echo(found.as_text(console.language))


@click.group()
def anchors() -> None:
    """Places outside the warehouse that keep the head of the chain: hand, list."""


@anchors.command("hand")
@verb
def anchors_hand(console: Console) -> None:
    """Hand over the heads that an anchor has not got yet; exit 7 when one does not take them."""
    made = pipeline.hand_over_heads()
    count = sum(len(one["handed"]) for one in made["anchors"])
    console.result(made, f"已送出 {count} 个链首哈希", f"Handed over: {count} head(s)")


@anchors.command("list")
@verb
def anchors_list(console: Console) -> None:
    """List where each head was handed to."""
    from parkindex.publish import anchors as store

    settings = settings_module.load()
    rows = store.receipts(pipeline.engine_of(settings))
    console.result({"anchors": [one.label for one in store.configured(settings)], "receipts": rows})
    if not console.as_json:
        columns = ["release_id", "anchor", "chain_sha256", "receipt", "handed_at"]
        console.table(rows, columns, ("尚未送出。", "Nothing was handed over yet."))


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--anchor",
    "specs",
    multiple=True,
    help="What was kept elsewhere: a file of heads, a saved mail, a git repository (path or URL); may be repeated.",
)
@click.option("--head", help="Chain hash of the release, from elsewhere (with FOLDER).")
@click.option("--public-key", help="Public key in hexadecimal, from elsewhere (with FOLDER).")
@verb
def verify(
    console: Console, folder: Path | None, specs: tuple[str, ...], head: str | None, public_key: str | None
) -> None:
    """Check a bundle offline, or without FOLDER the warehouse's releases; exit 6 when something was altered."""
    from parkindex.publish import anchors
    from parkindex.publish import verify as verification

    given = [anchors.of(spec) for spec in specs]
    if folder is not None:
        findings = verification.verify_bundle(folder, public_key, head, given)
        checked = str(folder)
    elif head or public_key:
        raise UsageError(
            "--head and --public-key go with the folder of a bundle.",
            why="the warehouse is compared with whole lines of heads",
            next_step="parkindex verify FOLDER --head …, or parkindex verify --anchor FILE",
        )
    else:
        settings = settings_module.load()
        findings = verification.verify_warehouse(pipeline.engine_of(settings), settings, given)
        checked = "warehouse"
    rows = [finding.as_dict() for finding in findings]
    console.result({"checked": checked, "altered": bool(rows), "findings": rows})
    if not console.as_json:
        console.table(rows, ["what", "where", "detail"], ("未发现改动。", "Nothing was altered."))
    if rows:
        sys.exit(int(ExitCode.ALTERED))
