"""Runs whose pages are tested: one of images of which gates reject some, one of sounds with hostile words."""

import csv
import shutil
from pathlib import Path

from sliceforge import material
from sliceforge.engine.cli import main

HOSTILE = (
    '<script>window.hacked = 1</script>"><img src=x onerror="window.hacked=1">',
    "' onfocus='window.hacked=1' autofocus x='",
    "</template></title></style><b>&lt;&amp;",
    "مرحبا \u202eevil\u202c 🙂 ${name} \x07",
)


def pictures(out: Path) -> Path:
    """Scratches on the built-in strips; the gate is so strict that some are drawn again and some rejected."""
    more = ["gates.visible.cnr=9", "retries=1", "min_yield=0", "seed=7", "workers=1", "count=8"]
    assert main(["generate", "recipe=steel/scratches", f"out={out}", *more]) == 0
    return out


def sounds(folder: Path) -> Path:
    """Built-in speech in car noise, under labels and ids that would be markup, or write the wrong way."""
    home = Path(material.__path__[0]) / "speech"
    folder.mkdir(parents=True)
    clips = sorted(home.glob("*.flac"))[:8]
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "id", "label", "split"])
        for i, clip in enumerate(clips):
            shutil.copy(clip, folder)
            hostile = HOSTILE[i % len(HOSTILE)]
            rows.writerow([clip.name, f"{i}{hostile}".replace("\x07", ""), hostile, "train"])
    out = folder / "RUN"
    assert main(["generate", f"data={folder / 'table.csv'}", f"out={out}", "seed=7", "workers=1", "count=8"]) == 0
    return out
