"""Drift: a stream of clips in ten batches, noise in four of ten clips from the fifth batch on, watched or acted upon.

python -m benchmarks.loop.e6 [seeds=5] [data=DIR] [jobs=2] [out=FILE.json]

Reference: clean tune clips with measured attributes and the model's probabilities. Each batch is tested against it. At
the first alarm from a drifted slice on, `loop` asks `find` which rows drifted, matches speech/car_noise (procedural) to
the SNRs of these rows, trains anew and goes on; `monitor only` goes on as it was; `oracle` trains on real recordings.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.loop import digits, runs
from benchmarks.loop.digits import RATE, Clips
from benchmarks.loop.judge import Judged, bar, stacked
from benchmarks.loop.mel import mel
from benchmarks.loop.network import probabilities, trained
from benchmarks.loop.sounds import OUTSIDE, made, parents, recipe_made
from sliceforge.engine import predicate
from sliceforge.engine.loop.find.drift import drift
from sliceforge.engine.loop.find.find import find
from sliceforge.engine.loop.find.production import target
from sliceforge.engine.loop.generate.ranges import OF
from sliceforge.engine.loop.rows.attributes import known, of_item
from sliceforge.engine.loop.rows.slices import Range
from sliceforge.kernels.heard import Heard

EPOCHS, MADE, BATCHES, SIZE, FROM, SHARE = 20, 900, 10, 60, 5, 0.4
FEWEST = 5
"""Clips with a known SNR that a range is taken from."""

ARMS = ("monitor only", "loop", "oracle")


class Job(NamedTuple):
    """One seed."""

    data: str
    seed: int


class Found(NamedTuple):
    """Losses (N,) of each arm along the stream, and what was said on the way."""

    losses: dict[str, np.ndarray]
    alarms: list[list[str]]
    slice: str
    snr: str


class Stream(NamedTuple):
    """Every clip of the report part once, in an order of the seed."""

    clips: Clips
    waves: np.ndarray
    batch: np.ndarray
    noisy: np.ndarray


def stream(data: Path, seed: int) -> Stream:
    """600 clips; of each batch from the fifth on four in ten at 0 to 10 dB in recordings of the report part."""
    clips, generator = digits.part(data, "report"), np.random.default_rng([13, seed])
    clips = clips.where(generator.permutation(len(clips)))
    batch = np.arange(len(clips)) // SIZE + 1
    noisy = (batch >= FROM) & (np.arange(len(clips)) % SIZE < round(SHARE * SIZE))
    loud, _ = digits.mixed(clips.waves, digits.noises(data, "report"), generator.uniform(0, 10, len(clips)), 200 + seed)
    return Stream(clips, np.where(noisy[:, None], loud, clips.waves), batch, noisy)


def table(ids: np.ndarray, waves: np.ndarray, said: np.ndarray) -> pa.Table:
    """`id`, the measured attributes, and `p_<digit>`, of N clips."""
    names = list(known("audio"))
    rows = [of_item("audio", Heard(wave, RATE), names) for wave in waves]
    columns: dict[str, Any] = {"id": ids.tolist()}
    columns |= {
        name: pa.array(column, pa.float64()) for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }
    return pa.table(columns | {f"p_{digit}": said[:, digit] for digit in range(10)})


def answer(reference: pa.Table, batch: pa.Table) -> tuple[str, list[str]] | None:
    """The predicate of the drifted rows, and the override that matches the recipe's SNR to theirs; or None."""
    columns, ids, side = target(reference, batch)
    for one in find(columns, list(ids), side, depth=1).slices:
        rows = predicate.select(batch, one.predicate)
        values = batch.filter(pa.array(rows))["snr_est"].drop_null().to_numpy()
        if len(values) < FEWEST:
            continue
        low, high = OF["audio/mix"]({"snr_est": Range(*np.quantile(values, [0.05, 0.5, 0.95]))}, {})["snr"]
        return one.predicate, [f"steps.mix.snr=[{low:.3g}, {high:.3g}]"]
    return None


