"""The peer of benchmarks/index.py: one simulated ranking at a time in pandas, as such studies are usually written.

Runs in .venv-bench: ``index_peers.py FILE.npz`` reads the draws and writes ranks and seconds beside them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd


def main(path: Path) -> None:
    """Simulate every draw of a file, one after the other."""
    given = np.load(path)
    areas = pd.Series(given["areas"])
    scores = [pd.DataFrame(np.where(present == 1, filled, np.nan)) for filled, present in given["matrices"]]
    weights, combination, geometric = given["weights"], given["combination"], given["geometric"]
    decimals = int(given["decimals"])
    ranks = []
    start = time.process_time()
    for draw in range(len(weights)):
        weight = pd.Series(weights[draw])
        table = scores[combination[draw]]
        weighted = table.mul(weight, axis=1).T.groupby(areas).sum().T
        available = table.notna().mul(weight, axis=1).T.groupby(areas).sum().T
        area = weighted / available
        area_weight = weight.groupby(areas).sum()
        share = area_weight / area_weight.sum()
        if geometric[draw]:
            total = np.exp(np.log(area.clip(lower=1.0)).mul(share, axis=1).sum(axis=1))
        else:
            total = area.mul(share, axis=1).sum(axis=1)
        ranks.append(total.round(decimals).rank(method="min", ascending=False).to_numpy())
    seconds = time.process_time() - start
    np.save(path.with_suffix(".ranks.npy"), np.array(ranks))
    sys.stdout.write(json.dumps({"seconds": seconds, "pandas": pd.__version__, "numpy": np.__version__}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
