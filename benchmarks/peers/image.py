"""The flagship chain on images, written out for each library: flip → affine → elastic → tone → grain, and some alone.

Alike for all: grey uint8 in and out, 64 a batch; every step happens to every image and every image has its own numbers,
drawn evenly from `ranges`: mirrored in half of the cases; turned, scaled, sheared and shifted; bent by a smooth random
displacement of about 2 pixels (root mean square); brightness, contrast, gamma; Gaussian grain, independent at every
pixel. Interpolation is bilinear, the border reflect_101. Where a library is unlike that, its function says so.
"""

from __future__ import annotations

import os
import random
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import ours
from benchmarks.peers.by_hand import opencv
from benchmarks.peers.chain import Chain, Contender, Work
from benchmarks.peers.ranges import (
    AMOUNT,
    BRIGHT,
    CONTRAST,
    GAMMA,
    GRAIN,
    QUALITY,
    SCALE,
    SHEAR,
    SHIFT,
    SIGMA,
    SPACING,
    TURN,
)

STEPS: dict[str, dict[str, Any]] = {
    "flip": {"op": "image/flip", "horizontal": 0.5},
    "affine": {
        "op": "image/affine",
        "rotate": [*TURN],
        "scale": [*SCALE],
        "shear": [*SHEAR],
        "translate_x": [-SHIFT, SHIFT],
        "translate_y": [-SHIFT, SHIFT],
    },
    "elastic": {"op": "image/elastic", "spacing": [*SPACING], "amount": [*AMOUNT]},
    "tone": {"op": "image/photometric", "brightness": [*BRIGHT], "contrast": [*CONTRAST], "gamma": [*GAMMA]},
    "grain": {"op": "image/grain", "sd": [*GRAIN]},
    "blur": {"op": "image/blur", "sigma": [*SIGMA]},
    "jpeg": {"op": "image/jpeg", "quality": [*QUALITY]},
}
"""Ours: the elastic grid has a control point every 0.15…0.3 of the shorter side; values stay float32 between steps."""

WHOLE = ("flip", "affine", "elastic", "tone", "grain")
STIFF = ("flip", "affine", "tone", "grain")
SIZES = {(200, 200): 24, (256, 1600): 8}
CHAINS = (
    *(
        Chain(f"flagship chain{how}", "image", steps, size, count)
        for size, count in SIZES.items()
        for how, steps in (("", WHOLE), (" without elastic", STIFF))
    ),
    *(Chain(name, "image", (name,), (200, 200), 24) for name in ("affine", "elastic", "tone", "grain", "blur", "jpeg")),
)


def albumentations(chain: Chain, folder: Path, threads: int) -> Work:
    """Albumentations 2.0.8, the last release under MIT; image by image, its OpenCV on one thread.

    Elastic: of its smooth random displacements the exact `ElasticTransform` and `ThinPlateSpline` take three to four
    times as long as what stands here: `ElasticTransform(approximate=True)`, which smooths over 17 pixels only, on the
    long images, and `GridElasticDeform` on the small ones, where it is faster still though its tiles join with kinks.
    `GridDistortion` moves whole lines of a grid and is no such displacement. Tone goes through tables of 256 values and
    is rounded in between, as is every step; positions are rounded to 1/32 of a pixel.
    """
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations as A
    import cv2

    cv2.setNumThreads(1)
    height, width = chain.shape
    mirror, grid = cv2.BORDER_REFLECT_101, np.mean(SPACING) * min(height, width)
    tiles = (round(width / grid), round(height / grid))
    moves = {"scale": SCALE, "translate_percent": (-SHIFT, SHIFT), "rotate": TURN, "shear": SHEAR}
    makes: dict[str, Any] = {
        "flip": lambda: [A.HorizontalFlip(p=0.5)],
        "affine": lambda: [A.Affine(**moves, interpolation=cv2.INTER_LINEAR, border_mode=mirror, p=1.0)],
        "elastic": lambda: [
            A.GridElasticDeform(num_grid_xy=tiles, magnitude=7, interpolation=cv2.INTER_LINEAR, p=1.0)
            if width < 1000
            else A.ElasticTransform(alpha=175, sigma=0.577 * grid, approximate=True, border_mode=mirror, p=1.0)
        ],
        "tone": lambda: [
            A.RandomBrightnessContrast(
                tuple(b - 1 for b in BRIGHT), tuple(c - 1 for c in CONTRAST), brightness_by_max=False, p=1.0
            ),
            A.RandomGamma(tuple(100 * g for g in GAMMA), p=1.0),
        ],
        "grain": lambda: [A.GaussNoise(std_range=tuple(sd / 255 for sd in GRAIN), p=1.0)],
        "blur": lambda: [A.GaussianBlur(blur_limit=0, sigma_limit=SIGMA, p=1.0)],
        "jpeg": lambda: [A.ImageCompression("jpeg", QUALITY, p=1.0)],
    }
    steps = A.Compose([one for name in chain.steps for one in makes[name]()])
    return lambda batch, number: [steps(image=x)["image"] for x in batch]


