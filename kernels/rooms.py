"""The responses of `kernels.shoebox` for a batch of rooms at once, in torch, on any device; in double precision."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numba import cuda

from sliceforge.engine.cuda.launch import SIMULATED, blocks, launch
from sliceforge.kernels import shoebox
from sliceforge.kernels.butterworth import sections
from sliceforge.kernels.decay import CENTRES, DECADES, LONG, points_of
from sliceforge.kernels.decays import decaying, filtered
from sliceforge.kernels.noise import gaussian
from sliceforge.kernels.shoebox import DENSE, FADE, HIGH_PASS, REACH, SPEED

Tensor = torch.Tensor


def responses(size: Tensor, mouth: Tensor, ear: Tensor, t60: Tensor, rate: int, noise: Tensor) -> Tensor:
    """(B, N) float64, each as `shoebox.response` makes it, zeros behind its end.

    Args:
        size, mouth, ear: (B, 3) float64, metres.
        t60: (B,) float64, seconds.
        rate: hertz.
        noise: (B, at least N) float64 Gaussian, of the tail; N is one more than the longest t60 has samples.
    """
    samples = torch.ceil(t60 * rate).long() + 1
    inside = torch.arange(int(samples.max()), device=size.device) < samples[:, None]
    wave = _echoes(size, mouth, ear, t60, rate, noise) * inside
    # Which bands are wide enough depends on t60, and the transform on the length: rooms that share both go on together.
    middles = [[c for c in CENTRES if c * math.sqrt(2) < 0.49 * rate and c * one >= LONG] for one in t60.tolist()]
    alike: dict[tuple[int, int], list[int]] = {}
    for b, count in enumerate(samples.tolist()):
        alike.setdefault((len(middles[b]), points_of(count, rate)), []).append(b)
    out = torch.zeros_like(wave)
    for (_, points), rows in alike.items():
        most = int(samples[rows].max())
        some = wave[rows, :most], t60[rows], rate, middles[rows[0]], inside[rows, :most], points
        out[rows, :most] = decaying(*some)
    return out


def normalised(
    sizes: Sequence[np.ndarray],
    places: Sequence[tuple[np.ndarray, np.ndarray]],
    t60: Sequence[float],
    rate: int,
    keys: Sequence[tuple[float, float, float]],
    device: str,
) -> list[Tensor]:
    """(N,) float32 each, with an energy of one.

    Args:
        sizes: (3,) metres each.
        places: mouth and ear, (3,) metres each.
        t60: seconds.
        rate: hertz.
        keys: see `noise.pieces`.
        device: as torch names it.
    """
    given = (np.stack(sizes), np.stack([one for one, _ in places]), np.stack([one for _, one in places]))
    size, mouth, ear, times = (torch.from_numpy(one).to(device) for one in (*given, np.array(t60, np.float64)))
    counts = [math.ceil(one * rate) + 1 for one in t60]
    waves = responses(size, mouth, ear, times, rate, tails(keys, max(counts), device))
    waves = (waves / waves.square().sum(dim=1, keepdim=True).sqrt()).float()
    return [wave[:count] for wave, count in zip(waves, counts, strict=True)]


def _echoes(size: Tensor, mouth: Tensor, ear: Tensor, t60: Tensor, rate: int, noise: Tensor) -> Tensor:
    volume = size.prod(dim=1)
    surface = 2 * (size * size.roll(1, dims=1)).sum(dim=1)
    dense = torch.minimum(torch.sqrt(DENSE * volume / (4 * math.pi * SPEED**3)), t60)
    over = dense * (1 + FADE)
    direct = (mouth - ear).square().sum(dim=1).sqrt()
    room, distance, order = _images(size, mouth, ear, direct + SPEED * over)
    length = math.ceil(float(t60.max()) * rate) + 1
    kept = torch.exp(-DECADES * 4 * volume / (SPEED * surface * t60))
    moments = (distance - direct[room]) / SPEED
    gains = direct[room] / distance * kept[room] ** order
    gains *= torch.cos(_quarter(moments, dense[room], over[room]))
    wave = _arrived(room, moments * rate, gains, len(size), length)
    boom = torch.clamp(SPEED / (2 * size.max(dim=1).values), min=HIGH_PASS, max=rate / 8)
    wave = filtered(wave, [sections(float(edge), 2, True, rate) for edge in boom])
    t = torch.arange(length, device=size.device, dtype=torch.float64) / rate
    level = direct * torch.sqrt(4 * math.pi * SPEED / (volume * rate))
    fall = torch.exp(-DECADES * t / t60[:, None])
    tail = level[:, None] * fall * torch.sin(_quarter(t, dense[:, None], over[:, None])) * noise[:, :length]
    return wave + tail * (over < t60)[:, None]


def _images(size: Tensor, mouth: Tensor, ear: Tensor, reach: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of every image source: its room's row, distance in metres and number of reflections; see `shoebox.images`."""
    squares, bounces = [], []
    for axis in range(3):
        most = int((reach / (2 * size[:, axis])).max()) + 1
        m = torch.arange(-most, most + 1, device=size.device, dtype=torch.float64)
        far, there = 2 * m * size[:, axis, None], mouth[:, axis, None]
        offset = torch.cat([far + there, far - there], dim=1) - ear[:, axis, None]
        squares.append(offset.square())
        bounces.append(torch.cat([(2 * m).abs(), (2 * m - 1).abs()]))
    distance = squares[0][:, :, None, None] + squares[1][:, None, :, None] + squares[2][:, None, None, :]
    order = bounces[0][:, None, None] + bounces[1][:, None] + bounces[2]
    room, x, y, z = torch.nonzero(distance <= reach.square()[:, None, None, None], as_tuple=True)
    return room, distance[room, x, y, z].sqrt(), order[x, y, z]


