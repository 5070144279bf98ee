"""Raw material: the sounds of a bank, and which of them can be used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sliceforge.engine import manifest
from sliceforge.engine.codecs.audio import probe
from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.excerpts import Reader, excerpt
from sliceforge.engine.op import Inventory
from sliceforge.engine.paths import Reject
from sliceforge.engine.read import read_audio


@dataclass(frozen=True)
class Bank:
    """The items of a bank that can be used, all of them read once.

    Args:
        name: as in `banks.<name>`.
        root: the folder that its paths are under.
        ids: sorted.
        paths: relative to `root`, in the order of `ids`.
        lengths: samples, at each item's own rate.
        rates: hertz.
        digest: SHA-256 over ids and contents.
        rejects: what cannot be used.
    """

    name: str
    root: Path
    ids: tuple[str, ...]
    paths: tuple[str, ...]
    lengths: tuple[int, ...]
    rates: tuple[int, ...]
    digest: str
    rejects: tuple[Reject, ...]


def open(name: str, path: str, kind: str = "audio") -> Bank:
    """A folder or a table of sounds as a bank; what is unreadable, not finite or silent is left out.

    Raises:
        SettingError: no such path, or nothing in it can be used.
    """
    return _vetted(name, path, manifest.read(path, kind, key=f"banks.{name}"))


def _vetted(name: str, path: str, listed: manifest.Manifest) -> Bank:
    rejects = list(listed.rejects)
    good: list[tuple[str, str, int, int]] = []
    whole = hashlib.sha256()
    ids, paths = listed.table["id"].to_pylist(), listed.table["path"].to_pylist()
    for item, place in sorted(zip(ids, paths, strict=True)):
        try:
            seen = probe(listed.root / place)
            read_audio(listed.root / place)
            content = _sha256(listed.root / place)
        except InputError as error:
            rejects.append(Reject(item, place, error.reason, error.detail))
            continue
        good.append((item, place, seen.length, seen.rate))
        whole.update(f"{item}\0{content}\n".encode())
    if not good:
        first = f", such as {rejects[0].id}: {rejects[0].reason}" if rejects else ""
        raise SettingError(f"banks.{name}: {path}: none of its {len(rejects)} items can be used{first}")
    items, places, lengths, rates = zip(*good, strict=True)
    return Bank(name, listed.root, items, places, lengths, rates, whole.hexdigest(), tuple(rejects))


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError("unreadable", error.strerror or "cannot be read") from None


def inventory(bank: Bank) -> Inventory:
    """What a draw may know of a bank."""
    return Inventory(bank.ids, np.array(bank.lengths, np.float64) / np.array(bank.rates, np.float64))


@dataclass(frozen=True)
class Shelf:
    """The banks of a run, by name. They are listed at once, and read whole when a draw first asks what is in them."""

    paths: Mapping[str, str]
    _listed: Mapping[str, manifest.Manifest]
    _places: Mapping[str, Mapping[str, Path]]
    _banks: dict[str, Bank] = field(default_factory=dict)
    _reader: Reader = field(default_factory=Reader)

    @classmethod
    def open(cls, paths: Mapping[str, str], kind: str = "audio") -> Shelf:
        """Banks by name → folder or table.

        Raises:
            SettingError: no such path, or it lists nothing; the key is `banks.<name>`.
        """
        listed = {name: manifest.read(path, kind, key=f"banks.{name}") for name, path in sorted(paths.items())}
        places = {}
        for name, found in listed.items():
            pairs = zip(found.table["id"].to_pylist(), found.table["path"].to_pylist(), strict=True)
            places[name] = {item: found.root / path for item, path in pairs}
        return cls(dict(paths), listed, places)

    def bank(self, name: str) -> Bank:
        """One bank, all of it read once.

        Raises:
            SettingError: nothing in it can be used.
        """
        if name not in self._banks:
            self._banks[name] = _vetted(name, self.paths[name], self._listed[name])
        return self._banks[name]

    def inventories(self) -> dict[str, Inventory]:
        """What a draw may know of each bank."""
        return {name: inventory(self.bank(name)) for name in self._listed}

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each bank."""
        return {name: self.bank(name).digest for name in self._listed}

    def rejects(self) -> dict[str, tuple[Reject, ...]]:
        """What cannot be used of each bank."""
        return {name: self.bank(name).rejects for name in self._listed}

    def excerpt(self, bank: str, item: str, rate: int, offset: int, length: int) -> np.ndarray:
        """(length,) float32 of a bank's item at `rate` hertz, from sample `offset`; see `excerpt` for its end.

        Raises:
            SettingError: no such bank.
            InputError: no such item, or it cannot be used.
        """
        return excerpt(self.sound(bank, item, rate), int(offset), length, rate)

    def sound(self, bank: str, item: str, rate: int) -> np.ndarray:
        """(N,) float32, a bank's item whole, at `rate` hertz; not to be written to.

        Raises:
            SettingError: no such bank.
            InputError: no such item, or it cannot be used.
        """
        if bank not in self._places:
            tail = did_you_mean(bank, self._places)
            raise SettingError(f"banks.{bank}: is needed, such as banks.{bank}=FOLDER{tail}")
        path = self._places[bank].get(item)
        if path is None:
            raise InputError("unreadable", f"{item}: no such item in banks.{bank}")
        return self._reader.sound(path, rate)
