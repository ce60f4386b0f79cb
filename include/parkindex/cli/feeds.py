"""Verbs about what comes in: feeds, land, fetch, rejects, contract, sample."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from parkindex import pipeline
from parkindex import settings as settings_module
from parkindex.cli.console import Console, verb
from parkindex.errors import BadInputError, ExitCode, UsageError

if TYPE_CHECKING:
    from parkindex.raw.load import Batch

_PATHS = click.Path(path_type=Path)


@click.command()
@click.option("--parks", is_flag=True, help="Rows set aside per park instead, where rows name their park.")
@verb
def feeds(console: Console, parks: bool) -> None:
    """List every feed: owner, frequency, last batch, rows, rejects, days late."""
    from parkindex.raw import status

    settings = settings_module.load()
    if parks:
        shares = status.by_park(pipeline.engine_of(settings))
        console.result({"parks": shares})
        if not console.as_json:
            columns = ["feed", "park_code", "rows_accepted", "rows_rejected", "reject_share"]
            console.table(shares, columns, ("没有按园区的数据。", "No row names a park."))
        return
    rows = status.feeds(pipeline.engine_of(settings), settings)
    console.result({"feeds": rows})
    if not console.as_json:
        console.table(
            rows,
            [
                *("feed", "owner", "frequency", "batches", "refused", "waiting", "last_received_at", "rows_landed"),
                *("rows_rejected", "rejects_open", "reject_share", "late_days"),
            ],
            ("没有数据源。", "There are no feeds."),
        )


@click.command()
@click.argument("feed")
@click.argument("paths", nargs=-1, required=True, type=_PATHS)
@click.option("--received-at", help="When the files came (ISO date or instant; default: now).")
@click.option("--accept-rejects", is_flag=True, help="Let a file in although more rows are set aside than allowed.")
@click.option("--accept-shrink", is_flag=True, help="Let a full delivery in although it shrank.")
@click.option("--accept-shift", is_flag=True, help="Let a file in although its values shifted by powers of ten.")
@click.option("--as", "by", help="Who lets it in.")
@click.option("--reason", help="Why; kept in the ledger.")
@verb
def land(
    console: Console,
    feed: str,
    paths: tuple[Path, ...],
    received_at: str | None,
    by: str | None,
    reason: str | None,
    **accepts: bool,
) -> None:
    """Land and load files of a feed. A file that was landed before is recognised by its content."""
    from parkindex.raw import limits, load

    settings = settings_module.load()
    engine = pipeline.engine_of(settings)
    options = {option.removeprefix("--").replace("-", "_"): rule for rule, option in limits.ACCEPT_OPTIONS.items()}
    rules = frozenset(rule for name, rule in options.items() if accepts[name])
    acceptance = limits.Acceptance(rules, by or "", reason or "") if rules else None
    batches = load.land(
        engine, settings, feed, list(paths), received_at=pipeline.instant(received_at), acceptance=acceptance
    )
    _report(console, feed, batches)


@click.command()
@click.argument("feed")
@verb
def fetch(console: Console, feed: str) -> None:
    """Fetch a feed from its HTTP source, land and load it."""
    from parkindex.raw import load

    fetched = pipeline.fetch(feed)
    settings = settings_module.load()
    _report(console, feed, load.land(pipeline.engine_of(settings), settings, feed, [Path(fetched["file"])]))


def _report(console: Console, feed: str, batches: list[Batch]) -> None:
    rows = [
        {
            name: getattr(batch, name)
            for name in (
                "feed",
                "file",
                "sha256",
                "batch_id",
                "status",
                "rows_landed",
                "rows_accepted",
                "rows_rejected",
                "rows_duplicate",
                "reason",
            )
        }
        for batch in batches
    ]
    refused = [row for row in rows if row["status"] == "refused"]
    console.result({"batches": rows})
    if not console.as_json:
        console.table(
            rows,
            ["file", "status", "batch_id", "rows_landed", "rows_accepted", "rows_rejected", "rows_duplicate"],
            ("没有文件。", "No files."),
        )
        if any(row["rows_rejected"] for row in rows):
            console.say(
                f"被退回的行:parkindex rejects list --feed {feed}",
                f"Rows set aside: parkindex rejects list --feed {feed}",
            )
    for row in refused:
        label = "拒收" if console.language == "zh" else "refused"
        click.echo(f"{label}: {row['file']}: {row['reason']}", err=True)
    if refused:
        label = "下一步" if console.language == "zh" else "next"
        click.echo(f"  {label}: docs/checks.md; parkindex land {feed} PATH", err=True)
        sys.exit(int(ExitCode.BAD_INPUT))


@click.group()
def rejects() -> None:
    """Rows set aside: list, show, export, return, replay, close."""


@rejects.command("list")
@click.option("--feed")
@click.option("--batch", type=int)
@click.option("--rule")
@click.option("--open", "only_open", is_flag=True, help="Only those that nothing settled yet.")
@click.option("--limit", type=int, default=100, show_default=True)
@verb
def rejects_list(
    console: Console, feed: str | None, batch: int | None, rule: str | None, only_open: bool, limit: int
) -> None:
    """List rows set aside, by feed, batch or rule; personal values are masked."""
    from parkindex.raw import rejects as store

    engine = pipeline.engine_of(settings_module.load())
    rows = store.list_rejects(engine, feed=feed, batch_id=batch, rule=rule, only_open=only_open, limit=limit)
    total = store.count(engine, feed=feed, batch_id=batch, rule=rule, only_open=only_open)
    console.result({"total": total, "rejects": rows})
    if not console.as_json:
        columns = ["reject_id", "feed", "source_file", "source_row", "column_name", "rule", "value", "resolved_by"]
        console.table(rows, columns, ("没有被退回的行。", "No rows were set aside."))
        if total > len(rows):
            console.say(f"共 {total} 行;--limit 可显示更多。", f"{total} in all; --limit shows more.")


@rejects.command("show")
@click.argument("reject_id", type=int)
@verb
def rejects_show(console: Console, reject_id: int) -> None:
    """Show one row whole, with every rule it breaks and what became of it."""
    from parkindex.raw import rejects as store

    row = store.show(pipeline.engine_of(settings_module.load()), reject_id)
    console.result(row)
    if not console.as_json:
        told = row.pop("history")
        for name, value in row.items():
            click.echo(f"{name:14} {value}")
        if told:
            console.table(told, ["at", "event", "actor", "batch_id", "note"], ("", ""))


@rejects.command("export")
@click.option("--feed")
@click.option("--batch", type=int)
@click.option("--rule")
@click.option("--out", type=_PATHS, required=True, help="A .csv or .xlsx file.")
@verb
def rejects_export(console: Console, feed: str | None, batch: int | None, rule: str | None, out: Path) -> None:
    """Write rows still set aside to a file the provider can correct and send back."""
    from parkindex.raw import rejects as store

    settings = settings_module.load()
    written = store.export(pipeline.engine_of(settings), out, feed=feed, batch_id=batch, rule=rule, keys=settings.keys)
    console.result({"rows": written, "file": str(out)}, f"已写入 {written} 行:{out}", f"Wrote {written} rows: {out}")


@rejects.command("return")
@click.argument("file", type=_PATHS)
@click.option("--received-at", help="When it came (ISO date or instant; default: now).")
@click.option("--as", "by", help="Who lands it (default: this account).")
@verb
def rejects_return(console: Console, file: Path, received_at: str | None, by: str | None) -> None:
    """Land an export that its provider corrected: good rows come in and settle their rejects."""
    from parkindex.raw import returns

    settings = settings_module.load()
    engine = pipeline.engine_of(settings)
    batches = returns.land(engine, settings, file, received_at=pipeline.instant(received_at), by=by)
    _report(console, batches[0].feed, batches)


@rejects.command("replay")
@click.argument("numbers", nargs=-1, type=int)
@click.option("--feed")
@click.option("--batch", type=int)
@click.option("--rule")
@click.option("--received-at", help="Known time of what changes (ISO date or instant; default: now).")
@click.option("--as", "by", help="Who does it (default: this account).")
@verb
def rejects_replay(
    console: Console,
    numbers: tuple[int, ...],
    feed: str | None,
    batch: int | None,
    rule: str | None,
    received_at: str | None,
    by: str | None,
) -> None:
    """Judge rows set aside again, from the kept bytes, after a contract or a correction has changed."""
    from dataclasses import asdict

    from parkindex.raw import replay

    settings = settings_module.load()
    done = replay.replay(
        pipeline.engine_of(settings),
        settings,
        feed=feed,
        batch_id=batch,
        rule=rule,
        reject_ids=numbers,
        received_at=pipeline.instant(received_at),
        by=by,
    )
    rows = [asdict(one) for one in done]
    console.result({"replays": rows})
    if not console.as_json:
        columns = ["file", "replays_batch_id", "batch_id", "judged", "accepted", "dropped", "still_rejected", "changed"]
        console.table(rows, [*columns, "withdrawn"], ("没有需要重新判定的行。", "No row is to be judged again."))


@rejects.command("close")
@click.argument("reject_id", type=int)
@click.option("--as", "by", required=True, help="Who.")
@click.option("--reason", required=True, help="Why the row is not to come in any more.")
@verb
def rejects_close(console: Console, reject_id: int, by: str, reason: str) -> None:
    """Settle one row by hand: it is not to come in any more."""
    from parkindex.raw import rejects as store

    store.close(pipeline.engine_of(settings_module.load()), reject_id, by, reason)
    console.result(
        {"reject_id": reject_id, "resolved_by": by}, f"已关闭退回行 {reject_id}。", f"Closed reject {reject_id}."
    )


@click.group()
def contract() -> None:
    """Contracts: check, derive, diff."""


@contract.command("check")
@click.argument("path", required=False, type=_PATHS)
@verb
def contract_check(console: Console, path: Path | None) -> None:
    """Validate every contract and correction, or one contract file; name corrections that have expired."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from parkindex import contracts
    from parkindex.contracts import corrections

    checked = [contracts.load_file(path)] if path else list(contracts.load_all().values())
    found = () if path else corrections.load_all({one.feed: one for one in checked})
    today = datetime.now(ZoneInfo(settings_module.BUSINESS_TIME_ZONE)).date()
    console.result(
        {
            "contracts": [{"feed": one.feed, "version": one.version, "sha256": one.sha256} for one in checked],
            "corrections": [
                {"id": one.id, "feed": one.feed, "valid_until": one.valid_until, "expired": one.valid_until < today}
                for one in found
            ],
        },
        f"{len(checked)} 份合约、{len(found)} 条更正有效。",
        f"{len(checked)} contracts and {len(found)} corrections are valid.",
    )
    for one in found:
        if one.valid_until < today:
            console.say(
                f"更正 {one.id} 已于 {one.valid_until} 到期,不再用于新文件。",
                f"The correction {one.id} expired on {one.valid_until}: new files are no longer corrected.",
            )


