"""CUDA against the CPU on every recipe, and how fast each is on the device: see gpu.sh, which runs this.

python -m benchmarks.gpu [rounds=11] [batch=64] [only=WORD]
"""

from __future__ import annotations

import json
import re
import secrets
import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from benchmarks.gpu_input import ROOT, fresh, names, recipe_of, seconds, stand_in
from sliceforge.engine import device
from sliceforge.engine.errors import SettingError

RESULTS = ROOT / "benchmarks" / "results"
NEEDED = ("numpy", "numba", "numba_cuda", "pyarrow", "PIL", "scipy", "torch", "yaml")
CUDA = device.CUDA


def compared(recipe: Any, tasks: list[Any], bank: Any, on: str = CUDA) -> dict[str, Any]:
    """How far the device's items are from the CPU's: `steps` at most, and the `share` of values that differ."""
    import numpy as np

    from sliceforge.engine import fuse

    steps, differ, values, refused = 0.0, 0, 0, 0
    scale = 32768 if recipe.kind == "audio" else 1
    pairs = zip(fuse.make(recipe, tasks, bank), fuse.make(recipe, tasks, bank, device=on), strict=True)
    for one, other in pairs:
        if isinstance(one, Exception) or isinstance(other, Exception):
            refused += type(one) is not type(other)
            continue
        apart = np.abs(one.item.astype(np.float64) - other.item) * scale
        steps, differ, values = max(steps, float(apart.max())), differ + int((apart > 0.5).sum()), values + apart.size
    return {"steps": steps, "share": differ / max(values, 1), "refused_by_one": refused}


def kernels(work: Callable[[], Any]) -> dict[str, float]:
    """Name of each kernel or copy → seconds that the device spent in it, in one round."""
    import torch

    activities = [torch.profiler.ProfilerActivity.CUDA]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.profiler.profile(activities=activities) as profile:
            work()
            torch.cuda.synchronize()
    found: dict[str, float] = {}
    for one in profile.key_averages():
        spent = float(getattr(one, "self_device_time_total", 0) or 0)
        if spent:
            found[one.key] = spent / 1e6
    return found


def one_recipe(name: str, absent: list[str], batch: int, rounds: int, copied: float) -> dict[str, Any]:
    """What was found of one recipe."""
    from benchmarks.material import Bank
    from sliceforge.engine import fuse

    recipe, bank = recipe_of(name, absent), Bank()
    some = fresh(recipe, batch, secrets.randbits(32))
    found = {"name": name, "items": batch, **compared(recipe, some, bank)}
    make = partial(fuse.make, recipe, some, bank)
    whole, cpu = seconds(partial(make, device=CUDA), rounds), seconds(make, min(rounds, 3))
    spent = kernels(partial(make, device=CUDA))
    copies = sum(time for key, time in spent.items() if key.startswith("Memcpy"))
    alone = sum(spent.values()) - copies
    size = sum(task.parent.nbytes for task in some)
    found |= {"items_per_s": batch / whole, "cpu_items_per_s": batch / cpu, "copies_s": copies, "kernels_s": alone}
    found |= {"bytes": size, "spent": dict(sorted(spent.items(), key=lambda one: -one[1])[:12])}
    if alone:
        found |= {"kernels_items_per_s": batch / alone, "of_copy": size / alone / copied}
    return found


def main(arguments: list[str]) -> int:
    """0 done, 1 a recipe is further than a step from the CPU or failed, 2 no device or a wrong argument."""
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    lacking = [name for name in NEEDED if not find_spec(name)]
    reason = f"{', '.join(lacking)} must be installed" if lacking else device.missing()
    if reason:
        print(f"gpu: {reason}; nothing was measured", file=sys.stderr)
        return 2
    absent = stand_in()
    if absent:
        print(f"gpu: without {', '.join(absent)}; what needs them is left out, the rest goes on", file=sys.stderr)
    return _measured(absent, int(given.get("rounds", 11)), int(given.get("batch", 64)), given.get("only", ""))


def _measured(absent: list[str], rounds: int, batch: int, only: str) -> int:
    from benchmarks import gpu_peers, gpu_table
    from sliceforge.engine.stages import copy_rate_on

    copied, card = copy_rate_on(CUDA), device.named(CUDA).card
    found: dict[str, Any] = {"card": card, "copy_bytes_per_s": copied, "versions": gpu_table.versions()}
    found |= {"rounds": rounds, "absent": absent, "recipes": [], "chains": [], "failed": {}}
    for name in (name for name in names() if only in name):
        try:
            found["recipes"].append(one_recipe(name, absent, batch, rounds, copied))
            print(gpu_table.line(found["recipes"][-1]), flush=True)
        # One recipe that fails must not hide what the others do; it is in the table, and in the exit code.
        except Exception as error:
            found["failed"][name] = f"{type(error).__name__}: {error}"
            print(f"{name}: {found['failed'][name]}", file=sys.stderr, flush=True)
    for chain in gpu_peers.chains(absent, only):
        found["chains"].append(gpu_peers.race(chain, absent, rounds))
    place = RESULTS / f"gpu-{re.sub(r'[^a-z0-9]+', '-', card.lower()).strip('-')}"
    place.with_suffix(".json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    place.with_suffix(".md").write_text(gpu_table.table(found), "utf-8")
    print(f"{place}.json, {place}.md")
    bad = [one["name"] for one in found["recipes"] if one["steps"] > 1 or one["refused_by_one"]]
    for name in bad:
        print(f"gpu: {name}: further than a step from the CPU", file=sys.stderr)
    return 1 if bad or found["failed"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SettingError as error:
        print(f"gpu: {error}", file=sys.stderr)
        sys.exit(2)
