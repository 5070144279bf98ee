"""A run: shards made in plan order, that may be stopped anywhere and go on to the same bytes."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sliceforge.engine import ahead, commit, coverage, folder, plan, receipts, sink, trial
from sliceforge.engine.ahead import Progress
from sliceforge.engine.apart import apart
from sliceforge.engine.banks import Shelf
from sliceforge.engine.device import Device
from sliceforge.engine.manifest import Manifest, digest, read
from sliceforge.engine.naming import absolute, given
from sliceforge.engine.parents import choose
from sliceforge.engine.parse import from_config
from sliceforge.engine.plans import Plans
from sliceforge.engine.pool import Pool, crew
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.report import page
from sliceforge.engine.spec import Spec
from sliceforge.engine.work import Workshop


@dataclass(frozen=True)
class Summary:
    """How a run ended.

    Args:
        run: its folder.
        made: items newly made.
        worked: whether any shard was made.
        accepted: rows of the manifest.
        rejects: reason → rows of rejects.parquet.
        seconds: time taken.
        problems: limits that were passed, one line each.
    """

    run: Path
    made: int
    worked: bool
    accepted: int
    rejects: Mapping[str, int]
    seconds: float
    problems: tuple[str, ...]


def generate(
    config: Mapping[str, Any],
    name: str = "run",
    told: Progress = lambda accepted, expected: None,
    said: Callable[[str], None] = lambda line: None,
) -> Summary:
    """Make, or go on with, the run that a composed configuration describes.

    Args:
        config: what `compose("generate", …)` returns; and `held_out`, ids that are neither parents, whatever `parents`
            says, nor material of a bank.
        name: the recipe's name: the default `out` is runs/<name>.
        told: progress.
        said: told in a line which device was chosen, and why.

    Raises:
        SettingError: a setting is wrong, or `out` holds a run of another plan.
        RunError: a lost worker, or another process at the same run.
    """
    began = time.monotonic()
    recipe = from_config(config, tuple(config.get("trust") or ()))
    plan.check_inventory(recipe, {bank: path for bank, path in (config.get("banks") or {}).items() if path})
    sink.suffix(config["sink"], recipe.kind)
    manifest = read(config.get("data"), recipe.kind, config.get("pattern") or "", material=config.get("material"))
    rows = choose(manifest, recipe, config.get("parents"), config.get("slice"))
    rows &= ~np.isin(manifest.table["id"].to_numpy(), list(config.get("held_out") or ()))
    config = {**config, "banks": given(config, recipe, manifest)}
    banks = Shelf.open(config["banks"], recipe.kind)
    banks = banks.kept_apart(apart(manifest, banks.places(), config.get("held_out") or ()))
    for line in (*coverage.unasked(recipe, config["banks"]), *banks.apart.told()):
        said(line)
    run = folder.open_folder(config.get("out") or f"runs/{name}")
    with folder.locked(run):
        device = trial.chosen(config, run, recipe, manifest, rows, banks, crew(config.get("workers")))
        if device.why:
            said(device.why)
        spec = Spec.of(config, recipe, manifest.root, str(run.resolve()), device.name, banks.apart)
        target = {"variants": config.get("variants"), "count": config.get("count")}
        if target == {"variants": None, "count": None}:
            target["variants"] = 1
        wanted = _decisive(config, recipe, manifest, banks, device)
        folder.agree(run, wanted, target, bool(config.get("allow_other_cpu")))
        commit.sweep(run)
        _note(run, spec, banks, device, config)
        with Pool(device.workers(config.get("workers"), crew(None))) as pool:
            plans = Plans(run, spec, recipe, manifest, rows, banks, config["shard"], pool)
            made = ahead.originals(run, spec, plans) if config.get("keep_originals") else 0
            more, worked = ahead.missing(run, spec, plans, target, told)
            made += more
        files = sink.named(spec.sink, **sink.own(config["sink"]))
        accepted, rejects = receipts.finish(run, files.finish)
        coverage.write(run, recipe, spec.seed, spec.slice, banks)
        seconds = time.monotonic() - began
        if config.get("report") and not page.current(run):
            shop = Workshop(spec)
            shop.banks = banks
            page.write(shop)
    problems = _problems(config, accepted, rejects)
    return Summary(run, made, worked, accepted, rejects, seconds, problems)


def _decisive(
    config: Mapping[str, Any], recipe: Recipe, manifest: Manifest, banks: Shelf, device: Device
) -> dict[str, Any]:
    """All that decides the bytes of an item: run.yaml."""
    return {
        "recipe": dict(recipe.source),
        "recipe_sha256": recipe.digest,
        "data_sha256": digest(manifest),
        "banks_sha256": banks.digests(),
        **({"apart": banks.apart.plain()} if banks.apart.plain() else {}),
        "parents": config.get("parents") or None,
        **({"held_out_sha256": held} if (held := _held_out(config)) else {}),
        "slice": config.get("slice") or None,
        "seed": config["seed"],
        "retries": config["retries"],
        "shard": config["shard"],
        "sink": {
            "kind": config["sink"]["kind"],
            "suffix": sink.suffix(config["sink"], recipe.kind),
            **sink.own(config["sink"]),
        },
        "trust": list(config.get("trust") or ()),
        **({"keep_originals": True} if config.get("keep_originals") else {}),
        **folder.host(device.recorded),
    }


def _held_out(config: Mapping[str, Any]) -> str:
    ids = sorted(config.get("held_out") or ())
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest() if ids else ""


def _note(run: Path, spec: Spec, banks: Shelf, device: Device, config: Mapping[str, Any]) -> None:
    """Where the material lies on this machine, and what of the banks cannot be used, outside what is hashed."""
    left_out = {name: [f"{one.id}: {one.reason}" for one in rejects] for name, rejects in banks.rejects().items()}
    where = {"data": spec.data, "banks": dict(spec.banks), "left_out": left_out, "batch": spec.batch}
    known = {name: config.get(name) for name in ("data", "pattern", "material")}
    known["data"] = absolute(known["data"], "data") if known["data"] else None
    where |= {"device": device.why or device.name, "given": known}
    where |= {"name": config.get("name"), "typed": list(config.get("typed") or ())}
    (run / "log" / "command.json").write_text(json.dumps(where, indent=1) + "\n", "utf-8")


def _problems(config: Mapping[str, Any], accepted: int, rejects: Counter[str]) -> tuple[str, ...]:
    gated = sum(number for reason, number in rejects.items() if reason.startswith("gate."))
    unusable = sum(rejects.values()) - gated
    inputs = accepted + gated + unusable
    limit, least = config["max_rejects"], config["min_yield"]
    problems = []
    if unusable > limit * inputs:
        problems.append(f"{unusable} of {inputs} inputs could not be used, more than max_rejects={limit}")
    if accepted < least * (accepted + gated):
        problems.append(f"{accepted} of {accepted + gated} items passed the gates, less than min_yield={least}")
    if config.get("count") and accepted < config["count"]:
        problems.append(f"{accepted} of count={config['count']} items could be made")
    return tuple(problems)
