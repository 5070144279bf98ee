"""What `kernels.decay` does, for a batch of impulse responses at once, in torch, on any device; in double precision."""

from __future__ import annotations

import math

import numpy as np
import torch

from sliceforge.kernels.decay import BEND, CLOSE, DECADES, LEAD, MOST, STEP, TURNS, octave, shapes, span_of

Tensor = torch.Tensor


def decaying(wave: Tensor, t60: Tensor, rate: int, middles: list[float], inside: Tensor, points: int) -> Tensor:
    """(B, N): each octave band from `middles`, and what lies below and above, brought to its decay time.

    Args:
        wave: (B, N) float64.
        t60: (B,) float64, seconds.
        rate: hertz.
        middles: hertz, the bands that are wide enough.
        inside: (B, N) bool, what belongs to each wave.
        points: of the transform.
    """
    t = torch.arange(wave.shape[1], device=wave.device, dtype=torch.float64) / rate
    if not middles:
        return _broadly(wave, t60, rate, t)
    edges = [middle / math.sqrt(2) for middle in middles] + [middles[-1] * math.sqrt(2)]
    bands = _straightened(_split(wave, edges, rate, points) * inside[:, None], t60, rate, inside)
    slopes = _bent(bands, [octave(middle, rate) for middle in middles], t60, rate, inside)
    return (bands * torch.exp(slopes[..., None] * t)).sum(dim=1)


def _straightened(bands: Tensor, t60: Tensor, rate: int, inside: Tensor) -> Tensor:
    """(B, K, N): see `decay.straightened_cpu`."""
    span = torch.tensor([span_of(one, rate) for one in t60.tolist()], device=bands.device)[:, None]
    i = torch.arange(bands.shape[-1], device=bands.device)
    first = torch.clamp(i - span // 2, min=0)
    end = torch.minimum(i + span // 2 + 1, inside.sum(dim=1, keepdim=True))
    end = torch.maximum(end, first)
    fall = _summed(torch.exp(-2 * DECADES / (t60[:, None] * rate) * i) * inside)
    sums = _summed(bands.square())
    begin, pieces = span[:, None].expand(*sums.shape[:2], 1), [at[:, None].expand_as(bands) for at in (first, end)]
    level = (sums[..., -1:] - sums.gather(2, begin)) / (fall[:, -1:] - fall.gather(1, span))[:, None]
    power = torch.clamp(sums.gather(2, pieces[1]) - sums.gather(2, pieces[0]), min=1e-300)
    gain = torch.sqrt(level * (fall.gather(1, end) - fall.gather(1, first))[:, None] / power)
    coming = torch.clamp(i / span.double(), max=1)[:, None]
    return bands * (1 + (torch.clamp(gain, 1 / MOST, MOST) - 1) * coming)


def _summed(x: Tensor) -> Tensor:
    """(…, N + 1): the sum of all before each place."""
    return torch.nn.functional.pad(x.cumsum(-1), (1, 0))


def _bent(bands: Tensor, chains: list[np.ndarray], t60: Tensor, rate: int, inside: Tensor) -> Tensor:
    """(B, K) exponents a second: see `decay._bent`."""
    t = torch.arange(bands.shape[-1], device=bands.device, dtype=torch.float64) / rate
    slope, most = DECADES / t60[:, None], (BEND * DECADES / t60)[:, None]
    slopes = torch.zeros(bands.shape[:2], dtype=torch.float64, device=bands.device)
    best, least = slopes.clone(), torch.full_like(t60, math.inf)
    before = torch.zeros_like(slopes[:, 1:-1])
    step = torch.full_like(before, STEP)
    for _ in range(TURNS):
        whole = (bands * torch.exp(slopes[..., None] * t)).sum(dim=1)
        heard = torch.stack([filtered(whole, [chain] * len(whole)) * inside for chain in chains], dim=1)
        off = decay(heard, rate) / t60[:, None] - 1
        worst = off.abs().amax(dim=1)
        better = (worst < least) & (least >= CLOSE)
        best, least = torch.where(better[:, None], slopes, best), torch.where(better, worst, least)
        step, before = torch.where(off * before < 0, step / 2, step), off
        steps = slopes[:, 1:-1] + step * slope * (1 / (1 + off) - 1)
        slopes = slopes.clone()
        slopes[:, 1:-1] = torch.minimum(torch.maximum(steps, -most), most)
        if bool((least < CLOSE).all()):
            break
    return best


def _broadly(wave: Tensor, t60: Tensor, rate: int, t: Tensor) -> Tensor:
    low, high = -DECADES / t60, DECADES / t60
    for _ in range(24):
        slope = (low + high) / 2
        bent = wave * torch.exp(slope[:, None] * t)
        quick = decay(bent, rate) < t60
        low, high = torch.where(quick, slope, low), torch.where(quick, high, slope)
    return bent


def decay(wave: Tensor, rate: int) -> Tensor:
    """(…,) seconds of (…, N): see `kernels.decay.decay`."""
    left = wave.square().flip(-1).cumsum(-1).flip(-1)
    total = left[..., :1]
    at = ((left >= total * 10**-2.5) & (left <= total * 10**-0.5)).double()
    level = 10 * torch.log10(torch.clamp(left / total, min=1e-30)) * at
    i = torch.arange(wave.shape[-1], device=wave.device, dtype=torch.float64) * at
    count, x, y = at.sum(-1), i.sum(-1), level.sum(-1)
    xx, xy = (i * i).sum(-1), (i * level).sum(-1)
    most = torch.full_like(count, -1e-9)
    found = -60 / rate * (xx - x * x / count) / torch.minimum(xy - x * y / count, most)
    return torch.where(count < 2, 1 / rate, found)


def filtered(wave: Tensor, chains: list[np.ndarray]) -> Tensor:
    """Rows (B, N) through recursive sections (K, 5) each, from rest."""
    points = 2 * wave.shape[1]
    turn = np.exp(-2j * np.pi * np.arange(points // 2 + 1) / points)
    gains = []
    for chain in chains:
        b, a = chain[:, :3], np.column_stack([np.ones(len(chain)), chain[:, 3:]])
        powers = np.stack([turn**0, turn, turn**2])
        gains.append(np.prod((b @ powers) / (a @ powers), axis=0))
    response = torch.from_numpy(np.stack(gains)).to(wave.device)
    return torch.fft.irfft(torch.fft.rfft(wave, points) * response, points)[:, : wave.shape[1]]


def _split(wave: Tensor, edges: list[float], rate: int, points: int) -> Tensor:
    """(B, K, N): see `decay.split`."""
    lead = round(LEAD * rate)
    bins = torch.fft.rfft(torch.nn.functional.pad(wave, (lead, 0)), points)
    each = torch.from_numpy(shapes(edges, bins.shape[1], rate / points)).to(wave.device)
    return torch.fft.irfft(bins[:, None] * each, points)[..., lead : lead + wave.shape[1]]
