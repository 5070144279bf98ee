"""How often `verify` takes another seed for a gain, with networks that were really trained, on spoken digits.

python benchmarks/loop_seeds.py DATA [networks=60] [repeats=400] [out=FILE.json]

DATA holds the Free Spoken Digit Dataset as WAV files `{digit}_{speaker}_{index}.wav`. Networks that differ in their
seed alone learn from 600 clean clips; 1 200 others, and 300 of them in noise that training never had, are judged by
`verify` as if half of the networks came after a change. Every accepted change is a false one. `swing` is what a seed
does to a whole slice, beyond what independent rows would: it is largest on the noisy one. Prints JSON.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from sliceforge.engine.bench import machine
from sliceforge.engine.loop.verify.pairs import Pairs
from sliceforge.engine.loop.verify.verdict import verify

RESULT = Path(__file__).resolve().parent / "results" / "loop_seeds.json"
INDICES, TRAINED, NOISY = 30, 10, 300
WINDOW, BANDS, PARTS = 256, 20, 8
EPOCHS, REPLICATES = 15, 1000
WEAK = ("noisy", "speaker lucas", "digit 6")


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


def judged(clips: dict[str, np.ndarray], networks: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Losses (networks, rows), 0 or 1, and the rows of each slice."""
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
    return (answers != clips["digit"][rows]).astype(float), slices


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


def false_accepts(losses: np.ndarray, slices: dict[str, np.ndarray], seeds: int, repeats: int) -> dict[str, Any]:
    """Percent of draws of two sets of networks in which a change is accepted that never was."""
    generator, rows = np.random.default_rng(2), np.arange(losses.shape[1])
    accepted = dict.fromkeys(WEAK, 0)
    for repeat in range(repeats):
        order = generator.permutation(len(losses))
        pairs = Pairs(rows, losses[order[:seeds]], losses[order[seeds : 2 * seeds]])
        for weak in WEAK:
            accepted[weak] += verify(pairs, weak, slices, replicates=REPLICATES, seed=repeat).decision == "accept"
    return {"seeds": seeds, **{weak: round(100 * count / repeats, 2) for weak, count in accepted.items()}}


def main(data: str, *arguments: str) -> None:
    """Train, judge and write the result."""
    settings = {"networks": "60", "repeats": "400", "out": str(RESULT), **dict(a.split("=", 1) for a in arguments)}
    torch.set_num_threads(1)
    losses, slices = judged(material(Path(data)), int(settings["networks"]))
    shares = [false_accepts(losses, slices, seeds, int(settings["repeats"])) for seeds in (1, 2, 3, 5)]
    found: dict[str, Any] = {"machine": machine(), "networks": len(losses), "repeats": int(settings["repeats"])}
    found |= {"points": swings(losses, slices), "falsely_accepted_percent": shares}
    Path(settings["out"]).write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