def _arrived(room: Tensor, moments: Tensor, gains: Tensor, count: int, length: int) -> Tensor:
    """(count, length): an impulse at each moment, spread as `shoebox.arrivals_cpu` does."""
    first = torch.floor(moments)
    f = (moments - first)[:, None]
    j = torch.arange(1 - REACH, REACH + 1, device=room.device, dtype=torch.float64)
    window = (1 - ((j - f) / REACH).square()).square()
    taps = torch.where(f == 0, (j == 0).double(), torch.sinc(j - f) * window)
    place = first.long()[:, None] + j.long()
    inside = (place >= 0) & (place < length)
    flat = (room[:, None] * length + place)[inside]
    wave = torch.zeros(count * length, dtype=torch.float64, device=room.device)
    return wave.index_add_(0, flat, (gains[:, None] * taps)[inside]).view(count, length)


def _quarter(t: Tensor, first: Tensor, last: Tensor) -> Tensor:
    return torch.clamp((t - first) / (last - first), 0, 1) * (math.pi / 2)


def tails(keys: Sequence[tuple[float, float, float]], count: int, device: str) -> Tensor:
    """(B, count) float64, each row the numbers that `shoebox.normals_cpu` writes."""
    if device == "cpu" and not SIMULATED:
        rows = np.empty((len(keys), count))
        for row, key in zip(rows, keys, strict=True):
            shoebox.normals_cpu(row, shoebox.TAIL, *key)
        return torch.from_numpy(rows)
    out = torch.empty((len(keys), count), dtype=torch.float32, device=device)
    pieces = torch.tensor(keys, dtype=torch.float32).to(device)
    launch(normals_cuda, (blocks(count), len(keys)), pieces, shoebox.TAIL, out)
    return out.double()


def normals_cuda(keys, channel, out):
    """out (B, N) float32 becomes standard normal numbers, each a function of its place and its row's key (B, 3)."""
    b = cuda.blockIdx.y
    for i in range(cuda.grid(1), out.shape[1], cuda.gridsize(1)):
        out[b, i] = gaussian(i, channel, keys[b, 0], keys[b, 1], keys[b, 2])
