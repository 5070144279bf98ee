"""Train a small network on pictures of classes and write what it says of the evaluation pictures.

python train.py TRAIN.csv PREDICTIONS.csv EVAL.csv SEED
"""

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

SIDE, BATCH, EPOCHS, RATE = 64, 32, 60, 3e-3


def read(path: str) -> tuple[list[dict[str, str]], torch.Tensor]:
    """The rows of a table, and their pictures in tenths of their own mean light, (N, 1, SIDE, SIDE)."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    small = [Image.open(row["path"]).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX) for row in rows]
    x = np.stack([np.asarray(one, np.float32) for one in small])
    light = np.maximum(x.mean(axis=(1, 2), keepdims=True), 1)
    return rows, torch.from_numpy((x / light - 1) / 0.1)[:, None]


def network(classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after, side in ((1, 16, 5), (16, 32, 3), (32, 64, 3)):
        layers += [nn.Conv2d(before, after, side, 2, side // 2), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d((2, 4)), nn.Flatten(), nn.Dropout(0.2), nn.Linear(512, classes))


def main(train: str, predictions: str, evaluation: str, seed: str) -> None:
    torch.manual_seed(int(seed))
    rows, x = read(train)
    classes = sorted({row["label"] for row in rows})
    y = torch.tensor([classes.index(row["label"]) for row in rows])
    model, steps = network(len(classes)), max(EPOCHS * len(x) // BATCH, 1)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=1e-2)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(steps):
        some = torch.randint(len(x), (BATCH,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[some]), y[some]).backward()
        optimizer.step()
        cycle.step()
    rows, x = read(evaluation)
    with torch.no_grad():
        p = model.eval()(x).softmax(dim=1).double().tolist()
    with Path(predictions).open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["id", "label", *(f"p_{name}" for name in classes)])
        out.writerows([row["id"], row["label"], *one] for row, one in zip(rows, p, strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
