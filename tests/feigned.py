"""A card that is not there, and a machine that has none."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from sliceforge.engine import device, fuse
from sliceforge.engine.errors import InputError

NO_CARD = "no CUDA device is visible"
PRETEND = "cuda, Pretend 100"


def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """No driver shows a card."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(device, "PLACES", ())


def card(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A card that is not there: the CPU makes its items, `steps` further up; `made` says in which batches."""
    feigned = SimpleNamespace(steps=1, made=[])
    plain = fuse.make

    def make(recipe: Any, tasks: Any, banks: Any, name: str) -> list[Any]:
        feigned.made.append((name, [task.row for task in tasks]))
        return [_off(one, feigned.steps) for one in plain(recipe, tasks, banks)]

    monkeypatch.setattr(fuse, "_on_cuda", make)
    monkeypatch.setattr(device, "missing", lambda name="cuda": "")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: "Pretend 100")
    return feigned


def _off(made: Any, steps: int) -> Any:
    if isinstance(made, InputError):
        return made
    item = made.item + np.float32(steps / 32768) if made.rate else np.clip(made.item, 0, 255 - steps) + np.uint8(steps)
    return type(made)(**{**vars(made), "item": np.asarray(item, made.item.dtype)})
