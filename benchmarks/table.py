"""benchmarks/README.md, from what `make bench` measured.

python -m benchmarks.table [FOLDER]

FOLDER, benchmarks/results unless given, holds latest.json (pytest-benchmark), and where they have been measured
peers.json, generate.json, scale.json, training.json and loader.json.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import sections
from benchmarks.loader import section as faults
from benchmarks.training.section import training

HERE = Path(__file__).resolve().parent

NOTHING = 1e6
"""Items per second that only a recipe without gates can measure."""

LIMITS = {"read": "decode", "encode": "code"}
STAGES = ("draw", "read", "apply", "step by step", "measure", "encode", "write", "whole")

HEAD = """\
# How fast it is

Made by `make bench`; do not edit. `sliceforge bench recipe=NAME data=FOLDER` measures the same on your own material.

{machine}

Limits of this machine, in the process that measured the tables of recipes and operators: a copy from memory to memory
moves {copy:.1f} GB/s; a real FFT of a clip of 4 s with a response of 0.5 s, there and back, {fft:,.0f} a second on one
thread; the codecs alone stand beside *read* and *encode*.

## Recipes by stage

Median items per second, and the quartiles of {rounds} rounds of {batch} items each, after two that are not counted. The
stages run one after the other on one thread over the material that comes with the package (clips of 1 s at 16 kHz,
images of 200 × 200); files are read from the page cache and shards are flushed to the disk. *apply* is the fused
executor; *step by step* is the plain one, which it must agree with: the error is their largest difference on the same
plan, in steps of 16 bit or grey levels. The limit of *read* and *encode* is the codec alone on the same files; that of
*apply* is a copy of the item from memory to memory.

| recipe | stage | items/s, median | quartiles | limit, items/s | error |
| --- | --- | ---: | ---: | ---: | ---: |
"""

ALONE = """
## Operators alone, and recipes whole, by device and batch

The fused executor on items in memory, plan drawn beforehand, on one thread of the CPU: clips of 4 s at 16 kHz, grey
images of 200 × 200. The error is the largest difference from the step-by-step executor on the same plan, in steps of 16
bit or grey levels.

| what | device | batch | items/s, median | quartiles | error |
| --- | --- | ---: | ---: | ---: | ---: |"""

Rates = tuple[float, float, float]


def rates(one: Mapping[str, Any]) -> Rates:
    """(lower quartile, median, upper quartile) in items per second."""
    # pytest-benchmark's seconds are of one round of one iteration.
    low, middle, high = (one["extra_info"]["items"] / one["stats"][name] for name in ("q3", "median", "q1"))
    return low, middle, high


def by_stage(found: Mapping[str, Mapping[str, Any]], copied: float) -> Iterator[str]:
    """The lines of the recipes, stage by stage."""
    for recipe, stages in found.items():
        for stage in STAGES:
            if stage not in stages or (stage == "measure" and rates(stages[stage])[1] > NOTHING):
                continue
            one = stages[stage]
            low, middle, high = rates(one)
            limit = rates(stages[LIMITS[stage]])[1] if stage in LIMITS else None
            limit = copied / one["extra_info"]["bytes"] if stage == "apply" else limit
            shown, error = f"{limit:,.0f}" if limit else "", one["extra_info"].get("error")
            beside = "" if error is None else f"{error:.3g}"
            yield f"| `{recipe}` | {stage} | {middle:,.0f} | {low:,.0f} – {high:,.0f} | {shown} | {beside} |"


def alone(results: Mapping[str, Any]) -> Iterator[str]:
    """The section of operators and recipes in memory, by device and batch."""
    yield ALONE
    for one in results["benchmarks"]:
        info = one["extra_info"]
        if "table" in info:
            low, middle, high = rates(one)
            numbers = f"{middle:,.0f} | {low:,.0f} – {high:,.0f} | {info['error']:.3g}"
            yield f"| `{info['name']}` | {info['device']} | {info['items']} | {numbers} |"


def page(results: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> str:
    """The page.

    Args:
        results: pytest-benchmark's JSON.
        others: name → what `peers`, `generate`, `scale` and `loader` wrote, of those that were measured.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for one in results["benchmarks"]:
        if "stage" in one["extra_info"]:
            found[one["extra_info"]["recipe"]][one["extra_info"]["stage"]] = one
    limits = found.pop("")
    copy = limits["copy"]["extra_info"]
    machine = f"{copy['cpu']}, {copy['cores_usable']} cores, {copy['ram_gib']} GiB, {copy['system']}, "
    machine += ", ".join(f"{name} {number}" for name, number in results["machine_info"]["versions"].items()) + "."
    some = next(iter(found.values()))["apply"]
    head = HEAD.format(
        machine=machine,
        copy=copy["items"] / 1e9,
        fft=rates(limits["FFT"])[1],
        rounds=some["stats"]["rounds"],
        batch=some["extra_info"]["items"],
    )
    lines = [*by_stage(found, copy["items"]), *alone(results)]
    written: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
        "peers": sections.peers,
        "generate": sections.generate,
        "scale": sections.scale,
        "training": training,
        "loader": faults.section,
    }
    for name, section in written.items():
        if name in others:
            lines += section(others[name])
    return head + "\n".join(lines) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "results"
    measured = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    latest = measured.pop("latest")
    (HERE / "README.md").write_text(page(latest, measured), "utf-8")
    print(HERE / "README.md")
