"""Learns the built-in words under car noise, one torch thread; writes a checkpoint every few steps, goes on from it.

python -m benchmarks.loader.train FOLDER WORKERS [EPOCHS]

FOLDER/losses has a line for each step: its number and its loss in hexadecimal. `benchmarks.loader.curve` kills it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.loader.cases import Case, quiet

EVERY = 4
CASE = Case((0.5, 0.3), {"batch_size": 4}, {"extend": True, "seconds": 1.0})
"""Sixteen items, four steps: checkpoints stand at the ends of epochs, too."""


def spectrum(audio: torch.Tensor) -> torch.Tensor:
    """(B, T) → (B, 257, frames), the log spectrum."""
    window = torch.hann_window(512)
    return torch.log(torch.stft(audio, 512, 256, window=window, return_complex=True).abs() + 1e-3)


def network(classes: int) -> nn.Module:
    """Two convolutions over time."""
    layers = [nn.Conv1d(257, 32, 5, 2), nn.ReLU(), nn.Conv1d(32, 32, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool1d(4)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, classes))


def main(folder: Path, workers: int, epochs: int = 8) -> None:
    """Train from the last checkpoint, if there is one, to the end."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    feed, step = CASE.feed(workers=workers), 0
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = network(len(feed.batches.dataset.classes))
    optimizer, saved = torch.optim.Adam(model.parameters(), 2e-3), folder / "checkpoint"
    if saved.exists():
        known: dict[str, Any] = torch.load(saved, weights_only=True)
        model.load_state_dict(known["model"])
        optimizer.load_state_dict(known["optimizer"])
        feed.load_state_dict(known["feed"])
        step = known["step"]
    steps = epochs * len(feed)
    with (folder / "losses").open("a") as losses:
        while step < steps:
            for batch in feed:
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(spectrum(batch["audio"])), batch["target"])
                loss.backward()
                optimizer.step()
                step += 1
                print(step, loss.item().hex(), file=losses, flush=True)
                if step % EVERY == EVERY - 1:
                    parts = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
                    torch.save({**parts, "feed": feed.state_dict(), "step": step}, folder / "new")
                    (folder / "new").replace(saved)


if __name__ == "__main__":
    quiet()
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
