"""Lightning takes a feed for a loader: its checkpoint says how far training was, and ranks share an epoch."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import lightning
import pytest
import snippets
import torch
import train_lightning
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader

from sliceforge.engine import Augment, Batches, Share, SliceDataset, load

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec:FutureWarning"),  # Lightning's own, of torch
    pytest.mark.filterwarnings("ignore:You defined a `validation_step` but have no|Checkpoint directory .* not empty"),
]


class Seen(Callback):
    """Epoch and bytes of every batch that was trained on."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, list[str], bytes]] = []

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, number: int) -> None:
        self.batches.append((trainer.current_epoch, batch["id"], batch["audio"].numpy().tobytes()))


def fit(seen: Seen, epochs: int, folder: Path | None = None, step: int = 0, **more: Any) -> torch.Tensor:
    """Train the example's network, from a step on; a folder keeps a checkpoint of each. Returns the weights."""
    data = more.pop("data", None)
    torch.manual_seed(1)
    network = train_lightning.Network(10)
    keep = [ModelCheckpoint(folder, "{step}", every_n_train_steps=1, save_top_k=-1)] if folder else []
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "limit_val_batches": 0}
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", callbacks=[seen, *keep], enable_checkpointing=bool(keep), **quiet, **more
    )
    trainer.fit(
        network, data or train_lightning.Words(), ckpt_path=folder / f"step={step}.ckpt" if folder and step else None
    )
    return torch.cat([one.detach().flatten() for one in network.parameters()])


def test_a_checkpoint_in_mid_epoch_or_at_its_end_gives_the_rest_and_the_same_weights(tmp_path: Path) -> None:
    whole = Seen()
    weights = fit(whole, 3, tmp_path)
    assert [epoch for epoch, _, _ in whole.batches] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for step, reload in ((3, 0), (3, 1), (5, 0)):
        rest = Seen()
        assert torch.equal(fit(rest, 3, tmp_path, step, reload_dataloaders_every_n_epochs=reload), weights)
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
    feed = Augment(dataset)(DataLoader(dataset, batch_sampler=order, collate_fn=dataset.collate))
    # Else an epoch ends after as many steps as the first one has.
    fit(seen, 4, data=feed, reload_dataloaders_every_n_epochs=1)
    assert [Counter(epoch for epoch, _, _ in seen.batches)[epoch] for epoch in range(4)] == steps
    for epoch in range(4):
        assert sorted(item for at, some, _ in seen.batches if at == epoch for item in some) == ids[epoch]
        assert {item.partition("~")[2] for item in ids[epoch]} == {"", str(epoch + 1)}


class Told(Seen):
    """Leaves a file of what its rank was given."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def on_train_end(self, trainer: Any, module: Any) -> None:
        told = [(epoch, ids) for epoch, ids, _ in self.batches]
        (self.folder / f"{trainer.global_rank}.json").write_text(json.dumps(told))


def test_two_ranks_see_each_item_of_an_epoch_once(tmp_path: Path) -> None:
    places = os.pathsep.join(str(ROOT / name) for name in ("tests", "examples"))
    alone = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": places}
    subprocess.run([sys.executable, __file__, str(tmp_path)], check=True, capture_output=True, timeout=120, env=alone)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert [epoch for epoch, _ in first] == [epoch for epoch, _ in second] == [0, 0, 1, 1]
    words = train_lightning.Words()
    words.setup("fit")
    for epoch in range(2):
        words.data.set_epoch(epoch + 1)
        seen = [item for at, ids in first + second if at == epoch for item in ids]
        assert sorted(seen) == sorted(draft.row["id"] for draft in words.data)


def test_the_example_learns_words_under_noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert train_lightning.main(epochs=16) > 0.6


def test_the_program_in_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert snippets.run("lightning") == 1


if __name__ == "__main__":
    # Forked before anything has run that a fork must not find.
    fit(Told(Path(sys.argv[1])), 2, strategy="ddp_fork", devices=2)
