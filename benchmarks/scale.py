"""Memory and time per item of a run at 1 000, 10 000 and 100 000 clips of 4 s with a noise bank of 1 GB.

python benchmarks/scale.py [out=FILE.json] [sizes=1000,10000,100000] [workers=2] [bank=1000] [folder=FOLDER]

`bank` is in megabytes. The clips are hard links to a few hundred files, so that the disk holds them; the noises are
files of their own. One size after the other, each run in processes of its own, whose resident memory is read five times
a second: shared pages are counted once for each process, so that the sum is an upper bound.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from sliceforge.engine.bench import machine
from sliceforge.engine.folder import host

RESULT = Path(__file__).resolve().parent / "results" / "scale.json"
RATE, SECONDS, CLIPS = 16000, 4, 200
NOISE_SECONDS = 60
EVERY = 0.2
"""Seconds between two looks at the memory."""


def clips(folder: Path, count: int) -> None:
    """`count` names of CLIPS clips of 4 s, 16-bit FLAC."""
    generator, t = np.random.default_rng(1), np.arange(RATE * SECONDS) / RATE
    folder.mkdir()
    for i in range(count):
        path, first = folder / f"clip{i:06d}.flac", folder / f"clip{i % CLIPS:06d}.flac"
        if i >= CLIPS:
            os.link(first, path)
            continue
        wave = 0.1 * np.sin(2 * np.pi * generator.uniform(90, 250) * t) * np.clip(np.sin(2 * np.pi * 3 * t), 0, 1)
        soundfile.write(path, (wave + 0.002 * generator.standard_normal(len(t))).astype(np.float32), RATE)


def noises(folder: Path, megabytes: int) -> None:
    """Noises of a minute, 16-bit WAV, of so many megabytes in all."""
    generator = np.random.default_rng(2)
    folder.mkdir()
    for i in range(max(1, megabytes * 1_000_000 // (2 * RATE * NOISE_SECONDS))):
        wave = generator.normal(0, 0.05, RATE * NOISE_SECONDS).astype(np.float32)
        soundfile.write(folder / f"noise{i:04d}.wav", wave, RATE, subtype="PCM_16")


def resident(process: int) -> int:
    """Bytes of a process and of all that it started."""
    found, queue = 0, [process]
    while queue:
        one = queue.pop()
        try:
            found += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in Path(f"/proc/{one}/task").iterdir():
                queue += map(int, (task / "children").read_text().split())
        except (OSError, IndexError):
            continue  # it ended in between
    return found


def run(home: Path, size: int, workers: int, start: float = 0.0) -> dict[str, Any]:
    """One run in its own processes: peak memory of all of them together, and time per item after `start` seconds."""
    data, out = home / f"clips{size}", home / f"run{size}"
    clips(data, size)
    settings = ["recipe=speech/car_noise", f"data={data}", f"banks.noise={home / 'noise'}", "steps.mix.source=bank"]
    settings += [f"out={out}", f"count={size}", "variants=null", f"workers={workers}", "seed=7"]
    line = [sys.executable, "-m", "sliceforge.engine.cli", "generate", *settings]
    began, peak = time.perf_counter(), 0
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(EVERY)
    seconds = time.perf_counter() - began
    if process.returncode not in (0, 1):
        raise RuntimeError(process.stderr.read() if process.stderr else "")
    shutil.rmtree(out)
    shutil.rmtree(data)
    return {"items": size, "seconds": seconds, "ms_per_item": 1e3 * (seconds - start) / size, "peak_mib": peak / 2**20}


def row(found: dict[str, Any], first: dict[str, Any]) -> str:
    """A line of a Markdown table, beside the smallest run."""
    memory, time_ = (found[name] / first[name] - 1 for name in ("peak_mib", "ms_per_item"))
    numbers = f"{found['seconds']:,.1f} | {found['peak_mib']:,.0f} | {memory:+.1%}"
    numbers += f" | {found['ms_per_item']:.3f} | {time_:+.1%}"
    return f"| {found['items']:,} | {numbers} |"


def main(arguments: list[str]) -> None:
    """Run every size, print JSON and the rows, write."""
    given = dict(argument.split("=", 1) for argument in arguments)
    sizes = [int(size) for size in given.get("sizes", "1000,10000,100000").split(",")]
    workers, out = int(given.get("workers", 2)), Path(given.get("out", RESULT))
    with tempfile.TemporaryDirectory(dir=given.get("folder")) as place:
        home = Path(place)
        noises(home / "noise", int(given.get("bank", 1000)))
        run(home, min(sizes), workers)  # compiles, and fills the page cache
        start = run(home, 1, workers)["seconds"]
        runs = [run(home, size, workers, start) for size in sizes]
    found = {"machine": machine(), "versions": host()["versions"], "workers": workers}
    found |= {"start_s": start, "runs": runs}
    out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(json.dumps(found, ensure_ascii=False, indent=1))
    print("\n".join(row(one, runs[0]) for one in runs))


if __name__ == "__main__":
    main(sys.argv[1:])
