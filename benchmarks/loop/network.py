"""The networks of the experiments: fixed code, in which nothing but the training data changes from arm to arm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

BATCH = 32
RATE, DECAY = 3e-3, 1e-2
"""The greatest learning rate of a cycle, and AdamW's decay."""


def layers(classes: int) -> torch.nn.Sequential:
    """A small convolutional network for (B, 1, H, W)."""
    found: list[torch.nn.Module] = []
    for before, after, side in ((1, 16, 5), (16, 32, 3), (32, 64, 3)):
        found += [torch.nn.Conv2d(before, after, side, stride=2, padding=side // 2), torch.nn.BatchNorm2d(after)]
        found += [torch.nn.ReLU()]
    found += [torch.nn.AdaptiveAvgPool2d((2, 4)), torch.nn.Flatten(), torch.nn.Dropout(0.2)]
    return torch.nn.Sequential(*found, torch.nn.Linear(64 * 8, classes))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's generator with a seed inside, and as it was afterwards; one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
    torch.set_num_threads(threads)


def trained(x: np.ndarray, y: np.ndarray, classes: int, epochs: float, seed: int) -> torch.nn.Sequential:
    """A network that has learnt; steps grow with the data, `epochs` times the items.

    Args:
        x: (N, H, W) float32.
        y: (N,) class numbers.
        classes: how many there are.
        epochs: passes; a part of one is as many batches fewer.
        seed: of weights and order.
    """
    with seeded(seed):
        net, inputs, labels = layers(classes), torch.from_numpy(x)[:, None], torch.from_numpy(np.asarray(y, np.int64))
        optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
        steps = max(1, round(epochs * len(x) / BATCH))
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
        order = torch.randperm(len(x))
        for step in range(steps):
            at = step * BATCH % len(x)
            if at < BATCH:
                order = torch.randperm(len(x))
            rows = order[at : at + BATCH]
            if len(rows) < 2:  # batch statistics need two
                rows = order[-2:]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(inputs[rows]), labels[rows]).backward()
            optimizer.step()
            cycle.step()
    return net.eval()


def probabilities(net: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    """(N, C) float64 of (N, H, W)."""
    with torch.no_grad():
        parts = [net(part[:, None]).double().softmax(dim=1) for part in torch.from_numpy(x).split(256)]
    return torch.cat(parts).numpy()


def losses(net: torch.nn.Module, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N,) float64, 1 where the most probable class is not the label."""
    return (probabilities(net, x).argmax(axis=1) != y).astype(np.float64)
