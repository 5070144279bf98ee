"""What a network hears: the logarithm of power in mel bands, over 60 dB, normalised for each clip."""

from __future__ import annotations

import numpy as np
import torch
from torchaudio.functional import melscale_fbanks

from benchmarks.loop.digits import RATE

FFT, HOP, BANDS = 256, 128, 32
RANGE = 60.0
"""dB under the loudest cell from where on nothing is heard: a lower floor would tell padding from speech."""


def mel(waves: np.ndarray, span: float = RANGE, own: bool = True) -> np.ndarray:
    """(N, BANDS, frames) float32 of (N, T): mean 0 and variance 1 in each clip, or in dB where that is not `own`."""
    bank = melscale_fbanks(FFT // 2 + 1, 60.0, RATE / 2, BANDS, RATE)
    parts = []
    for part in torch.from_numpy(np.ascontiguousarray(waves, np.float32)).split(512):
        power = torch.stft(part, FFT, HOP, window=torch.hann_window(FFT), return_complex=True).abs() ** 2
        level = 10 * torch.log10(power.transpose(1, 2) @ bank + 1e-12)  # (B, frames, BANDS)
        level = torch.maximum(level, level.amax(dim=(1, 2), keepdim=True) - span).transpose(1, 2)
        middle, spread = level.mean(dim=(1, 2), keepdim=True), level.std(dim=(1, 2), keepdim=True)
        parts.append((level - middle) / spread.clamp(min=1e-6) if own else level)
    return torch.cat(parts).contiguous().numpy()
