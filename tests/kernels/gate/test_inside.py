"""The region gate knows where the thing is, from a mask that is named or from its brightness."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sliceforge.engine.cli import main
from sliceforge.engine.codecs.image import decode
from sliceforge.engine.gates import Made
from sliceforge.kernels.gate.inside import Inside, stands_apart

BODY = np.zeros((80, 100), bool)
BODY[15:65, 20:80] = True


def image(inside: float, outside: float, noise: float = 3.0) -> np.ndarray:
    grain = np.random.default_rng(1).normal(0, noise, BODY.shape)
    return np.clip(np.rint(np.where(BODY, inside, outside) + grain), 0, 255).astype(np.uint8)[..., None]


@pytest.mark.parametrize(("inside", "outside"), [(150, 20), (60, 240)])
def test_a_thing_is_found_by_its_brightness_with_its_holes(inside: float, outside: float) -> None:
    picture = image(inside, outside)
    picture[30:40, 40:50] = np.uint8(outside)
    found = stands_apart(picture)
    assert (found == BODY).mean() > 0.99
    assert found[30:40, 40:50].all()


def test_a_picture_that_is_all_surface_is_all_region() -> None:
    assert stands_apart(image(120, 120, 15)).all()
    spot = image(120, 120)
    spot[30:40, 30:40] = 0
    assert stands_apart(spot).all()
    assert stands_apart(np.zeros((1, 1, 1), np.uint8)).all()


@pytest.mark.parametrize(("top", "ok"), [(20, True), (10, False), (70, False)])
def test_what_is_painted_beside_the_thing_does_not_pass(top: int, ok: bool) -> None:
    mask = np.zeros_like(BODY)
    mask[top : top + 8, 40:60] = True
    made = Made(image(150, 20), image(150, 20), masks={"s": mask})
    verdict = Inside("s").measure(made, None, {})
    assert verdict.ok is ok
    assert verdict.got == pytest.approx(BODY[mask].mean(), abs=0.02)
    whole = {"region": np.ones_like(BODY)}
    assert Inside("s").measure(Made(made.parent, made.item, masks=made.masks, regions=whole), None, {}).ok


def test_a_run_reads_the_region_that_a_parent_names(strips: Path, tmp_path: Path) -> None:
    paths = sorted(strips.glob("*/*.png"))[:6]
    regions = []
    for number, path in enumerate(paths):
        shutil.copy(path, tmp_path / f"{number}.png")
        left = np.zeros(decode(path).shape[:2], np.uint8)
        left[:, : left.shape[1] // 2] = 255
        Image.fromarray(left).save(tmp_path / f"{number}.region.png")
        regions.append(f"{number}.region.png")
    regions[5] = "../5.region.png"
    names = [f"{number}.png" for number in range(6)]
    pq.write_table(pa.table({"path": names, "region": regions}), tmp_path / "table.parquet")
    command = ["generate", "recipe=steel/scratches", f"data={tmp_path / 'table.parquet'}", "workers=1"]
    gate = ["+gates.inside.step=scratch", "+gates.inside.gate=inside", "retries=30", "min_yield=0", "max_rejects=1"]
    assert main([*command, *gate, f"out={tmp_path / 'RUN'}", "steps.second.p=0", "steps.third.p=0"]) == 0
    rows = pq.read_table(tmp_path / "RUN" / "manifest.parquet").to_pylist()
    assert len(rows) > 2
    for row in rows:
        assert row["got.inside_region_share"] == pytest.approx(0.5, abs=0.01)
        assert all(box[2] <= decode(tmp_path / row["parent_path"]).shape[1] / 2 + 2 for box in row["boxes"])
    rejects = pq.read_table(tmp_path / "RUN" / "rejects.parquet").to_pylist()
    assert {row["reason"] for row in rejects} <= {"outside", "gate.inside", "gate.visible"}
    assert "outside" in {row["reason"] for row in rejects}
