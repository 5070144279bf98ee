"""The training side: what makes batches of the drafts that a loader's workers drew and read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from torch.utils.data import DataLoader

from sliceforge.engine import device as devices
from sliceforge.engine import drafts, settings
from sliceforge.engine.device import Device
from sliceforge.engine.drafts import Draft
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loader import SliceDataset


class Augment:
    """Makes, in the training process, what a loader's workers drew and read; batches are on the device that made them.

    Args:
        dataset: what the loader goes through.
        device: cpu, cuda, cuda:N, or auto: whichever makes the first batch faster; `chosen.why` says why.
        threads: how many items are made at a time on the CPU; None: one for each core.

    Raises:
        SettingError: a device that is not there.
    """

    def __init__(self, dataset: SliceDataset, device: str = "cpu", threads: int | None = None) -> None:
        if not isinstance(device, str) or not settings.names_device(device):
            raise SettingError(f"device: {device!r}: expected auto, cpu, cuda or cuda:N, such as device='cuda'")
        self.dataset, self.threads = dataset, threads or len(os.sched_getaffinity(0))
        self.chosen: Device | None = None
        if device != "auto":
            self.chosen = devices.named(device)
        elif reason := devices.missing():
            self.chosen = Device(why=f"device: cpu, since {reason}")

    def __call__(self, loader: DataLoader[Any], epoch: int | None = None) -> Iterator[dict[str, Any]]:
        """The batches of one epoch.

        Args:
            loader: over the data set, with `collate_fn=dataset.collate`.
            epoch: go to it first, from 1; None: the one that the data set is at.
        """
        if epoch is not None:
            self.dataset.set_epoch(epoch)
        for packed in loader:
            on = self.chosen or Device()
            if isinstance(packed, drafts.Packed):
                some = drafts.unpack(packed)
                on = self.chosen = self.chosen or self._faster(some)
                self.dataset.make(some, self.threads, on.name)
                packed = self.dataset.batch(some)
            yield packed if on.name == devices.CPU else drafts.moved(packed, on.name)

    def _faster(self, some: Sequence[Draft]) -> Device:
        # Of copies: a draft that could not be made remembers why.
        return devices.faster(
            lambda name: self.dataset.make([replace(one) for one in some], self.threads, name), len(some)
        )
