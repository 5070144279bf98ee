"""Raw material: the sounds or the donors of a bank, and which of them can be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from sliceforge.engine import donors, sounds
from sliceforge.engine.apart import NONE, Apart
from sliceforge.engine.codecs.audio import probe
from sliceforge.engine.donors import Donor, Place
from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.excerpts import Kept, excerpt, sound
from sliceforge.engine.naming import listed
from sliceforge.engine.op import Inventory
from sliceforge.engine.paths import Reject


@dataclass(frozen=True)
class Bank:
    """The items of a bank that can be used, all of them read once.

    Args:
        inventory: what a draw may know of them.
        digest: SHA-256 over ids and contents.
        rejects: what cannot be used.
    """

    inventory: Inventory
    digest: str
    rejects: tuple[Reject, ...]


def _donors(places: Mapping[str, Place]) -> tuple[Inventory, list[Reject], str]:
    good, rejects, digest = donors.vetted(places)
    labels, marks = [places[item].label for item in good], list(good.values())
    return Inventory(tuple(good), np.zeros(0), tuple(labels), tuple(marks)), rejects, digest


@dataclass(frozen=True)
class Shelf:
    """The banks of a run, by name. They are listed at once, and read whole when a draw first asks what is in them.

    Args:
        paths: name → folder or table.
        kind: audio or image.
    """

    paths: Mapping[str, str]
    kind: str
    _places: Mapping[str, Mapping[str, Place]]
    _rejects: Mapping[str, tuple[Reject, ...]]
    _banks: dict[str, Bank] = field(default_factory=dict)
    _kept: Kept = field(default_factory=Kept)
    _apart: Apart = NONE
    _channels: dict[Path, int] = field(default_factory=dict)

    @classmethod
    def open(cls, paths: Mapping[str, str], kind: str = "audio", apart: Apart = NONE) -> Shelf:
        """Banks by name → folder or table.

        Args:
            apart: which items belong to which split, beside what their tables say.

        Raises:
            SettingError: no such path, or it lists nothing; the key is `banks.<name>`.
        """
        places: dict[str, Mapping[str, Place]] = {}
        rejects = {}
        for name, path in sorted(paths.items()):
            found = listed(path, kind, f"banks.{name}")
            outside: list[Reject] = []
            if kind == "image":
                places[name], outside = donors.places(found)
            else:
                places[name] = sounds.places(found)
            rejects[name] = (*found.rejects, *outside)
        return cls(dict(paths), kind, places, rejects, _apart=apart)

    @property
    def apart(self) -> Apart:
        """Which items belong to which split, beside what their tables say."""
        return self._apart

    def places(self) -> Mapping[str, Mapping[str, Place]]:
        """Where the items of each bank lie, those that cannot be used among them."""
        return self._places

    def kept_apart(self, apart: Apart) -> Shelf:
        """The same banks under a rule of splits."""
        return replace(self, _apart=apart, _banks={})

    def bank(self, name: str) -> Bank:
        """One bank, all of it read once.

        Raises:
            SettingError: nothing in it can be used.
        """
        if name not in self._banks:
            vet = _donors if self.kind == "image" else sounds.vetted
            places, held = self._apart.of(name, self._places[name], self.kind)
            inventory, unusable, digest = vet(places)
            rejects = (*self._rejects[name], *held, *unusable)
            if not inventory.ids:
                first = f", such as {rejects[0].id}: {rejects[0].reason}" if rejects else ""
                none = f"none of its {len(rejects)} items can be used{first}"
                raise SettingError(f"banks.{name}: {self.paths[name]}: {none}")
            self._banks[name] = Bank(inventory, digest, rejects)
        return self._banks[name]

    def inventories(self) -> dict[str, Inventory]:
        """What a draw may know of each bank."""
        return {name: self.bank(name).inventory for name in self._places}

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each bank."""
        return {name: self.bank(name).digest for name in self._places}

    def rejects(self) -> dict[str, tuple[Reject, ...]]:
        """What cannot be used of each bank."""
        return {name: self.bank(name).rejects for name in self._places}

    def excerpt(self, bank: str, item: str, rate: int, offset: int, length: int) -> np.ndarray:
        """(length,) float32 of a bank's item at `rate` hertz, from sample `offset`; see `excerpt` for its end.

        Raises:
            SettingError: no such bank.
            InputError: no such item, or it cannot be used.
        """
        return excerpt(self.sound(bank, item, rate), int(offset), length, rate)

    def sound(self, bank: str, item: str, rate: int, channel: float | None = None) -> np.ndarray:
        """(N,) float32, a bank's item whole, at `rate` hertz; not to be written to.

        Args:
            channel: which of its channels, 0 the first and almost 1 the last; None: their mean.

        Raises:
            SettingError: no such bank.
            InputError: no such item, or it cannot be used.
        """
        path, index = self._place(bank, item).path, 0
        if path not in self._channels:
            self._channels[path] = probe(path).channels
        count = self._channels[path]
        if channel is not None:
            index = min(int(channel * count), count - 1)
        middle = None if channel is None or count == 1 else (index + 0.5) / count
        wave: np.ndarray = self._kept.get((path, rate, middle), lambda: sound(path, rate, middle))
        return wave

    def donor(self, bank: str, item: str) -> Donor:
        """A bank's marked thing, with the picture around it; not to be written to.

        Raises:
            SettingError: no such bank.
            InputError: no such item, or it cannot be used.
        """
        place = self._place(bank, item)
        found: Donor = self._kept.get(place, lambda: donors.read(place))
        return found

    def _place(self, bank: str, item: str) -> Place:
        if bank not in self._places:
            tail = did_you_mean(bank, self._places)
            raise SettingError(f"banks.{bank}: is needed, such as banks.{bank}=FOLDER{tail}")
        place = self._places[bank].get(item)
        if place is None:
            raise InputError("unreadable", f"{item}: no such item in banks.{bank}")
        return place
