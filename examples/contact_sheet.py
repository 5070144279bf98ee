"""Every recipe on the built-in material, four items each, as one picture: docs/recipes.png.

python examples/contact_sheet.py [OUT]
"""

from __future__ import annotations

import sys
from pathlib import Path

from sliceforge.engine import plan
from sliceforge.engine.catalogue import recipes
from sliceforge.engine.compose import compose
from sliceforge.engine.preview import begin
from sliceforge.engine.report import image, sound
from sliceforge.engine.report.sheet import Panel, Row, panel_width, sheet

COUNT, SEED = 4, 7
BANKS = {"donors": "material/strips"}


def row_of(name: str) -> Row:
    """Four made items of a recipe: pictures with their labels' rims, spectrograms of sounds."""
    shop, parents = begin(compose("preview", [f"recipe={name}", f"seed={SEED}"]))
    rows = plan.draw(shop.recipe, parents.slice(0, COUNT), SEED, 1, shop.banks.inventories(), None)
    outcomes = list(shop.outcomes(rows))
    made = [outcome.made for outcome in outcomes if outcome.made and not outcome.reason]
    width = panel_width(COUNT)
    if shop.recipe.kind == "image":
        panels = [Panel(*image.overlay(one.item / 255, one, width)[:1]) for one in made]
    else:
        panels = [Panel(sound.spectrum_over_time(one.item, one.rate, width)) for one in made]
    return Row(name, shop.recipe.about, True, (), panels, COUNT)


def main() -> None:
    """Draw the sheet."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/recipes.png")
    names = sorted(recipes())
    sheet(f"Sliceforge's {len(names)} recipes on its built-in material", [row_of(name) for name in names]).save(out)
    print(f"{out}: {len(names)} recipes")


if __name__ == "__main__":
    main()
