"""How well a simple classifier tells made items from real ones: the area under its ROC curve, reported, never gated.

0.5: it cannot; 1: it always can. Logistic regression on generic features, tried on parents that it has not seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from sliceforge.engine import commit, making, read
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.work import Workshop
from sliceforge.kernels.traits import of_image, of_sound

FOLDS, RIDGE, ROUNDS = 5, 1.0, 25
MOST = 1000
"""Items of each kind that are looked at, chosen by a hash of their ids."""

DRAWS = 400
"""Bootstrap draws of whole groups, of which the interval is made."""

FEWEST = 20
"""Items of each kind that are needed."""


def report(
    workshop: Workshop,
    lines: Sequence[Mapping[str, Any]],
    planned: Mapping[str, Mapping[str, Any]],
    real: Manifest | None = None,
) -> dict[str, Any]:
    """Compare a run's made items with real ones, and write `log/auc.json`.

    Args:
        workshop: of the run.
        lines: the manifest's rows.
        planned: id → plan row.
        real: what they are compared with; None: their own parents.

    Returns:
        `auc`, `low` and `high` (95 %), `made`, `real`, `against`.

    Raises:
        SettingError: too few items.
    """
    made = _spread([line for line in lines if line["variant"]], "id")
    groups = [line["parents"][0] for line in made]
    of_made = [_traits(workshop, workshop.run / line["path"]) for line in made]
    if real is None:
        rows = {line["parents"][0]: planned[line["id"]] for line in made if line["id"] in planned}
        others = list(rows)
        of_real = [_parent_traits(workshop, row) for row in rows.values()]
    else:
        chosen = _spread(real.table.select(["id", "path"]).to_pylist(), "id")
        others = [row["id"] for row in chosen]
        of_real = [_traits(workshop, real.root / row["path"]) for row in chosen]
    if min(len(of_made), len(of_real)) < FEWEST:
        raise SettingError(
            f"auc: {len(of_made)} made and {len(of_real)} real items; expected {FEWEST} of each at least"
        )
    labels = np.repeat([1, 0], [len(of_made), len(of_real)])
    owners = np.array([*groups, *others], object)
    scores = crossed(np.array([*of_made, *of_real]), labels, owners)
    low, high = interval(scores, labels, owners)
    found: dict[str, Any] = {"auc": round(area(scores, labels), 4), "low": round(low, 4), "high": round(high, 4)}
    found |= {"made": len(of_made), "real": len(of_real), "against": "parents" if real is None else "real"}
    with commit.committed(workshop.run / "log" / "auc.json") as file:
        file.write(json.dumps(found, indent=1).encode() + b"\n")
    return found


def _spread(rows: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: _lot(row[name]))[:MOST]


def _lot(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=b"auc", digest_size=8).digest()


def _traits(workshop: Workshop, path: Any) -> np.ndarray:
    try:
        if workshop.recipe.kind == "image":
            return of_image(read.read_image(path))
        return of_sound(*read.read_audio(path, workshop.recipe.rate))
    except InputError as error:
        raise SettingError(f"auc: {path}: {error.detail or error.reason}") from None


def _parent_traits(workshop: Workshop, row: Mapping[str, Any]) -> np.ndarray:
    try:
        source, rate = making.parent(workshop.recipe, workshop.data, row)
    except InputError as error:
        raise SettingError(f"auc: {row['parent']}: {error.detail or error.reason}") from None
    return of_sound(source, rate) if rate else of_image(source)


def crossed(traits: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(N,) scores, each from a classifier that has seen no item of the same group.

    Args:
        traits: (N, F).
        labels: (N,) 0 or 1.
        groups: (N,) names.
    """
    folds = np.array([_lot(f"fold {group}")[0] % FOLDS for group in groups])
    scores = np.zeros(len(labels))
    for fold in np.unique(folds):
        seen = folds != fold
        if len(set(labels[seen].tolist())) < 2:
            continue
        middle, spread = traits[seen].mean(axis=0), traits[seen].std(axis=0)
        scaled = np.clip((traits - middle) / np.maximum(spread, 1e-9), -8, 8)
        scores[~seen] = scaled[~seen] @ fitted(scaled[seen], labels[seen])
    return scores


def fitted(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(F,) weights of a ridge logistic regression by Newton's method, both classes weighing the same; no offset."""
    weights = np.zeros(x.shape[1])
    share = np.where(labels == 1, 0.5 / max(labels.mean(), 1e-9), 0.5 / max(1 - labels.mean(), 1e-9))
    centred = x - np.average(x, axis=0, weights=share)
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-centred @ weights))
        slope = centred.T @ (share * (labels - chance)) - RIDGE * weights
        curve = (centred * (share * chance * (1 - chance))[:, None]).T @ centred + RIDGE * np.eye(x.shape[1])
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def area(scores: np.ndarray, labels: np.ndarray) -> float:
    """The area under the ROC curve: how often a made item scores above a real one."""
    made = labels == 1
    count = int(made.sum())
    ranks = rankdata(scores)
    return float((ranks[made].sum() - count * (count + 1) / 2) / (count * (len(labels) - count)))


def interval(scores: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """95 % of the areas of bootstrap draws of whole groups: items of one parent are not independent."""
    _, own = np.unique(groups.astype(str), return_inverse=True)
    order = np.argsort(own, kind="stable")
    starts = np.searchsorted(own[order], np.arange(own.max() + 2))
    generator, found = np.random.default_rng(0), []
    for _ in range(DRAWS):
        picked = generator.integers(0, len(starts) - 1, len(starts) - 1)
        rows = np.concatenate([order[starts[group] : starts[group + 1]] for group in picked])
        if 0 < labels[rows].sum() < len(rows):
            found.append(area(scores[rows], labels[rows]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
