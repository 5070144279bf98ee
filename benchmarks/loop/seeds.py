"""How often `verify` takes another seed for a gain, and a gain for one, with networks that were really trained.

python -m benchmarks.loop.seeds [networks=30] [repeats=400] [data=DIR] [out=FILE.json]

Networks that differ in their seed alone learn from 600 clean spoken digits; 1 200 others, and 300 of them in noise that
training never had, are judged by `verify` as if half of the networks came after a change. Every accepted change is a
false one: counted over all pairs, and over draws of more seeds. Then 15 % of the weak slice's rows are mended and 5 %
broken, in another seed's answers or in the same seed's, and 3, 5 or 10 % of 400 rows outside are broken too. `swing` is
what a seed does to a whole slice, beyond what independent rows would: it is largest on the noisy one. Prints JSON.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import torch

from benchmarks.loop import runs
from sliceforge.engine.bench import machine
from sliceforge.engine.loop.verify.pairs import Pairs
from sliceforge.engine.loop.verify.verdict import Verdict, verify

RESULT = runs.RESULTS / "seeds.json"
INDICES, TRAINED, NOISY = 30, 10, 300
WINDOW, BANDS, PARTS = 256, 20, 8
EPOCHS = 15
WEAK = ("noisy", "speaker lucas", "digit 6", "300 anywhere")
PLANTED = ("noisy", "300 anywhere")
GAINED, LOST = 0.15, 0.05
HARMED, HARMS = 400, (0.03, 0.05, 0.10)
REPLICATES = 500


class Judged(NamedTuple):
    """Losses (networks, rows), 0 or 1; the digit of each row; the rows of each slice."""

    losses: np.ndarray
    label: np.ndarray
    slices: dict[str, np.ndarray]

    def decided(self, before: np.ndarray, after: np.ndarray, weak: str, **more: np.ndarray) -> Verdict:
        """What `verify` says of losses (seeds, rows) of the same rows."""
        pairs = Pairs(np.arange(len(self.label)), before, after, label=self.label)
        return verify(pairs, weak, {**self.slices, **more}, replicates=REPLICATES)


def features(wave: np.ndarray) -> np.ndarray:
    """(PARTS × bands,) mean logarithms of power in bands, in eighths of a clip of RMS 1."""
    wave = np.pad(wave, (0, max(0, WINDOW * (PARTS + 1) - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(wave, WINDOW)[:: WINDOW // 2] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames)) ** 2
    edges = np.unique(np.geomspace(2, WINDOW // 2, BANDS + 1).astype(int))
    bands = np.stack([power[:, a:b].sum(axis=1) for a, b in itertools.pairwise(edges)], axis=1)
    return np.concatenate([part.mean(axis=0) for part in np.array_split(np.log(bands + 1e-2), PARTS)])


def material(folder: Path) -> dict[str, np.ndarray]:
    """Features of clips, clean and at 5 dB, with digits, speakers and indices."""
    generator, rows = np.random.default_rng(0), []
    for path in sorted(folder.rglob("*.wav")):
        digit, speaker, index = path.stem.split("_")
        if int(index) >= INDICES:
            continue
        wave, _ = soundfile.read(path)
        wave = wave / np.sqrt((wave**2).mean()) + 0.01 * generator.normal(0, 1, len(wave))
        low = np.cumsum(generator.normal(0, 1, len(wave)))
        low -= np.convolve(low, np.ones(200) / 200, "same")
        noisy = wave + 0.56 * low / np.sqrt((low**2).mean()) + 0.1 * generator.normal(0, 1, len(wave))
        rows.append((features(wave), features(noisy), int(digit), speaker, int(index)))
    if not rows:
        raise SystemExit(f"{folder}: no clips; expected WAV files such as 3_theo_7.wav")
    return dict(
        zip(("clean", "noisy", "digit", "speaker", "index"), map(np.array, zip(*rows, strict=True)), strict=True)
    )


def judged(clips: dict[str, np.ndarray], networks: int) -> Judged:
    """Every network's answers."""
    taught = clips["index"] < TRAINED
    middle, spread = clips["clean"][taught].mean(axis=0), clips["clean"][taught].std(axis=0) + 1e-6
    rest = np.flatnonzero(~taught)
    again = np.random.default_rng(1).choice(rest, NOISY, replace=False)
    rows = np.concatenate([rest, again])
    noisy = np.arange(len(rows)) >= len(rest)
    asked = np.concatenate([clips["clean"][rest], clips["noisy"][again]])
    x, y = torch.tensor((clips["clean"][taught] - middle) / spread).float(), torch.tensor(clips["digit"][taught])
    asked = torch.tensor((asked - middle) / spread).float()
    answers = np.stack([trained(x, y, seed)(asked).argmax(dim=1).numpy() for seed in range(networks)])
    slices = {"noisy": noisy}
    slices |= {f"speaker {name}": (clips["speaker"][rows] == name) & ~noisy for name in np.unique(clips["speaker"])}
    slices |= {f"digit {digit}": (clips["digit"][rows] == digit) & ~noisy for digit in range(10)}
    slices["300 anywhere"] = np.isin(np.arange(len(rows)), np.random.default_rng(3).choice(len(rows), 300, False))
    label = clips["digit"][rows]
    return Judged((answers != label).astype(float), label, slices)


