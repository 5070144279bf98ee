"""The training side: what makes batches of the drafts that a loader's workers drew and read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils.data import DataLoader

from sliceforge.engine import collate, drafts, settings
from sliceforge.engine import device as devices
from sliceforge.engine.device import Device
from sliceforge.engine.drafts import Draft
from sliceforge.engine.errors import SettingError
from sliceforge.engine.feed import Feed
from sliceforge.engine.loader import SliceDataset
from sliceforge.engine.stowed import Stowed


@dataclass
class Made:
    """A batch on its way to whoever trains.

    Args:
        batch: what was made.
        event: on a device, recorded once all of it is launched; None on the CPU.
    """

    batch: Any
    event: torch.cuda.Event | None = None


class Augment:
    """Makes what a loader's workers drew and read, ahead of the step; batches are on the device that made them.

    On a CUDA device a thread of the training process does so, on a stream of its own. On the CPU the workers do, where
    there are any: a thread would take turns with the training step at Python's lock. Each worker has banks of its own;
    with `threads` a thread makes there, too, and the banks are kept once.

    Args:
        dataset: what the loader goes through.
        device: cpu, cuda, cuda:N, or auto: whichever makes the first batch faster; `chosen.why` says why.
        threads: how many items a thread of the training process makes at a time on the CPU; None: the workers make, or
            where there are none, one for every two cores.

    Raises:
        SettingError: a device that is not there.
    """

    def __init__(self, dataset: SliceDataset, device: str = "cpu", threads: int | None = None) -> None:
        if not isinstance(device, str) or not settings.names_device(device):
            raise SettingError(f"device: {device!r}: expected auto, cpu, cuda or cuda:N, such as device='cuda'")
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise SettingError(f"threads: {threads!r}: expected a whole number from 1, such as threads=2")
        self.dataset, self.threads = dataset, threads or max(1, len(os.sched_getaffinity(0)) // 2)
        self._by_thread = threads is not None
        self.chosen: Device | None = None
        self._stream: torch.cuda.Stream | None = None
        if device != "auto":
            self.chosen = devices.named(device)
        elif reason := devices.missing():
            self.chosen = Device(why=f"device: cpu, since {reason}")

    def __call__(self, loader: DataLoader[Any], epoch: int | None = None) -> Feed:
        """The batches of a loader: an iterable, whose every iteration is an epoch.

        Args:
            loader: over the data set, with `collate_fn=dataset.collate`.
            epoch: go to it first, from 1; None: the one that the data set was set to, or the next.
        """
        if epoch is not None:
            self.dataset.set_epoch(epoch)
        return Feed(self, loader)

    @property
    def by_workers(self) -> bool:
        """Whether workers make what they read, where there are any."""
        return not self._by_thread and self.chosen is not None and self.chosen.name == devices.CPU

    def made(self, packed: Any) -> Made:
        """A batch of what a loader gave; called in a thread of its own."""
        on = (self.chosen or Device()).name
        if isinstance(packed, Stowed):
            return Made(self.dataset.arrived(packed))
        if not isinstance(packed, drafts.Packed):
            return self._launched(on, lambda: collate.moved(packed, on))
        some = drafts.unpack(packed)
        on = (self.chosen or self._faster(some)).name
        if on == devices.CPU or self.dataset.gates:
            self.dataset.make(some, self.threads, on)
            return self._launched(on, lambda: collate.moved(self.dataset.batch(some), on))
        return self._launched(on, lambda: self.dataset.aboard(some, on))

    def landed(self, made: Made) -> Any:
        """A batch for the training step, whose stream waits for it; nobody else does."""
        if made.event is not None:
            stream = torch.cuda.current_stream(made.event.device)
            stream.wait_event(made.event)
            # Its memory was taken on another stream, and is free again only when this one has come past its use.
            for tensor in collate.tensors(made.batch):
                tensor.record_stream(stream)
        return made.batch

    def _launched(self, on: str, launch: Callable[[], Any]) -> Made:
        if on == devices.CPU:
            return Made(launch())
        self._stream = self._stream or torch.cuda.Stream(on)
        with torch.cuda.stream(self._stream):
            batch = launch()
            event = torch.cuda.Event()
            event.record(self._stream)
        return Made(batch, event)

    def _faster(self, some: Sequence[Draft]) -> Device:
        def make(name: str) -> None:
            if name != devices.CPU and not self.dataset.gates:
                self.dataset.aboard(some, name)
                torch.cuda.synchronize(name)
                return
            # Copies: a draft that could not be made remembers why.
            self.dataset.make([replace(one) for one in some], self.threads, name)

        self.chosen = devices.faster(make, len(some))
        return self.chosen
