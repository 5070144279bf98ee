"""What gpu.py works on where little is installed: recipes with or without Hydra, and fresh random items."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WARM_UP = 2
OPTIONAL = ("duckdb", "hydra", "kornia", "omegaconf", "soundfile", "torch_audiomentations", "torchvision")


def stand_in() -> list[str]:
    """Names of optional packages that are not here; what would only import one finds an empty module instead."""
    absent = [name for name in OPTIONAL if not find_spec(name)]
    for name in {"duckdb", "omegaconf", "soundfile"} & set(absent):
        sys.modules[name] = ModuleType(name)
    if "omegaconf" in absent:
        import yaml

        inner = ModuleType("omegaconf._utils")
        vars(inner)["get_yaml_loader"] = lambda: yaml.SafeLoader
        sys.modules["omegaconf._utils"] = inner
    return absent


def names() -> list[str]:
    """Every recipe of the checkout."""
    home = ROOT / "recipes"
    return sorted(path.relative_to(home).with_suffix("").as_posix() for path in home.rglob("*.yaml"))


def read(name: str) -> dict[str, Any]:
    """A recipe's settings where Hydra is not there to compose them: its defaults in order, then its own."""
    whole = _composed(name)
    return {key: _resolved(value, whole) for key, value in whole.items()}


def _composed(name: str) -> dict[str, Any]:
    import yaml

    own = yaml.safe_load((ROOT / "recipes" / f"{name}.yaml").read_text("utf-8"))
    whole: dict[str, Any] = {"steps": {}, "sets": {}, "gates": {}}
    for entry in [*own.pop("defaults", []), "_self_"]:
        key, value = next(iter(entry.items())) if isinstance(entry, dict) else (entry, "")
        if step := re.fullmatch(r"/?(op/\w+)@([\w.]+)", key):
            part = yaml.safe_load((ROOT / "conf" / step[1] / f"{value}.yaml").read_text("utf-8"))
            for word in reversed(step[2].split(".")):
                part = {word: part}
            _merge(whole, part)
        elif key != "_self_":
            _merge(whole, _composed(f"{key}/{value}".rstrip("/").removeprefix("/recipe/")))
    _merge(whole, own)
    return whole


def _resolved(value: Any, whole: Mapping[str, Any]) -> Any:
    """With what ${steps.lombard.noise} stands for in its place."""
    if isinstance(value, dict):
        return {key: _resolved(inner, whole) for key, inner in value.items()}
    if isinstance(value, str) and (named := re.fullmatch(r"\$\{([\w.]+)\}", value)):
        found: Any = whole
        for word in named[1].split("."):
            found = found[word]
        return found
    return value


def _merge(whole: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(whole.get(key), dict):
            _merge(whole[key], value)
        else:
            whole[key] = value


def recipe_of(name: str, absent: list[str]) -> Any:
    """A recipe by name."""
    if "hydra" in absent or "omegaconf" in absent:
        from sliceforge.engine.parse import from_config

        return from_config(read(name))
    from sliceforge.engine.compose import load_recipe

    return load_recipe(name)


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """The median time of a round that is waited for."""
    taken = []
    for number in range(WARM_UP + rounds):
        began = time.perf_counter()
        work()
        taken += [time.perf_counter() - began] if number >= WARM_UP else []
    return sorted(taken)[len(taken) // 2]


def fresh(recipe: Any, count: int, seed: int) -> list[Any]:
    """A batch of a recipe with its plan, from a seed: grey images of patches and grain, or clips of several lengths."""
    import numpy as np
    import pyarrow as pa

    from benchmarks.material import INVENTORIES, SIDE
    from benchmarks.peers.chain import RATE, SECONDS
    from sliceforge.engine import fuse, plan
    from sliceforge.engine.keys import Keys
    from sliceforge.engine.op import Shapes

    generator, none = np.random.default_rng(seed), np.zeros(count, np.int64)
    some: list[Any]
    if recipe.kind == "image":
        coarse = generator.integers(40, 210, (count, SIDE // 8, SIDE // 8, 1)).repeat(8, 1).repeat(8, 2)
        some = list(np.clip(coarse + generator.normal(0, 6, coarse.shape), 0, 255).astype(np.uint8))
        shapes, rate = Shapes(none, none, none + SIDE, none + SIDE, INVENTORIES), 0
    else:
        rate = recipe.rate or RATE
        lengths = generator.integers(round(0.6 * SECONDS * rate), round(SECONDS * rate) + 1, count)
        loud = [np.repeat(generator.uniform(0.01, 0.2, -(-n // 800)), 800)[:n] for n in lengths]
        some = [(generator.normal(0, 1, len(one)) * one).astype(np.float32) for one in loud]
        shapes = Shapes(lengths, none + rate, none, none, INVENTORIES)
    columns = recipe.draw(Keys.of(seed, [f"item {i}" for i in range(count)]), shapes)
    rows = pa.table(plan.nulled(recipe, columns)).to_pylist()
    return [fuse.Task(item, rate, row) for item, row in zip(some, rows, strict=True)]
