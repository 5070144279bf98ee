"""Training stops after any step and goes on with other ranks and workers: is the rest the rest? (R5 of the promises.)

python -m benchmarks.loader.resume [FSDD]

An epoch goes through ranks {1, 2, 3, 4} × workers {0, 1, 2, 4}, and the state after every step is kept: it must be the
same for any workers and ranks that have come as far. From every state the rest goes through all 16 again, in new data
sets. First and rest must be the whole: items in order with their bytes, and with the same ranks the same batches.
With FSDD (clips named label_speaker_index), pairs and steps are chosen by a seed, and the first part is broken off.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.loader import results
from benchmarks.loader.cases import Case, Step, items, quiet, steps

GRID = [(world, workers) for world in (1, 2, 3, 4) for workers in (0, 1, 2, 4)]
CASES = {
    "by count": Case((0.4, 0.3), {"batch_size": 2}, {"extend": True}),
    "by max_seconds": Case((0.5,), {"max_seconds": 2.5}, {"extend": True}),
    "by group_by_length": Case((0.5, 0.5), {"batch_size": 2, "group_by_length": True}),
    "classes alike": Case((0.5,), {"batch_size": 2}, {"sampling": "class"}),
    "a stream": Case((0.4, 0.3), {"batch_size": 2}, {"extend": True}, stream=True),
    "in order": Case((0.5,), {"batch_size": 2, "shuffle": False}),
}


def everywhere(case: Case) -> dict[str, int]:
    """Every step of the built-in material, every pair of (ranks, workers)."""
    whole, states, wrong, tried, size = {}, {}, 0, 0, 0
    for world, workers in GRID:
        found = list(steps(case, world, workers))
        # The batches that an epoch ends with depend on the ranks, and nothing else does.
        wrong += found != whole.setdefault(world, found)
        wrong += items(found) != items(whole[1])
        for number, step in enumerate(found, 1):
            known = states.setdefault(json.dumps(step.states[0]), set())
            known.add((world, number))
            wrong += any(state != step.states[0] for state in step.states)
            size = max(size, len(json.dumps(step.states[0]).encode()))
    for text, origins in states.items():
        for world, workers in GRID:
            tried += 4 * len(origins)
            wrong += _wrong(case, json.loads(text), origins, whole, (world, workers))
    return {"resumes": tried, "states": len(states), "wrong": wrong, "state_bytes": size}


def _wrong(
    case: Case,
    state: dict[str, Any],
    origins: set[tuple[int, int]],
    whole: Mapping[int, list[Step]],
    now: tuple[int, int],
) -> int:
    """Of the steps with that state, after how many another epoch comes out than the unbroken one."""
    world, workers = now
    rest, wrong = list(steps(case, world, workers, state)), 0
    for before, number in origins:
        first, left = whole[before][:number], whole[before][number:]
        if not left:
            # It goes on with the next epoch, which is the same for all that come there.
            expected = [step._replace(states=[]) for step in steps(case, world, 0, state)]
            wrong += [step._replace(states=[]) for step in rest] != expected or rest[0].states[0]["epoch"] != 2
        elif before == world:
            wrong += rest != left
        else:
            wrong += items(first) + items(rest) != items(whole[1])
    return wrong


def sampled(case: Case, count: int, seed: int = 1) -> dict[str, int]:
    """Some pairs and steps; the first part is broken off, its workers with batches in hand."""
    chance, wrong, size = random.Random(seed), 0, 0
    whole = items(list(steps(case, 1, 0)))
    for _ in range(count):
        (world, workers), (other, others) = chance.choice(GRID), chance.choice(GRID)
        batches = -(-len(whole) // (case.order["batch_size"] * world))
        first = list(steps(case, world, workers, most=chance.randrange(1, batches)))
        size = max(size, len(json.dumps(first[-1].states[0]).encode()))
        rest = list(steps(case, other, others, first[-1].states[0]))
        wrong += items(first) + items(rest) != whole
    return {"resumes": count, "items": len(whole), "wrong": wrong, "state_bytes": size}


def main(arguments: list[str]) -> None:
    """Every case, as JSON."""
    quiet()
    found: dict[str, Any] = {name: everywhere(case) for name, case in CASES.items()}
    if arguments:
        more = {"pattern": "{label}_{speaker}_{index}", "items": "speaker = 'george'"}
        found["FSDD"] = sampled(Case((0.3, 0.2), {"batch_size": 16}, more, data=arguments[0]), 20)
    results.write("resume", found)


if __name__ == "__main__":
    main(sys.argv[1:])
