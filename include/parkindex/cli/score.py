"""Verbs of the index engine: on anybody's data, and on a published edition under other rules."""

from __future__ import annotations

from pathlib import Path

import click

from parkindex.cli.console import Console, verb


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Units: uCode, groups, indicators.")
@click.option("--meta", required=True, type=click.Path(path_type=Path), help="Indicators: levels, parents, weights.")
@click.option("--method", required=True, type=click.Path(path_type=Path), help="Method: steps and options, in YAML.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@verb
def score(console: Console, data: Path, meta: Path, method: Path, out: Path) -> None:
    """Compute an index from two CSV files and a method, one CSV per step (docs/method/engine.md)."""
    import numpy as np

    from parkindex.scoring import data as files
    from parkindex.scoring import engine, output
    from parkindex.scoring import method as methods

    chosen = methods.load(method)
    framework = files.read_meta(meta)
    dataset = files.read_data(data, framework, denominate=chosen.denominate)
    index = engine.run(dataset, framework, chosen, where=str(method))
    written = output.write(index, out)
    for warning in index.warnings:
        click.echo(f"warning: {warning}", err=True)
    top = index.ranks[:, -1]
    first = [
        {"rank": int(top[row]), "uCode": index.kept[row], "score": float(index.scores[row, -1])}
        for row in np.argsort(np.where(np.isnan(top), np.inf, top), kind="stable")[:5]
        if not np.isnan(top[row])
    ]
    console.result(
        {
            "out": str(out),
            "files": [path.name for path in written],
            "units": len(index.units),
            "units_kept": len(index.kept),
            "indicators": len(framework.indicators),
            "aggregates": len(framework.aggregates),
            "draws": index.robustness.draws if index.robustness else 0,
            "ranked_by": framework.codes[index.scores.shape[1] - 1],
            "first": first,
            "warnings": index.warnings,
        }
    )
    if not console.as_json:
        console.table(first, ["rank", "uCode", "score"], ("没有可排名的单位。", "No unit has a rank."))
        console.say(
            f"{len(index.kept)} 个单位、{len(framework.indicators)} 个指标；结果在 {out}",
            f"{len(index.kept)} units, {len(framework.indicators)} indicators; results in {out}",
        )


@click.command()
@click.argument("edition", type=int)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="One change; may be given several times.")
@click.option("--framework", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Another framework.")
@click.option("--next-rank", "park", metavar="PARK", help="What would bring this park its next rank, easiest first.")
@click.option("--order", metavar="PARK,PARK…", help="Under which weights these parks keep this order, best first.")
@verb
def whatif(
    console: Console,
    edition: int,
    changes: tuple[str, ...],
    framework: Path | None,
    park: str | None,
    order: str | None,
) -> None:
    """Recompute an edition's ranks under other weights, bounds, rules or values; nothing is published.

    \b
    Keys: weight.B2=5            weight of an indicator
          weight.B=40            weight of an area (its indicators are scaled)
          bounds.B2.high=250     bounds of an indicator (low, high)
          direction.B2=-1        less is better
          state.A5=not_computed  leave an indicator out
          A1[P03]=55             a park's own value (none takes it away)
          rule.area_min_share=0.5, rule.rank_decimals=3, …
    """  # noqa: D301 - click's mark for text to leave as it is
    from parkindex import pipeline
    from parkindex import settings as settings_module
    from parkindex.errors import UsageError
    from parkindex.scoring import whatif as questions

    pairs: dict[str, str] = {}
    for text in changes:
        key, equals, value = text.partition("=")
        if not equals or key in pairs:
            raise UsageError(
                f"`{text}` is not KEY=VALUE." if not equals else f"`{key}` is set twice.",
                where=f"--set {text}",
                why=f"keys: {questions.KEYS}",
                next_step="give each change once, as --set KEY=VALUE",
            )
        pairs[key] = value
    if park is not None or order is not None:
        _answer_margins(console, edition, pairs, framework, park, order)
        return
    if not pairs and framework is None:
        raise UsageError(
            "There is nothing to change.",
            where="parkindex whatif",
            why="neither --set nor --framework was given",
            next_step=f"parkindex whatif {edition} --set weight.B2=5",
        )
    answer = questions.ask(pipeline.engine_of(settings_module.load()), edition, pairs, framework)
    console.result(answer.as_dict())
    if not console.as_json:
        rows = answer.as_dict()["parks"]
        columns = ["rank_after", "rank_before", "rank_change", "park_code", "park_name_zh", "tier_before", "tier_after"]
        console.table(rows, columns, ("没有园区。", "There are no parks."))
        console.say(
            f"试算，未发布：以 {answer.release_id} 的已发布数值，{_told(answer.changes)}",
            f"A trial, not published: the values of {answer.release_id}, with {_told(answer.changes)}",
        )


def _told(changes: dict[str, str]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in changes.items())


def _answer_margins(
    console: Console, edition: int, pairs: dict[str, str], framework: Path | None, park: str | None, order: str | None
) -> None:
    """Answer what a next rank takes, or where an order holds: on the published edition as it is."""
    from dataclasses import asdict

    from parkindex import pipeline
    from parkindex import settings as settings_module
    from parkindex.errors import UsageError
    from parkindex.scoring import margins, published

    if pairs or framework is not None or (park is not None and order is not None):
        raise UsageError(
            "--next-rank and --order are asked alone.",
            where="parkindex whatif",
            why="they look at the edition as it is published",
            next_step=f"parkindex whatif {edition} --order P01,P02",
        )
    with pipeline.engine_of(settings_module.load()).connect() as connection:
        release = published.require_current(connection, edition, "whatif.release")
    if park is not None:
        points = [asdict(point) for point in margins.next_points(release.document, release.values, park)]
        console.result({"published": False, "release_id": release.release_id, "park_code": park, "points": points})
        if not console.as_json:
            columns = ["indicator_code", "value", "rank_value", "value_change", "point_change", "effort"]
            console.table([_short(point) for point in points], columns, ("没有指标。", "There are no indicators."))
        return
    found = margins.region(release.document, release.values, [code.strip() for code in (order or "").split(",")])
    console.result({"published": False, "release_id": release.release_id, **asdict(found)})
    if not console.as_json:
        if not found.holds:
            console.say("按已发布的权重，该次序不成立。", "By the published weights this order does not hold.")
            return
        columns = ["indicator_code", "weight", "low", "high"]
        console.table(
            [_short(asdict(one)) for one in found.ranges], columns, ("没有指标。", "There are no indicators.")
        )
        if found.all_together is not None:
            share = f"{100 * found.all_together:.1f}%"
            console.say(f"所有权重可同时任意变动 {share}", f"All weights may change at once by {share}")


def _short(row: dict[str, object]) -> dict[str, object]:
    return {key: f"{value:.4g}" if isinstance(value, float) else value for key, value in row.items()}
