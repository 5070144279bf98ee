"""The label gate: where labels are noisy, more items with such labels would teach the noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.agreement import RELIABLE, Agreement, Distance, agreement
from sliceforge.engine.loop.diagnose.confident import confidence, numbered
from sliceforge.engine.loop.diagnose.conventions import Conventions, conventions, said_distance
from sliceforge.engine.loop.diagnose.distances import nominal, of_words
from sliceforge.engine.loop.diagnose.noise import Noise, noise_rate
from sliceforge.engine.loop.diagnose.relabel import contradicted, disputed, merged
from sliceforge.engine.loop.diagnose.wording import wording

APART = 0.5
"""Boxes and masks that lie farther apart than this (1 − IoU) are disputed: none are ever the same to the pixel."""


@dataclass(frozen=True)
class Verdict:
    """Whether to fix the labels before anything is made.

    Args:
        fix: the gate is closed: nothing may be generated.
        lines: why, in plain words; a line for each choice of conventions.
        queue: what to label again, `relabel.FIELDS`, the most doubtful first.
        noise: by the model; None without probabilities.
        agreement: of the labellers; None with fewer than two.
        conventions: of transcripts by several labellers.
    """

    fix: bool
    lines: tuple[str, ...]
    queue: pa.Table
    noise: Noise | None = None
    agreement: Agreement | None = None
    conventions: Conventions | None = None

    def suspects(self, ids: Iterable[str] | None = None) -> frozenset[str]:
        """Those of `ids` (None: all) whose label is doubted; suspect parents are never multiplied."""
        found = frozenset(self.queue.column("id").to_pylist())
        return found if ids is None else found.intersection(ids)

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON."""
        found: dict[str, Any] = {"fix": self.fix, "lines": list(self.lines), "queue": len(self.queue)}
        if self.noise:
            found["noise"] = {name: None if value != value else value for name, value in asdict(self.noise).items()}
        if self.agreement:
            found["agreement"] = self.agreement.plain()
        if self.conventions:
            found["conventions"] = self.conventions.plain()
        return found


def label_gate(
    ids: Sequence[str],
    labels: Sequence[str | None] | None = None,
    probabilities: np.ndarray | None = None,
    classes: Sequence[str] = (),
    *,
    rows: np.ndarray | None = None,
    ratings: Mapping[str, Sequence[Any]] | None = None,
    distance: Distance = nominal,
    paths: Sequence[str | None] | None = None,
    seed: int = 0,
) -> Verdict:
    """Judge labels before anything is made of them.

    Args:
        ids: (N,).
        labels: (N,) names as given; with `probabilities`.
        probabilities: (N, C), each row from a model that has not seen that item but has seen others like it.
        classes: C names.
        rows: (N,) bool, the slice that is judged; None: all. Thresholds come from all items.
        ratings: labeller → (N,) values, None where there is none; transcripts with `of_words`.
        distance: between two values of `ratings`.
        paths: (N,), for the queue.
        seed: of the interval of alpha.

    Raises:
        SettingError: neither probabilities nor two labellers, or what is wrong with them.
    """
    _check(len(ids), labels, probabilities, rows, ratings or {}, paths)
    lines: list[str] = []
    queues: list[pa.Table] = []
    noise = found = None
    if probabilities is not None and labels is not None:
        judged = confidence(numbered(labels, classes), probabilities)
        noise = noise_rate(judged, rows)
        lines.append(noise.line())
        # A model that knows too little doubts whatever it likes; nobody should label that again.
        queues += [contradicted(judged, ids, classes, paths, rows, every=noise.noisy)] if noise.judged else []
    agreed = None
    if ratings and len(ratings) > 1:
        agreed, found, disputes = _labellers(ids, ratings, distance, rows, paths, seed)
        queues.append(disputes)
        lines.append(f"labellers agree with alpha {agreed}: {_judgement(agreed)}")
        lines += found.lines() if found else []
    queue = merged(queues)
    fix = bool((noise and noise.noisy) or (agreed and not agreed.reliable))
    if fix:
        lines.insert(0, first_of_all(len(queue)))
    return Verdict(fix, tuple(lines), queue, noise, agreed, found)


def _labellers(
    ids: Sequence[str],
    ratings: Mapping[str, Sequence[Any]],
    distance: Distance,
    rows: np.ndarray | None,
    paths: Sequence[str | None] | None,
    seed: int,
) -> tuple[Agreement, Conventions | None, pa.Table]:
    """How well labellers of the rows agree, which conventions transcripts follow, and what is disputed."""
    chosen = list(range(len(ids))) if rows is None else np.flatnonzero(rows).tolist()
    own = {name: [values[i] for i in chosen] for name, values in ratings.items()}
    names, of_paths = [ids[i] for i in chosen], [paths[i] for i in chosen] if paths is not None else None
    units = list(zip(*own.values(), strict=True))
    if distance is of_words:
        found = conventions(names, own, seed)
        return found.as_written, found, disputed(names, units, _said_otherwise, of_paths)
    least = 0.0 if distance is nominal else APART
    return agreement(units, distance, seed), None, disputed(names, units, distance, of_paths, least)


def _said_otherwise(a: str, b: str) -> float:
    return said_distance(wording(a), wording(b))


def first_of_all(count: int) -> str:
    """What a closed gate says first, of a queue of `count` items."""
    return f"fix the labels first, then generate: {count} items to look at, the most doubtful first"


def _judgement(agreed: Agreement) -> str:
    return f"{'reliable' if agreed.reliable else 'not reliable'}, the limit is {RELIABLE}"


def _check(
    count: int,
    labels: Sequence[str | None] | None,
    probabilities: np.ndarray | None,
    rows: np.ndarray | None,
    ratings: Mapping[str, Sequence[Any]],
    paths: Sequence[str | None] | None,
) -> None:
    if (labels is None or probabilities is None) and len(ratings) < 2:
        known = "labels with their probabilities, or the labels of two labellers"
        raise SettingError(f"label gate: nothing to judge by; expected {known}, such as columns p_<class>")
    columns = {"labels": labels, "probabilities": probabilities, "rows": rows, "paths": paths, **ratings}
    for name, values in columns.items():
        if values is not None and len(values) != count:
            raise SettingError(f"label gate: {len(values)} {name} for {count} ids; expected one for each id")
