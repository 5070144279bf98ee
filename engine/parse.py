"""From composed, plain data to a recipe; every mistake is one line that names its key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.gates import Gate
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Mix, Op, Shapes, Source
from sliceforge.engine.operators import find
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import NAME, OneOf, Step
from sliceforge.engine.vet import RECIPE_KEYS

RESERVED = (
    *("id", "path", "slice", "parents", "parent", "parent_path", "variant"),
    *("attempt", "sha256", "accepted", "reason", "detail", "boxes", "box_labels", "mask"),
)
"""Columns of a manifest that no recipe can set."""


def from_config(config: Mapping[str, Any], trust: Sequence[str] = ()) -> Recipe:
    """Build a recipe from composed, plain data.

    Raises:
        SettingError: one line that names the key.
    """
    # Neither what it is about nor what it is shown on decides a byte of what it makes of given data.
    decides = [key for key in RECIPE_KEYS if key not in ("about", "material")]
    source = {key: config[key] for key in decides if config.get(key) is not None}
    steps: list[Step] = []
    choices: list[OneOf] = []
    for name, settings in (source.get("steps") or {}).items():
        if settings is not None:
            _add(name, settings, steps, choices, trust)
    if not steps:
        raise SettingError("steps: a recipe needs at least one, such as {gain: {op: audio/level, level: -20}}")
    kinds = {step.op.kind for step in steps}
    kind = source.get("kind") or min(kinds)
    if kinds != {kind}:
        raise SettingError(f"kind: {kind}, but there are steps for {' and '.join(sorted(kinds))}")
    _check_sources(steps)
    if "size" in source:
        _check_size(source["size"])
    recipe = Recipe(
        kind=kind,
        steps=tuple(steps),
        choices=tuple(choices),
        sets=dict(source.get("sets") or {}),
        gates={
            name: _gate(name, settings, steps)
            for name, settings in (source.get("gates") or {}).items()
            if settings is not None
        },
        rate=_rate(source.get("rate")),
        guard_db=_guard(source.get("guard_db", -0.1)),
        source={**source, "steps": {name: value for name, value in source["steps"].items() if value is not None}},
    )
    _check_sets(recipe)
    return recipe


def _add(name: str, settings: Any, steps: list[Step], choices: list[OneOf], trust: Sequence[str]) -> None:
    where = f"steps.{name}"
    if not NAME.fullmatch(name):
        raise SettingError(f"{where}: a step's name is a lower-case word, such as mix or second_mix")
    if not isinstance(settings, Mapping):
        raise SettingError(f"{where}: {settings!r}: expected settings, such as {{op: audio/level, level: -20}}")
    rest = dict(settings)
    p = _share(rest.pop("p", 1.0), f"{where}.p")
    if "one_of" not in rest:
        steps.append(Step(name, _operator(rest, where, trust), p))
        return
    branches, weights = rest.pop("one_of"), rest.pop("weights", None)
    if rest or not isinstance(branches, Mapping) or len(branches) < 2:
        raise SettingError(f"{where}.one_of: expected at least two named steps, such as {{one_of: {{a: …, b: …}}}}")
    weights = dict.fromkeys(branches, 1.0) if weights is None else weights
    if not _weighs(weights, branches):
        raise SettingError(
            f"{where}.weights: expected a share for each of {', '.join(branches)}, such as {{a: 1, b: 2}}"
        )
    total = sum(weights.values())
    choices.append(OneOf(name, tuple(branches), tuple(weights[branch] / total for branch in branches), p))
    for branch, own in branches.items():
        if not NAME.fullmatch(branch) or not isinstance(own, Mapping):
            raise SettingError(f"{where}.one_of.{branch}: expected a step, such as {{op: audio/level, level: -20}}")
        inside = dict(own)
        share = _share(inside.pop("p", 1.0), f"{where}.one_of.{branch}.p")
        op = _operator(inside, f"{where}.one_of.{branch}", trust)
        steps.append(Step(f"{name}.{branch}", op, share, name))


def _weighs(weights: Any, branches: Mapping[str, Any]) -> bool:
    if not isinstance(weights, Mapping) or set(weights) != set(branches):
        return False
    numbers = [value for value in weights.values() if isinstance(value, int | float) and not isinstance(value, bool)]
    return len(numbers) == len(weights) and min(numbers) >= 0 and 0 < sum(numbers) < math.inf


def _operator(settings: dict[str, Any], where: str, trust: Sequence[str]) -> Op:
    name = settings.pop("op", None)
    if not isinstance(name, str):
        raise SettingError(f"{where}.op: {name!r}: expected an operator, such as audio/mix")
    try:
        kind = find(name, trust)
    except SettingError as error:
        raise SettingError(f"{where}.op: {error}") from None
    if not (isinstance(kind, type) and issubclass(kind, Op)):
        raise SettingError(f"{where}.op: {name}: is no operator")
    return build(kind, settings, where)


def _gate(name: str, settings: Any, steps: Sequence[Step]) -> Gate:
    if not isinstance(settings, Mapping):
        raise SettingError(f"gates.{name}: {settings!r}: expected settings, such as {{step: mix}}")
    rest = dict(settings)
    kind = find(f"gate/{rest.pop('gate', name)}", family="gate")
    gate: Gate = build(kind, rest, f"gates.{name}")
    ops = {step.name: step.op for step in steps}
    if gate.whole and not gate.step and any(gate.suits(op) for op in ops.values()):
        return gate
    if gate.step not in ops:
        raise SettingError(f"gates.{name}.step: {gate.step}: no such step{did_you_mean(gate.step, ops)}")
    if not gate.suits(ops[gate.step]):
        fitting = ", ".join(step for step, op in ops.items() if gate.suits(op)) or "no step of this recipe"
        raise SettingError(f"gates.{name}.step: {gate.step}: has nothing that this gate measures; fitting: {fitting}")
    return gate


def _share(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise SettingError(f"{where}: {value!r}: expected a share of items from 0 to 1, such as 0.5")
    return float(value)


def _rate(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1000 <= value <= 384000:
        raise SettingError(f"rate: {value!r}: expected hertz from 1000 to 384000, such as 16000")
    return value


def _guard(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -60 <= value <= 0:
        raise SettingError(f"guard_db: {value!r}: expected dBFS from -60 to 0, such as -0.1")
    return float(value)


def _check_size(value: Any) -> None:
    """Pixels of what a loader hands out; a run keeps each image's own size."""
    sides = [value] if isinstance(value, int) else list(value.values()) if isinstance(value, Mapping) else [None]
    named = not isinstance(value, Mapping) or set(value) == {"height", "width"}
    if not named or any(isinstance(side, bool) or not isinstance(side, int) or side < 1 for side in sides):
        raise SettingError(f"size: {value!r}: expected pixels, such as 224 or {{height: 128, width: 256}}")


