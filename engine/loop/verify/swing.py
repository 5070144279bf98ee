"""How far another seed could have moved a slice, where one training on a side has to tell it."""

from __future__ import annotations

import numpy as np

from sliceforge.engine.loop.verify.pairs import Pairs

LEAST = 1.5
"""Variance of a slice's gain from seed to seed, against that of independent rows, that is taken as given. Measured on
tune rows, where pairs of networks differ in their seed alone: 0.7 to 2.4 in slices of one digit or of one kind of
steel; 3 to 16 in four of steel's, nearly all in the dark, of which one training on a side can say nothing."""

CLASSES = 4
"""Classes that a slice needs to be asked for more: two figures are fitted to them first."""


def stretch(pairs: Pairs, members: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """What deviations of the gain are to be multiplied by, (K,), 1 or more.

    A seed moves whole classes at once, and most where the model is unsure: on noisy digits the variance of a gain is 5
    times that of independent rows. Two trainings do not show it in the rows, but they do in the classes, which move
    apart. See `by_class`.

    Args:
        pairs: the losses.
        members: (N, K) bool, which rows belong to which slice.
        spread: (K,) the gain's standard deviation where units are independent.
    """
    if min(len(pairs.before), len(pairs.after)) > 1:
        return np.ones(len(spread))
    apart = np.array([by_class(pairs, member) for member in members.T])
    wider = np.divide(apart, spread, out=np.zeros(len(spread)), where=spread > 0)
    return np.maximum(wider, np.sqrt(LEAST))


def by_class(pairs: Pairs, member: np.ndarray) -> float:
    """The standard deviation of a slice's gain where its classes, not its rows, are independent.

    A change that mends a share of the errors and breaks a share of the rest moves classes apart too, the one that was
    worse further. That is a line in the loss before, and is taken out first: s² = C / (C − 2) · Σ_c (Σ_i w_i r_i)² /
    (Σ_i w_i)², with C classes and r what the line leaves of the fall of the loss.

    Args:
        pairs: the losses.
        member: (N,) bool, the slice's rows.

    Returns:
        0 where there are fewer than `CLASSES` classes, or none are known.
    """
    inside = member & (pairs.weights > 0)
    if pairs.label is None or not inside.any():
        return 0.0
    own = np.unique(np.asarray(pairs.label)[inside], return_inverse=True)[1].reshape(-1)
    classes = own.max() + 1
    if classes < CLASSES:
        return 0.0
    weight, before = pairs.weights[inside], pairs.before.mean(axis=0)[inside]
    fall = before - pairs.after.mean(axis=0)[inside]
    middle, left = before - np.average(before, weights=weight), fall - np.average(fall, weights=weight)
    across = weight @ middle**2
    if across > 0:
        left = left - middle * (weight @ (middle * left) / across)
    sums = np.bincount(own, weight * left)
    return float(np.sqrt(classes / (classes - 2) * (sums**2).sum()) / weight.sum())