def trained(x: torch.Tensor, y: torch.Tensor, seed: int) -> torch.nn.Module:
    """A network of one hidden layer."""
    torch.manual_seed(seed)
    layers = torch.nn.Linear(x.shape[1], 96), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(96, 10)
    network = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x[part]), y[part]).backward()
            optimizer.step()
    return network.eval()


def swings(losses: np.ndarray, slices: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Points of each slice: errors, the spread over seeds, what independent rows explain of it, and what is left."""
    found = {}
    for name, mask in slices.items():
        means, rows = losses[:, mask].mean(axis=1), losses[:, mask].var(axis=0, ddof=1).mean() / mask.sum()
        left = np.sqrt(max(0, means.var(ddof=1) - rows))
        points = {"errors": means.mean(), "over_seeds": means.std(ddof=1), "of_rows": np.sqrt(rows), "swing": left}
        found[name] = {key: round(100 * float(value), 2) for key, value in points.items()}
    return found


def drawn(networks: int, seeds: int, repeats: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Networks before and after: all ordered pairs with one seed a side, else as many draws as asked for."""
    if seeds == 1:
        return [(np.array([a]), np.array([b])) for a, b in itertools.permutations(range(networks), 2)]
    generator = np.random.default_rng(2)
    orders = [generator.permutation(networks) for _ in range(repeats)]
    return [(order[:seeds], order[seeds : 2 * seeds]) for order in orders]


def false_accepts(judged: Judged, seeds: int, repeats: int) -> dict[str, Any]:
    """Percent of pairs in which a change is accepted that never was."""
    pairs = drawn(len(judged.losses), seeds, repeats)
    found = {}
    for weak in WEAK:
        decisions = [judged.decided(judged.losses[a], judged.losses[b], weak).decision for a, b in pairs]
        found[weak] = round(100 * decisions.count("accept") / len(pairs), 2)
    return {"seeds": seeds, "pairs": len(pairs), **found}


def changed(losses: np.ndarray, rows: np.ndarray, mended: float, broken: float, seed: int) -> np.ndarray:
    """Losses (seeds, rows) where shares of some rows, a mask, were mended and broken, for each seed anew."""
    out, generator = losses.copy(), np.random.default_rng([4, seed])
    for line in out:
        wrong, right = np.flatnonzero(rows & (line == 1)), np.flatnonzero(rows & (line == 0))
        line[generator.permutation(wrong)[: round(mended * rows.sum())]] = 0
        line[generator.permutation(right)[: round(broken * rows.sum())]] = 1
    return out


def planted(judged: Judged, weak: str, seeds: int, repeats: int) -> dict[str, Any]:
    """Percent of draws in which a planted gain is accepted, and a loss that is planted beside it is seen."""
    pairs = drawn(len(judged.losses), seeds, repeats)
    pairs = [pairs[at] for at in np.random.default_rng(5).permutation(len(pairs))[:repeats]]
    rows, counts = judged.slices[weak], dict.fromkeys(("another seed", "same seed", *HARMS), 0)
    for number, (a, b) in enumerate(pairs):
        before, other = judged.losses[a], judged.losses[b]
        gained = changed(other, rows, GAINED, LOST, number)
        outside = np.random.default_rng([6, number]).choice(np.flatnonzero(~rows), HARMED, replace=False)
        harmed = np.isin(np.arange(len(rows)), outside)
        same = changed(before, rows, GAINED, LOST, number)
        counts["another seed"] += judged.decided(before, gained, weak).decision == "accept"
        counts["same seed"] += judged.decided(before, same, weak).decision == "accept"
        for harm in HARMS:
            verdict = judged.decided(before, changed(gained, harmed, 0, harm, number), weak, harmed=harmed)
            counts[harm] += any(one.slice == "harmed" and one.says == "lost" for one in verdict.changes)
    names = {harm: f"{harm:.0%} of {HARMED} other rows broken: seen" for harm in HARMS}
    shares = {str(names.get(key, key)): round(100 * count / len(pairs), 2) for key, count in counts.items()}
    return {"weak": weak, "seeds": seeds, "draws": len(pairs), **shares}


def main(words: list[str]) -> None:
    """Train, judge and write the result."""
    settings = runs.settings(words, {"networks": "30", "repeats": "400", "out": str(RESULT)})
    torch.set_num_threads(1)
    asked = judged(material(Path(settings["data"]) / "fsdd"), int(settings["networks"]))
    repeats = int(settings["repeats"])
    found: dict[str, Any] = {"machine": machine(), "networks": len(asked.losses)}
    found["points"] = swings(asked.losses, asked.slices)
    found["falsely_accepted_percent"] = [false_accepts(asked, seeds, repeats) for seeds in (1, 2, 3, 5)]
    found["planted_accepted_percent"] = [planted(asked, weak, s, repeats // s) for weak in PLANTED for s in (1, 3)]
    Path(settings["out"]).write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
