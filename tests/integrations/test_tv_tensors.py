"""Batches as tv_tensors go through torchvision's transforms, boxes and masks along; fitted boxes lie where masks do."""

from pathlib import Path
from typing import Any

import pytest
import snippets
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.ops import masks_to_boxes
from torchvision.transforms import v2

from sliceforge.engine import Augment, Share, SliceDataset, load

SIDES = {"height": 56, "width": 72}

TAPER = 2.0
"""Pixels of a scratch's pointed end that cover less than half a pixel once it is scaled, and leave its mask."""


def batches(strips: Path, **more: Any) -> list[dict[str, Any]]:
    """Strips of three sizes with one broad scratch each."""
    once = [f"steps.{name}.p=0" for name in ("second", "third")]
    recipe = load("steel/scratches", *once, "steps.scratch.width=5", "steps.scratch.breaks=0")
    dataset = SliceDataset(str(strips), [Share(recipe, share=1.0)], 7, **more)
    return list(Augment(dataset)(DataLoader(dataset, 6, collate_fn=dataset.collate)))


def hulls(mask: torch.Tensor) -> torch.Tensor:
    """(B, 4), the tight box of each mask; torchvision's ends lie on the last pixel, ours after it."""
    return masks_to_boxes(mask.as_subclass(torch.Tensor)) + torch.tensor([0.0, 0.0, 1.0, 1.0])


def test_a_box_is_the_tight_box_of_its_mask(strips: Path) -> None:
    seen = 0
    for batch in batches(strips, tv_tensors=True):
        for image, mask, boxes in zip(batch["image"], batch["mask"], batch["boxes"], strict=True):
            kinds = tv_tensors.Image, tv_tensors.Mask, tv_tensors.BoundingBoxes
            assert tuple(map(type, (image, mask, boxes))) == kinds
            assert boxes.canvas_size == tuple(mask.shape) == tuple(image.shape[1:])
            assert torch.equal(boxes.as_subclass(torch.Tensor), hulls(mask[None]))
            seen += 1
    assert seen == 17


def test_without_tv_tensors_there_are_plain_tensors_of_the_same_values(strips: Path) -> None:
    for plain, other in zip(batches(strips, size=SIDES), batches(strips, size=SIDES, tv_tensors=True), strict=True):
        assert type(plain) is type(other) is dict
        for name in ("image", "mask"):
            assert type(plain[name]) is torch.Tensor
            assert torch.equal(plain[name], other[name].as_subclass(torch.Tensor))
        for mine, theirs in zip(plain["boxes"], other["boxes"], strict=True):
            assert type(mine) is torch.Tensor
            assert torch.equal(mine, theirs.as_subclass(torch.Tensor))


def test_masks_and_boxes_go_along_with_transforms(strips: Path) -> None:
    both = v2.Compose([v2.RandomHorizontalFlip(1.0), v2.RandomVerticalFlip(1.0)])
    for batch in batches(strips, size=SIDES, fit="pad", tv_tensors=True):
        turned = both(batch)
        assert torch.equal(turned["image"], batch["image"].flip(-1, -2))
        assert torch.equal(turned["mask"], batch["mask"].flip(-1, -2))
        for name in ("id", "label", "row"):
            assert turned[name] == batch[name]
        larger = v2.Resize((112, 216))(turned)
        assert larger["image"].shape[-2:] == larger["mask"].shape[-2:] == (112, 216)
        for some, sides in ((turned, (56, 72)), (larger, (112, 216))):
            assert {boxes.canvas_size for boxes in some["boxes"]} == {sides}
            for mask, boxes in zip(some["mask"], some["boxes"], strict=True):
                if len(boxes):
                    _inside(hulls(mask[None])[0], boxes[0])
    # Images of several sizes, too.
    for batch in batches(strips, tv_tensors=True):
        turned = both(batch)
        for mask, boxes in zip(turned["mask"], turned["boxes"], strict=True):
            assert torch.equal(boxes.as_subclass(torch.Tensor), hulls(mask[None]))


@pytest.mark.parametrize("way", ["pad", "crop", "stretch"])
def test_fitted_boxes_are_where_fitted_masks_are(way: str, strips: Path) -> None:
    whole = 0
    edges = torch.tensor([72.0, 56.0, 72.0, 56.0])
    for batch in batches(strips, size=SIDES, fit=way):
        for mask, boxes in zip(batch["mask"], batch["boxes"], strict=True):
            # A scratch that lies outside has neither.
            assert len(boxes) == int(mask.any())
            if not len(boxes):
                continue
            hull = hulls(mask[None])[0]
            _inside(hull, boxes[0])
            if (boxes[0] > 0).all() and (boxes[0] < edges).all():
                assert torch.allclose(hull, boxes[0], atol=0.0 if way == "pad" else TAPER)
                whole += 1
    assert whole >= 5


def _inside(hull: torch.Tensor, box: torch.Tensor) -> None:
    """A mask lies in its box, to a pixel: what is left of a scratch that was cut may be smaller than the box."""
    assert (hull[:2] >= box[:2] - 1).all()
    assert (hull[2:] <= box[2:] + 1).all()


def test_the_program_in_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert snippets.run("torchvision") == 1
