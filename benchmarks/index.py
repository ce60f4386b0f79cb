"""Measure the index: simulations beside a pandas loop of the same run, growth with units, and leaving enterprises out.

Everything computes on one core, and seconds are the processor's on both sides: a busy machine does not count. Values,
weights and contributions are drawn from a seed. What is compared is checked for equality first. Usage: ``python
benchmarks/index.py [--size small|full] [--json PATH]``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import click
import machine
import numpy as np

from parkindex import methodology
from parkindex.scoring import Framework, Node, doubt, leave_out, parse_method, simulate
from parkindex.scoring.draws import uniform
from parkindex.scoring.edition import Value, framework_of, matrix_of, score, steps

HERE = Path(__file__).resolve().parent
_PEERS = HERE.parent / ".venv-bench" / "bin" / "python"
_ONE_CORE = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_DRAWS = 10_000
_MEAN, _GEOMETRIC, _COPELAND = ({"method": name} for name in ("arithmetic", "geometric", "copeland"))
_ROUNDS = 5
_SIZES = {
    "small": {"pandas_draws": 100, "units": [22, 100, 300], "enterprises": 10_000, "rebuilt": 5},
    "full": {"pandas_draws": 1_000, "units": [22, 100, 300, 1_000], "enterprises": 130_000, "rebuilt": 20},
}


def _document(parks: int) -> dict[str, Any]:
    """Return the rules of 2025 with a number of parks."""
    rules = methodology.load(2025).document
    known = [{"park_code": f"U{number:05}", "peer_group": f"g{number % 3}"} for number in range(parks)]
    return {**rules, "parks": known, "tiers": {"rows": [{"tier": 1, "rank_from": 1, "rank_to": parks}]}}


def _values(document: dict[str, Any], seed: int) -> list[Value]:
    """Draw values between the bounds, three in a hundred missing."""
    computed = [row for row in document["indicators"] if row["state"] == "computed"]
    drawn = uniform(seed, (len(document["parks"]) * len(computed), 2))
    found: list[Value] = []
    for (park, row), (share, luck) in zip(product(document["parks"], computed), drawn, strict=True):
        low, high = row["bounds"]["low"], row["bounds"]["high"]
        found.append((park["park_code"], row["code"], None if luck < 0.03 else low + share * (high - low)))
    return found


def _median(function: Callable[[], object]) -> float:
    seconds = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def _engine() -> list[dict[str, Any]]:
    """10,000 draws of the general engine (``parkindex score``) for 22 units × 35 indicators in four pillars."""
    pillars = ("A", "B", "C", "D")
    framework = Framework(
        "benchmark",
        tuple(Node(f"I{place:02}", 1, 1, 1.0 + place % 5, pillars[place % 4]) for place in range(35)),
        (*(Node(code, 2, 1, 1.0, "Index") for code in pillars), Node("Index", 3, 1, None, None)),
    )
    units = tuple(f"U{row:02}" for row in range(22))
    values = 1 + 99 * uniform(21, (22, 35))
    nominal = np.arange(1.0, 23.0)
    found = []
    for name, varied in (
        (
            "minmax, zscore × arithmetic, geometric",
            {"normalise": ["minmax", "zscore"], "aggregate": [_MEAN, _GEOMETRIC]},
        ),
        ("Copeland of the pillars' means", {"aggregate": [[_MEAN, _COPELAND]]}),
        ("Copeland at both levels", {"aggregate": [_COPELAND]}),
    ):
        method = parse_method(
            {
                "normalise": "minmax",
                "aggregate": "arithmetic",
                "robustness": {"draws": _DRAWS, "weights": 0.25, **varied},
            }
        )
        run = partial(simulate, values, framework, units, method, nominal, "benchmark")
        seconds = _median(run)
        found.append({"name": name, "draws": _DRAWS, "units": 22, "indicators": 35, "seconds": seconds})
    return found


def _against_pandas(pandas_draws: int) -> dict[str, Any]:
    """10,000 draws for 22 parks; the pandas loop on the first of the same draws must give the same ranks."""
    document = _document(22)
    prepared = doubt.model(document, _values(document, 11))
    drawn = uniform(1, (_DRAWS, prepared.columns))
    seconds = _median(lambda: prepared.ranks(prepared.totals(drawn)))
    m = len(prepared.framework.weights)
    spread = prepared.framework.rules["robustness_weight_spread"]
    chosen = doubt.choices(drawn[:pandas_draws, m:])
    keys = list(prepared.scores)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draws.npz"
        np.savez(
            path,
            areas=prepared.framework.member.argmax(axis=0),
            matrices=np.array([prepared.scores[key] for key in keys]),
            weights=prepared.framework.weights * (1 - spread + 2 * spread * drawn[:pandas_draws, :m]),
            combination=[keys.index((one[0], one[2], one[3])) for one in chosen],
            geometric=chosen[:, 1] == 1,
            decimals=int(prepared.framework.rules["rank_decimals"]),
        )
        told = json.loads(
            subprocess.run([_PEERS, HERE / "index_peers.py", path], capture_output=True, check=True).stdout
        )
        of_pandas = np.load(path.with_suffix(".ranks.npy"))
    ours = prepared.ranks(prepared.totals(drawn[:pandas_draws]))
    # A total that lies on a half of the last kept digit may be rounded otherwise by pandas.
    different = float((ours != of_pandas).mean())
    if different > 0.001:
        raise click.ClickException(f"pandas gives other ranks in {different:.2%} of the cells")
    per_draw = told["seconds"] / pandas_draws
    return {
        "draws": _DRAWS,
        "parks": len(prepared.parks),
        "indicators": m,
        "seconds": seconds,
        "pandas_draws": pandas_draws,
        "pandas_seconds_per_10000": per_draw * _DRAWS,
        "times_faster": per_draw * _DRAWS / seconds,
        "cells_different": different,
        "peers": {"pandas": told["pandas"], "numpy": told["numpy"]},
    }


def _growth(units: list[int]) -> list[dict[str, Any]]:
    """1,000 draws for more and more units."""
    found = []
    for count in units:
        document = _document(count)
        prepared = doubt.model(document, _values(document, 12))
        drawn = uniform(1, (1_000, prepared.columns))
        seconds = _median(lambda p=prepared, d=drawn: p.ranks(p.totals(d)))  # type: ignore[misc]
        found.append({"units": count, "draws": 1_000, "seconds": seconds})
    return found


def _left_out(enterprises: int, rebuilt: int) -> dict[str, Any]:
    """Leave every enterprise out by exact update, and some by summing up again what all others contribute."""
    document = _document(22)
    framework = framework_of(document)
    codes = framework.indicators
    n, m = len(framework.parks), len(codes)
    drawn = uniform(13, (enterprises * m, 2))
    park = np.repeat(np.arange(enterprises) % n, m)
    what = np.tile(np.arange(m), enterprises)
    bottom = 1 + np.floor(1_000 * drawn[:, 0])
    top = bottom * (framework.low[what] + drawn[:, 1] * (framework.high - framework.low)[what])

    def sums(without: int | None) -> list[leave_out.Measured]:
        keep = np.ones(len(park), dtype=bool)
        if without is not None:
            keep[without * m : (without + 1) * m] = False
        numerators, denominators = np.zeros((n, m)), np.zeros((n, m))
        np.add.at(numerators, (park[keep], what[keep]), top[keep])
        np.add.at(denominators, (park[keep], what[keep]), bottom[keep])
        return [
            leave_out.Measured(
                framework.parks[row],
                codes[column],
                float(numerators[row, column] / denominators[row, column]),
                float(numerators[row, column]),
                float(denominators[row, column]),
            )
            for row, column in product(range(n), range(m))
        ]

    contributions = [
        leave_out.Contribution(f"E{place // m:07}", framework.parks[row], codes[column], float(one), float(other))
        for place, (row, column, one, other) in enumerate(zip(park, what, top, bottom, strict=True))
    ]
    measured = sums(None)
    start = time.process_time()
    found = leave_out.without_enterprises(document, measured, contributions)
    seconds = time.process_time() - start
    start = time.process_time()
    worst = 0.0
    for place in np.linspace(0, enterprises - 1, rebuilt).astype(int):
        again = sums(int(place))
        values: list[Value] = [(one.park_code, one.indicator_code, one.value) for one in again]
        totals = steps(framework, matrix_of(framework, document, values)).total
        worst = max(worst, float(np.nanmax(np.abs(totals - found.totals[place]))))
        ranks = [one.rank for one in score(document, values).parks]
        if ranks != [int(rank) for rank in found.ranks[place]]:
            raise click.ClickException(f"enterprise {place}: another rank than building again")
    per_rebuild = (time.process_time() - start) / rebuilt
    return {
        "enterprises": enterprises,
        "contributions": len(contributions),
        "seconds": seconds,
        "rebuilt": rebuilt,
        "rebuild_seconds_for_all": per_rebuild * enterprises,
        "times_faster": per_rebuild * enterprises / seconds,
        "largest_difference": worst,
    }


@click.command()
@click.option("--size", type=click.Choice(list(_SIZES)), default="small")
@click.option(
    "--json", "into", type=click.Path(path_type=Path), help="Write the result as JSON, and its table beside it."
)
def main(size: str, into: Path | None) -> None:
    """Measure the index and print a table."""
    chosen: dict[str, Any] = _SIZES[size]
    result = {
        "size": size,
        "machine": machine.described(("numpy",)),
        "simulation": _against_pandas(chosen["pandas_draws"]),
        "engine": _engine(),
        "growth": _growth(chosen["units"]),
        "left_out": _left_out(chosen["enterprises"], chosen["rebuilt"]),
    }
    if into:
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
        into.with_suffix(".md").write_text(tables(result) + "\n", "utf-8")
    click.echo(tables(result))


def tables(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    one, out = result["simulation"], result["left_out"]
    box, peers = result["machine"], result["simulation"]["peers"]
    packages = ", ".join(f"{name} {version}" for name, version in {**box["packages"], **peers}.items())
    lines = [
        "<!-- Generated from index.json by `python benchmarks/index.py --json`. Do not edit: measure again. -->",
        "",
        "# Index, measured",
        "",
        f"{box['cores']} cores ({box['cpu']}), of which one is used; load {box['load_1m']} before; Python "
        f"{box['python']}, {packages}. Processor seconds, medians of {_ROUNDS} rounds, "
        f"size {result['size']}.",
        "",
        "| what | seconds | against |",
        "| --- | ---: | --- |",
        f"| {one['draws']:,} draws × {one['parks']} parks × {one['indicators']} indicators | {one['seconds']:.3f} | "
        f"pandas, one draw at a time: {one['pandas_seconds_per_10000']:.0f} s (from {one['pandas_draws']} of the same "
        f"draws), {one['times_faster']:.0f} × |",
        *(
            f"| the same with `parkindex score`, {row['name']}: {row['draws']:,} draws × {row['units']} units × "
            f"{row['indicators']} indicators | {row['seconds']:.3f} | – |"
            for row in result["engine"]
        ),
        *(
            f"| {row['draws']:,} draws × {row['units']:,} units | {row['seconds']:.3f} | "
            f"{1e6 * row['seconds'] / row['draws'] / row['units']:.2f} µs per unit and draw |"
            for row in result["growth"]
        ),
        f"| {out['enterprises']:,} enterprises left out, one at a time | {out['seconds']:.1f} | summing up again: "
        f"{out['rebuild_seconds_for_all']:.0f} s (from {out['rebuilt']}), {out['times_faster']:.0f} ×; totals differ "
        f"by at most {out['largest_difference']:.0e} |",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if any(os.environ.get(name) != one for name, one in _ONE_CORE.items()):
        # The libraries count their threads when they are loaded.
        again = subprocess.run([sys.executable, *sys.argv], env={**os.environ, **_ONE_CORE}, check=False)
        sys.exit(again.returncode)
    main()
