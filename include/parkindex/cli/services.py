"""Verbs about what runs on this machine: ranking, up, down, status, doctor, url."""

from __future__ import annotations

import sys

import click

from parkindex import settings as settings_module
from parkindex.cli.console import Console, verb


@click.command()
@click.option("--edition", type=int, default=settings_module.DEFAULT_EDITION, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the sample world.")
@click.option("--size", type=click.Choice(["tiny", "small", "city"]), default="small", show_default=True)
@verb
def ranking(console: Console, edition: int, seed: int, size: str) -> None:
    """Run the whole year on sample feeds through Airflow, and end with a published ranking."""
    from parkindex.runtime import year

    sys.exit(year.run(settings_module.load(), edition=edition, seed=seed, size=size, as_json=console.as_json))


@click.command()
@click.option("--only-warehouse", is_flag=True, help="Start Postgres, not Airflow.")
@verb
def up(console: Console, only_warehouse: bool) -> None:
    """Start Postgres and Airflow, and keep them running."""
    from parkindex.runtime import services

    settings = settings_module.load()
    services.up(settings, only_warehouse=only_warehouse)
    running = services.status(settings)
    console.result(
        running,
        f"已启动。Airflow:{running['airflow_url'] or '未启动'};停止:make down",
        f"Running. Airflow: {running['airflow_url'] or 'not started'}; stop with: make down",
    )


@click.command()
@verb
def down(console: Console) -> None:
    """Stop what `up` or `ranking` started; data stays."""
    from parkindex.runtime import services

    stopped = services.down(settings_module.load())
    console.result({"stopped": stopped}, f"已停止:{len(stopped)} 个进程。", f"Stopped {len(stopped)} processes.")


@click.command()
@verb
def status(console: Console) -> None:
    """Say what runs, and where."""
    from parkindex.runtime import services

    running = services.status(settings_module.load())
    console.result(running)
    if not console.as_json:
        for name in ("home", "warehouse_url", "airflow_url"):
            click.echo(f"{name:14} {running.get(name) or '–'}")
        console.table(running["services"], ["name", "state", "pid"], ("没有服务在运行。", "Nothing is running."))


@click.command()
@verb
def doctor(console: Console) -> None:
    """Say what is wrong with this machine; exit 7 when something must be put right."""
    from parkindex.runtime import doctor as physician

    findings = physician.examine(settings_module.load())
    console.result([finding.as_dict() for finding in findings])
    if not console.as_json:
        console.table(
            [finding.as_dict() for finding in findings],
            ["check", "level", "finding", "next"],
            ("没有发现问题。", "Nothing is wrong."),
        )
    if any(finding.level == "error" for finding in findings):
        sys.exit(7)


@click.command()
@click.option(
    "--role",
    type=click.Choice(["owner", "bi_reader", "evaluator", "auditor", "park_officer"]),
    default="bi_reader",
    show_default=True,
)
@click.option("--park", help="Park of the officers, for example P03.")
@verb
def url(console: Console, role: str, park: str | None) -> None:
    """Print a DSN of the running warehouse for a role (it holds the role's password)."""
    from parkindex.ledger import roles

    settings = settings_module.load()
    address = settings.warehouse_url
    if role != "owner":
        reader = roles.reader_url(address, role, settings.run / "readers.json", park)
        address = reader.render_as_string(hide_password=False)
    dsn = address.replace("postgresql+psycopg://", "postgresql://")
    console.result({"role": role, "url": dsn}, dsn, dsn)
