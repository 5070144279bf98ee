"""How fast a recipe is, stage by stage on one thread, beside what the memory and the codec alone would allow."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sliceforge.engine import device, folder
from sliceforge.engine.ahead import Progress
from sliceforge.engine.device import Device
from sliceforge.engine.errors import SettingError
from sliceforge.engine.stages import LIMITED_BY, STAGES, Stages, copy_rate, copy_rate_on

CODECS = {"decode alone": "decode", "code alone": "code"}

ON_DEVICE = ("apply", "whole")
"""Stages that another device than the CPU has a part in."""

WARM_UP = 2
"""Rounds that are not measured: they compile, fill the disk cache, and read the banks."""


@dataclass(frozen=True)
class Speed:
    """What the rounds of one stage took.

    Args:
        items: items of a round.
        seconds: of each measured round.
    """

    items: int
    seconds: tuple[float, ...]

    def rates(self) -> tuple[float, float, float]:
        """Items per second: the lower quartile, the median, the upper quartile."""
        slow, middle, fast = np.quantile(self.seconds, (0.75, 0.5, 0.25))
        return self.items / slow, self.items / middle, self.items / fast

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        low, middle, high = self.rates()
        return {"items": self.items, "median": middle, "q1": low, "q3": high, "seconds": list(self.seconds)}


def measured(works: Mapping[str, Callable[[], int]], rounds: int, told: Progress) -> dict[str, Speed]:
    """How long each of some pieces of work takes, after `WARM_UP` rounds that do not count.

    A round does each of them once, so that what else the machine does in the meantime slows all of them alike.

    Args:
        works: name → what does it once, and returns how many items that were.
        rounds: to be measured.
        told: progress, in rounds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    items = {}
    for one in range(WARM_UP + rounds):
        for name, work in works.items():
            began = time.perf_counter()
            items[name] = work()
            seconds[name].append(time.perf_counter() - began)
        told(one + 1, WARM_UP + rounds)
    return {name: Speed(items[name], tuple(all_of_it[WARM_UP:])) for name, all_of_it in seconds.items()}


def bench(
    config: Mapping[str, Any], name: str = "recipe", told: Progress = lambda done, expected: None
) -> dict[str, Any]:
    """Measure a recipe; the result is also written to `out`, where that is given, as JSON.

    Args:
        config: what `compose("bench", …)` returns.
        name: the recipe's name.
        told: progress.

    Returns:
        `recipe settings machine versions stages limits`; every speed in items per second. Of another device than the
        CPU: the stages `apply, cuda` and `whole, cuda`, the limit `copy, cuda`, and under `apart` how many steps its
        items are at most from those of the step-by-step executor.

    Raises:
        SettingError: a setting is wrong, a device is not there, or `out` cannot be written.
    """
    devices = _devices(config["device"])
    out = Path(config["out"]) if config.get("out") else None
    place = out.parent if out else Path()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".sliceforge-", dir=place) as scratch:
            found = _measure(config, name, devices, Path(scratch), told)
        if out:
            out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise SettingError(f"out: {out or place}: {error.strerror or error}; such as out=bench.json") from None
    return found


def _devices(asked: str | list[str]) -> list[Device]:
    """Those that are measured, each once; `auto` is the CPU and the CUDA device that is there."""
    names = [asked] if isinstance(asked, str) else asked
    whole = ["cpu", *([] if device.missing() else ["cuda"])] if "auto" in names else []
    return [device.named(name) for name in dict.fromkeys([*whole, *names]) if name != "auto"]


def _measure(
    config: Mapping[str, Any], name: str, devices: Sequence[Device], scratch: Path, told: Progress
) -> dict[str, Any]:
    stages, names = Stages(config, scratch), [one.name for one in devices]
    cards = [one for one in names if one != device.CPU]
    on_cpu = [stage for stage in (*STAGES, "whole") if stage not in ON_DEVICE or device.CPU in names]
    wanted = {stage: stages.of(stage) for stage in (*on_cpu, *CODECS.values())}
    wanted |= {f"{stage}, {card}": stages.of(stage, card) for card in cards for stage in ON_DEVICE}
    speeds = {stage: speed.plain() for stage, speed in measured(wanted, config["rounds"], told).items()}
    bandwidth = copy_rate()
    limits: dict[str, Any] = {name: speeds.pop(stage) for name, stage in CODECS.items()}
    limits["copy"] = {"bytes_per_second": bandwidth, "median": bandwidth / stages.bytes_of_an_item()}
    for card in cards:
        there = copy_rate_on(card)
        limits[f"copy, {card}"] = {"bytes_per_second": there, "median": there / stages.bytes_of_an_item()}
    host = folder.host()
    return {
        "recipe": name,
        "recipe_sha256": stages.shop.recipe.digest,
        "settings": {key: config[key] for key in ("seed", "batch", "rounds", "device")} | {"warm_up": WARM_UP},
        "machine": machine() | ({"cards": [one.card for one in devices if one.card]} if cards else {}),
        "versions": {"sliceforge": host["sliceforge"], **host["versions"]},
        "stages": speeds,
        "limits": limits,
        **({"apart": {card: stages.error(card) for card in cards}} if cards else {}),
    }


def machine() -> dict[str, Any]:
    """The CPU, how much of it is used, and the memory; nothing that names the host."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": folder.host()["cpu"],
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)),
        "cores_used": 1,
        "ram_gib": round(pages / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
    }


def table(found: Mapping[str, Any]) -> str:
    """The result of `bench` in lines of text."""
    where, stages, limits = found["machine"], found["stages"], found["limits"]
    head = f"{found['recipe']}, {found['settings']['batch']} items a round, {found['settings']['rounds']} rounds; "
    head += f"{where['cpu']}, {where['cores_used']} of {where['cores']} cores, {where['ram_gib']} GiB"
    head += "".join(f"; {card}" for card in where.get("cards", ()))
    wide = max(9, *(len(name) + 2 for name in stages))
    lines = [head, "", f"{'stage':<{wide}}{'items/s':>10}{'quartiles':>21}{'ms/item':>10}   limit"]
    for name, speed in stages.items():
        stage, comma, card = name.partition(", ")
        limit = LIMITED_BY.get(stage)
        beside = ""
        if limit:
            limit += comma + card
            share = speed["median"] / limits[limit]["median"]
            beside = f"   {limits[limit]['median']:,.0f} items/s, {limit} ({share:.1%} of it)"
        quartiles = f"{speed['q1']:,.0f} – {speed['q3']:,.0f}"
        lines.append(f"{name:<{wide}}{speed['median']:>10,.0f}{quartiles:>21}{1000 / speed['median']:>10.3f}{beside}")
    copied = limits["copy"]["bytes_per_second"] / 1e9
    lines += ["", f"Limits: a numpy copy moves {copied:.1f} GB/s here; the codec alone on the same files."]
    for card, steps in found.get("apart", {}).items():
        there = limits[f"copy, {card}"]["bytes_per_second"] / 1e9
        lines[-1] += f" A copy on {card}: {there:,.0f} GB/s."
        lines.append(f"On {card} from memory and back to it; at most {steps:.3g} steps from the step-by-step executor.")
    return "\n".join(lines)
