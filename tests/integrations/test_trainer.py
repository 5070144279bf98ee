"""The Hugging Face Trainer over a data set, over its own order, and over a feed: epochs advance, checkpoints go on."""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import snippets
import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

from sliceforge.engine import Augment, Batches, Share, SliceDataset, load
from sliceforge.engine.errors import SettingError
from sliceforge.engine.trainer import Bookmark

pytestmark = pytest.mark.usefixtures("one_thread")


class Tiny(nn.Module):
    """A linear classifier of clips that remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(40, 10)
        self.seen: list[bytes] = []

    def forward(self, audio: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        self.seen.append(audio.numpy().tobytes())
        logits = self.layer(audio.reshape(len(audio), 40, -1).square().mean(2))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def words(clips: Path, ready: bool) -> SliceDataset:
    share = Share(load("speech/car_noise", "rate=16000"), share=0.5)
    return SliceDataset(str(clips), [share], 7, pattern="{label}_{speaker}_{index}", ready=ready, seconds=0.3)


def given(batch: dict[str, Any]) -> dict[str, torch.Tensor]:
    """What the model takes of a batch."""
    return {"audio": batch["audio"], "labels": batch["target"]}


class OverFeed(Trainer):
    """Trains on what `Augment` makes."""

    def get_train_dataloader(self) -> Any:
        data = self.train_dataset
        return Augment(data)(DataLoader(data, 4, shuffle=True, collate_fn=data.collate))

    def compute_loss(self, model: nn.Module, inputs: Any, *rest: Any, **more: Any) -> Any:
        return super().compute_loss(model, given(inputs), *rest, **more)


class OverBatches(Trainer):
    """Trains in Sliceforge's order on what the loader's workers make."""

    def get_train_dataloader(self) -> Any:
        data = self.train_dataset
        return DataLoader(data, batch_sampler=Batches(data, 4), collate_fn=self.data_collator)


def train(kind: type[Trainer], clips: Path, out: Path, step: int = 0, **more: Any) -> tuple[list[bytes], torch.Tensor]:
    """Three epochs of six steps, or the rest of them from a checkpoint on; returns every batch, and the weights."""
    torch.manual_seed(1)
    model, dataset = Tiny(), words(clips, ready=kind is not OverFeed)
    settings = {"num_train_epochs": 3, "per_device_train_batch_size": 4, "save_steps": 2, "report_to": "none"}
    settings |= {"disable_tqdm": True, "use_cpu": True, "ignore_data_skip": kind is OverFeed, "save_strategy": "steps"}
    trainer = kind(
        model,
        TrainingArguments(str(out), **settings | more),
        train_dataset=dataset,
        data_collator=lambda some: given(dataset.collate(some)),
        callbacks=[Bookmark(dataset)],
    )
    trainer.train(resume_from_checkpoint=str(out / f"checkpoint-{step}") if step else None)
    return model.seen, model.layer.weight.detach().clone()


@pytest.mark.parametrize("kind", [Trainer, OverBatches, OverFeed])
def test_a_checkpoint_gives_the_rest_and_the_same_weights(kind: type[Trainer], clips: Path, tmp_path: Path) -> None:
    seen, weights = train(kind, clips, tmp_path)
    # Every epoch is made anew.
    assert len(set(seen)) == len(seen) == 18
    for step in (8, 12):
        rest, again = train(kind, clips, tmp_path, step)
        assert rest == seen[step:]
        assert torch.equal(again, weights)


def test_what_is_trained_on_is_what_the_data_set_has_in_that_epoch(clips: Path, tmp_path: Path) -> None:
    seen, _ = train(OverFeed, clips, tmp_path, save_strategy="no")
    dataset = words(clips, ready=False)
    loader, augment = DataLoader(dataset, 4, shuffle=True, collate_fn=dataset.collate), Augment(dataset)
    epochs = [[batch["audio"].numpy().tobytes() for batch in augment(loader, epoch)] for epoch in range(4)]
    # A feed begins with epoch 1; the Trainer counts from 0.
    assert seen == list(chain(*epochs[1:]))
    assert train(OverBatches, clips, tmp_path, save_strategy="no")[0] == list(chain(*epochs[:3]))


def test_a_trainer_that_would_skip_what_a_feed_skips_is_refused(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="expected ignore_data_skip=True"):
        train(OverFeed, clips, tmp_path, ignore_data_skip=False)


def test_the_program_in_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert snippets.run("transformers") == 1
