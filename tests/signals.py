"""Signals that tests make."""

import numpy as np


def voice(seconds: float, rate: int, pitch: float = 120.0) -> np.ndarray:
    """A sound with the envelope and the harmonics of speech, (T,) float32, peak 0.5."""
    t = np.arange(round(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 12))
    syllables = 0.01 + np.clip(np.sin(2 * np.pi * 3 * t + pitch), 0, None)
    sound = tone * syllables
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)
