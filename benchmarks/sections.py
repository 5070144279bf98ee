"""The sections of benchmarks/README.md on what was measured outside pytest-benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks import generate as whole
from benchmarks import scale as sizes

PLAIN = "sliceforge, step by step"

PEERS = """
## Against peers

The same steps with the same ranges on the same batches of 64 items in memory, on {cores} cores: a peer that runs on one
thread works in {cores} processes, each with its share of the batch; a peer on torch, and Sliceforge, in that way or in
one process with {cores} threads, whichever is faster. Everybody draws inside the time,
which runs from the first worker's start to the last one's end, with nothing copied between processes; ours and the peer
take turns, {rounds} rounds after two that do not count. *times* is the peer's time divided by ours: **below 1 the peer
is faster**. The error is how far ours is from its own step-by-step executor on the same plan, in steps of 16 bit or
grey levels. What each library does, parameter by parameter, and where it is unlike ours, stands in `benchmarks/peers`:
`sound.py`, `image.py` and `by_hand.py`.

| chain | items | peer | layout | ours, ms | peer, ms | times, median | quartiles | error |
| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"""

BOUNDS = """
### What bounds what is slow

* *Pictures without elastic*: a pixel is worked out with fifteen others in about 130 instructions of 512 bits: 45 and
  one gather for the resampling, 30 for the gamma, 50 for the grain (`pass_cpu.inspect_asm()`; the vectoriser's remarks
  show every loop vectorised). Zen 4 issues about one such instruction a cycle: arithmetic is the limit and not memory,
  which moves the image in less than a tenth of the time. Tried, and kept: four neighbours packed into one word, so that
  one gather serves four; tiles of 1024 pixels; no reference counting in the loop; a quantile without a square root;
  pages that are used again. Tried, and left: larger tiles; the library's `pow`; a quantile of one polynomial. On 200 ×
  200 pixels a sixth of the time is Python's, once for each batch.
* *The car chain against torch-audiomentations*: its chain takes about one and a half times as long as audiomentations'
  on this machine, not five times; most of ours are the two convolutions, each a transform of our own that is faster
  than the library's FFT alone.
* *blur*, *jpeg*, *speed*: they run alone, in torch or numpy, item by item, so that no byte depends on the batch.
"""

FUSED = """
## Fused against step by step

The same chains by our own step-by-step executor, in {cores} processes of one thread each.

| chain | items | fused, ms | step by step, ms | times, median | quartiles | error |
| --- | --- | ---: | ---: | ---: | ---: | ---: |"""

GENERATE = """
## `generate` from end to end

The whole command, from its start to its manifest, against what its parts allow: 1/(t_read + t_apply + t_encode), each
alone, warm, on the same files with the same encoder settings, times the workers. *rest* is the time of an item that the
limit does not count; what of it is drawing the plan, asking the gates and writing shards, each alone, stands behind it;
what is left of it is planning, starting processes, merging and waiting for the disk. Where encoding is most of the
time, `sink.audio=wav` is the faster setting.

| recipe | workers | items/s | limit | share | read + apply + encode, µs | rest, µs | draw | measure | write |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""

SCALE = """
## Memory and time at scale

`speech/car_noise` on clips of 4 s with a noise bank of 1 GB, {workers} workers: resident memory of all processes
together at its peak, and time for an item, beside those of the smallest run. A run of one item, which starts the
processes and reads the whole bank to know what is in it, takes {start_s:.1f} s; the time for an item is without that.

| items | whole, s | peak, MiB | against the first | ms for an item | against the first |
| ---: | ---: | ---: | ---: | ---: | ---: |"""


def peers(found: Mapping[str, Any]) -> Iterator[str]:
    """Against other libraries, then against our own step-by-step executor."""
    yield PEERS.format(cores=found["cores"], rounds=found["rounds"])
    for chain, one in _lines(found):
        if one["peer"] != PLAIN:
            layout = one["layout"] + ("" if one["items"] >= 64 else f", {one['items']} items, scaled")
            yield f"| {chain['chain']} | {chain['shape']} | {one['peer']} | {layout} | {_numbers(chain, one)} |"
    yield BOUNDS
    yield FUSED.format(cores=found["cores"])
    for chain, one in _lines(found):
        if one["peer"] == PLAIN:
            yield f"| {chain['chain']} | {chain['shape']} | {_numbers(chain, one)} |"


def _numbers(chain: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    low, middle, high = one["ratio"]
    times = f"{1e3 * one['ours_s']:,.1f} | {1e3 * one['peer_s']:,.1f} | {middle:.2f} | {low:.2f} – {high:.2f}"
    return f"{times} | {chain['error']:.3g}"


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for chain in found["chains"]:
        for one in chain["found"]:
            yield chain, one


def generate(found: Mapping[str, Any]) -> Iterator[str]:
    """The whole command."""
    yield GENERATE
    for recipe in found["recipes"]:
        yield from whole.row(recipe)


def scale(found: Mapping[str, Any]) -> Iterator[str]:
    """Memory and time by the size of a run."""
    yield SCALE.format(workers=found["workers"], start_s=found["start_s"])
    for one in found["runs"]:
        yield sizes.row(one, found["runs"][0])
