"""What a shard depends on, beside its plan: what a worker is told once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sliceforge.engine import sink
from sliceforge.engine.apart import NONE, Apart
from sliceforge.engine.naming import absolute
from sliceforge.engine.recipe import Recipe


@dataclass(frozen=True)
class Spec:
    """All that a shard's bytes depend on, beside the plan; small, hashable, and sent to each worker.

    Args:
        run: the run's folder.
        recipe: composed settings, as JSON.
        trust: packages whose operators may be imported.
        data: the folder that parents' paths are under.
        banks: (name, path) of each bank.
        seed: the run's seed.
        slice: the promise that redrawn rows must keep, or None.
        retries: redraws that a gate may ask for.
        batch: items that are drawn again together; changes no byte.
        sink: kind of sink.
        suffix: flac, wav, png or jpeg.
        apart: which bank items belong to which split, as JSON.
        device: cpu, cuda or cuda:N, where items are made. Each worker makes whole shards and uses the device by itself,
            for this alone: so the unit of work, and with it what a kill can leave behind, is the same on both, and
            reading, gates and encoding, which take far longer, go on in the other workers meanwhile.
    """

    run: str
    recipe: str
    trust: tuple[str, ...]
    data: str
    banks: tuple[tuple[str, str], ...]
    seed: int
    slice: str | None
    retries: int
    batch: int
    sink: str
    suffix: str
    device: str = "cpu"
    apart: str = "{}"

    @classmethod
    def of(
        cls,
        config: Mapping[str, Any],
        recipe: Recipe,
        data: Path,
        run: str = "",
        device: str = "cpu",
        apart: Apart = NONE,
    ) -> Spec:
        """What a composed configuration asks for; `data` is the folder of its parents."""
        banks = {bank: absolute(path, f"banks.{bank}") for bank, path in (config.get("banks") or {}).items() if path}
        return cls(
            run=run,
            recipe=json.dumps(dict(recipe.source)),
            trust=tuple(config.get("trust") or ()),
            data=str(data.resolve()),
            banks=tuple(sorted(banks.items())),
            seed=config["seed"],
            slice=config.get("slice") or None,
            retries=config["retries"],
            batch=config.get("batch", 16),
            sink=config["sink"]["kind"],
            suffix=sink.suffix(config["sink"], recipe.kind),
            device=device,
            apart=json.dumps(apart.plain()),
        )
