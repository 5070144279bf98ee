"""What the experiments' commands share: their settings, processes, and the file that a result goes to."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import os
import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from sliceforge.engine.bench import machine

RESULTS = Path(__file__).resolve().parent.parent / "results" / "loop"

AROUND = ("judge.py", "runs.py")
"""What runs jobs and judges what they found; no part of what they find."""

Job = TypeVar("Job")
Found = TypeVar("Found")


def settings(words: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """Settings `name=value` over those that are known; `data` is SLICEFORGE_DATA unless given.

    Raises:
        SystemExit: one that is not known, or no data.
    """
    given = dict(word.partition("=")[::2] for word in words)
    every = {"data": os.environ.get("SLICEFORGE_DATA", ""), "jobs": str(len(os.sched_getaffinity(0)))}
    every |= {"keep": "", **known}
    unknown = sorted(set(given) - set(every))
    if unknown:
        raise SystemExit(f"{unknown[0]}: no such setting; expected some of {', '.join(every)}, such as seeds=5")
    every |= given
    if not every["data"]:
        raise SystemExit("data: not given; expected a folder with fsdd, noise and x_sdd, such as data=DIR")
    return every


def spread(work: Callable[[Job], Found], jobs: Sequence[Job], given: Mapping[str, str]) -> list[Found]:
    """The work of every job in order, in `jobs` processes of one thread each; each tells when it is done.

    With `keep`, a folder, what a job found is kept there under the job and the code that it imports of the
    experiments, so that more seeds, or a run that was stopped, go on from it. Of the engine's code nothing is known.
    """
    places = [_place(given["keep"], work, job) for job in jobs]
    kept = {at: place for at, place in enumerate(places) if place and place.is_file()}
    found: dict[int, Found] = {at: pickle.loads(place.read_bytes()) for at, place in kept.items()}
    with ProcessPoolExecutor(int(given["jobs"]), get_context("spawn")) as pool:
        futures = {pool.submit(work, jobs[at]): at for at in range(len(jobs)) if at not in kept}
        for future in as_completed(futures):
            at = futures[future]
            found[at] = future.result()
            if place := places[at]:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(pickle.dumps(found[at]))
            print(f"{len(found)} of {len(jobs)} done", file=sys.stderr, flush=True)
    return [found[at] for at in range(len(jobs))]


def _place(folder: str, work: Callable[..., Any], job: Any) -> Path | None:
    if not folder:
        return None
    module = Path(inspect.getsourcefile(work) or "")
    code = b"".join(path.read_bytes() for path in sorted(imported(module)))
    name = f"{module.stem} {work.__qualname__} {job!r}".encode()
    return Path(folder) / f"{hashlib.sha256(code + name).hexdigest()[:24]}.pickle"


def imported(module: Path) -> set[Path]:
    """The file of a module, and those beside it that it imports, and that these import, but `AROUND`."""
    found, left = set[Path](), [module]
    while left:
        path = left.pop()
        if path in found or path.name in AROUND or not path.is_file():
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("benchmarks.loop"):
                names = [node.module or "", *(f"benchmarks.loop.{one.name}" for one in node.names)]
                left += [path.with_name(f"{name.rpartition('.')[2]}.py") for name in names]
    return found


def written(name: str, given: Mapping[str, str], found: Mapping[str, Any]) -> Path:
    """Write a result under the experiment's name, with machine and command but without any path of this machine."""
    told = " ".join(f"{key}={value}" for key, value in given.items() if key not in ("data", "out", "jobs", "keep"))
    whole = {"experiment": name, "command": f"python -m benchmarks.loop.{name} {told}", "machine": machine(), **found}
    place = Path(given.get("out") or RESULTS / f"{name}.json")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(place)
    return place
