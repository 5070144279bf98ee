"""An impulse response brought to a decay time: octave bands that add up to it, each evened, times an exponential."""

import math

import numpy as np
from numba import njit
from scipy.fft import irfft, rfft

from sliceforge.engine.cache import install
from sliceforge.kernels.butterworth import filter_cpu, sections

install()

CENTRES = (500.0, 1000.0, 2000.0, 4000.0)
"""Hertz, of the octave bands that decay as was asked for; what lies below and above is a band each."""

LONG = 24.0
"""Of a band's middle times t60, from where on the decay is the room's and not that of the band's filter."""

LEAD = 0.06  # seconds in front, for what the filters of the bands bring forward
TURNS, STEP, BEND = 4, 0.7, 0.8
CLOSE = 0.015  # of the decay time, at which a band is left as it is
SPAN, MOST = 0.015, 4.0  # seconds over which a band's level is taken, and by how much it is raised or lowered at most
DECADES = 3 * math.log(10)  # an amplitude falls by 60 dB in t60: exp(−DECADES · t / t60)


@njit(nogil=True, cache=True)
def decay(wave, rate):
    """The seconds in which it falls by 60 dB, from a line through −5…−25 dB of Schroeder's integral (1965).

    Args:
        wave: (N,) float64, impulse response.
        rate: hertz.
    """
    left = np.empty(len(wave))
    total = 0.0
    for i in range(len(wave) - 1, -1, -1):
        total += wave[i] * wave[i]
        left[i] = total
    upper, lower = total * 10**-0.5, total * 10**-2.5
    count, x, y, xx, xy = 0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(wave)):
        if lower <= left[i] <= upper:
            level = 10 * math.log10(left[i] / total)
            count, x, y, xx, xy = count + 1, x + i, y + level, xx + float(i) * i, xy + i * level
    if count < 2:
        return 1 / rate
    return -60 / rate * (xx - x * x / count) / min(xy - x * y / count, -1e-9)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def bent_cpu(bands, slopes, rate, out):
    """out (N,) = Σ bands (K, N) · exp(slope · t)."""
    out[:] = 0.0
    for k in range(len(bands)):
        each, factor = math.exp(slopes[k] / rate), 1.0
        for i in range(len(out)):
            out[i] += bands[k, i] * factor
            factor *= each


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def straightened_cpu(bands, span, each):
    """Bring what follows the first `span` samples of bands (K, N), in place, to the level of one even decay.

    A sparse field of echoes falls by steps, whose slope depends on where a line is laid through it. The level is that
    of `span` samples around a sample; the gain comes in over the first `span` of them, so that the direct path stays.

    Args:
        bands: (K, N) float64.
        span: samples, below N.
        each: factor of the energy from one sample to the next.
    """
    count = bands.shape[1]
    fall, sums = np.zeros(count + 1), np.zeros(count + 1)
    for i in range(count):
        fall[i + 1] = fall[i] + each**i
    for k in range(len(bands)):
        for i in range(count):
            sums[i + 1] = sums[i] + bands[k, i] * bands[k, i]
        level = (sums[count] - sums[span]) / (fall[count] - fall[span])
        for i in range(count):
            first, end = max(i - span // 2, 0), min(i + span // 2 + 1, count)
            power = max(sums[end] - sums[first], 1e-300)
            gain = math.sqrt(level * (fall[end] - fall[first]) / power)
            bands[k, i] *= 1 + (min(max(gain, 1 / MOST), MOST) - 1) * min(i / span, 1.0)


def decaying(wave: np.ndarray, t60: float, rate: int) -> np.ndarray:
    """(N,) float64: a wave whose octave bands from 500 to 4000 Hz each decay in t60 seconds, where they can be told to;
    where t60 is too short for that, all of it does."""
    middles = [centre for centre in CENTRES if centre * math.sqrt(2) < 0.49 * rate and centre * t60 >= LONG]
    if not middles:
        return _broadly(wave, t60, rate)
    edges = [middle / math.sqrt(2) for middle in middles] + [middles[-1] * math.sqrt(2)]
    bands = split(wave, edges, rate)
    straightened_cpu(bands, span_of(t60, rate), math.exp(-2 * DECADES / (t60 * rate)))
    bent = np.empty_like(wave)
    bent_cpu(bands, _bent(bands, [octave(middle, rate) for middle in middles], t60, rate), rate, bent)
    return bent


def span_of(t60: float, rate: int) -> int:
    """Samples over which the level of a band is taken."""
    return max(round(min(SPAN, 0.075 * t60) * rate), 1)


def _broadly(wave: np.ndarray, t60: float, rate: int) -> np.ndarray:
    """A wave (N,) times the exponential with which all of it decays in t60."""
    bent, low, high = np.empty_like(wave), -DECADES / t60, DECADES / t60
    for _ in range(24):
        slope = (low + high) / 2
        bent_cpu(wave[None], np.array([slope]), rate, bent)
        low, high = (slope, high) if decay(bent, rate) < t60 else (low, slope)
    return bent


def _bent(bands: np.ndarray, filters: list[np.ndarray], t60: float, rate: int) -> np.ndarray:
    """(K,) exponents a second of bands (K, N) with which all but the outermost, heard through `filters`, decay in t60.

    Neighbours are heard too, and a decay jumps where a step of it passes −5 or −25 dB: so a step is a part of the way,
    shorter after each one that went too far, no exponent goes beyond `BEND` of the decay, and the best turn counts.
    """
    slopes, best, least = np.zeros(len(bands)), np.zeros(len(bands)), math.inf
    step, before = np.full(len(filters), STEP), np.zeros(len(filters))
    whole, most = np.empty(bands.shape[1]), BEND * DECADES / t60
    for _ in range(TURNS):
        bent_cpu(bands, slopes, rate, whole)
        off = np.empty(len(filters))
        for k, chain in enumerate(filters):
            heard = whole[None].copy()
            filter_cpu(chain, heard)
            off[k] = decay(heard[0], rate) / t60 - 1
        if np.abs(off).max() < least:
            best, least = slopes.copy(), float(np.abs(off).max())
        if least < CLOSE:
            break
        step, before = np.where(off * before < 0, step / 2, step), off
        slopes[1:-1] = np.clip(slopes[1:-1] + step * DECADES / t60 * (1 / (1 + off) - 1), -most, most)
    return best


def octave(middle: float, rate: int) -> np.ndarray:
    """Sections of an octave band's filter, of order 4 on either side."""
    return np.concatenate(
        [sections(middle / math.sqrt(2), 4, True, rate), sections(middle * math.sqrt(2), 4, False, rate)]
    )


def split(wave: np.ndarray, edges: list[float], rate: int) -> np.ndarray:
    """(len(edges) + 1, N): a wave in bands that add up to it, each half an octave wide at its flanks.

    What the filters bring forward, before the first sample, is cut away: it adds up to nothing.
    """
    lead = round(LEAD * rate)
    points = points_of(len(wave), rate)
    bins = rfft(np.concatenate([np.zeros(lead), wave]), points, workers=1)
    bands: np.ndarray = irfft(bins * shapes(edges, len(bins), rate / points), points, workers=1)[
        :, lead : lead + len(wave)
    ]
    return bands


def points_of(samples: int, rate: int) -> int:
    """Of the transform that a wave is cut into bands by: a power of two, so that many waves share it."""
    return 1 << (samples + 2 * round(LEAD * rate) - 1).bit_length()


def shapes(edges: list[float], count: int, each: float) -> np.ndarray:
    """(len(edges) + 1, count): what each of `count` bins, `each` hertz apart, has in each band; together one."""
    hertz = np.maximum(np.arange(count), 1e-3) * each
    above = [np.ones(count)]
    above += [np.sin(np.pi / 2 * np.clip(0.5 + 2 * np.log2(hertz / edge), 0, 1)) ** 2 for edge in edges]
    above.append(np.zeros(count))
    return np.array(above[:-1]) - np.array(above[1:])
