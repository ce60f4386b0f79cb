"""Entry point: finds the verb and loads only what that verb needs, so that ``--help`` stays quick."""

from __future__ import annotations

import importlib

import click

from parkindex import __version__

# verb → (module, one-line help); the module holds a click command of the verb's name.
VERBS = {
    "ranking": ("services", "Run the whole year on sample feeds, end with a published ranking."),
    "up": ("services", "Start Postgres and Airflow, and keep them running."),
    "down": ("services", "Stop them."),
    "status": ("services", "Say what runs, and where."),
    "doctor": ("services", "Say what is wrong with this machine."),
    "url": ("services", "Print a DSN of the running warehouse."),
    "feeds": ("feeds", "List feeds: owner, frequency, last batch, rows, rejects, days late."),
    "land": ("feeds", "Land and load files of a feed."),
    "fetch": ("feeds", "Fetch a feed from its HTTP source, land and load it."),
    "rejects": ("feeds", "Rows set aside: list, show, export, return, replay, close."),
    "matches": ("matches", "Doubtful names and places: list, accept, reject, withdraw, relate, export, import."),
    "resolve": ("matches", "Resolve names or codes in a CSV to enterprises of the warehouse."),
    "contract": ("feeds", "Contracts and corrections: check, derive, diff."),
    "sample": ("feeds", "Write a synthetic world: feeds and its truth."),
    "build": ("editions", "Build a candidate of an edition."),
    "gate": ("editions", "Run the gate on a candidate."),
    "candidates": ("editions", "List candidates."),
    "preview": ("editions", "Write a candidate's page, and what it would change."),
    "gc": ("editions", "Drop candidates that nothing needs, and what killed builds left."),
    "approvers": ("editions", "The registry of people who may approve: add, end, list."),
    "waivers": ("editions", "What a named person has to sign before the gate passes a candidate."),
    "waive": ("editions", "Sign failures that the gate must not pass alone."),
    "approve": ("editions", "Approve a candidate."),
    "reject": ("editions", "Reject a candidate."),
    "publish": ("editions", "Publish an approved candidate, or refuse."),
    "releases": ("releases", "List what is published."),
    "show": ("releases", "Show one release."),
    "compare": ("releases", "Compare two releases cell by cell."),
    "calendar": ("governance", "Dates of an edition: embargo, preview, objections. set, list."),
    "objections": ("governance", "The register of objections: open, list, decide."),
    "withdraw": ("releases", "Mark a release as withdrawn; nothing is deleted."),
    "rebuild": ("releases", "Make a release again from its inputs; equal, or what differs."),
    "export": ("releases", "Write a release as csv, xlsx, parquet, json or html."),
    "explain": ("releases", "From rank to score to value to records, with file and row."),
    "verify": ("releases", "Check a bundle, or the warehouse's releases, chain and approvals."),
    "anchors": ("releases", "Places outside the warehouse that keep the head of the chain: hand, list."),
    "doubt": ("doubt", "How sure a ranking is: other choices, left-out indicators and enterprises, coherence."),
    "moved": ("doubt", "What moved each park since the last edition, in parts that add up."),
    "whatif": ("score", "Recompute an edition's ranks under other weights, bounds, rules or values."),
    "consequences": ("doubt", "Notice, delisting, commendation: what the rule proposes, what people decided."),
    "privacy": ("privacy", "Personal data and disclosure: report, roles, officer, reveal."),
    "retention": ("privacy", "Personal fields kept longer than the policy allows: list, erase."),
    "erase": ("privacy", "Erase the personal fields of deliveries; evidence stays."),
    "score": ("score", "The index engine on any data: two CSV files and a method."),
    "methodology": ("rules", "Methodology editions: check, show, diff, new, freeze."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs in the order of the year."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Load the module of a verb."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"parkindex.cli.{VERBS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the list of verbs without loading them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, text) for verb, (_, text) in VERBS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="parkindex")
def cli() -> None:
    """parkindex: the warehouse and pipeline behind the annual ranking of a zone's parks.

    Exit codes: 0 done, 2 usage, 3 bad input or contract, 4 gate failed, 5 approval missing, stale or refused, 6 altered
    record, 7 a service is not there.
    """


def main() -> None:
    """Run the command line."""
    cli(prog_name="parkindex")


if __name__ == "__main__":
    main()
