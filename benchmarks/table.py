"""benchmarks/README.md, from what `make bench` measured.

python benchmarks/table.py [FILE.json]
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NOTHING = 1e6
"""Items per second that only a recipe without gates can measure."""

LIMITS = {"read": "decode", "encode": "code"}
STAGES = ("draw", "read", "apply", "measure", "encode", "write", "whole")

HEAD = """\
# How fast it is

Made by `make bench && python benchmarks/table.py`; do not edit. `sliceforge bench recipe=NAME data=FOLDER` measures the
same on your own material.

{machine}

Median items per second, and the quartiles of {rounds} rounds of {batch} items each, after two that are not counted. The
stages run one after the other on one thread over the material that comes with the package (clips of 1 s at 16 kHz,
images of 200 x 200); files are read from the page cache and shards are flushed to the disk. The limit of *read* and
*encode* is the codec alone on the same files; that of *apply* is a copy of the item from memory to memory
({copy:.1f} GB/s here). *generate* is the whole command from its start to its manifest, {made} items in each of 3
rounds, over as many copies of that material; with two workers that includes starting them.

| recipe | stage | items/s, median | quartiles | limit, items/s |
| --- | --- | ---: | ---: | ---: |
"""

Rates = tuple[float, float, float]


def rates(one: Mapping[str, Any]) -> Rates:
    """(lower quartile, median, upper quartile) in items per second."""
    low, middle, high = (one["extra_info"]["items"] / one["stats"][name] for name in ("q3", "median", "q1"))
    return low, middle, high


def page(results: Mapping[str, Any]) -> str:
    """The page, from pytest-benchmark's JSON."""
    found: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for one in results["benchmarks"]:
        found[one["extra_info"]["recipe"]][one["extra_info"]["stage"]] = one
    copy = found.pop("")["copy"]["extra_info"]
    machine = f"{copy['cpu']}, {copy['cores_usable']} cores, {copy['ram_gib']} GiB, {copy['system']}, "
    machine += ", ".join(f"{name} {number}" for name, number in results["machine_info"]["versions"].items()) + "."
    lines, made, rounds, batch = [], 0, 0, 0
    for recipe, stages in found.items():
        for stage in (*STAGES, *(name for name in stages if name.startswith("generate"))):
            if stage not in stages or (stage == "measure" and rates(stages[stage])[1] > NOTHING):
                continue
            one = stages[stage]
            low, middle, high = rates(one)
            limit = rates(stages[LIMITS[stage]])[1] if stage in LIMITS else None
            limit = copy["items"] / one["extra_info"]["bytes"] if stage == "apply" else limit
            shown = f"{limit:,.0f}" if limit else ""
            lines.append(f"| `{recipe}` | {stage} | {middle:,.0f} | {low:,.0f} – {high:,.0f} | {shown} |")
            if stage.startswith("generate"):
                made = max(made, round(one["extra_info"]["items"]))
            else:
                rounds, batch = one["stats"]["rounds"], max(batch, one["extra_info"]["items"])
    head = HEAD.format(machine=machine, rounds=rounds, batch=batch, copy=copy["items"] / 1e9, made=f"up to {made}")
    return head + "\n".join(lines) + "\n"


if __name__ == "__main__":
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "results" / "latest.json"
    (HERE / "README.md").write_text(page(json.loads(source.read_text("utf-8"))), "utf-8")
    print(HERE / "README.md")
