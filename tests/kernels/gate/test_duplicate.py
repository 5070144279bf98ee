"""The duplicate gate passes a small defect, and neither the parent once more nor an item twice."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from harness import tree

from sliceforge.engine.cli import main
from sliceforge.engine.gates import Made, Mark, hashed
from sliceforge.kernels.gate.duplicate import Duplicate

PARENT = np.random.default_rng(0).integers(60, 190, (64, 96, 1)).astype(np.uint8)


def image(item: np.ndarray, **masks: np.ndarray) -> Made:
    return Made(PARENT, np.clip(np.rint(item), 0, 255).astype(np.uint8), masks=masks)


def mark(**masks: np.ndarray) -> Mark:
    made = image(PARENT, **masks)
    return Mark.of(made, "mask", hashed(made))


def test_a_parent_is_no_new_item_and_the_smallest_defect_is() -> None:
    gate = Duplicate()
    assert gate.measure(image(PARENT), None, {}).got == 0
    assert not gate.measure(image(PARENT), None, {}).ok
    spot = PARENT.astype(float)
    spot[20:23, 30:33] += 25
    assert gate.measure(image(spot), None, {}).got == pytest.approx(25 * 3 / 8, rel=0.35)  # over one square or two
    assert gate.measure(image(spot), None, {}).ok
    assert gate.measure(image(PARENT + 2.0), None, {}).ok
    assert gate.measure(image(PARENT[:, ::-1]), None, {}).ok
    assert gate.measure(image(PARENT[:50]), None, {}).ok
    faint = PARENT.astype(float)
    faint[::9, ::9] += 1
    assert not gate.measure(image(faint), None, {}).ok


@pytest.mark.parametrize(("db", "ok"), [(-30.0, True), (-59.0, True), (-61.0, False)])
def test_a_clip_is_new_from_a_level_of_change_on(db: float, ok: bool) -> None:
    generator = np.random.default_rng(1)
    parent, noise = generator.normal(0, 0.2, (2, 8000)).astype(np.float32)
    item = parent + noise * np.float32(10 ** (db / 20))
    verdict = Duplicate().measure(Made(parent, item, 8000), None, {})
    assert verdict.ok is ok
    assert verdict.got == pytest.approx(db, abs=0.3)
    assert not Duplicate().measure(Made(parent, np.rint(parent * 32768) / np.float32(32768), 8000), None, {}).ok
    assert Duplicate().measure(Made(parent, parent[1:], 8000), None, {}).ok


def test_what_is_painted_elsewhere_is_another_item() -> None:
    gate, left, right = Duplicate(), np.zeros((64, 96), bool), np.zeros((64, 96), bool)
    left[10:20, 10:20] = right[10:20, 60:70] = True
    there, again, other = (mark(s=mask) for mask in (left, left, right))
    assert gate.near(there, again)
    assert not gate.near(there, other)
    assert gate.near(*(mark(mask=mask) for mask in (left, right)))
    assert not gate.near(there, Mark(there.hash ^ 0xFF, there.painted))
    assert not Duplicate(bits=-1).near(there, again)


@pytest.fixture(scope="module")
def twice(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six clips, each of them under two names."""
    folder = tmp_path_factory.mktemp("twice")
    for number, path in enumerate(sorted(clips.glob("*.wav"))[:6]):
        for name in ("a", "b"):
            shutil.copy(path, folder / f"{name}{number}.wav")
    return folder


RECIPE = """# @package _global_
kind: audio
steps:
  gain: {op: audio/gain, gain: [choice, -6, -3]}
  drop: {op: audio/drop, p: 0.5, count: 1, span: 0.12}
gates:
  duplicate: {}
"""


def made(twice: Path, tmp_path: Path, *more: str) -> Path:
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "mine.yaml").write_text(RECIPE)
    out = tmp_path / "RUN"
    command = ["generate", f"recipe={tmp_path}/mine.yaml", f"data={twice}", f"out={out}", "seed=3", "min_yield=0"]
    assert main([*command, "workers=1", "shard=12", *more]) == 0
    return out


def test_an_item_that_its_shard_has_is_drawn_again_whatever_the_batch(twice: Path, tmp_path: Path) -> None:
    runs = [made(twice, tmp_path / f"{batch}", f"batch={batch}", "retries=30") for batch in (1, 5, 64)]
    assert tree(runs[0]) == tree(runs[1]) == tree(runs[2])
    rows = pq.read_table(runs[0] / "manifest.parquet").to_pylist()
    assert len(rows) == 12
    hashes = {int(row["near.hash"], 16) for row in rows}
    assert len(hashes) == 12
    redrawn = [row for row in rows if row["attempt"]]
    assert redrawn
    for row in redrawn:  # by itself, without those that came before it
        assert main(["replay", f"run={runs[0]}", f"id={row['id']}", f"out={tmp_path / 'item.flac'}"]) == 0
    assert main(["audit", f"run={runs[0]}", "share=1"]) == 0


def test_where_every_draw_is_the_same_again_the_item_is_rejected(twice: Path, tmp_path: Path) -> None:
    out = made(twice, tmp_path, "steps.drop.p=0")
    rejects = pq.read_table(out / "rejects.parquet").to_pylist()
    assert {row["reason"] for row in rejects} == {"gate.duplicate"}
    assert len(rejects) == 6
    names = {row["id"][1:] for row in rejects} & {
        row[1:] for row in pq.read_table(out / "manifest.parquet")["id"].to_pylist()
    }
    assert len(names) == 6
    assert all("nearly the same as" in row["detail"] for row in rejects)


def test_the_manifest_names_the_nearest_other_item_of_all_shards(twice: Path, tmp_path: Path) -> None:
    rows = pq.read_table(made(twice, tmp_path, "shard=1", "variants=2") / "manifest.parquet").to_pylist()
    by_id = {row["id"]: int(row["near.hash"], 16) for row in rows}
    for row in rows:
        others = [
            (bin(by_id[row["id"]] ^ other).count("1"), name) for name, other in by_id.items() if name != row["id"]
        ]
        distance = min(others)[0]
        assert row["near.distance"] == (distance if distance <= 7 else None)
        assert row["near.id"] in ({name for apart, name in others if apart == distance} if distance <= 7 else {None})
    assert any(row["near.distance"] == 0 for row in rows)
