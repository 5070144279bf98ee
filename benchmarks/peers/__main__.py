"""Race every chain and write what came out as JSON.

python -m benchmarks.peers [out=FILE.json] [rounds=7] [only=WORD]
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers import blending, image, sound
from benchmarks.peers.material import write
from benchmarks.peers.ours import error
from benchmarks.peers.race import Crew, quicker, race, usable
from sliceforge.engine.bench import machine
from sliceforge.engine.folder import host

RESULT = Path(__file__).resolve().parents[1] / "results" / "peers.json"
MEMORY = Path("/dev/shm")
"""Where a folder costs no disk."""


def side(kind: Any, rounds: int, cores: int, only: str) -> Iterator[dict[str, Any]]:
    """What came out for each chain of `sound`, `image` or `blending`: everybody against ours, and how exact ours is."""
    chains = [chain for chain in kind.CHAINS if only in chain.name]
    both = [Crew(kind.OURS, layout, cores) for layout in ("threads", "processes")] if chains else []
    peers = [*kind.PEERS, kind.PLAIN] if chains else []
    crews = {peer.name: [Crew(peer, layout, cores) for layout in peer.layouts] for peer in peers}
    for chain in chains:
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
            folder = Path(place)
            write(chain, folder)
            ours = quicker(both, chain, folder)
            able = [crews[peer.name] for peer in peers if set(chain.steps) <= peer.steps]
            found = [race(chain, folder, ours, layouts, rounds) for layouts in able]
            apart = getattr(kind, "error", error)(chain, folder, kind.STEPS)
        row = {
            "chain": chain.name,
            "kind": chain.kind,
            "steps": chain.steps,
            "shape": " × ".join(map(str, chain.shape)),
        }
        yield row | {"error": apart, "layout": ours.layout, "found": found}
    for crew in [*both, *itertools.chain(*crews.values())]:
        crew.close()


def told(result: dict[str, Any]) -> list[str]:
    """A line for each contender."""
    head = f"{result['chain']}, {result['shape']}, within {result['error']:g} steps: "
    lines = []
    for line in result["found"]:
        low, middle, high = line["ratio"]
        times = f"{middle:.2f} ({low:.2f}–{high:.2f}) × {1e3 * line['ours_s']:.1f} ms"
        lines.append(f"{head}{line['peer']} ({line['layout']}) takes {times}")
    return lines


def main(arguments: list[str]) -> None:
    """Race, print a line for each, write."""
    given = dict(argument.split("=", 1) for argument in arguments)
    rounds, cores, out = int(given.get("rounds", 7)), usable(), Path(given.get("out", RESULT))
    if rounds < 7:
        print(f"rounds={rounds}: a median of fewer than 7 is for trying out", file=sys.stderr)
    results = []
    for kind in (sound, image, blending):
        for result in side(kind, rounds, cores, given.get("only", "")):
            results.append(result)
            print("\n".join(told(result)), flush=True)
    found = {"machine": machine(), "versions": host()["versions"], "rounds": rounds, "cores": cores, "chains": results}
    out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])
