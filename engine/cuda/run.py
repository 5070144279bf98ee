"""A program on the device: its launches, in order."""

from __future__ import annotations

import numpy as np
import torch

from sliceforge.engine.cuda import factors, measures, waves, words
from sliceforge.engine.cuda.apart import ask
from sliceforge.engine.cuda.bank import Resident
from sliceforge.engine.cuda.launch import blocks, launch
from sliceforge.engine.cuda.program import Alone, Dot, Filter, Measure, Noise, Program, Response, Stage
from sliceforge.engine.cuda.upload import upload
from sliceforge.engine.op import Point
from sliceforge.engine.sound import ROUNDS

Measured = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Stems (S, B, T), and what was measured of them on the way: products (V, B, S, 2 · S) and held envelopes (V, B, T)."""


class Running:
    """One batch under way.

    Args:
        program: what to do.
        resident: bank sounds and transfer functions.
        device: as torch names it.
    """

    def __init__(self, program: Program, resident: Resident, device: str) -> None:
        self.program, self.resident, self.device = program, resident, device
        responses = max((one.samples for one in program.responses), default=1)
        self.points = points(max(map(len, program.clips), default=1) + responses)
        there = upload(program.arrays(), device)
        self.clips, self.made, self.fresh = there["clips"], there["made"], there["responses"]
        self.numbers, self.places, self.script = there["numbers"], there["places"], there["script"]
        self.parts, self.state, self.status = there["parts"], there["state"], there["status"]
        self.rows, self.samples = self.clips.shape
        self.grid = (blocks(self.samples), self.rows)
        self.wide = self.clips[None]
        self.transfer = self._transfer() if program.responses else None

    def finished(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Everything launched; items (B, T), the product of all gains (B,) and the status (B,): nobody has waited."""
        stages = self.program.stages
        waits = len(stages) > 1 and bool(self.program.table.places[words.ROUNDS_ON].any())
        begun = self._stems(stages[0], self.clips[None])
        state = self.state
        for _ in range(ROUNDS if waits else 1):
            # The loudness that a level is measured for goes on to the next round, and all else begins anew.
            state = torch.stack([self.state[:, words.LOUDNESS], state[:, words.SCALE]], 1) if waits else state
            stems, parts, row = begun[0], self.parts, 0
            for number, stage in enumerate(stages):
                measured = begun if number == 0 else self._stems(stage, stems)
                last = number == len(stages) - 1
                how = (ROUNDS if last and not waits else 1, int(last))
                stems, (parts, state) = measured[0], self._solved((row, len(stage.script)), measured, parts, state, how)
                row += len(stage.script)
                if stage.end is not None:
                    stems, parts = self._taken(stage.end, stems, parts)
        out = self._empty(self.rows, self.samples)
        launch(waves.finish_cuda, self.grid, stems, parts, self.places, out, self.status, words.NON_FINITE)
        return out, state[:, words.LOUDNESS], self.status

    def _empty(self, *shape: int) -> torch.Tensor:
        return torch.empty(shape, dtype=torch.float32, device=self.device)

    def _room(self, count: int) -> torch.Tensor:
        """New stems, (count, B, T), with room behind them for those that later mixes add."""
        self.wide = self._empty(self.program.stems, self.rows, self.samples)
        return self.wide[:count]

    def _stems(self, stage: Stage, stems: torch.Tensor) -> Measured:
        """The stems after a stage's parts."""
        count = self.program.stems
        grams = self._empty(max(stage.versions, 1), self.rows, count, 2 * count)
        active = any(isinstance(part, Measure) and part.active for part in stage.parts)
        held = self._empty(max(stage.versions, 1) if active else 1, self.rows, self.samples if active else 1)
        for part in stage.parts:
            if isinstance(part, Filter):
                stems = self._filtered(part, stems)
            elif isinstance(part, Noise):
                stems = self._joined(part, stems)
            elif isinstance(part, Measure):
                scratch = self._empty(self.rows, self.samples if part.active else 1)
                arguments = (int(part.active), part.version, grams, scratch, held)
                launch(measures.measure_cuda, (self.rows,), stems, self.places, self.numbers, *arguments)
            else:
                new = torch.stack([ask(part, stem, self.program) for stem in stems])
                stems = self._selected(new, stems, part.column, 1)
        return stems, grams, held

    def _joined(self, part: Noise, stems: torch.Tensor) -> torch.Tensor:
        """The stems and one mix's noise."""
        if stems.data_ptr() != self.wide.data_ptr() or len(self.wide) <= part.stem:
            self._room(part.stem)[:] = stems
        stems, bank = self.wide[: part.stem + 1], self.resident.pool
        launch(waves.gather_cuda, self.grid, bank, self.made, self.places, part.column, stems, part.stem)
        return stems

    def _solved(
        self,
        rows: tuple[int, int],
        measured: Measured,
        parts: torch.Tensor,
        state: torch.Tensor,
        how: tuple[int, int],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Factors and state after some rows of the script, (first, count).

        Args:
            how: in how many rounds at most, and 1 where the guard follows.
        """
        stems, grams, held = measured
        after, now = torch.empty_like(parts), torch.empty_like(state)
        given = (stems, self.places, self.numbers, self.script, *rows, grams, held, parts, state, *how)
        launch(factors.solve_cuda, (self.rows,), *given, after, now, self.status)
        return after, now

    def _transfer(self) -> torch.Tensor:
        """(U, F, 2) float32, of each response: kept, or transformed now."""
        new = iter(torch.view_as_real(torch.fft.rfft(self.fresh, self.points)))
        arrived, rows = iter(self.fresh), []
        for one in self.program.responses:
            if isinstance(one.wave, np.ndarray):
                row, wave = next(new), next(arrived)[: one.samples]
                if one.key is not None:
                    self.resident.responses.keep(one.key, wave.clone())
                    self.resident.transfers.keep((one.key, self.points), row.clone())
            elif one.key is None:
                row = torch.view_as_real(torch.fft.rfft(one.wave, self.points))
            else:
                row = self._kept(one)
            rows.append(row)
        return torch.stack(rows)

    def _kept(self, response: Response) -> torch.Tensor:
        kept = self.resident.transfers.get((response.key, self.points))
        if kept is None:
            kept = torch.view_as_real(torch.fft.rfft(response.wave, self.points))
            self.resident.transfers.keep((response.key, self.points), kept)
        return kept

    def _filtered(self, part: Filter, stems: torch.Tensor) -> torch.Tensor:
        spectra = torch.view_as_real(torch.fft.rfft(stems, self.points))
        shape = (spectra, self.transfer, self.places, part.column, part.count)
        launch(waves.shape_cuda, (blocks(spectra.shape[2]), self.rows), *shape)
        filtered = torch.fft.irfft(torch.view_as_complex(spectra), self.points)
        return self._selected(filtered, stems, part.column, part.count)

    def _selected(self, new: torch.Tensor, stems: torch.Tensor, column: int, count: int) -> torch.Tensor:
        after = self._room(len(stems))
        launch(waves.select_cuda, self.grid, new.contiguous(), stems, self.places, column, count, after)
        return after

    def _taken(self, part: Dot | Alone, stems: torch.Tensor, parts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The sum of the stems through a step, as the only stem; where it does not happen they stay apart."""
        happens = self.places[:, part.column] == (1 if isinstance(part, Dot) else 0)
        if isinstance(part, Dot):
            assert isinstance(part.step.op, Point)
            kernel, after = waves.point_kernel(type(part.step.op).pixel), self._room(len(stems))
            where = (self.numbers, part.first, part.count, self.places, part.column, after)
            launch(kernel, self.grid, stems, parts, *where)
        else:
            new = torch.zeros_like(stems)
            new[0] = ask(part, (stems * parts.T[: len(stems), :, None]).sum(0), self.program)
            after = self._selected(new, stems, part.column, 1)
        return after, torch.where(happens[:, None], self.parts, parts)


def points(least: int) -> int:
    """Points of an FFT: the next of 4, 5, 6 and 7 times a power of two, so that batches of other lengths share
    transfer functions.

    >>> points(70_000), points(3)
    (81920, 4)
    """
    octave = 1 << max(least - 1, 4).bit_length() - 3
    return max(-(-least // octave), 4) * octave
