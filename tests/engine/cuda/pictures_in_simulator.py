"""What holds of batches of images that stay on a device, run in Numba's simulator by `test_batch.py`.

Where there is a device, `test_batch.py` runs it there, too.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from batches import CLASSES, DEVICE, Shelf, agree, alike, by_host, drafts_of
from PIL import Image

from sliceforge.engine import fit
from sliceforge.engine.collate import Form
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.cuda import flush, joined, pictures
from sliceforge.engine.cuda.batch import batch
from sliceforge.engine.cuda.download import download
from sliceforge.engine.cuda.upload import upload
from sliceforge.engine.drafts import Draft
from sliceforge.engine.loader import SliceDataset
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step
from sliceforge.engine.stock import Share
from sliceforge.kernels.image.photometric import Photometric

# Of numbers that are none numpy warns, where a device goes on.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def images(sides: Sequence[tuple[int, ...]], kind: Any = np.uint8) -> list[np.ndarray]:
    generator, made = np.random.default_rng(len(sides)), []
    for side in sides:
        image = generator.normal(0.5, 0.1, side) + np.linspace(-0.4, 0.4, side[1])[:, None]
        made.append(np.rint(image.clip(0, 1) * np.iinfo(kind).max).astype(kind))
    return made


ONE_SIZE, MANY_SIZES = [(11, 14, 1)] * 6, [(11, 14, 1), (9, 12, 1), (11, 14, 1), (5, 3, 1), (12, 9, 1), (9, 12, 1)]
MANY_CHANNELS = [(9, 12, 3), (9, 12, 1)] * 3


@pytest.mark.parametrize(
    ("sides", "look"),
    [
        *((sides, Form("image")) for sides in (ONE_SIZE, MANY_SIZES, MANY_CHANNELS)),
        *((MANY_SIZES, Form("image", (12, 10), way)) for way in fit.WAYS),
        (MANY_CHANNELS, Form("image", (13, 12))),
    ],
)
def test_images_of_shares_and_originals_are_the_hosts(sides: list[tuple[int, int, int]], look: Form) -> None:
    shares = [Share(load_recipe("steel/scratches")), Share(load_recipe("photometric"))]
    alike(shares, drafts_of(shares, [0, 1, -1, 0, 0, 1], images(sides), [0] * 6), look)


@pytest.mark.parametrize("kinds", [(np.uint16, np.uint16), (np.uint8, np.uint16)])
def test_images_of_16_bit_are_the_hosts(kinds: Any) -> None:
    shares = [
        Share(from_config({"kind": "image", "steps": {"flip": {"op": "image/flip"}, "paint": {"op": "image/scratch"}}}))
    ]
    sources = [one for kind in kinds for one in images([(9, 12, 1)] * 3, kind)]
    some = drafts_of(shares, [0, -1, 0] * 2, sources, [0] * 6)
    for size in (None, (9, 12), (14, 7)):
        look = Form("image", size, masked=True)
        found = batch(shares, [None], some, CLASSES, DEVICE, look)
        wanted = by_host(shares, [None], some, look)
        assert all(one.dtype == other.dtype for one, other in zip(found["image"], wanted["image"], strict=True))
        # A 16-bit value has room for what float32 rounds apart.
        for one in (found, wanted):
            one["image"] = [(image.to(torch.int32) >> 4) for image in one["image"]]
        agree(found, wanted)


def marked(some: Sequence[Draft], outlines: bool) -> None:
    """Every second one has a mask, and two boxes that share pixels of it, each with an outline or without."""
    for draft in some[::2]:
        height, width, _ = draft.source.shape
        boxes = [[1.0, 1.0, width / 2, height / 2], [width / 4, 2.0, width - 1.0, height - 1.0]]
        polygons = [[[a, b, c, b, c, d, a, d]] for a, b, c, d in boxes]
        mask = np.zeros((height, width), bool)
        mask[2 : height // 2 + 1, width // 4 : -1] = True
        more: dict[str, Any] = {"read.boxes": json.dumps(boxes), "read.box_labels": json.dumps(["1", "0"])}
        more |= {"read.segmentations": json.dumps(polygons)} if outlines else {"read.mask": "mask.png"}
        draft.row, draft.marks = {**draft.row, **more}, (mask, np.array(boxes))


@pytest.mark.parametrize("outlines", [False, True])
@pytest.mark.parametrize("size", [None, (9, 20)])
def test_masks_boxes_and_outlines_that_were_brought_go_along(size: Any, outlines: bool) -> None:
    steps = {"scratch": {"op": "image/scratch"}, "rotate": {"op": "image/rotate90"}, "jpeg": {"op": "image/jpeg"}}
    shares = [Share(load_recipe("geometric")), Share(from_config({"kind": "image", "steps": steps}))]
    some = drafts_of(shares, [0, 0, 1, 1, -1, -1, 0], images([(11, 16, 1)] * 7), [0] * 7)
    marked(some, outlines)
    found = alike(shares, some, Form("image", size, "pad", tv=bool(size)))
    assert found["mask"].any((1, 2)).sum() > 3


class Broken(Photometric):
    """Makes one value that is no number, where the brightness is above one."""


def broken_pixel(value: Any, x: Any, y: Any, row: Any) -> Any:
    """Not finite at pixel (2, 1) where the brightness is above one."""
    return value + (np.float32(np.inf) if x == 2 and y == 1 and row[0] > 1 else np.float32(0))


Broken.pixel = staticmethod(broken_pixel)


@pytest.mark.parametrize("after", ["flip", "blur"])
def test_an_image_that_cannot_be_made_is_its_parent_with_the_reason(after: str) -> None:
    more = from_config({"kind": "image", "steps": {after: {"op": f"image/{after}"}}}).steps
    broken = Recipe("image", (Step("broken", Broken()), *more), (), {}, {})
    shares = [Share(broken), Share(load_recipe("steel/paste"))]
    some = drafts_of(shares, [0, 0, 1, 1, -1], images([(13, 17, 1)] * 5), [0] * 5)
    marked(some, False)
    for draft, brightness in zip(some[:2], (2.0, 1.0), strict=True):
        draft.row = {**draft.row, "broken.brightness": brightness, "broken.contrast": 1.0, "broken.gamma": 1.0}
    some[2].row = {name: "gone" if name.endswith(".item") else value for name, value in some[2].row.items()}
    found = alike(shares, some, Form("image"), [Shelf(), Shelf()])
    assert found["reason"] == ["non_finite", "", "unreadable", "", ""]
    assert torch.equal(found["image"][0].cpu(), torch.from_numpy(some[0].source.transpose(2, 0, 1)))


def test_what_no_step_happens_to_is_as_it_was_read_and_without_a_painter_there_is_no_mask() -> None:
    shares = [Share(from_config({"kind": "image", "steps": {"light": {"op": "image/photometric", "p": 0}}}))]
    some = drafts_of(shares, [0, -1], images([(5, 3, 3), (5, 3, 3)]), [0, 0])
    found = alike(shares, some, Form("image"))
    assert "mask" not in found
    assert torch.equal(
        found["image"].cpu(), torch.from_numpy(np.stack([one.source.transpose(2, 0, 1) for one in some]))
    )


def test_no_more_copies_go_up_for_more_images_and_boxes_alone_come_down(monkeypatch: pytest.MonkeyPatch) -> None:
    up: list[int] = []
    down: list[int] = []

    def counted(*arguments: Any) -> dict[str, torch.Tensor]:
        up[-1] += 1
        return upload(*arguments)

    def weighed(some: Sequence[torch.Tensor]) -> list[np.ndarray]:
        down.append(sum(one.nbytes for one in some))
        return download(some)

    for module in (flush, joined, pictures, sys.modules[batch.__module__]):
        monkeypatch.setattr(module, "upload", counted)
    monkeypatch.setattr(pictures, "download", weighed)
    shares = [Share(load_recipe("steel/scratches"))]
    for count in (4, 8):
        some = drafts_of(shares, [0, 0, 0, -1] * (count // 4), images([(9, 12, 1)] * count), [0] * count)
        marks = sum(step.op.paints for step in shares[0].recipe.steps)
        up.append(0)
        batch(shares, [None], some, CLASSES, DEVICE, Form("image", (5, 5), masked=True))
        assert down.pop() == count * 3 // 4 * (4 + 16 * marks)
    # The made, the originals, whose covers are whose, the rows of images and of masks, and what is said of them.
    assert up == [6, 6]


def test_a_data_set_gives_on_a_device_what_it_gives_on_the_host(tmp_path: Path) -> None:
    for n, image in enumerate(images([(14, 18, 1)] * 4)):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{n}.png")
    shares = [Share(load_recipe("steel/scratches"), share=0.5), Share(load_recipe("geometric"), share=0.25)]
    dataset = SliceDataset(str(tmp_path), shares, 3, size=12)
    some = [dataset[position] for position in range(4)]
    found = dataset.aboard(some, DEVICE)
    numbers = {name: number for number, name in enumerate(dataset.classes)}
    agree(found, by_host(shares, [None] * 3, some, dataset.form, numbers))
    assert found["made"].sum() == 3
