"""Killed with SIGKILL, the same command again: are the bytes those of an unbroken run? (R1 and R2 of the promises.)

python benchmarks/faults.py [DATA PATTERN]

At every rename of a small run of the built-in material, before and after it, and at five random moments of a run over
DATA (or the built-in material); prints JSON.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from harness import command, killed, tree

SMALL = ["recipe=speech/car_noise", "variants=2", "shard=3", "seed=7", "workers=1"]


def broken_shards(run: Path) -> int:
    """Shards under a final name that cannot be read to their end."""
    bad = 0
    for path in run.glob("shards/v*.tar"):
        try:
            with tarfile.open(path) as tar:
                for member in tar:
                    if file := tar.extractfile(member):
                        file.read()
        except tarfile.TarError:
            bad += 1
    return bad


def at_renames(home: Path) -> dict[str, int]:
    """Every point of the small run."""
    whole = home / "whole"
    assert command("generate", f"out={whole}", *SMALL).returncode == 0
    expected, tried, same, broken, point = tree(whole), 0, 0, 0, 1
    while True:
        codes = []
        for when in ("before", "after"):
            run = home / f"{when}{point}"
            codes.append(killed(point, when, "generate", f"out={run}", *SMALL))
            if codes[-1] == 0:
                break
            broken += broken_shards(run)
            again = command("generate", f"out={run}", *SMALL)
            tried += 1
            same += again.returncode == 0 and tree(run) == expected
            shutil.rmtree(run)
        if 0 in codes:
            return {"points": tried, "same_bytes": same, "broken_shards": broken}
        point += 1


def at_moments(home: Path, settings: list[str], moments: int, seed: int = 1) -> dict[str, float]:
    """Random moments of a larger run, its workers left to notice by themselves."""
    whole = home / "large"
    began = time.monotonic()
    assert command("generate", f"out={whole}", *settings).returncode == 0
    took, expected, same, broken = time.monotonic() - began, tree(whole), 0, 0
    for moment in range(moments):
        run = home / f"moment{moment}"
        line = [sys.executable, "-m", "sliceforge.engine.cli", "generate", f"out={run}", *settings]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.Random(seed * 1000 + moment).uniform(0.15, 0.95) * took)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        broken += broken_shards(run)
        again = command("generate", f"out={run}", *settings)
        same += again.returncode == 0 and tree(run) == expected
        shutil.rmtree(run)
    return {"moments": moments, "same_bytes": same, "broken_shards": broken, "seconds_unbroken": round(took, 1)}


def main(arguments: list[str]) -> None:
    """Both, as JSON."""
    large = ["recipe=speech/car_noise", "variants=40", "shard=20", "seed=7"]
    if arguments:
        large = ["recipe=speech/car_noise", f"data={arguments[0]}", f"pattern={arguments[1]}", "variants=2", "seed=7"]
    with tempfile.TemporaryDirectory() as home:
        found = {"renames": at_renames(Path(home)), "moments": at_moments(Path(home), large, 5)}
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
