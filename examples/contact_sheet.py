"""Every recipe on the built-in material, three items each, as one picture: docs/recipes.jpg.

python examples/contact_sheet.py [OUT]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from sliceforge.engine import plan
from sliceforge.engine.catalogue import recipes
from sliceforge.engine.compose import compose
from sliceforge.engine.gates import Made
from sliceforge.engine.preview import begin
from sliceforge.engine.report import image, sound
from sliceforge.engine.report.sheet import Panel, Row, panel_width, sheet

COUNT, SEED, WIDTH = 3, 7, 960
DONORS = {"steel": "steel/scratches", "solar": "solar/crack", "surface": "surface/blowhole"}
"""A paste wants marked defects of its own material, and there are none but made ones here."""


def donors(name: str, folder: Path) -> list[str]:
    """The setting that gives a paste its donors, which are made first."""
    domain, _, last = name.partition("/")
    if last != "paste":
        return []
    out = folder / domain
    settings = [f"recipe={DONORS[domain]}", f"out={out}", "sink=folder", "workers=1", f"seed={SEED + 1}"]
    subprocess.run([sys.executable, "-m", "sliceforge.engine.cli", "generate", *settings], check=True)
    return [f"banks.donors={out}"]


def row_of(name: str, folder: Path) -> Row:
    """Made items of a recipe: pictures with the rims of their labels beside them, spectrograms of sounds."""
    shop, parents = begin(compose("preview", [f"recipe={name}", f"seed={SEED}", *donors(name, folder)]))
    rows = plan.draw(shop.recipe, parents.slice(0, COUNT), SEED, 1, shop.banks.inventories(), None)
    made = [outcome.made for outcome in shop.outcomes(rows) if outcome.made and not outcome.reason]
    across = 2 * COUNT if shop.recipe.kind == "image" else COUNT
    width = panel_width(across, 1, WIDTH)
    shown = [panel for one in made for panel in _panels(one, width)]
    return Row(name, recipes()[name], True, (), shown, across)


def _panels(made: Made, width: int) -> list[Panel]:
    if made.rate:
        return [Panel(sound.spectrum_over_time(made.item, made.rate, width))]
    item = made.item / np.float32(255)
    return [Panel(image.pixels(item, width)), Panel(image.overlay(item, made, width)[0])]


def main() -> None:
    """Draw the sheet."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/recipes.jpg")
    names = sorted(recipes())
    with tempfile.TemporaryDirectory() as folder:
        shown = [row_of(name, Path(folder)) for name in names]
    heading = f"Sliceforge's {len(names)} recipes on the material that comes with it"
    sheet(heading, shown, width=WIDTH).save(out, quality=66)
    print(f"{out}: {len(names)} recipes")


if __name__ == "__main__":
    main()