def kornia(chain: Chain, folder: Path, threads: int) -> Work:
    """kornia 0.9, a batch at once, every image with its own numbers; float32 between uint8 and uint8.

    Grain and the elastic kernel have one strength for all. Elastic smooths uniform noise over 63 pixels, its default;
    what it shows from outside is black. Its JPEG takes colour images only and is left out.
    """
    import kornia.augmentation as K
    import torch

    torch.set_num_threads(threads)
    height, width = chain.shape
    own = {"p": 1.0, "same_on_batch": False}
    bend = (2.0 * min(height, width) / width, 2.0 * min(height, width) / height)
    makes: dict[str, Any] = {
        "flip": lambda: [K.RandomHorizontalFlip(p=0.5)],
        "affine": lambda: [
            K.RandomAffine(
                TURN, (SHIFT, SHIFT), SCALE, SHEAR, "bilinear", align_corners=True, padding_mode="reflection", **own
            )
        ],
        "elastic": lambda: [K.RandomElasticTransform((63, 63), (32.0, 32.0), bend, align_corners=True, **own)],
        "tone": lambda: [
            K.RandomBrightness(BRIGHT, **own),
            K.RandomContrast(CONTRAST, **own),
            K.RandomGamma(GAMMA, **own),
        ],
        "grain": lambda: [K.RandomGaussianNoise(0.0, float(np.mean(GRAIN)) / 255, **own)],
        "blur": lambda: [K.RandomGaussianBlur((17, 17), SIGMA, **own)],
    }
    steps = [one for name in chain.steps for one in makes[name]()]

    def work(batch: np.ndarray, number: int) -> Any:
        with torch.inference_mode():
            x = torch.from_numpy(batch)[:, None].float() / 255
            for step in steps:
                x = step(x)
            return (x * 255).round().clamp(0, 255).to(torch.uint8)

    return work


def torchvision(chain: Chain, folder: Path, threads: int) -> Work:
    """torchvision 0.26, transforms v2, image by image since a batch would share its numbers; uint8 between the steps.

    Outside is black: its affine and elastic know no mirrored border. Elastic smooths over 41 pixels, its default (a
    kernel as wide as ours would take many times as long). Grain has one strength, and needs float32.
    """
    import torch
    import torchvision.transforms.v2 as T
    from torchvision.transforms.v2 import functional as F

    torch.set_num_threads(threads)
    linear, sd = T.InterpolationMode.BILINEAR, float(np.mean(GRAIN)) / 255
    makes: dict[str, Any] = {
        "flip": lambda: [T.RandomHorizontalFlip(0.5)],
        "affine": lambda: [T.RandomAffine(TURN, (SHIFT, SHIFT), SCALE, SHEAR, linear)],
        "elastic": lambda: [T.ElasticTransform(100.0, 5.0, linear)],
        "tone": lambda: [T.ColorJitter(BRIGHT, CONTRAST), lambda x: F.adjust_gamma(x, random.uniform(*GAMMA))],
        "grain": lambda: [
            T.ToDtype(torch.float32, scale=True),
            T.GaussianNoise(0.0, sd),
            T.ToDtype(torch.uint8, scale=True),
        ],
        "blur": lambda: [T.GaussianBlur(17, SIGMA)],
        "jpeg": lambda: [T.JPEG(QUALITY)],
    }
    steps = [one for name in chain.steps for one in makes[name]()]

    def work(batch: np.ndarray, number: int) -> list[Any]:
        made = []
        for x in torch.from_numpy(batch)[:, None]:
            for step in steps:
                x = step(x)
            made.append(x)
        return made

    return work


OURS = Contender("sliceforge", partial(ours.prepare, steps=STEPS, plain=False), frozenset(STEPS), ("threads",))
PLAIN = Contender("sliceforge, step by step", partial(ours.prepare, steps=STEPS, plain=True), frozenset(STEPS))
BOTH = ("processes", "threads")
PEERS = (
    Contender("Albumentations 2.0.8", albumentations, frozenset(STEPS)),
    Contender("kornia 0.9", kornia, frozenset(STEPS) - {"jpeg"}, BOTH),
    Contender("torchvision 0.26 v2", torchvision, frozenset(STEPS), BOTH),
    Contender("OpenCV 5.0 by hand", opencv, frozenset(STEPS)),
)
