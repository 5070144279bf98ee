"""For the Hugging Face Trainer: epochs that go along with its own, and a feed's place in its checkpoints."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from sliceforge.engine.errors import SettingError
from sliceforge.engine.feed import Feed
from sliceforge.engine.loader import SliceDataset

KEPT = "sliceforge"
"""Under which name a checkpoint's `trainer_state.json` has a feed's place."""


class Bookmark(TrainerCallback):
    """Keeps a data set at the Trainer's epoch; where the Trainer goes through a `Feed`, checkpoints have its place.

    Args:
        dataset: what is trained on.
    """

    def __init__(self, dataset: SliceDataset) -> None:
        self.dataset = dataset

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        """Go on where a checkpoint was.

        Raises:
            SettingError: the Trainer would skip what the feed does not give any more, or the state is of other data.
        """
        feed = more.get("train_dataloader")
        if not isinstance(feed, Feed):
            return
        if not args.ignore_data_skip:
            raise SettingError("ignore_data_skip: False: a feed skips by itself; expected ignore_data_skip=True")
        kept: Any = state.stateful_callbacks
        if state.global_step and KEPT in kept:
            feed.load_state_dict(kept[KEPT])

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        """Go to the Trainer's epoch; a feed does so by itself."""
        if not isinstance(more.get("train_dataloader"), Feed):
            self.dataset.set_epoch(int(state.epoch or 0))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        """Say how far training is, for a checkpoint that may follow."""
        feed = more.get("train_dataloader")
        kept: Any = state.stateful_callbacks
        if isinstance(feed, Feed):
            kept[KEPT] = feed.state_dict()
