"""What gpu.py found, in words: a line for each recipe, and the Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

HEAD = """# {card}

CUDA against the CPU on fresh random input, then speed. *items/s* is from memory on the host and back to it, copies to
the device and back included; *kernels alone* counts the time that the device spent in kernels, as its profiler says;
*of copy* is how long a copy of the same bytes on the device takes, as a share of that time. The CPU is one thread.
A copy on the device: {copy:,.0f} GB/s. Median of {rounds} rounds after two that do not count. {versions}.

| recipe | items | max steps | values that differ | items/s | kernels alone, items/s | of copy | CPU, items/s |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""

CHAINS = """
## Peers on the same card

The same chains as in `benchmarks/peers`, drawn, from memory on the host and back to it. *times* is the peer's time
divided by ours: below 1 the peer is faster.

| chain | items | peer | ours, ms | peer, ms | times |
| --- | ---: | --- | ---: | ---: | ---: |
"""

PACKAGES = ("torch", "numba", "numba-cuda", "numpy", "kornia", "torchvision", "torch-audiomentations")


def versions() -> dict[str, str]:
    """Of those packages that are here."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def line(one: Mapping[str, Any]) -> str:
    """A recipe in a row of the table."""
    alone = f"{one['kernels_items_per_s']:,.0f} | {one['of_copy']:.1%}" if "of_copy" in one else "not seen | not seen"
    rates = f"{one['items_per_s']:,.0f} | {alone} | {one['cpu_items_per_s']:,.0f}"
    return f"| `{one['name']}` | {one['items']} | {one['steps']:.3g} | {one['share']:.4%} | {rates} |"


def table(found: Mapping[str, Any]) -> str:
    """The whole of it as Markdown."""
    names = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    copy = found["copy_bytes_per_s"] / 1e9
    text = HEAD.format(card=found["card"], copy=copy, rounds=found["rounds"], versions=names)
    text += "".join(f"{line(one)}\n" for one in found["recipes"])
    text += "".join(f"| `{name}` | failed: {why} ||||||\n" for name, why in found["failed"].items())
    rows = [(chain, peer) for chain in found["chains"] for peer in chain["peers"]]
    text += CHAINS if rows else "\nNo peer was installed.\n"
    for chain, peer in rows:
        ours = chain["ours_s"]
        text += f"| {chain['name']}, {chain['shape']} | {chain['items']} | {peer['peer']} | {1e3 * ours:,.2f} | "
        text += f"{1e3 * peer['s']:,.2f} | {peer['s'] / ours:.2f} |\n" if "s" in peer else f"{peer['failed']} | |\n"
    return text
