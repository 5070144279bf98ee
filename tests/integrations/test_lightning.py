"""Lightning takes a feed for a loader: its checkpoint says how far training was, and ranks share an epoch."""

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader

from sliceforge.engine import Augment, Batches, Share, SliceDataset, load

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec:FutureWarning"),  # Lightning's own, of torch
    pytest.mark.filterwarnings("ignore:You defined a `validation_step` but have no|Checkpoint directory .* not empty"),
]


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_lightning", ROOT / "examples" / "train_lightning.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Seen(Callback):
    """Epoch and bytes of every batch that was trained on."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, list[str], bytes]] = []

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, number: int) -> None:
        self.batches.append((trainer.current_epoch, batch["id"], batch["audio"].numpy().tobytes()))


def fit(seen: Seen, epochs: int, folder: Path | None = None, step: int = 0, data: Any = None) -> torch.Tensor:
    """Train the example's network, from a step on; a folder keeps a checkpoint of each. Returns the weights."""
    module = example()
    torch.manual_seed(1)
    network = module.Network(10)
    keep = [ModelCheckpoint(folder, "{step}", every_n_train_steps=1, save_top_k=-1)] if folder else []
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "limit_val_batches": 0}
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", callbacks=[seen, *keep], enable_checkpointing=bool(keep), **quiet
    )
    trainer.fit(network, data or module.Words(), ckpt_path=folder / f"step={step}.ckpt" if folder and step else None)
    return torch.cat([one.detach().flatten() for one in network.parameters()])


def test_a_checkpoint_in_mid_epoch_or_at_its_end_gives_the_rest_and_the_same_weights(tmp_path: Path) -> None:
    whole = Seen()
    weights = fit(whole, 3, tmp_path)
    assert [epoch for epoch, _, _ in whole.batches] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for step in (2, 3, 5):
        rest = Seen()
        assert torch.equal(fit(rest, 3, tmp_path, step), weights)
        assert rest.batches == whole.batches[step:]


def test_epochs_of_other_lengths_are_whole_and_of_the_next_variant(clips: Path) -> None:
    share = Share(load("speech/car_noise", "rate=16000"), share=0.5)
    dataset = SliceDataset(str(clips), [share], 7, pattern="{label}_{speaker}_{index}", seconds=0.3)
    order = Batches(dataset, max_seconds=2.6)
    steps, ids = [], []
    for epoch in range(1, 5):
        dataset.set_epoch(epoch)
        steps.append(len(order))
        ids.append(sorted(draft.row["id"] for draft in dataset))
    assert len(set(steps)) > 1
    dataset.set_epoch(1)
    seen = Seen()
    fit(seen, 4, data=Augment(dataset)(DataLoader(dataset, batch_sampler=order, collate_fn=dataset.collate)))
    assert [Counter(epoch for epoch, _, _ in seen.batches)[epoch] for epoch in range(4)] == steps
    for epoch in range(4):
        assert sorted(item for at, some, _ in seen.batches if at == epoch for item in some) == ids[epoch]
        assert {item.partition("~")[2] for item in ids[epoch]} == {"", str(epoch + 1)}


