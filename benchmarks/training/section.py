"""The section of benchmarks/README.md on training loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.training.alone import STAGES

HEAD = """
## In a training loop

The trainings of `examples/`, their networks and batches of {batch}, {workers} workers on {cores} cores; half of the
items are made. Everybody takes turns in one process, an epoch each, {rounds} rounds after one that does not count;
medians of the time of a step over the middle of an epoch. *waiting* is the part of a step until its batch is there;
kornia's work in the training process counts as that. *ratio* is our step divided by (the step with the same reading and
nothing made + making alone on one thread ÷ cores). What each peer does, parameter by parameter, stands in
`benchmarks/training/peers.py`: none does quite the same, and audiomentations mixes noise from files and no more.

| training | fed by | ms a step | quartiles | items/s | waiting |
| --- | --- | ---: | ---: | ---: | ---: |"""

PARTS = """
The ratio with its quartiles; the model's step on a batch that is there; and the stages of a batch, each alone on one
thread, in ms: on the CPU the workers do them all; with `threads=` a thread of the training process unpacks, makes and
batches.

| training | threads of torch | ratio | quartiles | model | {stages} |
| --- | ---: | ---: | ---: | ---: | {lines} |"""


def training(found: Mapping[str, Any]) -> Iterator[str]:
    """Steps by who feeds them, then the parts."""
    yield HEAD.format(batch=found["trainings"][0]["batch"], **found)
    for one in found["trainings"]:
        for fed in one["feeds"]:
            low, middle, high = (1e3 * seconds for seconds in fed["step_s"])
            times = f"{middle:.1f} | {low:.1f} – {high:.1f} | {fed['items_per_s']:,.0f} | {fed['waiting'][1]:.0%}"
            yield f"| {one['training']} | {fed['feed']} | {times} |"
    yield PARTS.format(stages=" | ".join(STAGES), lines=" | ".join("---:" for _ in STAGES))
    for one in found["trainings"]:
        low, middle, high = one["ratio"]
        parts = " | ".join(f"{1e3 * one['stages_s'][stage][1]:.2f}" for stage in STAGES)
        model = f"{1e3 * one['model_s'][1]:.1f}"
        yield f"| {one['training']} | {one['threads']} | {middle:.2f} | {low:.2f} – {high:.2f} | {model} | {parts} |"
