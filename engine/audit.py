"""Whether a run is what it says: every file's hash, every gate, no leak, and a share of it made again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sliceforge.engine import auc, commit, device, folder, leakage, near, receipts, redrawn, shards
from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.manifest import read
from sliceforge.engine.outcome import facts
from sliceforge.engine.replay import Said, apart, quiet, recorded, reopen
from sliceforge.engine.work import Workshop


def audit(
    config: Mapping[str, Any], told: Callable[[int, int], None] = lambda done, expected: None, said: Said = quiet
) -> tuple[str, list[str]]:
    """Check a finished run.

    Args:
        config: `run`, `share` (of the items, made again and compared), `auc` (whether a classifier tries to tell made
            from real items) and `real` (those, if not the parents), and `data` and `banks` where they have moved.
        told: progress.
        said: told which device items are made again on, unless the run was made on the CPU.

    Returns:
        What was checked, in words, and one line for each finding.

    Raises:
        SettingError: there is no finished run.
    """
    workshop = reopen(config, said)
    run = workshop.run
    if not (run / "manifest.parquet").exists():
        raise SettingError(f"run: {run}: is not finished; the command that began it goes on")
    manifest = commit.read_table(run / "manifest.parquet")
    lines = manifest.to_pylist()
    findings = [*_receipts(run, manifest), *_files(workshop), *_whole(workshop, manifest), *_gates(lines)]
    planned: dict[str, dict[str, Any]] = {}
    for path in sorted(run.glob("plan-v*.parquet")):
        own = [line for line in lines if line["variant"] == redrawn.variant(path)]
        planned |= (rows := redrawn.rows(workshop, path, own))
        findings += [*redrawn.altered(workshop, path), *redrawn.promised(workshop, own, rows)]
    known = [{**planned.get(line["id"], {}), **line} for line in lines]
    findings += leakage.leaks(workshop, leakage.data(run, workshop.recipe.kind, config), known)
    exact = recorded(folder.load(run)) == device.CPU
    chosen = _chosen(lines, config["share"])
    for done, line in enumerate(chosen):
        findings += _again(workshop, line, exact)
        told(done + 1, len(chosen))
    checked = f"{len(lines)} items, {len(chosen)} made again"
    if config.get("auc"):
        real = read(config["real"], workshop.recipe.kind, key="real") if config.get("real") else None
        told_apart = auc.report(workshop, lines, planned, real)
        checked += ", real against made: AUC {auc:.2f} ({low:.2f} to {high:.2f})".format(**told_apart)
    return checked, findings


def _receipts(run: Path, manifest: pa.Table) -> Iterator[str]:
    said = manifest.to_pylist()
    meant = receipts.collect(run)[0].to_pylist()
    if receipts.stamped(run / "manifest.parquet") != receipts.stamp(run).encode():
        yield "manifest.parquet: was not made of the receipts that are there"
    if len(said) != len(meant):
        yield f"manifest.parquet: {len(said)} rows, and the receipts give {len(meant)}"
    for line, other in zip(said, meant, strict=False):
        for name in {**line, **other}:
            if not _same(line.get(name), other.get(name)):
                yield f"{line.get('id')}: {name} is {line.get(name)!r}, and the receipt says {other.get(name)!r}"


def _same(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b))


def _files(workshop: Workshop) -> Iterator[str]:
    """Every written byte against the receipts."""
    for path in receipts.listed(workshop.run):
        table = pq.read_table(path)
        digest = (table.schema.metadata or {}).get(b"sha256", b"").decode()
        good = table.filter(table["accepted"])
        paths = good["path"].to_pylist()
        if workshop.sink.digest(workshop.run, path.stem, paths) != digest:
            yield f"{path.stem}: its files are not those that its receipt names"
            found = workshop.sink.media(workshop.run, path.stem, paths)
            for place, sha256 in zip(paths, good["sha256"].to_pylist(), strict=True):
                data = found.get(place)
                if data is None:
                    yield f"{place}: is missing"
                elif hashlib.sha256(data).hexdigest() != sha256:
                    yield f"{place}: its SHA-256 is not the one in the manifest"


def _whole(workshop: Workshop, manifest: pa.Table) -> Iterator[str]:
    """What speaks of all items, such as COCO's annotations, against what would be written now."""
    try:
        for name in workshop.sink.altered(workshop.run, manifest):
            yield f"{name}: is not what the items' labels make it"
    except RunError as error:
        yield str(error)


def _gates(lines: list[dict[str, Any]]) -> Iterator[str]:
    for line in lines:
        for name, value in line.items():
            if name.startswith("gate.") and value is False:
                yield f"{line['id']}: did not pass {name}"


def _chosen(lines: list[dict[str, Any]], share: float) -> list[dict[str, Any]]:
    """A share of the items, spread by hash."""
    order = sorted(lines, key=lambda line: hashlib.blake2b(line["id"].encode(), key=b"audit").digest())
    return order[: math.ceil(share * len(lines))]


def _again(workshop: Workshop, line: Mapping[str, Any], exact: bool) -> Iterator[str]:
    """What differs in an item that is made again; beyond a step, unless `exact`."""
    variant = line["variant"]
    planned = pq.read_table(shards.plan_path(workshop.run, variant), filters=[("id", "=", line["id"])])
    if not len(planned):
        yield f"{line['id']}: is not in the plan"
        return
    outcome = workshop.again(planned.slice(0, 1), line["attempt"])
    if outcome.reason:
        yield f"{line['id']}: cannot be made again: {outcome.reason} {outcome.detail}".rstrip()
        return
    media = workshop.item(outcome).media
    if hashlib.sha256(media).hexdigest() != line["sha256"]:
        steps = math.inf if exact else apart(workshop, line["id"], line["path"], media)
        if steps > near.STEP:
            yield f"{line['id']}: made again, {'its bytes differ' if exact else f'it is {steps:g} steps off'}"
    if variant and exact and receipts.digits(outcome.hash) != line.get(receipts.HASH):
        yield f"{line['id']}: {receipts.HASH} is not that of the item made again"
    slice_, kind = workshop.spec.slice if variant else None, workshop.recipe.kind
    for name, value in facts(workshop.recipe_of(outcome.row), outcome, slice_).items():
        if not (_same(value, line.get(name)) if exact else near.alike(value, line.get(name), kind)):
            yield f"{line['id']}: {name} is {value!r}, the manifest says {line.get(name)!r}"
