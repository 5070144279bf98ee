"""The training loop of both examples: killed and started again, it goes on exactly where it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from sliceforge.engine import Augment, SliceDataset

EVERY = 25  # steps between two states


def train(
    model: nn.Module,
    seen: Callable[[dict[str, Any]], torch.Tensor],
    dataset: SliceDataset,
    epochs: int,
    state: Path | None = None,
    batch: int = 32,
    rate: float = 2e-3,
) -> nn.Module:
    """The model after some epochs on what `seen` takes of each batch, or after what a state has left of them."""
    optimizer = torch.optim.AdamW(model.parameters(), rate)
    loader = DataLoader(
        dataset, batch, shuffle=True, num_workers=2, persistent_workers=True, collate_fn=dataset.collate
    )
    feed, step = Augment(dataset)(loader), 0  # workers draw, read and make, ahead of the step
    parts = {"model": model, "optimizer": optimizer, "feed": feed}
    if state and state.exists():
        saved = torch.load(state)
        step = saved.pop("step")
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    steps = epochs * len(feed)
    while step < steps:
        for one in feed:  # each time the next epoch, or what was left of one
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(seen(one)), one["target"]).backward()
            optimizer.step()
            step += 1
            if state and (step % EVERY == 0 or step == steps):
                torch.save({name: part.state_dict() for name, part in parts.items()} | {"step": step}, f"{state}.new")
                Path(f"{state}.new").replace(state)
    return model.eval()


@torch.no_grad()
def told(model: nn.Module, seen: Callable[[dict[str, Any]], torch.Tensor], dataset: SliceDataset, epochs: int) -> float:
    """The share of items that are told right, over some epochs of them."""
    feed = Augment(dataset)(DataLoader(dataset, 64, collate_fn=dataset.collate))
    right = [model(seen(one)).argmax(1) == one["target"] for _ in range(epochs) for one in feed]
    return float(torch.cat(right).float().mean())
