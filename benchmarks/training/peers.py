"""The same items under the nearest chain of another library, each where its own documentation puts it.

Half of the items, each by a coin, as half of ours are made; 2 workers, the same batch, the same collation.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks.training.turns import Fed

SNR, LEVEL = (-5.0, 20.0), (-35.0, -15.0)
BRIGHTNESS, CONTRAST, GAMMA, GRAIN = (0.25, 1.1), (0.9, 1.1), (0.7, 1.4), (1.0, 5.0)
WORKERS = 2


class Files(Dataset[tuple[Any, int]]):
    """(item, number of its class) of files.

    Args:
        paths, targets: of the items.
        load: file → item.
        change: item → item, for half of them.
    """

    def __init__(
        self, paths: list[Path], targets: list[int], load: Callable[[Path], Any], change: Callable[[Any], Any] | None
    ) -> None:
        self.paths, self.targets, self.load, self.change = paths, targets, load, change

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        item = self.load(self.paths[index])
        if self.change and random.random() < 0.5:
            item = self.change(item)
        return item, self.targets[index]


def fed(files: Files, batch: int, name: str, made: Callable[[Any], Any] | None, how: str) -> Fed:
    """A DataLoader of torch's over files; a batch is a dict with `name` and `target`."""

    def collate(some: list[tuple[Any, int]]) -> dict[str, torch.Tensor]:
        return {
            name: torch.stack([torch.as_tensor(one) for one, _ in some]),
            "target": torch.tensor([target for _, target in some]),
        }

    loader = DataLoader(files, batch, shuffle=True, num_workers=WORKERS, persistent_workers=True, collate_fn=collate)
    return Fed(loader, made, how)


def clip(path: Path) -> np.ndarray:
    """(rate,) float32: a second of a clip, cut or filled at its end."""
    x, rate = soundfile.read(path, dtype="float32")
    return np.pad(x[:rate], (0, max(0, rate - len(x))))


def audiomentations(noise: Path, rate: int) -> Callable[[np.ndarray], np.ndarray]:
    """Noise of a bank at −5 … 20 dB of RMS, then a level of −35 … −15 dBFS, which it has not: two lines of numpy.

    `AddBackgroundNoise(noise, min_snr_db=-5, max_snr_db=20, p=1)`, in the workers, clip by clip. Ours measures the SNR
    against active speech.
    """
    import audiomentations as am

    mix = am.AddBackgroundNoise(noise, min_snr_db=SNR[0], max_snr_db=SNR[1], p=1.0)

    def change(x: np.ndarray) -> np.ndarray:
        y = mix(x, sample_rate=rate)
        return y * np.float32(10 ** (random.uniform(*LEVEL) / 20) / np.sqrt(np.mean(np.square(y)) + 1e-12))

    return change


def picture(path: Path) -> torch.Tensor:
    """(1, H, W) uint8."""
    from torchvision.io import ImageReadMode, decode_image

    return decode_image(str(path), ImageReadMode.GRAY)


def torchvision() -> Callable[[torch.Tensor], torch.Tensor]:
    """`v2` in the workers, uint8 in and out: light, gamma, blur, noise.

    `ColorJitter(brightness=(0.25, 1.1), contrast=(0.9, 1.1))`, `adjust_gamma` of 0.7 … 1.4 evenly in its logarithm,
    `GaussianBlur(3, (0.1, 1))` for a strip that moves, `GaussianNoise(sigma=3/255)`, since it draws no sigma. It has no
    uneven light.
    """
    from torchvision.transforms import v2

    def gamma(x: torch.Tensor) -> torch.Tensor:
        return v2.functional.adjust_gamma(x, float(np.exp(random.uniform(*np.log(GAMMA)))))

    return v2.Compose(
        [
            v2.ColorJitter(brightness=BRIGHTNESS, contrast=CONTRAST),
            v2.Lambda(gamma),
            v2.GaussianBlur(3, (0.1, 1.0)),
            v2.ToDtype(torch.float32, scale=True),
            v2.GaussianNoise(sigma=3 / 255),
            v2.ToDtype(torch.uint8, scale=True),
        ]
    )


def kornia() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """On batches in the training process, float32 in 0 … 1, every item with numbers of its own.

    `RandomLinearIllumination(gain=(0.01, 0.3))`, `RandomMotionBlur(3, 90, 0)`, `RandomBrightness((0.25, 1.1))`,
    `RandomContrast((0.9, 1.1))`, `RandomGamma((0.7, 1.4))`, `RandomGaussianNoise(std=3/255)`, p = 1 each.
    """
    import kornia.augmentation as K

    chain = K.AugmentationSequential(
        K.RandomLinearIllumination(gain=(0.01, 0.3), p=1.0),
        K.RandomMotionBlur(3, 90.0, 0.0, p=1.0),
        K.RandomBrightness(brightness=BRIGHTNESS, p=1.0),
        K.RandomContrast(contrast=CONTRAST, p=1.0),
        K.RandomGamma(gamma=GAMMA, p=1.0),
        K.RandomGaussianNoise(std=3 / 255, p=1.0),
        data_keys=["input"],
    )

    def made(batch: dict[str, Any]) -> dict[str, Any]:
        image = batch["image"].float() / 255
        these = torch.rand(len(image)) < 0.5
        if these.any():
            image[these] = chain(image[these])
        return batch | {"image": image * 255}

    return made
