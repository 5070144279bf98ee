"""A batch sampler in an order that no number of workers or ranks changes, and that goes on from any place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.utils.data import Sampler

from sliceforge.engine.errors import SettingError
from sliceforge.engine.mixing import Mixture, Pick
from sliceforge.engine.order import Order

if TYPE_CHECKING:
    from sliceforge.engine.loader import SliceDataset


class Place(NamedTuple):
    """Where a training job is.

    Args:
        epoch: from 1.
        done: items of the epoch's order that all ranks together have been given.
    """

    epoch: int
    done: int = 0


class Batches(Sampler[list[Pick]]):
    """A batch sampler: the items of an epoch in one order, cut into batches, of which each rank takes its own.

    The order and the batches are a function of (seed, epoch, ids) alone. Of R ranks, rank r takes batches r, R + r,
    2R + r, …, each item once. Where the last round has no batch for every rank, its batches are divided further, so
    that all ranks take the same number of steps; only where fewer items are left than ranks, some take one less.

    Args:
        dataset: what it picks from.
        batch_size: items of a batch, at most; None: as many as `max_seconds` allows.
        max_seconds: of a batch of sound, items times the longest, at most; an item that is longer is a batch of its
            own. What counts is a parent's length.
        group_by_length: a batch's items are of about the same length (of images: as many pixels).
        shuffle: another order in each epoch; else that of the data.
        drop_last: an epoch ends with the last round in which every rank has a whole batch.
        rank, world: which rank this is, of how many; None: as `torch.distributed` says.

    Raises:
        SettingError: one line.
    """

    def __init__(
        self,
        dataset: SliceDataset,
        batch_size: int | None = None,
        *,
        max_seconds: float | None = None,
        group_by_length: bool = False,
        shuffle: bool = True,
        drop_last: bool = False,
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        _check(dataset, batch_size, max_seconds)
        self.dataset = dataset
        self.rank, world = _ranks(rank, world)
        seconds = dataset.stock.seconds
        mean = float(seconds[dataset.stock.originals].mean())
        how = (batch_size, max_seconds, group_by_length, shuffle, drop_last, world)
        self.order = Order(dataset.seed, seconds, mean, *how)
        # Epoch, done, and 1 where the next iteration starts there; shared with workers that iterate themselves.
        self._start = torch.zeros(3, dtype=torch.int64).share_memory_()
        self._place: Place | None = None
        self._count: tuple[int, Mixture, int] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_count": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start.share_memory_()  # a copy's is its own alone

    def start(self, place: Place) -> None:
        """Begin the next iteration at a place."""
        self._start[:] = torch.tensor([*place, 1])

    def forget(self) -> None:
        """Begin the next iteration at the next epoch after all."""
        self._start[2] = 0

    def begin(self) -> Place:
        """The place that the next iteration begins at: where `start` said, or at the beginning of the next epoch."""
        epoch, done, given = self._start.tolist()
        self.forget()
        if given:
            self.dataset.set_epoch(epoch)
        return Place(self.dataset.present.advance(), done if given else 0)

    def begun(self) -> Place:
        """Where an iteration is that began in another process."""
        epoch, done, given = self._start.tolist()
        return Place(epoch, done) if given else Place(self.dataset.epoch)

    def __iter__(self) -> Iterator[list[Pick]]:
        begun = self.begin()
        for picks, place in self.steps(begun):
            self._place = place
            yield picks
        # Whoever keeps a state between two epochs goes on with the next.
        self._place = Place(begun.epoch + 1)

    def __len__(self) -> int:
        """Batches of this rank in the epoch that the data set is at."""
        return self.count(self.dataset.epoch)

    def count(self, epoch: int) -> int:
        """Batches of this rank in an epoch, with shares as they are."""
        now = epoch, self.dataset.mixture
        if self._count is None or self._count[0] != epoch or self._count[1] is not now[1]:
            self._count = *now, self.order.steps(self.dataset.present.of(epoch), epoch, self.rank)
        return self._count[2]

    def steps(self, place: Place) -> Iterator[tuple[list[Pick], Place]]:
        """This rank's batches from a place on, each with the place that all ranks have come to once it is done."""
        # Not the data set's own: a worker that begins late may find it at another epoch already.
        mixture = self.dataset.present.of(place.epoch)
        for batches, done in self.order.rounds(mixture, *place):
            if self.rank < len(batches):
                yield mixture.picks(batches[self.rank]), Place(place.epoch, done)

    def over(self, place: Place) -> bool:
        """Whether a place is an epoch's end: no rank has a batch left."""
        return place.done > 0 and next(self.order.rounds(self.dataset.mixture, *place), None) is None

    def state_dict(self) -> dict[str, Any]:
        """Where it is, under 1 KB of JSON."""
        return self.saved(self._place or Place(self.dataset.epoch))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Begin the next iteration where `state_dict` was.

        Raises:
            SettingError: the state is of other data or settings.
        """
        self._place = self.restored(state)
        self.start(self._place)

    def saved(self, place: Place) -> dict[str, Any]:
        """A place, and what must be the same for it to mean the same."""
        return {"version": 1, **place._asdict(), "order": self._told(), **self.dataset.identity()}

    def restored(self, state: dict[str, Any]) -> Place:
        """The place of a state, once it was seen to be of this data and these settings.

        Raises:
            SettingError: naming what differs.
        """
        try:
            place = Place(*(int(state[name]) for name in Place._fields))
            known = {name: state[name] for name in ("version", "order", *self.dataset.identity())}
            shares = [*known.pop("shares")]
        except (KeyError, TypeError, ValueError):
            raise SettingError("state: is none of Sliceforge's; expected what state_dict() returned") from None
        here = {"version": 1, "order": self._told()} | self.dataset.identity()
        for name, was in known.items():
            if was != here[name]:
                given = f"state: {name} was {was!r} and is {here[name]!r}"
                losses = "set_epoch(…, hard=…) with those losses before"
                raise SettingError(f"{given}; expected {losses if name == 'hard' else 'the same data and settings'}")
        self.dataset.set_epoch(place.epoch, shares)
        return place

    def _told(self) -> str:
        """What decides the order, but for a plain batch size, which may change between two sessions."""
        order = self.order
        words = ["shuffled" if order.shuffle else "in order"]
        words += [f"max_seconds={order.max_seconds:g}"] if order.max_seconds is not None else []
        words += ["group_by_length"] if order.grouped else []
        words += [f"batch_size={order.batch_size}"] if not order.plain and order.batch_size else []
        return ", ".join(words)


def _check(dataset: SliceDataset, batch_size: int | None, max_seconds: float | None) -> None:
    if not hasattr(dataset, "stock"):
        raise SettingError(f"dataset: {type(dataset).__name__}: expected a SliceDataset, such as Batches(dataset, 32)")
    if batch_size is None and max_seconds is None:
        raise SettingError("batch_size: is not given, nor max_seconds; such as Batches(dataset, 32)")
    whole = batch_size is None or (isinstance(batch_size, int) and not isinstance(batch_size, bool) and batch_size > 0)
    if not whole:
        raise SettingError(f"batch_size: {batch_size!r}: expected a whole number from 1, such as Batches(dataset, 32)")
    if max_seconds is not None and not (isinstance(max_seconds, int | float) and 0 < max_seconds < math.inf):
        raise SettingError(f"max_seconds: {max_seconds!r}: expected seconds above 0, such as max_seconds=60")
    if max_seconds is not None and dataset.kind != "audio":
        raise SettingError("max_seconds: images have no duration; expected batch_size")


def _ranks(rank: int | None, world: int | None) -> tuple[int, int]:
    """(this rank, how many), as given or as the process group says."""
    if rank is None and world is None:
        there = torch.distributed.is_available() and torch.distributed.is_initialized()
        return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if there else (0, 1)
    if not isinstance(rank, int) or not isinstance(world, int) or not 0 <= rank < world:
        given = f"rank, world: {rank!r}, {world!r}"
        raise SettingError(f"{given}: expected both, the rank from 0 to below the world, such as rank=0, world=2")
    return rank, world
