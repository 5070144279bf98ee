"""The main job on the built-in material: car noise into speech, scratches onto steel; sheets and a table of both.

make demo
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

OUT = Path("runs/demo")
GATES = {
    "speech/car_noise": ("snr", "SNR, dB, active speech level"),
    "steel/scratches": ("visible", "contrast-to-noise ratio"),
}


def run(*arguments: str) -> None:
    """Run the command as a user would, and say what was run."""
    print("$ sliceforge", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "sliceforge.engine.cli", *arguments], check=True)


def table(runs: dict[str, Path]) -> Table:
    """Asked against achieved, item by item; `runs` is recipe → run."""
    shown = Table(title="asked against achieved, measured on the items as they were written")
    for column in ("item", "label", "measure", "asked", "got", "draws"):
        shown.add_column(column, justify="right" if column in ("asked", "got", "draws") else "left")
    for recipe, made in runs.items():
        gate, measure = GATES[recipe]
        for row in pq.read_table(made / "manifest.parquet").slice(0, 10).to_pylist():
            least = "≥ " if gate == "visible" else ""
            numbers = (f"{least}{row[f'asked.{gate}']:.2f}", f"{row[f'got.{gate}']:.2f}", str(row["attempt"] + 1))
            shown.add_row(row["id"], row["label"], measure, *numbers)
        shown.add_section()
    return shown


def main() -> None:
    """Make, look, tell."""
    shutil.rmtree(OUT, ignore_errors=True)
    runs = {recipe: OUT / recipe.replace("/", "_") for recipe in GATES}
    for recipe, out in runs.items():
        run("generate", f"recipe={recipe}", f"out={out}", "seed=7", "variants=4")
        run("preview", f"recipe={recipe}", f"out={out}.png", "seed=7", "count=4")
    Console(width=100).print(table(runs))
    print("Look at", *(f"{out}.png" for out in runs.values()))


if __name__ == "__main__":
    main()
