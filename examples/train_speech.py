"""Learn words: from the recordings alone, then with half of every epoch in a car; told apart by noise that is new.

python examples/train_speech.py                                                   words that come with Sliceforge
python examples/train_speech.py FOLDER "{label}_{speaker}_{index}" [state=FILE]   a folder's, 0 to 4 of each held out

With `state`, FILE.0 and FILE.0.5 keep where each training is: killed and started again, it goes on exactly there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchaudio.transforms import MelSpectrogram

from sliceforge.engine import Augment, Share, SliceDataset, load

RATE, BATCH, EVERY = 8000, 32, 25
TRAINED, UNHEARD = (load(f"speech/{name}", f"rate={RATE}") for name in ("car_noise", "car_window"))
MEL = MelSpectrogram(RATE, n_fft=256, hop_length=128, n_mels=40)
FLOOR = 0.01 * torch.randn(RATE, generator=torch.Generator().manual_seed(0))


def features(audio: torch.Tensor) -> torch.Tensor:
    """(B, RATE) → (B, 40, frames): a log-mel spectrum of 60 dB, its own mean and spread taken out.

    White noise 40 dB below each clip keeps the zeros after its end from telling words apart by their length.
    """
    level = audio.square().mean(1, keepdim=True).sqrt()
    decibels = 10 * torch.log10(MEL(audio + level * FLOOR) + 1e-10)
    decibels = torch.maximum(decibels, decibels.amax((1, 2), keepdim=True) - 60)
    return (decibels - decibels.mean((1, 2), keepdim=True)) / decibels.std((1, 2), keepdim=True)


def network(classes: int) -> nn.Sequential:
    """Three convolutions over time, 0.1 million weights."""
    layers: list[nn.Module] = []
    for before, after in ((40, 64), (64, 96), (96, 128)):
        layers += [nn.Conv1d(before, after, 5, 2, 2), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(2), nn.Flatten(), nn.Linear(256, classes))


def train(dataset: SliceDataset, epochs: int, state: Path | None = None) -> nn.Module:
    """A network after some epochs, or after what a state has left of them."""
    torch.manual_seed(1)
    model = network(len(dataset.classes))
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    loader = DataLoader(
        dataset, BATCH, shuffle=True, num_workers=2, persistent_workers=True, collate_fn=dataset.collate
    )
    feed, step = Augment(dataset)(loader), 0  # workers draw, read and make, ahead of the step
    parts = {"model": model, "optimizer": optimizer, "feed": feed}
    if state and state.exists():
        saved = torch.load(state)
        step = saved.pop("step")
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    steps = epochs * len(feed)
    while step < steps:
        for batch in feed:  # each time the next epoch, or what was left of one
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(features(batch["audio"])), batch["target"]).backward()
            optimizer.step()
            step += 1
            if state and (step % EVERY == 0 or step == steps):
                torch.save({name: part.state_dict() for name, part in parts.items()} | {"step": step}, f"{state}.new")
                Path(f"{state}.new").replace(state)
    return model.eval()


@torch.no_grad()
def told(model: nn.Module, dataset: SliceDataset, epochs: int) -> float:
    """The share of items that are told right."""
    feed = Augment(dataset)(DataLoader(dataset, 64, collate_fn=dataset.collate))
    right = [model(features(one["audio"])).argmax(1) == one["target"] for _ in range(epochs) for one in feed]
    return float(torch.cat(right).float().mean())


def main(data: str | None = None, pattern: str = "", state: str = "", epochs: int | None = None) -> list[list[float]]:
    """Train both, print what each tells right and return it: as recorded, then in a car with a window open."""
    # The built-in words are too few to hold any out: there, the noise alone is new. No training hears an open window.
    rest, held = ('CAST("index" AS INT) >= 5', 'CAST("index" AS INT) < 5') if data else ("split = 'train'",) * 2
    found = []
    for share in (0.0, 0.5):
        common = {"pattern": pattern, "seconds": 1.0}
        dataset = SliceDataset(data, [Share(TRAINED, rest, share=share)], 7, items=rest, **common)
        model = train(dataset, epochs or (8 if data else 60), Path(f"{state}.{share:g}") if state else None)
        unseen = [SliceDataset(data, [Share(UNHEARD, held, share=one)], 8, items=held, **common) for one in (0.0, 1.0)]
        found.append([told(model, one, epochs=1 if data else 12) for one in unseen])
        name = f"{share:.0%} of every epoch in a car" if share else "recordings alone"
        print(f"{name:30} as recorded {found[-1][0]:4.0%}   with a window open {found[-1][1]:4.0%}", flush=True)
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)  # the network is small, and workers have the other cores
    given = dict(one.split("=", 1) for one in sys.argv[1:] if one.startswith("state="))
    main(*(one for one in sys.argv[1:] if not one.startswith("state=")), **given)
