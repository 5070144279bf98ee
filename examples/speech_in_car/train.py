"""Train a small network on spoken words and write what it says of the evaluation clips.

python train.py TRAIN.csv PREDICTIONS.csv EVAL.csv SEED
"""

import csv
import sys
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import nn

SAMPLES, BATCH, STEPS = 8192, 64, 400  # one second at 8 kHz
EDGES = np.unique(np.round(np.geomspace(2, 128, 33)).astype(int))


def spectrogram(path: str) -> np.ndarray:
    """Log powers in bands, (bands, frames), over a range of 60 dB, its own mean and spread taken out."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    sound = sound[:: max(rate // 8000, 1)].mean(axis=1)[:SAMPLES]
    dither = np.random.default_rng(0).normal(0, 0.01 * np.sqrt((sound**2).mean()), SAMPLES)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, (0, SAMPLES - len(sound))) + dither, 256)[::128]
    power = np.abs(np.fft.rfft(frames * np.hanning(256), axis=1)) ** 2
    bands = 10 * np.log10(np.add.reduceat(power, EDGES, axis=1).T + 1e-10)
    bands = np.maximum(bands, bands.max() - 60)
    return ((bands - bands.mean()) / bands.std()).astype(np.float32)


def read(path: str) -> tuple[list[dict[str, str]], torch.Tensor]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return rows, torch.from_numpy(np.stack([spectrogram(row["path"]) for row in rows]))


def main(train: str, predictions: str, evaluation: str, seed: str) -> None:
    torch.manual_seed(int(seed))
    rows, x = read(train)
    classes = sorted({row["label"] for row in rows})
    y = torch.tensor([classes.index(row["label"]) for row in rows])
    layers = [nn.Conv1d(x.shape[1], 64, 5, 2, 2), nn.ReLU(), nn.Conv1d(64, 96, 5, 2, 2), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool1d(4), nn.Flatten(), nn.Dropout(0.3), nn.Linear(384, len(classes)))
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-2)
    for _ in range(STEPS):
        some = torch.randint(len(x), (BATCH,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[some]), y[some]).backward()
        optimizer.step()
    rows, x = read(evaluation)
    with torch.no_grad():
        p = model.eval()(x).softmax(dim=1).double().tolist()
    with Path(predictions).open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["id", "label", *(f"p_{name}" for name in classes)])
        out.writerows([row["id"], row["label"], *one] for row, one in zip(rows, p, strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
