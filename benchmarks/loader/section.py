"""The section of benchmarks/README.md on the loader under faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

HEAD = """
## The loader under faults

Each line has a command of its own, `python -m benchmarks.loader.NAME` (`memory` is `python -m benchmarks.memory`), on
{cpu}, {cores_usable} cores. The material is the built-in one, and for one line of `resume` 500 clips of FSDD.

| command | what was done | what came out |
| --- | --- | --- |"""


def section(found: Mapping[str, Any]) -> Iterator[str]:
    """What was measured, a line or more for each command."""
    yield HEAD.format(**found["machine"])
    for name, lines in {
        "resume": resume,
        "restore": restore,
        "killed": killed,
        "curve": curve,
        "repeats": repeats,
        "memory": memory,
        "generators": generators,
    }.items():
        if name in found:
            yield from (f"| `{name}` | {done} | {came} |" for done, came in lines(found[name]))


def resume(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """R5."""
    for name, one in found.items():
        done = f"{name}: stopped after a step, gone on with other ranks and workers, {one['resumes']:,} times"
        yield (
            done,
            f"{one['wrong']} with another order or other bytes; state at most {one['state_bytes']} bytes of JSON",
        )


def restore(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """R5 at scale."""
    for name in found:
        if name != "items":
            one = found[name]
            more = (
                f"{one['restore_s']:.2f} s ({one['cpu_s']:.2f} s of a core), at its peak {one['more_mib']:.0f} MiB more"
            )
            yield f"{name}, {found['items']:,} items: from a state to the first batch's plan", more


def killed(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """R6."""
    named, early = found["named"], found["before_any_read"]
    told = f"{found['noticed']} were needed: {named} errors name the item, {early} say that none"
    told += f" was read yet, at most {found['latest_s']:.1f} s after the kill or the next ask"
    yield f"a worker killed, {found['kills']} times", told
    left = (
        f"{found['left_in_shared_memory']} pieces of shared memory, {found['left_processes_and_threads']} processes and"
    )
    yield "what is left of it", f"{left} threads after {found['gone_s']:.1f} s"
    exact = f"{found['exact']} of {found['kills'] + len(found['ends'])} with the bytes of the unbroken job"
    yield "gone on from the state, also after `os._exit`, MemoryError and OSError in a worker", exact
    stopped = f"ended after at most {found['interrupted_s']:.1f} s, {found['interrupted_alive']} with a process left"
    yield f"Ctrl-C in mid-epoch, {len(found['interrupted'])} times", stopped


def curve(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """SIGKILL."""
    for name, one in found.items():
        told = (
            f"{one['differ']} of {one['steps']} losses differ in any digit; {one['done_twice']} steps were done twice"
        )
        yield f"training with {name} killed {one['kills']} times, and started again", told


def repeats(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """D3."""
    for name, one in found.items():
        if name == "again":
            longest = max(one["first_s"], one["longest_after_s"])
            told = f"{one['differ']} differ; at most {longest:.2f} s"
            yield f"each of {one['items']} items once more by its id", told
        else:
            done = (
                f"{name}: {one['made']} made items, up to {one['most_of_a_parent_in_an_epoch']} of a parent in an epoch"
            )
            yield done, f"{one['same']} with the numbers of another"


def memory(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Leaks."""
    for name, one in found.items():
        told = f"{one['slope'] * 1024:+.1f} KiB for an epoch ({one['half_mib']:.0f} → {one['last_mib']:.0f} MiB)"
        if "workers_slope" in one:
            told += f", its workers {one['workers_slope'] * 1024:+.1f} KiB"
        first, last = one["counts_first"], one["counts_last"]
        more = [f"{last[key] - first[key]:+d} {key.replace('_', ' ')}" for key in first if last[key] != first[key]]
        told += "; " + (
            ", ".join(more)
            if more
            else "as many files, threads, processes and shared memory in the second half as in the first"
        )
        yield f"{name}: {one['epochs']} epochs", told


def generators(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Global generators."""
    told = [f"{name}: {', '.join(changed)}" for name, changed in found.items() if changed]
    yield "; ".join(found), "; ".join(told) or "no global generator of torch, numpy or Python has another state"
