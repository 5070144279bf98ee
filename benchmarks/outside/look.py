"""Made steel beside real steel of the same class, as one picture for the eye; the picture stays outside the project.

python benchmarks/outside/look.py X_SDD OUT.png

X_SDD is the folder of X-SDD's class folders. Its own clean-looking strips are not marked as such, so the made items are
painted on the strips that come with Sliceforge, at 128 pixels as the real ones have.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from sliceforge.engine.compose import load_recipe
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.picture import quantise, render, unit

STRIPS = Path(__file__).resolve().parents[2] / "material" / "strips"
SIDE, EACH, PLACES = 128, 8, 24
CLASSES = {
    "surface scratch": ("scratches", "scratch", "dark=1 width=[log,1.2,3] length=[0.3,2]"),
    "slag inclusion": ("inclusion", "inclusion", "dark=1 aspect=[log,4,10] contrast=[20,60]"),
    "oxide scale of temperature system": ("pitted", "pitted", "radius=[1.5,3] lean=0.9 contrast=[10,25]"),
    "oxide scale of plate system": ("inclusion", "inclusion", "dark=1 aspect=[3,6] count=1 rough=0.6 contrast=[20,50]"),
    "red iron": (
        "patches",
        "patches",
        "dark=1 octaves=3 cell=[log,16,40] aspect=[2,4] rim=[1,1.5] contrast=[25,45]",
    ),
    "finishing roll printing": (
        "scratches",
        "scratch",
        "rolling=100 angle=[choice,0,-70,80] dark=0.7 width=[2,6] length=[0.4,1] amplitude=[15,40] shoulder=[0.2,0.4]",
    ),
    "iron sheet ash": ("foreign_particle", "particle", "dark=1 area=[log,0.002,0.02] aspect=[1,2] ragged=0.6"),
}


def made(recipe: str, step: str, settings: str) -> list[Image.Image]:
    """The first eight items of a recipe with these settings of its first step."""
    op = load_recipe(f"steel/{recipe}", *(f"steps.{step}.{one}" for one in settings.split())).steps[0].op
    paths = sorted(STRIPS.glob("*.png"))[:: PLACES // EACH]
    none, sides = np.zeros(EACH, np.int64), np.full(EACH, SIDE)
    columns = op.draw(Keys.of(5, [path.stem for path in paths]).at(step), Shapes(none, none, sides, sides))
    found = []
    for n, path in enumerate(paths):
        strip = np.asarray(Image.open(path).convert("L"))[:SIDE, :SIDE]
        plan = {name: column[n].item() for name, column in columns.items()}
        found.append(Image.fromarray(quantise(render(unit(strip), [(step, op, plan)]).image[..., 0], np.uint8)))
    return found


def real(folder: Path) -> list[Image.Image]:
    """Eight images from all over a class folder."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".png", ".bmp"))
    chosen = np.linspace(0, len(paths) - 1, EACH).astype(int)
    return [Image.open(paths[i]).convert("L").resize((SIDE, SIDE)) for i in chosen]


def main(data: Path, out: Path) -> None:
    """Two rows a class: made above, real below."""
    sheet = Image.new("L", (EACH * (SIDE + 4), len(CLASSES) * (2 * SIDE + 28)), 255)
    draw = ImageDraw.Draw(sheet)
    for n, (name, asked) in enumerate(CLASSES.items()):
        top = n * (2 * SIDE + 28)
        draw.text((2, top + 4), f"{name}: made by steel/{asked[0]}, then real", 0)
        for line, images in enumerate((made(*asked), real(data / name))):
            for i, image in enumerate(images):
                sheet.paste(image, (i * (SIDE + 4), top + 18 + line * (SIDE + 4)))
    sheet.save(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
