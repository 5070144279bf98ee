"""From a recipe's steps and a batch's plan rows to a program: what each form asks for, and in which columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.cuda import waves, words
from sliceforge.engine.cuda.asked import Unfit, gain, ratio
from sliceforge.engine.cuda.bank import Resident
from sliceforge.engine.cuda.program import Alone, Dot, Filter, Measure, Noise, Program, Response, Stage
from sliceforge.engine.cuda.upload import Table
from sliceforge.engine.errors import InputError
from sliceforge.engine.excerpts import FADE
from sliceforge.engine.op import Apply, Gain, Mix, Op, Point, Source, Spectrum
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step
from sliceforge.engine.supply import Sounds

Rows = Sequence[Mapping[str, Any]]


def build(recipe: Recipe, clips: Sequence[np.ndarray], rates: Sequence[int], rows: Rows, resident: Resident) -> Program:
    """The program of a batch; an item that cannot be made is in its `errors`.

    Args:
        clips: (T,) float32 each; left as they are.
        rates: hertz.
        rows: the plan.

    Raises:
        Unfit: the CPU has to make this batch.
    """
    return _Builder(recipe, clips, rates, rows, resident).program


class _Builder:
    def __init__(
        self, recipe: Recipe, clips: Sequence[np.ndarray], rates: Sequence[int], rows: Rows, resident: Resident
    ) -> None:
        self.recipe, self.rows, self.resident = recipe, rows, resident
        self.program = Program(list(clips), np.array(rates, np.int64), Table(len(rows)))
        self.sounds = [Sounds(recipe, row, rate, resident.shelf) for row, rate in zip(rows, rates, strict=True)]
        self.known: dict[Any, int] = {}
        steps = [step for step in recipe.steps if any(recipe.active(step, row) for row in rows)]
        lead = next((i for i, step in enumerate(steps) if not isinstance(step.op, Source | Apply)), len(steps))
        for step in steps[:lead]:
            self._each(step, self._before)
        by_scale = [step for step in steps if isinstance(step.op, Mix) and step.op.by_scale()]
        on = {step.name: np.array([bool(recipe.active(step, row)) for row in rows]) for step in steps}
        none = np.zeros(len(rows), bool)
        self.program.head(
            recipe.guard_db,
            np.logical_or.reduce([none, *on.values()]),
            np.logical_or.reduce([none, *(on[step.name] for step in by_scale)]),
        )
        rest = [step for step in steps[lead:] if not isinstance(step.op, Source)]
        for form, group in groupby(rest, key=lambda step: _form(step.op)):
            {Spectrum: self._filters, Gain: self._levels, Point: self._points, Apply: self._alone}[form](list(group))

    @property
    def stage(self) -> Stage:
        return self.program.stages[-1]

    def _each(self, step: Step, what: Callable[[int, Op, dict[str, Any]], None]) -> None:
        """Do something for each item that a step happens to; what is wrong with one is its own affair."""
        for b, row in enumerate(self.rows):
            if b in self.program.errors or not self.recipe.active(step, row):
                continue
            try:
                what(b, step.op, self.recipe.draws(step, row))
            except InputError as error:
                self.program.errors[b] = error

    def _before(self, b: int, op: Op, draws: dict[str, Any]) -> None:
        if isinstance(op, Apply):
            clip, rate = self.program.clips[b], int(self.program.rates[b])
            self.program.clips[b] = apply_sound(op, clip, rate, draws)

    def _filters(self, steps: Sequence[Step]) -> None:
        table = self.program.table
        columns = [table.place(-1) for _ in steps]
        for step, column in zip(steps, columns, strict=True):
            there = self._together(step)

            def one(b: int, op: Op, draws: dict[str, Any], column: int = column, there: Any = there) -> None:
                assert isinstance(op, Spectrum)
                table.places[column][b] = there[b] if b in there else self._response(op, b, draws)

            self._each(step, one)
        self.stage.parts.append(Filter(columns[0], len(columns)))

    def _together(self, step: Step) -> dict[int, int]:
        """Which of the batch's responses is whose, of those that the device makes at once."""
        op, found, rates = step.op, {}, self.program.rates
        assert isinstance(op, Spectrum)
        happens = [b for b, row in enumerate(self.rows) if b not in self.program.errors]
        happens = [b for b in happens if self.recipe.active(step, self.rows[b])]
        draws = {b: self.recipe.draws(step, self.rows[b]) for b in happens}
        for rate in sorted({int(rates[b]) for b in happens}):
            some = [b for b in happens if rates[b] == rate and not draws[b].get("item")]
            made = op.responses(rate, self.resident.device, [draws[b] for b in some]) if some else None
            for b, wave in zip(some, made or (), strict=made is not None):
                found[b] = len(self.program.responses)
                self.program.responses.append(Response(len(wave), wave))
        return found

    def _response(self, op: Spectrum, b: int, draws: dict[str, Any]) -> int:
        """Which of the batch's responses it is; what depends on a bank item alone is kept, and worked out once."""
        rate, item, channel = int(self.program.rates[b]), draws.get("item"), draws.get("channel")
        key = (repr(op), item, rate, channel) if item and op.by_item else None
        there = self.resident.responses.get(key) if key else None
        if key is None or key not in self.known:
            response = there if there is not None else self._heard(op, rate, item, draws)
            self.program.responses.append(Response(len(response), response, key))
            self.known[key] = len(self.program.responses) - 1
        return self.known[key]

    def _heard(self, op: Spectrum, rate: int, item: str | None, draws: dict[str, Any]) -> np.ndarray:
        sound = None
        if item:
            if self.resident.shelf is None:
                raise InputError("empty", f"the plan names an item of the bank {op.bank}, and no bank is given")
            sound = self.resident.shelf.sound(op.bank, item, rate, draws.get("channel"))
        return op.response(rate, sound, **draws)

    def _levels(self, steps: Sequence[Step]) -> None:
        version, script = self.stage.versions, []
        places = self.program.table.places
        for step in steps:
            kind, stem, number, place = (self._mix if isinstance(step.op, Mix) else self._gain)(step)
            script.append((kind, version, stem, number, place))
        self.stage.script += [(*row, self.program.stems) for row in script]
        if any(kind != words.GAIN or (places[place] == words.TO_RMS).any() for kind, *_, place in script):
            active = any(kind == words.MIX_ACTIVE for kind, *_ in script)
            self.stage.parts.append(Measure(version, active))
        self.stage.versions += 1

    def _mix(self, step: Step) -> tuple[int, int, int, int]:
        table = self.program.table
        number, stem = table.pair(), self.program.stems
        column, *_ = [table.place() for _ in range(5)]
        self.program.stems += 1

        def one(b: int, op: Op, draws: dict[str, Any]) -> None:
            assert isinstance(op, Mix)
            rate, length = int(self.program.rates[b]), len(self.program.clips[b])
            where = self._noise(op, b, draws, rate, length)
            for i, value in enumerate(where):
                table.places[column + i][b] = value
            asked, kind = ratio(step.name, op, draws)
            table.write(number, b, asked)
            kinds.add(kind)

        kinds: set[int] = set()
        self._each(step, one)
        self.stage.parts.append(Noise(column, stem))
        if stem >= words.MOST_STEMS or len(kinds) > 1:
            raise Unfit(f"{step.name}: more mixes than a kernel holds, or one that is measured in two ways")
        return kinds.pop() if kinds else words.MIX_RMS, stem, number, column

    def _noise(self, op: Mix, b: int, draws: dict[str, Any], rate: int, length: int) -> tuple[int, ...]:
        """The five columns of places that `gather_cuda` reads."""
        if draws["source"] == "bank":
            there = self.resident.place(op.bank, draws["item"], rate)
            if there is not None:
                first, count = there
                offset = int(draws["offset"])
                fade = -1 if offset + length <= count else min(round(FADE * rate), count // 2)
                return waves.BANK, first, count, fade, offset
        self.program.made.append(self.sounds[b].noise(op, draws, length))
        return waves.MADE, len(self.program.made) - 1, 0, 0, 0

    def _gain(self, step: Step) -> tuple[int, int, int, int]:
        table = self.program.table
        number, column = table.pair(), table.place()

        def one(b: int, op: Op, draws: dict[str, Any]) -> None:
            assert isinstance(op, Gain)
            asked, table.places[column][b] = gain(step.name, op, draws)
            table.write(number, b, asked)

        self._each(step, one)
        return words.GAIN, 0, number, column

    def _points(self, steps: Sequence[Step]) -> None:
        table = self.program.table
        for step in steps:
            column = table.place()
            found: dict[int, np.ndarray] = {}

            def one(b: int, op: Op, draws: dict[str, Any], found: dict[int, np.ndarray] = found) -> None:
                assert isinstance(op, Point)
                found[b] = np.asarray(op.row(1, len(self.program.clips[b]), **draws), np.float32)

            self._each(step, one)
            count = max(map(len, found.values()), default=0)
            numbers = [table.number() for _ in range(count)]
            for b, row in found.items():
                table.places[column][b] = 1
                for number, value in zip(numbers, row, strict=True):
                    table.numbers[number][b] = value
            self._end(Dot(step, column, numbers[0] if numbers else 0, count))

    def _alone(self, steps: Sequence[Step]) -> None:
        for step in steps:
            assert isinstance(step.op, Apply)
            if step.op.resizes:
                raise Unfit(f"{step.name}: another length, which only the device would know")
            column = self.program.table.place(-1)
            happens = [bool(self.recipe.active(step, row)) for row in self.rows]
            on = [yes and b not in self.program.errors for b, yes in enumerate(happens)]
            if not any(on):
                continue
            self.program.table.places[column][on] = 0
            stand_in = self.rows[on.index(True)]
            draws = [self.recipe.draws(step, row if yes else stand_in) for row, yes in zip(self.rows, on, strict=True)]
            part = Alone(step, column, draws)
            if step.op.linear:
                self.stage.parts.append(part)
            else:
                self._end(part)

    def _end(self, part: Dot | Alone) -> None:
        self.stage.end = part
        self.program.stages.append(Stage())


def _form(op: Op) -> type[Op]:
    """Neighbours of one of these share a part; mixes and gains do so with each other."""
    if isinstance(op, Mix):
        return Gain
    return next(form for form in (Spectrum, Gain, Point, Apply) if isinstance(op, form))
