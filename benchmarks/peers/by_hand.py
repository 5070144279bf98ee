"""The image chains as a user of OpenCV would write them for speed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.chain import Chain, Work
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


def opencv(chain: Chain, folder: Path, threads: int) -> Work:
    """OpenCV 5.0, image by image on one thread, uint8 between the steps.

    A table of 256 values holds the whole tone: it quantises in mid-chain, which ours may not. `warpAffine` and `remap`
    round positions to 1/32 of a pixel. Elastic: control points as ours, enlarged by `resize` (bicubic), then `remap`.
    """
    import cv2

    cv2.setNumThreads(1)
    does = {"flip": _flip, "affine": _affine, "elastic": _Elastic(chain), "tone": _tone, "grain": _grain}
    does |= {"blur": _blur, "jpeg": _jpeg}
    steps: list[Any] = [does[name] for name in chain.steps]

    def work(batch: np.ndarray, number: int) -> list[np.ndarray]:
        made = []
        for x in batch:
            for step in steps:
                x = step(cv2, x)
            made.append(x)
        return made

    return work


def _flip(cv2: Any, x: np.ndarray) -> np.ndarray:
    return cv2.flip(x, 1) if random.random() < 0.5 else x


def _affine(cv2: Any, x: np.ndarray) -> np.ndarray:
    height, width = x.shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    turn, lean = np.radians(random.uniform(*TURN)), np.tan(np.radians(random.uniform(*SHEAR)))
    cos, sin = np.cos(turn), np.sin(turn)
    moves = random.uniform(*SCALE) * np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, -lean], [0, 1]])
    there = middle + np.array([random.uniform(-SHIFT, SHIFT) * side for side in (width, height)]) - moves @ middle
    matrix = np.column_stack([moves, there])
    return cv2.warpAffine(x, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


class _Elastic:
    """The places of the pixels are made once."""

    def __init__(self, chain: Chain) -> None:
        self.generator = np.random.default_rng()
        height, width = chain.shape if len(chain.shape) == 2 else (1, 1)
        self.x, self.y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))

    def __call__(self, cv2: Any, x: np.ndarray) -> np.ndarray:
        height, width = x.shape
        grid = random.uniform(*SPACING) * min(height, width)
        points = (int(height / grid) + 2, int(width / grid) + 2, 2)
        most = random.uniform(*AMOUNT) * grid
        moves = self.generator.uniform(-most, most, points).astype(np.float32)
        dx, dy = (cv2.resize(moves[..., k], (width, height), interpolation=cv2.INTER_CUBIC) for k in (0, 1))
        return cv2.remap(x, self.x + dx, self.y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _tone(cv2: Any, x: np.ndarray) -> np.ndarray:
    bright, contrast, gamma = (random.uniform(*one) for one in (BRIGHT, CONTRAST, GAMMA))
    values = np.arange(256) / 255
    table = np.clip(contrast * bright * values + (1 - contrast) * 0.5, 0, 1) ** gamma
    return cv2.LUT(x, np.rint(255 * table).astype(np.uint8))


def _grain(cv2: Any, x: np.ndarray) -> np.ndarray:
    noise = np.empty(x.shape, np.int16)
    cv2.randn(noise, 0, random.uniform(*GRAIN))
    return cv2.add(x, noise, dtype=cv2.CV_8U)


def _blur(cv2: Any, x: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(x, (0, 0), random.uniform(*SIGMA), borderType=cv2.BORDER_REFLECT_101)


def _jpeg(cv2: Any, x: np.ndarray) -> np.ndarray:
    stored = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, random.randint(*QUALITY)])[1]
    return cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE)