def one(job: Job) -> Found:
    """Run the stream."""
    data = Path(job.data)
    clips, tune, flow = digits.trained(data, job.seed), digits.part(data, "tune"), stream(data, job.seed)
    own, x = mel(clips.waves), mel(flow.waves)
    net = trained(own, clips.digit, 10, EPOCHS, job.seed)
    reference = table(tune.ids, tune.waves, probabilities(net, mel(tune.waves)))
    said = {"monitor only": probabilities(net, x)}
    whole = table(flow.clips.ids, flow.waves, said["monitor only"])
    batches = [whole.filter(pa.array(flow.batch == number)) for number in range(1, BATCHES + 1)]
    alarms = [[column.column for column in drift(reference, batch).alarms] for batch in batches]
    said |= dict.fromkeys(ARMS[1:], said["monitor only"])
    found, snr = "", ""
    for number, batch in enumerate(batches, 1):
        acted = answer(reference, batch) if alarms[number - 1] else None
        if acted is None:
            continue
        found, (snr,) = acted
        rows, variants = parents(clips, MADE)
        waves = recipe_made(
            "speech/car_noise", ["steps.mix.source=cabin", snr, *OUTSIDE], clips, rows, variants, job.seed
        )
        after = (flow.batch > number)[:, None]
        for arm, more in (("loop", mel(waves)), ("oracle", made("oracle", clips, MADE, job.seed, data))):
            labels = np.concatenate([clips.digit, clips.digit[rows]])
            later = trained(np.concatenate([own, more]), labels, 10, EPOCHS, job.seed)
            said[arm] = np.where(after, probabilities(later, x), said["monitor only"])
        found = f"batch {number}: {found}"
        break
    return Found(
        {arm: (p.argmax(axis=1) != flow.clips.digit).astype(float) for arm, p in said.items()}, alarms, found, snr
    )


def told(jobs: list[Job], found: list[Found]) -> dict[str, Any]:
    """Everything that is said of the streams."""
    flow = stream(Path(jobs[0].data), 0)
    late, before = flow.batch > FROM, flow.batch < FROM
    slices = {"batches 1 to 4": before, "batch 5": flow.batch == FROM, "batches 6 to 10": late}
    slices |= {"batches 6 to 10, noisy": late & flow.noisy, "batches 6 to 10, clean": late & ~flow.noisy}
    slices |= {f"batch {number}": flow.batch == number for number in range(1, BATCHES + 1)}
    # Rows are places in the stream, which have the same batch and noise in each seed; the clips there differ.
    places = np.arange(len(flow.batch)).astype(str)
    judged = Judged(places, places, slices, stacked([one.losses for one in found]))
    pairs = (("monitor only", "loop"), ("oracle", "loop"), ("monitor only", "oracle"))
    gains = {pair: judged.gains(*pair) for pair in pairs}
    numbered = [list(enumerate(one.alarms, 1)) for one in found]
    first = [next((at for at, names in line if at >= FROM and names), BATCHES + 1) for line in numbered]
    early = [sum(bool(names) for names in one.alarms[: FROM - 1]) for one in found]
    right = {arm: 1 - values.mean(axis=0) for arm, values in judged.losses.items()}
    lost = float(right["monitor only"][before].mean() - right["monitor only"][late].mean())
    back, most = (float(right[arm][late].mean() - right["monitor only"][late].mean()) for arm in ("loop", "oracle"))
    on_time = [one.slice.startswith((f"batch {FROM}:", f"batch {FROM + 1}:")) for one in found]
    alarmed = 100 * float(np.mean(np.array(first) <= FROM + 1))
    return {
        "name": "10 batches of 60, noise in 40 % from batch 5",
        "seeds": len(found),
        "epochs": EPOCHS,
        "accuracy": judged.accuracy(),
        "gains": [line for lines in gains.values() for line in lines],
        "bars": [
            bar("alarm in batch 5 or 6, percent of the streams", {"gain": alarmed}, 100),
            bar("retrained in batch 5 or 6, percent of the streams", {"gain": 100 * float(np.mean(on_time))}, 100),
            bar("of the lost accuracy, percent that is back", {"gain": round(100 * back / lost, 1)}, 100),
            bar("of what the oracle brings back, percent", {"gain": round(100 * back / most, 1)}, 80),
        ],
        "verdicts": [judged.verdict("monitor only", "loop", "batches 6 to 10")],
        "streams": [
            {"first_alarm": at, "false_alarms": wrong, "alarms": one.alarms, "found": one.slice, "matched": one.snr}
            for at, wrong, one in zip(first, early, found, strict=True)
        ],
    }


def main(words: list[str]) -> None:
    """Run every stream, and write what came out."""
    given = runs.settings(words, {"seeds": "5", "out": ""})
    jobs = [Job(given["data"], seed) for seed in range(int(given["seeds"]))]
    runs.written("e6", given, {"conditions": [told(jobs, runs.spread(one, jobs, given))]})


if __name__ == "__main__":
    main(sys.argv[1:])
