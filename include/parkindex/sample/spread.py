"""How the true values of a world spread over its parks: the table that the framework's bounds are chosen beside.

``python -m parkindex.sample.spread --edition 2025 --seed 1 --size small`` prints it as Markdown.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence

from parkindex.sample import truth
from parkindex.sample.sizes import SIZES
from parkindex.sample.world import make


def table(edition: int, seed: int, size: str) -> str:
    """Return a Markdown page: each indicator's least, median and greatest value over the parks of the edition."""
    world = make(edition, seed, SIZES[size])
    parks = truth.compute(world)[str(edition)].values()
    lines = [
        "# True values of the sample world",
        "",
        f"Synthetic. Printed by `python -m parkindex.sample.spread --edition {edition} --seed {seed} --size {size}`.",
        "",
        "| indicator | parks with a value | least | median | greatest |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for indicator in next(iter(parks)):
        values = [value for park in parks if (value := park[indicator]) is not None]
        cells = (min(values), statistics.median(values), max(values)) if values else ()
        shown = " | ".join(f"{cell:.3f}" for cell in cells) or "– | – | –"
        lines.append(f"| {indicator} | {len(values)} | {shown} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of the world that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m parkindex.sample.spread", description=__doc__)
    parser.add_argument("--edition", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--size", choices=list(SIZES), required=True)
    chosen = parser.parse_args(arguments)
    sys.stdout.write(table(chosen.edition, chosen.seed, chosen.size))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
