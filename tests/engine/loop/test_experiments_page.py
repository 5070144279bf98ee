"""The experiments' page: every slice of a result is on it, its plot is a picture, and kept jobs outlive other edits."""

import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.loop import runs
from benchmarks.loop.__main__ import bars, page
from benchmarks.loop.judge import Judged, bar
from benchmarks.loop.plots import drawn

ROWS = 40
SLICES = ("under-exposed", "as it is", "red iron, under-exposed", "red iron, as it is")
SHOWN = SLICES[:2]
ARMS = ("none", "oversample", "generic", "defaults", "engine", "oracle")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    generator, ids = np.random.default_rng(0), np.arange(ROWS).astype(str)
    slices = {name: np.arange(ROWS) % 4 == at for at, name in enumerate(SLICES)}
    losses = {arm: (generator.random((2, ROWS)) < 0.3).astype(float) for arm in ARMS}
    judged = Judged(ids, ids, slices, losses)
    gains = [line for arm in ("engine", "oracle") for line in judged.gains("none", arm)]
    told = {"name": "two slices", "seeds": 2, "accuracy": judged.accuracy(), "gains": gains, "verdicts": []}
    told["bars"] = [bar("one that is met", {"gain": 3.0, "low": 1.0, "high": 5.0}, 2), bar("missed", {"gain": 1.0}, 2)]
    return {"command": "python -m benchmarks.loop.e2 seeds=2", "machine": "one", "conditions": [told]}


def test_a_mean_lies_in_its_interval_and_seeds_make_it(found: dict[str, Any]) -> None:
    for line in found["conditions"][0]["accuracy"]:
        for arm in ARMS:
            low, high = line["interval"][arm]
            assert 0 <= low <= np.mean(line["percent"][arm]) <= high <= 100


def test_every_slice_and_every_bar_is_on_the_page_with_its_figures(found: dict[str, Any]) -> None:
    text = page({"e2": found})
    for line in found["conditions"][0]["accuracy"]:
        cells = " | ".join(f"{np.mean(values):.1f}" for values in line["percent"].values())
        assert f"| {line['slice']} | {line['rows']} | {cells} |" in text
    assert list(bars(found["conditions"][0]))[2:4] == [
        "| one that is met | 2 | +3.0 [1.0, 5.0] | yes |",
        "| missed | 2 | +1.0 | **no** |",
    ]
    assert text.index("| missed |") < text.index("(e2.svg)") < text.index("<details>") < text.index("| as it is |")


def test_the_plot_has_a_dot_and_a_name_for_each_arm_in_each_slice(found: dict[str, Any]) -> None:
    root = ElementTree.fromstring(drawn("e2", found))
    space = "{http://www.w3.org/2000/svg}"
    names = [one.text for one in root.iter(f"{space}text")]
    assert len(list(root.iter(f"{space}circle"))) == len(ARMS) * len(SHOWN)
    for arm in ARMS:
        assert names.count(arm) >= len(SHOWN)


def test_a_job_is_kept_under_what_it_imports_and_under_nothing_else(tmp_path: Path) -> None:
    for path in Path(runs.__file__).parent.glob("*.py"):
        shutil.copy(path, tmp_path)
    names = {path.stem for path in runs.imported(tmp_path / "e1.py")}
    assert {"e1", "digits", "mel", "network", "sounds"} <= names
    assert not names & {"e2", "steel", "notes", "runs", "judge"}
