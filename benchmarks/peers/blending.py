"""Poisson blending of 64 colour patches of 64 × 64 into as many pictures, uint8 in and out, by us and by OpenCV.

Alike for all: each patch is laid over the whole of another picture but its rim, with the gradients of the patch.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.chain import Chain, Contender, Work

STEPS: dict[str, dict[str, Any]] = {"poisson": {}}
CHAINS = (Chain("Poisson blending", "image", ("poisson",), (64, 64), 24),)


def pairs(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and patches, (B, H, W, 3) uint8 each, of grey (B, H, W)."""
    colour = np.stack([batch, batch[:, ::-1], batch[:, :, ::-1]], axis=3)
    return colour, np.roll(colour, 1, axis=0)


def ours(chain: Chain, folder: Path, threads: int) -> Work:
    """A batch at once for each thread."""
    import torch

    from sliceforge.kernels.poisson import blend_batch

    torch.set_num_threads(1)
    crew = ThreadPoolExecutor(threads)

    def part(under: np.ndarray, over: np.ndarray) -> np.ndarray:
        inside = torch.ones(under.shape[:3], dtype=torch.bool)
        floats = (torch.from_numpy(one).float() for one in (under, over))
        made: np.ndarray = blend_batch(*floats, inside).round_().clamp_(0, 255).to(torch.uint8).numpy()
        return made

    def work(batch: np.ndarray, number: int) -> list[np.ndarray]:
        under, over = pairs(batch)
        edges = np.linspace(0, len(batch), threads + 1).astype(int).tolist()
        spans = [slice(low, high) for low, high in itertools.pairwise(edges)]
        return list(crew.map(part, [under[span] for span in spans], [over[span] for span in spans]))

    return work


def one_by_one(chain: Chain, folder: Path, threads: int) -> Work:
    """As a recipe's step has it: item by item."""
    from sliceforge.kernels.poisson import blend

    def work(batch: np.ndarray, number: int) -> list[np.ndarray]:
        inside, made = np.ones(batch.shape[1:], bool), []
        for under, over in zip(*pairs(batch), strict=True):
            blended = blend(under.astype(np.float32), over.astype(np.float32), inside)
            made.append(np.clip(np.rint(blended), 0, 255).astype(np.uint8))
        return made

    return work


def opencv(chain: Chain, folder: Path, threads: int) -> Work:
    """OpenCV 5.0: a loop over `seamlessClone`, which takes three channels only and writes into a mask of one."""
    import cv2

    cv2.setNumThreads(threads)
    height, width = chain.shape
    mask = np.full((height, width, 3), 255, np.uint8)

    def work(batch: np.ndarray, number: int) -> list[np.ndarray]:
        middle = (width // 2, height // 2)
        both = zip(*pairs(batch), strict=True)
        return [cv2.seamlessClone(over, under, mask, middle, cv2.NORMAL_CLONE) for under, over in both]

    return work


def error(chain: Chain, folder: Path, steps: Mapping[str, Mapping[str, Any]]) -> float:
    """How far the batch is from the same by torch alone, in grey levels."""
    import torch

    from sliceforge.kernels.poisson import blend_batch, blend_torch

    batch = np.load(folder / "batches.npy", mmap_mode="r")[0][:8]
    some = [torch.from_numpy(one).float() for one in pairs(batch)]
    inside = torch.ones(some[0].shape[:3], dtype=torch.bool)
    return float((blend_batch(*some, inside) - blend_torch(*some, inside)).abs().max())


DOES = frozenset(STEPS)
BOTH = ("processes", "threads")
OURS = Contender("sliceforge", ours, DOES, BOTH)
PLAIN = Contender("sliceforge, step by step", one_by_one, DOES)
PEERS = (Contender("OpenCV 5.0", opencv, DOES, BOTH),)