def _check_sources(steps: Sequence[Step]) -> None:
    before: set[str] = set()
    for step in steps:
        if isinstance(step.op, Source):
            before.add(step.name)
        if isinstance(step.op, Mix):
            wanted = step.op.sources() - before - {"bank"}
            if wanted:
                word = min(wanted)
                known = did_you_mean(word, before | {"bank", "either"})
                raise SettingError(f"steps.{step.name}.source: {word}: no earlier step makes that sound{known}")


def _check_sets(recipe: Recipe) -> None:
    nobody = np.zeros(0, np.int64)
    drawn = recipe.draw(Keys.of(0, []), Shapes(nobody, nobody, nobody, nobody))
    for name, value in recipe.sets.items():
        if name in RESERVED or "." in name:
            raise SettingError(f"sets.{name}: is the manifest's own; expected another name, such as noise or snr")
        whole = isinstance(value, int) and not -(1 << 63) <= value < 1 << 63
        if whole or isinstance(value, Mapping | list | tuple):
            raise SettingError(f"sets.{name}: {value!r}: expected a word, a number or a draw, such as mix.snr")
        head, _, _ = value.rpartition(".") if isinstance(value, str) else ("", "", "")
        names = {*(step.name for step in recipe.steps), *(choice.name for choice in recipe.choices)}
        near = did_you_mean(head, names)
        if head and head not in names and "did you mean" in near:
            raise SettingError(f"sets.{name}: {value}: no step {head}{near}")
        if value not in drawn and head in names:
            known = did_you_mean(value, [column for column in drawn if column.startswith(f"{head}.")])
            raise SettingError(f"sets.{name}: {value}: that step draws no such number{known}")
