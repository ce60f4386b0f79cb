"""The verb that runs the index engine on anybody's data."""

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
