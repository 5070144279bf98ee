"""A run: shards made in plan order, that may be stopped anywhere and go on to the same bytes."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sliceforge.engine import coverage, folder, plan, receipts, shards, trial
from sliceforge.engine.apart import apart
from sliceforge.engine.banks import Shelf
from sliceforge.engine.device import Device
from sliceforge.engine.manifest import Manifest, digest, read
from sliceforge.engine.naming import absolute, given
from sliceforge.engine.parse import from_config
from sliceforge.engine.plans import Plans
from sliceforge.engine.pool import Pool, crew, result
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.report import page
from sliceforge.engine.work import Spec, Workshop, make_shard

Progress = Callable[[int, int], None]
"""Told, after each shard, (accepted items, expected items)."""


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
        config: what `compose("generate", …)` returns.
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
    shards.suffix(config["sink"], recipe.kind)
    manifest = read(config.get("data"), recipe.kind, config.get("pattern") or "", material=config.get("material"))
    rows = plan.choose(manifest, recipe, config.get("parents"), config.get("slice"))
    config = {**config, "banks": given(config, recipe, manifest)}
    banks = Shelf.open(config["banks"], recipe.kind)
    banks = banks.kept_apart(apart(manifest, banks.places()))
    for line in banks.apart.told():
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
        shards.sweep(run)
        _note(run, spec, banks, device, config)
        with Pool(device.workers(config.get("workers"), crew(None))) as pool:
            plans = Plans(run, spec, recipe, manifest, rows, banks, config["shard"], pool)
            made = _originals(run, spec, plans) if config.get("keep_originals") else 0
            more, worked = _work(run, spec, plans, target, told)
            made += more
        sink = shards.sink(spec.sink, **shards.own(config["sink"]))
        accepted, rejects = receipts.finish(run, sink.finish)
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
        "slice": config.get("slice") or None,
        "seed": config["seed"],
        "retries": config["retries"],
        "shard": config["shard"],
        "sink": {
            "kind": config["sink"]["kind"],
            "suffix": shards.suffix(config["sink"], recipe.kind),
            **shards.own(config["sink"]),
        },
        "trust": list(config.get("trust") or ()),
        **({"keep_originals": True} if config.get("keep_originals") else {}),
        **folder.host(device.recorded),
    }


def _note(run: Path, spec: Spec, banks: Shelf, device: Device, config: Mapping[str, Any]) -> None:
    """Where the material lies on this machine, and what of the banks cannot be used, outside what is hashed."""
    left_out = {name: [f"{one.id}: {one.reason}" for one in rejects] for name, rejects in banks.rejects().items()}
    where = {"data": spec.data, "banks": dict(spec.banks), "left_out": left_out, "batch": spec.batch}
    known = {name: config.get(name) for name in ("data", "pattern", "material")}
    known["data"] = absolute(known["data"], "data") if known["data"] else None
    where |= {"device": device.why or device.name, "given": known}
    where |= {"name": config.get("name"), "typed": list(config.get("typed") or ())}
    (run / "log" / "command.json").write_text(json.dumps(where, indent=1) + "\n", "utf-8")


def _originals(run: Path, spec: Spec, plans: Plans) -> int:
    """Copy the parents in, as variant 0; returns how many were newly copied."""
    left = [i for i, _ in enumerate(plans.sizes(0)) if not shards.receipt(run, shards.name(0, i)).exists()]
    return sum(result(future)[0] for future in [plans.pool.submit(make_shard, spec, 0, index) for index in left])


@dataclass
class _Tally:
    """Accepted items so far, of `count` that are wanted, or of all."""

    count: int | None
    accepted: int = 0

    def left(self, begun: int = 0) -> int | None:
        """How many are wanted yet if everything begun is accepted; None where all are."""
        return None if self.count is None else self.count - self.accepted - begun


def _work(run: Path, spec: Spec, plans: Plans, target: Mapping[str, int | None], told: Progress) -> tuple[int, bool]:
    """Make what is missing; returns the number of items newly made, and whether any shard was."""
    tally, variants = _Tally(target["count"]), target["variants"]
    expected = tally.count or sum(rows for _, _, rows in plans.units(variants))
    made = barren = 0
    worked = False
    last = (0, 0)
    for variant, index, rows, future in _ahead(run, spec, plans.units(variants), tally, plans.pool):
        left = tally.left()
        got, seen = result(future) if future else receipts.seen(run, variant, index)
        fresh = future is not None
        if (seen < rows and got != left) or (left is not None and got > left):
            # The shard in which the count is reached ends there; a longer run makes it whole again.
            got, seen = result(plans.pool.submit(make_shard, spec, variant, index, left))
            fresh = True
        worked = worked or fresh
        tally.accepted, made, last = tally.accepted + got, made + got * fresh, (variant, index)
        told(tally.accepted, expected)
        barren = 0 if got else barren + rows
        if tally.left() == 0 or (tally.count is not None and barren >= sum(plans.sizes(1))):
            break
    plans.pool.close()  # before anything is taken away, nothing may be written any more
    if tally.count is not None:
        _trim(run, spec, last)
    return made, worked


def _ahead(
    run: Path, spec: Spec, units: Iterator[tuple[int, int, int]], tally: _Tally, pool: Pool
) -> Iterator[tuple[int, int, int, Future[Any] | None]]:
    """(variant, shard, rows, future) in order, begun before they are asked for; no future where a receipt exists."""
    waiting: deque[tuple[int, int, int, Future[Any] | None]] = deque()
    while True:
        while len(waiting) < (1 if pool.size == 1 else 2 * pool.size):
            limit = tally.left(sum(rows for _, _, rows, _ in waiting))
            unit = next(units, None) if limit is None or limit > 0 else None
            if unit is None:
                break
            variant, index, rows = unit
            begun = shards.receipt(run, shards.name(variant, index)).exists()
            limit = None if limit is None or limit >= rows else limit
            waiting.append((*unit, None if begun else pool.submit(make_shard, spec, variant, index, limit)))
        if not waiting:
            return
        yield waiting.popleft()


def _trim(run: Path, spec: Spec, last: tuple[int, int]) -> None:
    """Take away what workers made beyond the shard in which the count was reached."""
    for path in receipts.listed(run):
        if shards.numbers(path.stem) > last:
            path.unlink()
    paths = {path.stem: pq.read_table(path, columns=["path"])["path"].drop_null() for path in receipts.listed(run)}
    shards.sink(spec.sink).prune(run, {shard: column.to_pylist() for shard, column in paths.items()})
    for path in run.glob("plan-v*.parquet"):
        if int(path.stem.removeprefix("plan-v")) > last[0]:
            path.unlink()


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
