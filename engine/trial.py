"""Which device a run is made on: as asked, as it was begun, or whichever is faster for rows of its own plan."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sliceforge.engine import device, folder, fuse, making, plan, regions
from sliceforge.engine.banks import Shelf
from sliceforge.engine.device import Device
from sliceforge.engine.errors import InputError
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.parents import survey
from sliceforge.engine.recipe import Recipe


def chosen(
    config: Mapping[str, Any], run: Path, recipe: Recipe, manifest: Manifest, rows: np.ndarray, banks: Shelf, cores: int
) -> Device:
    """The device of a run.

    Args:
        config: `device batch seed slice workers`.
        run: its folder.
        rows: (N,) bool, which rows of the manifest it takes.
        cores: processes that it would have on the CPU.

    Raises:
        SettingError: a device that is not there.
    """
    asked = config.get("device", "auto")
    if asked != "auto":
        return device.named(asked)
    there = folder.begun(run)
    if there is not None:
        return device.begun(str(there.get("device", device.CPU)))
    reason = device.missing()
    if reason:
        return Device(why=f"device: cpu, since {reason}")
    tasks = _tasks(config, recipe, manifest, rows, banks)
    if not tasks:
        return Device(why="device: cpu, since no item could be read to measure with")
    return device.faster(partial(_made, recipe, tasks, banks), len(tasks), cores)


def _made(recipe: Recipe, tasks: list[fuse.Task], banks: Shelf, name: str) -> Any:
    return fuse.make(recipe, tasks, banks, device=name)


def _tasks(
    config: Mapping[str, Any], recipe: Recipe, manifest: Manifest, rows: np.ndarray, banks: Shelf
) -> list[fuse.Task]:
    """A batch of the run's own items, spread over its parents, with the numbers that its plan has for them."""
    places = np.flatnonzero(rows)
    spread = np.zeros(len(rows), bool)
    spread[places[np.linspace(0, len(places) - 1, min(config["batch"], len(places))).astype(int)]] = True
    parents = survey(manifest, spread, recipe, config["seed"])
    drawn = plan.draw(recipe, parents, config["seed"], 1, banks.inventories(), config.get("slice") or None)
    tasks = []
    for row in drawn.to_pylist():
        try:
            parent, rate = making.parent(recipe, manifest.root, row)
            tasks.append(fuse.Task(parent, rate, row, *regions.read(manifest.root, row, parent)))
        except InputError:
            continue
    return tasks
