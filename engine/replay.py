"""One item made again from its plan row alone."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import soundfile

from sliceforge.engine import commit, device, folder, near, receipts, shards, sources
from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.spec import Spec
from sliceforge.engine.work import Workshop

Said = Callable[[str], None]
"""Told in a line what an item is made on, where that needs a word."""


def quiet(line: str) -> None:
    """Nobody is told."""


def reopen(config: Mapping[str, Any], said: Said = quiet) -> Workshop:
    """The workshop of a finished run, on the device that it was begun on where that is there.

    Args:
        config: `run`, and `data` and `banks` where the material has moved since.
        said: told which device, unless the run was made on the CPU.

    Raises:
        SettingError: there is no run, or its material is not where it was.
    """
    if not config.get("run"):
        raise SettingError("run: is needed, such as run=runs/car_noise")
    run = Path(config["run"])
    made = folder.load(run)
    if not {"recipe", "trust", "seed", "slice", "retries", "sink"} <= set(made):
        raise SettingError(f"run: {run}: its run.yaml is not that of a run")
    try:
        where = json.loads((run / "log" / "command.json").read_text("utf-8"))
    except (OSError, ValueError):
        where = {}
    where = where if isinstance(where, dict) and isinstance(where.get("banks", {}), dict) else {}
    data = sources.root(config["data"]) if config.get("data") else Path(str(where.get("data") or ""))
    if not (config.get("data") or where.get("data")) or not data.is_dir():
        raise SettingError("data: the run's material is not where it was; say where it is now, such as data=FOLDER")
    on = device.begun(recorded(made))
    if on.why:
        said(f"{on.why}; items are compared within one step")
    banks = {**where.get("banks", {}), **{name: path for name, path in (config.get("banks") or {}).items() if path}}
    return Workshop(
        Spec(
            run=str(run.resolve()),
            recipe=json.dumps(made["recipe"]),
            trust=tuple(made["trust"]),
            data=str(data.resolve()),
            banks=tuple(sorted(banks.items())),
            seed=made["seed"],
            slice=made["slice"],
            retries=made["retries"],
            batch=where.get("batch", 64),
            sink=made["sink"]["kind"],
            suffix=made["sink"]["suffix"],
            device=on.name,
            apart=json.dumps(made.get("apart", {})),
        )
    )


def recorded(made: Mapping[str, Any]) -> str:
    """What run.yaml says of the device."""
    return str(made.get("device", device.CPU))


def replay(config: Mapping[str, Any], said: Said = quiet) -> list[Path]:
    """Make one item again and write it, its mask, and with `stems` the parts that it is the sum of.

    Args:
        config: `run`, `id`, `out` (a file), `stems`, and `data` and `banks` where the material has moved.
        said: told which device, unless the run was made on the CPU.

    Returns:
        The files written.

    Raises:
        SettingError: no such run or id.
        InputError: the item was rejected.
    """
    for name, example in (("id", "id=theo_3~1"), ("out", "out=item.flac")):
        if not config.get(name):
            raise SettingError(f"{name}: is needed, such as {example}")
    workshop = reopen(config, said)
    outcome = workshop.again(_row(workshop.run, config["id"]), _attempt(workshop.run, config["id"]))
    if outcome.reason:
        raise InputError(outcome.reason, f"{config['id']} was rejected: {outcome.detail}")
    item, made = workshop.item(outcome), outcome.made
    assert made is not None
    _check_same(workshop, config["id"], item.media)
    out = Path(config["out"])
    files = {out: item.media}
    if item.mask is not None:
        files[out.with_name(f"{out.stem}.mask.png")] = item.mask
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            path.write_bytes(data)
        stems = made.stems if config.get("stems") else {}
        for name, stem in stems.items():
            path = out.with_name(f"{out.stem}.{name}.wav")
            soundfile.write(path, stem, made.rate, subtype="FLOAT")
            files[path] = b""
    except (OSError, soundfile.LibsndfileError) as error:
        raise SettingError(f"out: {out}: {error}") from None
    return list(files)


def _check_same(workshop: Workshop, item: str, media: bytes) -> None:
    """Refuse to pass off as a run's item what changed material made; on another machine bytes may differ a little."""
    run = workshop.run
    there = folder.load(run)
    on_card = recorded(there) != device.CPU
    here = {**folder.host(), **folder.UNSAID}
    if not (run / "manifest.parquet").exists():
        return
    if not on_card and any(there.get(name, folder.UNSAID.get(name)) != here[name] for name in folder.HOST):
        return
    kept = commit.read_table(run / "manifest.parquet", ["id", "sha256", "path"])
    said = kept.filter(pc.equal(kept["id"], item)).to_pylist()
    if not said or said[0]["sha256"] == hashlib.sha256(media).hexdigest():
        return
    if not on_card or apart(workshop, item, said[0]["path"], media) > near.STEP:
        raise SettingError(
            f"id: {item}: made again, its bytes are not the run's: its parent or a bank has changed since; "
            "say where the material of the run is, such as data=FOLDER banks.noise=FOLDER"
        )


def apart(workshop: Workshop, item: str, path: str, media: bytes) -> float:
    """How many steps an item that was made again is from the one that was written; infinite where that is gone.

    Args:
        item: its id.
        path: what the manifest says.
        media: the encoded file.
    """
    for receipt in receipts.listed(workshop.run):
        held = pq.read_table(receipt, columns=["id"], filters=[("id", "=", item), ("accepted", "=", True)])
        if len(held):
            written = workshop.sink.media(workshop.run, receipt.stem, [path]).get(path)
            return math.inf if written is None else near.steps_apart(written, media, workshop.spec.suffix)
    return math.inf


def _attempt(run: Path, item: str) -> int | None:
    """Which attempt at an item the run has; None where it has none."""
    if not (run / "manifest.parquet").exists():
        return None
    kept = commit.read_table(run / "manifest.parquet", ["id", "attempt"])
    said = kept.filter(pc.equal(kept["id"], item))["attempt"].to_pylist()
    return said[0] if said else None


def _row(run: Path, item: str) -> Any:
    variant = item.rpartition("~")[2]
    numbers = [*([int(variant)] if variant.isdecimal() else []), 0, 1]
    for number in (number for number in numbers if shards.plan_path(run, number).exists()):
        planned = pq.read_table(shards.plan_path(run, number))
        found = planned.filter(pc.equal(planned["id"], item))
        if len(found):
            break
    if not len(found):
        near = did_you_mean(item, planned["id"].slice(0, 5000).to_pylist())
        raise SettingError(f"id: {item}: no such item in {run}{near if 'did you mean' in near else ''}")
    # Two rows may claim one id; the one that counts is the one that could be read.
    readable = found.filter(pc.is_null(found["read.reason"]))
    return (readable if len(readable) else found).slice(0, 1)
