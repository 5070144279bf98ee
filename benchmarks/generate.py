"""The whole command against what its parts allow: 1/(t_read + t_apply + t_encode), each alone, warm, on the same files.

python benchmarks/generate.py [out=FILE.json] [items=6000] [rounds=3] [RECIPE…]

Copies of the built-in material under new names, on disk and in the page cache; the cores, and the encoders' settings,
are those of `generate`. With n workers the limit is n times that of one: each worker is a process that does all of it.
"""

from __future__ import annotations

import itertools
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sliceforge.engine.bench import machine, measured
from sliceforge.engine.compose import compose
from sliceforge.engine.folder import host
from sliceforge.engine.manifest import read
from sliceforge.engine.parse import from_config
from sliceforge.engine.run import generate
from sliceforge.engine.stages import STAGES, Stages

RESULT = Path(__file__).resolve().parent / "results" / "generate.json"
RECIPES = ("speech/car_noise", "geometric")
COUNTED = ("read", "apply", "encode")
"""What nobody can do without; the other stages, and all that is between them, are the command's own."""


def material(kind: str, folder: Path, items: int) -> None:
    """The built-in items of a kind, again and again under new names."""
    known = read(None, kind)
    paths = [known.root / path for path in known.table["path"].to_pylist()]
    folder.mkdir()
    for i, path in zip(range(items), itertools.cycle(paths), strict=False):
        shutil.copyfile(path, folder / f"{path.stem}_{i}{path.suffix}")


def whole(name: str, data: Path, out: Path, workers: int) -> tuple[int, float]:
    """A run from its start to its manifest: items that were written, and seconds."""
    settings = [f"recipe={name}", f"data={data}", f"out={out}", f"workers={workers}"]
    began = time.perf_counter()
    made = generate(compose("generate", settings), name).made
    seconds = time.perf_counter() - began
    shutil.rmtree(out)
    return made, seconds


def against(name: str, home: Path, items: int, rounds: int) -> dict[str, Any]:
    """One recipe: every stage alone, the command with one and with two workers, and their ratio."""
    kind = from_config(compose("generate", [f"recipe={name}"])).kind
    data = home / f"{kind}{items}"
    if not data.exists():
        material(kind, data, items)
    stages = Stages(compose("bench", [f"recipe={name}", f"data={data}"]), home)
    works = {stage: stages.of(stage) for stage in STAGES}
    speeds = measured(works, 11, lambda *_: None)
    alone = {stage: statistics.median(speed.seconds) / speed.items for stage, speed in speeds.items()}
    limit = 1 / sum(alone[stage] for stage in COUNTED)
    found: dict[str, Any] = {"recipe": name, "alone_us": {stage: 1e6 * one for stage, one in alone.items()}}
    found |= {"limit": limit, "runs": []}
    for workers in (1, 2):
        whole(name, data, home / "run", workers)  # compiles, fills the page cache
        times = [whole(name, data, home / "run", workers) for _ in range(rounds)]
        rate = statistics.median(made / seconds for made, seconds in times)
        run = {"workers": workers, "items": times[0][0], "items_per_s": rate, "share": rate / (workers * limit)}
        found["runs"].append(run | {"rest_us": 1e6 * (workers / rate - 1 / limit)})
    return found


def row(found: dict[str, Any]) -> list[str]:
    """Lines of a Markdown table."""
    alone, lines = found["alone_us"], []
    parts = " + ".join(f"{alone[stage]:.0f}" for stage in COUNTED)
    for run in found["runs"]:
        limit = run["workers"] * found["limit"]
        rates = f"{run['items_per_s']:,.0f} | {limit:,.0f} | {run['share']:.0%} | {parts} | {run['rest_us']:.0f}"
        rest = " | ".join(f"{alone[stage]:.0f}" for stage in STAGES if stage not in COUNTED)
        lines.append(f"| `{found['recipe']}` | {run['workers']} | {rates} | {rest} |")
    return lines


def main(arguments: list[str]) -> None:
    """Measure, print JSON and the rows, write."""
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    names = [argument for argument in arguments if "=" not in argument] or list(RECIPES)
    items, rounds, out = int(given.get("items", 6000)), int(given.get("rounds", 3)), Path(given.get("out", RESULT))
    with tempfile.TemporaryDirectory() as home:
        recipes = [against(name, Path(home), items, rounds) for name in names]
    found = {"machine": machine(), "versions": host()["versions"], "rounds": rounds, "recipes": recipes}
    out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(json.dumps(found, ensure_ascii=False, indent=1))
    print("\n".join(line for recipe in recipes for line in row(recipe)))


if __name__ == "__main__":
    main(sys.argv[1:])
