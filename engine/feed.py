"""The batches of a training job, epoch after epoch, and where it is in them."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import (
    DataLoader,
    DistributedSampler,
    RandomSampler,
    SequentialSampler,
    default_collate,
    default_convert,
)

from sliceforge.engine.batches import Batches, Place
from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.prefetch import Ahead
from sliceforge.engine.stream import Stream

if TYPE_CHECKING:
    from sliceforge.engine.augment import Augment
    from sliceforge.engine.loader import SliceDataset

TAKEN = (
    *("num_workers", "pin_memory", "timeout", "worker_init_fn", "multiprocessing_context"),
    *("prefetch_factor", "persistent_workers", "pin_memory_device", "in_order"),
)
"""What a loader in Sliceforge's order takes from the one that was given."""


class Feed:
    """An iterable of batches: each iteration is the next epoch, made ahead of the training step.

    A loader with one of torch's own samplers gets the order of `Batches` instead: the same for any number of workers
    and ranks, split over the ranks. `state_dict` says how far training is, not how far ahead batches were made.

    Args:
        augment: makes the batches.
        loader: over its data set, or over a `Stream` of it.
        depth: finished batches that wait at most.

    Raises:
        SettingError: a sampler whose place cannot be told, or another data set.
    """

    def __init__(self, augment: Augment, loader: DataLoader[Any], depth: int = 2) -> None:
        self._augment, self._depth, self._dataset = augment, depth, augment.dataset
        self.batches = _batches(loader, augment.dataset)
        self._loader = _ordered(loader, self.batches, augment.by_workers and loader.num_workers > 0)
        self._workers: set[BaseProcess] = set()
        self._place: Place | None = None
        self._loaded: Place | None = None
        self._lost: Ahead | None = None
        self._under_way: Ahead | None = None
        if hasattr(loader, "load_state_dict"):
            self._stand_in(loader)

    def __len__(self) -> int:
        """Batches of this rank in the epoch that is under way or, where none is, in the next.

        Lightning asks before an epoch begins, and cuts it there.
        """
        place, present = self._loaded or self._place, self._dataset.present
        begun = place is not None and place.epoch == present.epoch and not self.batches.over(place)
        return self.batches.count(present.epoch if begun else present.coming)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._lost is not None:
            self._lost.close()
            self._lost = None
        if self._under_way is not None and self._loader.persistent_workers:
            self._under_way.close()  # there is one set of workers, and it goes over to this iteration
        steps = self._begin()
        self._dataset.hands.clear()
        ahead = Ahead(self._opened, self._augment.made, self._depth, self._watch)
        self._under_way = ahead
        try:
            ahead.wait()
            for made in ahead:
                _, self._place = next(steps)
                yield self._augment.landed(made)
            ahead.close()
        except GeneratorExit:
            ahead.close()
            raise
        except BaseException:
            # A worker is gone, or Ctrl-C has ended them all: who waits for the thread hears of it seconds too late.
            ahead.stop()
            self._lost, self._workers = ahead, set()
            # Workers that live on cannot without those that are gone: the next iteration starts others.
            self._loader._iterator = None
            raise
        finally:
            if self._under_way is ahead:
                self._under_way = None
            # A stream's workers look where they begin, and leave it there.
            self.batches.forget()

    def state_dict(self) -> dict[str, Any]:
        """Where training is, under 1 KB of JSON: the epoch, and the items that all ranks were given of it.

        It may be loaded with another number of workers or ranks; a plain batch size may be another, too.
        """
        return self.batches.saved(self._loaded or self._place or Place(self._dataset.epoch))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was: the next iteration has what was left of its epoch, the one after it is whole.

        Raises:
            SettingError: the state is of other data or settings.
        """
        place = self.batches.restored(state)
        if self.batches.over(place):
            place = Place(place.epoch + 1)
            self._dataset.set_epoch(place.epoch)
        self._loaded = place

    def _begin(self) -> Iterator[tuple[Any, Place]]:
        """The steps of the next iteration; what iterates the loader begins where they do."""
        if self._loaded is not None:
            self.batches.start(self._loaded)
            self._loaded = None
        self._place = self.batches.begin()
        self.batches.start(self._place)
        return self.batches.steps(self._place)

    def _opened(self) -> Iterator[Any]:
        iterator = iter(self._loader)
        # Not multiprocessing.active_children(): that forgets those that are dead already.
        self._workers = set(getattr(iterator, "_workers", ()))
        return iterator

    def _watch(self) -> None:
        for worker in list(self._workers):
            if worker.exitcode == 0:
                self._workers.discard(worker)
            elif worker.exitcode is not None:
                self._workers.clear()
                raise RunError(self._obituary(worker))

    def _obituary(self, worker: BaseProcess) -> str:
        code, row = worker.exitcode or 0, self._dataset.hands.of(worker.pid or 0)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        if row is None:
            return f"loader: worker {worker.pid} {how} before it read anything"
        item = self._dataset.stock.items.slice(row, 1).to_pylist()[0]
        return f"loader: worker {worker.pid} {how}; it read {item['parent']!r} ({item['path']})"

    def _stand_in(self, loader: Any) -> None:
        """Of a loader that keeps a state: that would be of what was fetched; it says what was given out instead."""
        waiting = getattr(loader, "next_iter_state", None)
        if waiting:
            self.load_state_dict(waiting)
        loader.state_dict, loader.load_state_dict = self.state_dict, self.load_state_dict


def _batches(loader: DataLoader[Any], dataset: SliceDataset) -> Batches:
    """The order that a loader has, or gets.

    Raises:
        SettingError: a sampler whose place cannot be told, or another data set.
    """
    own = loader.dataset.batches if isinstance(loader.dataset, Stream) else loader.batch_sampler
    if (own.dataset if isinstance(own, Batches) else loader.dataset) is not dataset:
        raise SettingError("loader: goes through another data set than Augment has; expected DataLoader(dataset, …)")
    if isinstance(own, Batches):
        return own
    sampler, size, drop = loader.sampler, loader.batch_size, loader.drop_last
    if size is not None and _shuffles(sampler):
        return Batches(dataset, size, drop_last=drop)
    if size is not None and isinstance(sampler, SequentialSampler):
        return Batches(dataset, size, shuffle=False, drop_last=drop)
    if size is not None and isinstance(sampler, DistributedSampler):
        rank, world = sampler.rank, sampler.num_replicas
        return Batches(dataset, size, shuffle=sampler.shuffle, drop_last=drop, rank=rank, world=world)
    raise SettingError(
        "loader: has a sampler of its own; expected shuffle=True, or batch_sampler=Batches(dataset, batch_size)"
    )


def _shuffles(sampler: Any) -> bool:
    """Whether it is torch's shuffle, or that of torchdata's loader, which is a class of its own with the same name."""
    named = any(one.__name__ == RandomSampler.__name__ for one in type(sampler).__mro__)
    return named and not sampler.replacement


def _ordered(loader: DataLoader[Any], batches: Batches, finish: bool) -> DataLoader[Any]:
    """The loader, or one like it that has the order, and whose workers finish what they read where that is said.

    Without a generator of its own, torch's loader draws a seed for its workers from the global one.
    """
    stream, dataset = isinstance(loader.dataset, Stream), batches.dataset
    generator = loader.generator or torch.Generator().manual_seed(dataset.seed & (2**63 - 1))
    own = loader.collate_fn
    collate = dataset.collate if own is default_collate else own
    if stream and collate == dataset.collate:
        collate = default_convert  # a stream calls it itself
    if finish and not dataset.ready and collate in (dataset.collate, default_convert):
        collate = dataset.finish
    if type(loader) is DataLoader and collate == own and (stream or loader.batch_sampler is batches):
        loader.generator = generator
        return loader
    taken = {name: getattr(loader, name) for name in TAKEN if hasattr(loader, name)}
    taken["collate_fn"] = collate
    if stream:
        return DataLoader(loader.dataset, batch_size=None, generator=generator, **taken)
    return DataLoader(dataset, batch_sampler=batches, generator=generator, **taken)
