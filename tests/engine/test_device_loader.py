"""What `device=` means to a loader, on a card that is feigned."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from feigned import NO_CARD
from torch.utils.data import DataLoader

from sliceforge.engine import collate, device
from sliceforge.engine.augment import Augment, Made
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.device import Device
from sliceforge.engine.drafts import Draft
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loader import SliceDataset
from sliceforge.engine.stock import Share


def dataset(clips: Path) -> SliceDataset:
    recipe = load_recipe("speech/car_noise", "rate=8000")
    return SliceDataset(str(clips), [Share(recipe, share=0.5)], 7, pattern="{label}_{speaker}_{index}")


def batches(some: SliceDataset, augment: Augment) -> list[dict[str, Any]]:
    return list(augment(DataLoader(some, batch_size=8, collate_fn=some.collate)))


def launched_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that the machine has not has no stream; what is launched on it is what the card of the test makes."""

    def aboard(some: SliceDataset, drafts: list[Draft], name: str) -> dict[str, Any]:
        some.make(drafts, 1, name)
        return some.batch(drafts)

    monkeypatch.setattr(SliceDataset, "aboard", aboard)
    monkeypatch.setattr(Augment, "_launched", lambda self, on, launch: Made(launch()))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda name: None)


def test_a_loader_on_a_card_gives_the_items_of_the_cpu(
    card: SimpleNamespace, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched_there(monkeypatch)
    card.steps = 0
    some = dataset(clips)
    on_cpu = batches(some, Augment(some))
    some.set_epoch(1)
    on_card = batches(some, Augment(some, "cuda"))
    for one, other in zip(on_cpu, on_card, strict=True):
        assert torch.equal(one["audio"], other["audio"])
        assert one["row"] == other["row"]
    assert all(row["variant"] for _, rows in card.made for row in rows)


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("faster", ["cpu", "cuda"])
def test_a_loader_told_auto_chooses_once_by_its_first_batch(
    faster: str, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def choose(make: Callable[[str], Any], items: int) -> Device:
        for name in ("cpu", "cuda"):
            make(name)
        asked.append(items)
        return Device(faster)

    monkeypatch.setattr(device, "faster", choose)
    launched_there(monkeypatch)
    some = dataset(clips)
    augment = Augment(some, "auto")
    assert len(batches(some, augment)) == 3
    assert asked == [8]
    assert augment.chosen == Device(faster)


@pytest.mark.usefixtures("no_card")
def test_a_loader_without_a_card_says_why(clips: Path) -> None:
    some = dataset(clips)
    auto = Augment(some, "auto")
    assert auto.chosen == Device(why=f"device: cpu, since {NO_CARD}")
    for name, message in (("cuda", NO_CARD), ("tpu", "expected auto, cpu, cuda or cuda:N")):
        with pytest.raises(SettingError, match=message):
            Augment(some, name)


def test_all_tensors_of_a_batch_go_to_the_device_and_nothing_else() -> None:
    batch = {"image": [torch.zeros(2), torch.zeros(3)], "target": torch.zeros(1), "id": ["a"], "row": [{}]}
    moved = collate.moved(batch, "meta")
    assert [one.device.type for one in (*moved["image"], moved["target"])] == ["meta"] * 3
    assert (moved["id"], moved["row"]) == (["a"], [{}])
