"""One rank of a training job, as processes of a test run it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from sliceforge.engine import Augment, Share, SliceDataset, load

Told = list[list[tuple[str, str]]]
"""Of each step, the id of each item and what says that its bytes are the same."""


def feed_of(clips: str, items: str | None) -> Any:
    """The batches of three that the ranks go through."""
    recipe = load("speech/car_noise", "rate=8000")
    pattern = "{label}_{speaker}_{index}"
    dataset = SliceDataset(clips, [Share(recipe, share=0.4)], 7, pattern=pattern, items=items)
    return Augment(dataset)(DataLoader(dataset, 3, shuffle=True))


def told(batch: dict[str, Any]) -> list[tuple[str, str]]:
    """What a batch holds."""
    clips = zip(batch["id"], batch["audio"], batch["length"], strict=True)
    return [(item, hashlib.sha256(audio[:length].numpy().tobytes()).hexdigest()) for item, audio, length in clips]


def rank(number: int, world: int, clips: str, out: str, jobs: list[tuple[str | None, Any, int]]) -> None:
    """Go through some jobs, of each (condition on items, state to begin with, steps at most), and write down what came.

    Each step is one of a `DistributedDataParallel` model, in which a rank that takes one more than the others waits for
    ever.
    """
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{out}/store", rank=number, world_size=world)
    model = DistributedDataParallel(nn.Linear(1, 1))
    results = []
    for items, state, steps in jobs:
        feed = feed_of(clips, items)
        if state:
            feed.load_state_dict(state)
        found: Told = []
        for batch in feed:
            model(batch["audio"].abs().mean(1, keepdim=True)).sum().backward()
            found.append(told(batch))
            if len(found) == steps:
                break
        results.append((found, feed.state_dict()))
    Path(out, f"{number}.json").write_text(json.dumps(results))
    dist.destroy_process_group()
