"""Data sets and orders that the loader is tried with, and what comes out of it, as hashes."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from typing import Any, NamedTuple

import torch
from torch.utils.data import DataLoader

from sliceforge.engine import Augment, Batches, Share, SliceDataset, Stream, load
from sliceforge.engine.feed import Feed
from sliceforge.engine.recipe import Recipe

RECIPES = ("speech/car_noise", "speech/far_field")


class Seen(NamedTuple):
    """A batch: the SHA-256 of all its tensors, and (id, SHA-256 of its values) of each item."""

    sha256: str
    items: list[tuple[str, str]]


class Step(NamedTuple):
    """What all ranks got, and the state of each afterwards."""

    batches: list[Seen]
    states: list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A data set and an order; None for data is the built-in material."""

    shares: tuple[float, ...] = (0.5,)
    order: Mapping[str, Any] = field(default_factory=lambda: {"batch_size": 2})
    more: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    data: str | None = None

    def dataset(self) -> SliceDataset:
        """One of its own for each rank, as each process has."""
        shares = [Share(recipe(name), share=share) for name, share in zip(RECIPES, self.shares, strict=False)]
        return SliceDataset(self.data, shares, 7, **self.more)

    def feed(self, rank: int = 0, world: int = 1, workers: int = 0, **more: Any) -> Feed:
        """What a rank trains on."""
        dataset = self.dataset()
        batches = Batches(dataset, **self.order, rank=rank, world=world)
        if self.stream:
            loader = DataLoader(Stream(batches), batch_size=None, num_workers=workers, **more)
        else:
            loader = DataLoader(dataset, batch_sampler=batches, collate_fn=dataset.collate, num_workers=workers, **more)
        return Augment(dataset)(loader)


@cache
def recipe(name: str) -> Recipe:
    """At one rate, so that several may share an epoch."""
    return load(name, "rate=16000")


def seen(batch: Mapping[str, Any]) -> Seen:
    """The hashes of a batch of sound or images."""
    whole = hashlib.sha256()
    for name in sorted(batch):
        for one in batch[name] if isinstance(batch[name], list) else [batch[name]]:
            if isinstance(one, torch.Tensor):
                whole.update(f"{name} {one.dtype} {tuple(one.shape)}".encode() + one.numpy().tobytes())
    values = [batch["audio"][i, :n] for i, n in enumerate(batch["length"])] if "audio" in batch else batch["image"]
    ids = batch["id"]
    items = [(item, hashlib.sha256(one.numpy().tobytes()).hexdigest()) for item, one in zip(ids, values, strict=True)]
    return Seen(whole.hexdigest(), items)


def steps(
    case: Case, world: int, workers: int, state: dict[str, Any] | None = None, most: int | None = None
) -> Iterator[Step]:
    """An epoch of all ranks, step by step, from its beginning or from a state on; each rank is left after `most`."""
    ranks = []
    for rank in range(world):
        feed, found = case.feed(rank, world, workers), []
        if state is not None:
            feed.load_state_dict(state)
        for number, batch in enumerate(feed):
            found.append((seen(batch), feed.state_dict()))
            if most and number + 1 == most:
                break
        ranks.append(found)
    for several in zip_longest(*ranks):
        there = [one for one in several if one]
        yield Step([batch for batch, _ in there], [state for _, state in there])


def items(found: list[Step]) -> list[tuple[str, str]]:
    """All ranks' items in the order of the epoch."""
    return [item for step in found for batch in step.batches for item in batch.items]


def quiet() -> None:
    """Torch warns of more workers than cores: here they are meant."""
    warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
