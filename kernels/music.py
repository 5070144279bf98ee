"""Plain music from (key, moment) alone: four chords round and round, a bass, a tune, drums, as a radio plays them."""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.noise import gaussian, lattice

install()

ROUNDS = ((0, 7, 9, 5), (0, 9, 5, 7), (9, 5, 0, 7), (0, 5, 0, 7), (0, 3, 8, 10), (0, 10, 8, 7))
"""Roots of four bars, in half tones above the key."""

MINOR = (2, 4, 9, 11)
"""Roots, above the key, whose chord is a minor one."""

TUNE = (0, 2, 4, 7, 9)
"""Half tones above the key that a tune keeps to."""

BEATS = 4  # of a bar
STRING, PIPE, VOICE = (1, 0.6, 0.4, 0.25, 0.15, 0.1), (1, 0.3, 0.25, 0.1, 0.08), (1, 0.5, 0.35, 0.3, 0.2, 0.1)
"""Amplitudes of a tone and its overtones."""

Key = tuple[float, float, float]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def tone_cpu(out, start, count, step, levels, rise, fall, turn):
    """Add a tone of `count` samples from sample `start` (which may lie before the first) to (T,) float64.

    Args:
        step: turns a sample.
        levels: amplitudes of the tone and its overtones; those above half the rate are left out.
        rise: samples of its beginning.
        fall: of e, a sample.
        turn: where it begins, in turns.
    """
    first, last = max(start, 0), min(start + count, len(out))
    ending = max(min(0.25 * count, 800.0), 1.0)
    for h in range(len(levels)):
        each = step * (h + 1)
        if each >= 0.48:
            return
        angle = 2 * math.pi * (each * (first - start) + turn * (h + 1))
        re, im = math.cos(angle), math.sin(angle)
        c, s = math.cos(2 * math.pi * each), math.sin(2 * math.pi * each)
        for n in range(first, last):
            t = n - start
            out[n] += levels[h] * im * min(t / rise, (count - t) / ending, 1.0) * math.exp(-fall * (h + 1) * t)
            re, im = re * c - im * s, im * c + re * s


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def hit_cpu(out, start, count, fall, bright, level, place, key0, key1, key2):
    """Add a burst of noise that falls by e^(−fall · t), `bright` 0 as it is … 1 differentiated, to (T,) float64."""
    before = 0.0
    for n in range(max(start, 0), min(start + count, len(out))):
        t = n - start
        value = float(gaussian(t, place, key0, key1, key2))
        out[n] += level * math.exp(-fall * t) * (value - bright * before)
        before = value


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def kick_cpu(out, start, count, high, low, slide, fall, level):
    """Add a drum whose tone slides from `high` to `low` turns a sample, to (T,) float64."""
    turns = 0.0
    for n in range(start, min(start + count, len(out))):
        t = n - start
        turns += low + (high - low) * math.exp(-slide * t)
        if n >= 0:
            out[n] += level * math.exp(-fall * t) * math.sin(2 * math.pi * turns)


def chance(place: int, channel: int, key: Key) -> float:
    """A number of [0, 1) that belongs to a place in the piece."""
    return 0.5 + 0.5 * float(lattice(place, channel, *key))


def pitch(halves: float) -> float:
    """Hertz of so many half tones above the C of 65.4 Hz."""
    return 65.40639132514966 * float(2 ** (halves / 12))


def piece(length: int, rate: int, tempo: float, root: int, offset: float, drums: float, key: Key) -> np.ndarray:
    """(length,) float64, a part of an endless piece.

    Args:
        rate: hertz.
        tempo: beats a minute.
        root: half tones of its key above C.
        offset: seconds into it.
        drums: their amplitude against the rest.
        key: see `noise.pieces`.
    """
    out = np.zeros(length)
    beat = 60 / tempo
    begins = math.floor((offset - BEATS * beat) / (BEATS * beat))
    for bar in range(begins, math.ceil((offset + length / rate) / (BEATS * beat))):
        start = bar * BEATS * beat - offset
        chord = ROUNDS[int(chance(0, 90, key) * len(ROUNDS))][bar % 4]
        _accompany(out, rate, start, beat, root + chord, chord in MINOR)
        _sing(out, rate, start, beat, bar, root, key)
        if drums > 0:
            _drum(out, rate, start, beat, bar, drums, key)
    return out


def _tone(out: np.ndarray, rate: int, start: float, seconds: float, halves: float, level: float, how: int) -> None:
    levels, rise, fall = ((STRING, 0.008, 3.0), (PIPE, 0.06, 0.1), (VOICE, 0.02, 1.2))[how]
    amplitudes = level * np.array(levels)
    numbers = round(start * rate), round(seconds * rate), pitch(halves) / rate
    tone_cpu(out, *numbers, amplitudes, rise * rate, fall / rate, (halves * 0.377) % 1)


def _accompany(out: np.ndarray, rate: int, start: float, beat: float, chord: int, minor: bool) -> None:
    for n in range(BEATS):
        _tone(out, rate, start + n * beat, 0.9 * beat, chord % 12, 0.5 if n % 2 == 0 else 0.35, 0)
    for above in (0, 3 if minor else 4, 7):
        _tone(out, rate, start, BEATS * beat, 24 + (chord + above) % 12, 0.12, 1)


def _sing(out: np.ndarray, rate: int, start: float, beat: float, bar: int, root: int, key: Key) -> None:
    for n in range(2 * BEATS):
        place = 2 * BEATS * (bar % 8) + n
        if chance(place, 91, key) < 0.6:
            note = root + TUNE[int(chance(place, 92, key) * len(TUNE))] + 36 + 12 * (chance(place, 93, key) < 0.3)
            _tone(out, rate, start + n * beat / 2, beat * (0.45 if n % 2 else 0.9), note, 0.22, 2)


def _drum(out: np.ndarray, rate: int, start: float, beat: float, bar: int, level: float, key: Key) -> None:
    short = round(0.25 * rate)
    for n in range(2 * BEATS):
        at = round((start + n * beat / 2) * rate)
        place = 64 + 2 * BEATS * (bar % 8) + n
        hit_cpu(out, at, short // 3, 60 / rate, 0.95, 0.08 * level, place, *key)
        if n % 4 == 0:
            kick_cpu(out, at, short, 140 / rate, 48 / rate, 40 / rate, 14 / rate, 0.9 * level)
        if n % 4 == 2:
            hit_cpu(out, at, short, 22 / rate, 0.5, 0.25 * level, 256 + place, *key)
