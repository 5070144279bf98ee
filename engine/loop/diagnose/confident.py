"""Confident learning: which labels a model contradicts although it is sure, and how noisy labels are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.errors import SettingError, did_you_mean

OFF = 0.01
"""How far from 1 the probabilities of a row may sum: ten classes rounded to three decimals stay within it."""


@dataclass(frozen=True)
class Confidence:
    """What out-of-fold probabilities say of given labels: t_j = mean p_j over the items labelled j.

    A class is confident for an item where p_j ≥ t_j. The most probable of them is what the item seems to be; it is
    suspect where that is not its label. A tie goes to the given label, then to the first class. A class that no item is
    labelled with has no threshold and is never proposed. (Northcutt, Jiang, Chuang, JAIR 2021.)

    Args:
        labels: (N,) class numbers as given.
        probabilities: (N, C).
        thresholds: (C,); infinite for a class without items.
        sure: (N,) whether any class is confident.
        proposed: (N,) what the item seems to be; the given class where no class is confident.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    thresholds: np.ndarray
    sure: np.ndarray
    proposed: np.ndarray

    @property
    def suspect(self) -> np.ndarray:
        """(N,) whether the label is contradicted."""
        return self.proposed != self.labels

    def surest(self, rows: np.ndarray, share: float = 0.5) -> np.ndarray:
        """(N,) of `rows` those of each proposed class whose p is in the upper `share`.

        Where labels are wrong at random, the surest are wrong as often as the rest; where the model confuses items
        that lie between classes, the surest are right.
        """
        chosen = np.zeros(len(self.labels), bool)
        top = self.probabilities[np.arange(len(self.labels)), self.proposed]
        for j in np.unique(self.proposed[rows & self.sure]):
            where = np.flatnonzero(rows & self.sure & (self.proposed == j))
            chosen[where[np.argsort(-top[where], kind="stable")][: int(np.ceil(share * len(where)))]] = True
        return chosen


def confidence(labels: np.ndarray, probabilities: np.ndarray) -> Confidence:
    """Judge labels.

    Args:
        labels: (N,) whole numbers from 0 to C − 1.
        probabilities: (N, C), each row from a model that has not seen that item.

    Raises:
        SettingError: a shape, a number that is no probability, or fewer than two classes.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, np.float64)
    _check(labels, probabilities)
    labels = labels.astype(np.int64)
    rows, classes = np.arange(len(labels)), probabilities.shape[1]
    thresholds = np.full(classes, np.inf)
    for j in np.unique(labels):
        own = probabilities[labels == j, j]
        # The mean of equal numbers may round to just above them.
        thresholds[j] = min(own.mean(), own.max())
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    best = confident.argmax(axis=1)
    top = confident[rows, best]
    sure = top >= 0
    proposed = np.where(sure & (confident[rows, labels] < top), best, labels)
    return Confidence(labels, probabilities, thresholds, sure, proposed)


def _check(labels: np.ndarray, probabilities: np.ndarray) -> None:
    example = "for example labels [0, 1] with probabilities [[0.9, 0.1], [0.2, 0.8]]"
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        shapes = f"labels {labels.shape}, probabilities {probabilities.shape}"
        raise SettingError(f"label gate: {shapes}; expected (N,) and (N, C), {example}")
    if probabilities.shape[1] < 2:
        raise SettingError(f"label gate: probabilities of one class; expected two classes or more, {example}")
    if not np.isfinite(probabilities).all():
        row = int(np.flatnonzero(~np.isfinite(probabilities).all(axis=1))[0])
        raise SettingError(f"label gate: row {row} has a probability that is no number; expected 0 to 1, {example}")
    sums = probabilities.sum(axis=1)
    wrong = (np.abs(sums - 1) > OFF) | (probabilities < -1e-6).any(axis=1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise SettingError(
            f"label gate: probabilities of row {row} sum to {sums[row]:.4g}, the least is "
            f"{probabilities[row].min():.4g}; expected 0 to 1 with the sum 1, {example}"
        )
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        most = probabilities.shape[1] - 1
        raise SettingError(f"label gate: labels {np.unique(labels)[[0, -1]]}; expected whole numbers from 0 to {most}")


def numbered(labels: Sequence[str | None], classes: Sequence[str]) -> np.ndarray:
    """(N,) the numbers of named labels.

    Raises:
        SettingError: a label is missing or is no class.
    """
    numbers = {name: i for i, name in enumerate(classes)}
    for row, label in enumerate(labels):
        if label not in numbers:
            found = "no label" if label is None else f"the label {label!r}"
            raise SettingError(f"label gate: row {row} has {found}{did_you_mean(str(label), numbers)}")
    return np.array([numbers[label] for label in labels if label is not None], np.int64)


def joint_counts(judged: Confidence) -> np.ndarray:
    """(C, C) confident counts: row, the given class; column, what the item seems to be."""
    classes = len(judged.thresholds)
    cells = judged.labels[judged.sure] * classes + judged.proposed[judged.sure]
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def calibrated(counts: np.ndarray, given: np.ndarray) -> np.ndarray:
    """(C, C) the joint distribution of given and true classes: each row sums to the share of its given class.

    Args:
        counts: (C, C) of `joint_counts`.
        given: (C,) how many items have each label.
    """
    rows = counts.sum(axis=1, keepdims=True)
    # A class of whose items no class is confident is taken at its word.
    shares = np.where(rows > 0, counts / np.maximum(rows, 1), np.eye(len(counts)))
    return shares * (given / given.sum())[:, None]


def noise_matrix(joint: np.ndarray) -> np.ndarray:
    """(C, C) P(given = row | true = column); a column is NaN where no item seems to be of that class."""
    true = joint.sum(axis=0)
    return np.divide(joint, true, out=np.full(joint.shape, np.nan), where=true > 0)
