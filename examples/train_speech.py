"""Learn words: from the recordings alone, then with half of every epoch in a car; told apart by noise that is new.

python examples/train_speech.py                                                   words that come with Sliceforge
python examples/train_speech.py FOLDER "{label}_{speaker}_{index}" [state=FILE]   a folder's, 0 to 4 of each held out

With `state`, FILE.0 and FILE.0.5 keep where each training is: killed and started again, it goes on exactly there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from resuming import told, train
from torch import nn
from torchaudio.transforms import MelSpectrogram

from sliceforge.engine import Share, SliceDataset, load

RATE = 8000
TRAINED, UNHEARD = (load(f"speech/{name}", f"rate={RATE}") for name in ("car_noise", "car_window"))
MEL = MelSpectrogram(RATE, n_fft=256, hop_length=128, n_mels=40)
FLOOR = 0.01 * torch.randn(RATE, generator=torch.Generator().manual_seed(0))


def features(batch: dict[str, Any]) -> torch.Tensor:
    """(B, 40, frames) of a batch of clips, (B, RATE): a log-mel spectrum of 60 dB, its mean and spread taken out.

    White noise 40 dB below each clip keeps the zeros after its end from telling words apart by their length.
    """
    audio = batch["audio"]
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


def main(data: str | None = None, pattern: str = "", state: str = "", epochs: int | None = None) -> list[list[float]]:
    """Train both, print what each tells right and return it: as recorded, then in a car with a window open."""
    # The built-in words are too few to hold any out: there, the noise alone is new. No training hears an open window.
    rest, held = ('CAST("index" AS INT) >= 5', 'CAST("index" AS INT) < 5') if data else ("split = 'train'",) * 2
    found = []
    for share in (0.0, 0.5):
        common = {"pattern": pattern, "seconds": 1.0}
        dataset = SliceDataset(data, [Share(TRAINED, rest, share=share)], 7, items=rest, **common)
        torch.manual_seed(1)
        kept = Path(f"{state}.{share:g}") if state else None
        model = train(network(len(dataset.classes)), features, dataset, epochs or (8 if data else 60), kept)
        unseen = [SliceDataset(data, [Share(UNHEARD, held, share=one)], 8, items=held, **common) for one in (0.0, 1.0)]
        found.append([told(model, features, one, 1 if data else 12) for one in unseen])
        name = f"{share:.0%} of every epoch in a car" if share else "recordings alone"
        print(f"{name:30} as recorded {found[-1][0]:4.0%}   with a window open {found[-1][1]:4.0%}", flush=True)
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)  # the network is small, and workers have the other cores
    given = dict(one.split("=", 1) for one in sys.argv[1:] if one.startswith("state="))
    main(*(one for one in sys.argv[1:] if not one.startswith("state=")), **given)
