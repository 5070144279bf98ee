"""The example of a scarce class: its training script, and a loop that begins with it."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from examples.rare_defect import train
from sliceforge.engine.cli import main
from sliceforge.engine.loop.rows import predictions

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "rare_defect"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Upright and level stripes, in a folder for each class."""
    generator = np.random.default_rng(0)
    for side, count in (("train", 16), ("eval", 30)):
        for label in ("level", "upright"):
            (tmp_path / side / label).mkdir(parents=True)
            for at in range(count):
                stripes = 20 * np.sin(np.arange(64) / generator.uniform(1, 2))[:, None]
                image = 128 + generator.normal(0, 4, (64, 64)) + (stripes if label == "level" else stripes.T)
                Image.fromarray(image.astype(np.uint8)).save(tmp_path / side / label / f"{side}_{label}_{at:02}.png")
    return tmp_path


def test_the_script_is_short_and_tells_pictures_that_it_did_not_see(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len((FOLDER / "train.py").read_text("utf-8").splitlines()) <= 60
    for side in ("train", "eval"):
        with (pictures / f"{side}.csv").open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["id", "path", "label"])
            out.writerows([path.stem, str(path), path.parent.name] for path in sorted(pictures.glob(f"{side}/*/*")))
    monkeypatch.setattr(train, "EPOCHS", 8)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more of them wait for one another longer than these small layers take
    train.main(str(pictures / "train.csv"), str(pictures / "p.csv"), str(pictures / "eval.csv"), "0")
    torch.set_num_threads(threads)
    told = predictions.load(str(pictures / "p.csv"))
    assert told.probabilities is not None
    assert told.mean() < 0.2


def test_the_command_of_its_readme_is_one_that_the_loop_takes(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (FOLDER / "README.md").read_text("utf-8").replace("\\\n", " ")
    line = next(line for line in text.splitlines() if line.startswith("sliceforge loop"))
    command = line.split('"')[1].replace("python train.py", f"{sys.executable} {FOLDER / 'train.py'}")
    words = [word for word in line.split('"')[2].split() if not word.startswith(("data=", "eval=", "out="))]
    place = [f"data={pictures / 'train'}", f"eval={pictures / 'eval'}", f"out={pictures / 'LOOP'}"]
    assert main(["loop", f"train={command}", *place, *words, "dry_run=true"]) == 0
    assert "trial" in capsys.readouterr().out