@contract.command("derive")
@click.option("--check", is_flag=True, help="Write nothing; fail when a derived file is stale.")
@verb
def contract_derive(console: Console, check: bool) -> None:
    """Write the dbt sources that contracts derive."""
    from parkindex.contracts import derive

    stale = derive.write_sources(check=check)
    names = [str(path) for path in stale]
    if check and stale:
        raise BadInputError(
            f"{len(stale)} derived file(s) are stale.",
            where=", ".join(names),
            why="they differ from what the contracts derive",
            next_step="make derive",
        )
    console.result({"written": names}, f"更新了 {len(names)} 个文件。", f"Updated {len(names)} files.")


@contract.command("pin")
@verb
def contract_pin(console: Console) -> None:
    """Pin the versions of contracts that are not pinned yet: from now on they mean these bytes."""
    from parkindex import contracts
    from parkindex.contracts import pins

    added = pins.pin(contracts.load_all().values(), settings_module.CONTRACTS_DIR)
    console.result({"pinned": added}, f"锁定了 {len(added)} 个版本。", f"Pinned {len(added)} versions.")


@contract.command("diff")
@click.argument("old", required=False, type=_PATHS)
@click.argument("new", required=False, type=_PATHS)
@click.option("--release", "release_id", help="Compare today's contracts with those of a release (`last`: the newest).")
@verb
def contract_diff(console: Console, old: Path | None, new: Path | None, release_id: str | None) -> None:
    """Compare two versions of a contract, or today's with a release's: what changed, does it break, and why."""
    from parkindex import contracts

    if release_id is not None and old is None:
        from parkindex.publish import contract_changes

        settings = settings_module.load()
        compared = contract_changes.since_release(pipeline.engine_of(settings), release_id)
        found = [(feed, change) for feed, changes in compared.changes.items() for change in changes]
        answer: dict[str, Any] = {"release_id": compared.release_id}
    elif old is not None and new is not None and release_id is None:
        found = [("", change) for change in contracts.diff(contracts.load_file(old), contracts.load_file(new))]
        answer = {}
    else:
        raise UsageError(
            "Two contract files are compared, or today's contracts with those of a release.",
            next_step="parkindex contract diff OLD NEW, or parkindex contract diff --release last",
        )
    rows = [
        {**({"feed": feed} if feed else {}), "change": change.what, "breaking": change.breaking, "why": change.why}
        for feed, change in found
    ]
    console.result({**answer, "breaking": any(row["breaking"] for row in rows), "changes": rows})
    if not console.as_json:
        columns = [*(["feed"] if release_id else []), "breaking", "change", "why"]
        console.table(rows, columns, ("没有变化。", "Nothing changed."))


@click.command()
@click.option("--edition", type=int, default=settings_module.DEFAULT_EDITION, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--size", type=click.Choice(["tiny", "small", "city"]), default="small", show_default=True)
@click.option("--out", type=_PATHS, required=True, help="A folder that does not exist yet or is empty.")
@verb
def sample(console: Console, edition: int, seed: int, size: str, out: Path) -> None:
    """Write a synthetic world: the feeds as their providers would send them, and truth.json."""
    from parkindex import sample as world

    summary = world.write(edition, seed, size, out)
    console.result(
        summary.as_dict(),
        f"合成数据(并非真实数据)已写入 {out}",
        f"Synthetic data (nothing in it is real) written to {out}",
    )
