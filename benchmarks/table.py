"""The table of benchmarks/README.md, from what `make bench` measured.

python benchmarks/table.py benchmarks/results/FILE.json
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path


def table(results: dict) -> str:  # type: ignore[type-arg]
    """Median items per second and the quartiles, a row for each recipe and stage."""
    machine = results["machine_info"]
    rows = defaultdict(list)
    for one in results["benchmarks"]:
        info, stats = one["extra_info"], one["stats"]
        speeds = [info["items"] / stats[name] for name in ("q3", "median", "q1")]
        rows[info["recipe"]].append((info["stage"], *speeds))
    lines = [f"{machine['cpu']['brand_raw']}, {machine['cpu']['count']} cores, Python {machine['python_version']}.", ""]
    lines += ["| recipe | stage | items/s, median | quartiles |", "| --- | --- | ---: | ---: |"]
    for recipe, stages in rows.items():
        for stage, low, middle, high in stages:
            lines.append(f"| `{recipe}` | {stage} | {middle:,.0f} | {low:,.0f} – {high:,.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
