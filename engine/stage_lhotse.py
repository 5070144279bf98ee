"""A stage in lhotse: a cut for a cut, a CutSet for a CutSet; what is made carries its sound with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from lhotse import AudioSource, CutSet, MonoCut, Recording, SupervisionSegment
from lhotse.supervision import AlignmentItem
from lhotse.utils import fastcopy

from sliceforge.engine import moments, subjects
from sliceforge.engine.codecs import audio
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.outcome import Outcome
from sliceforge.engine.sound import PCM
from sliceforge.engine.subjects import Subject

if TYPE_CHECKING:
    from sliceforge.engine.stage import Stage


def cuts(stage: Stage, given: Any) -> Any:
    """A CutSet with its share of made cuts: lazy where it was lazy; see `made`."""
    if given.is_lazy:
        return given.map(stage.cut)
    return CutSet.from_cuts(made(stage, list(given)))


def made(stage: Stage, given: Sequence[Any]) -> list[Any]:
    """Cuts, those that were chosen made and the others as they are.

    A made one is a MonoCut `{id}~{variant}` whose recording lies in memory as WAV with 16 bits; supervisions and their
    alignments keep to the sound where a step moves it; `custom` has what the recipe sets, `parent` and `variant`. Of
    one that cannot be made, `custom` has the `reason`.

    Args:
        stage: what makes them.
        given: cuts of any kind; the channels of one are mixed to their mean, and one without a recording passes.

    Raises:
        SettingError: a recipe for images.
    """
    if stage.recipe.kind != "audio":
        raise SettingError(f"recipe: is for {stage.recipe.kind}; lhotse has sounds, such as speech/car_noise")
    heard = [cut for cut in given if cut.has_recording]
    outcomes = stage.outcomes([cut.id for cut in heard], lambda place: _subject(heard[place]))
    found = {id(cut): outcomes.get(place) for place, cut in enumerate(heard)}
    return [_cut(stage, cut, found.get(id(cut))) for cut in given]


def _subject(cut: Any) -> Subject:
    try:
        sound = np.asarray(cut.load_audio(), np.float32)
    except Exception as error:  # each of lhotse's readers fails in its own way
        raise InputError("unreadable", f"{type(error).__name__}: its audio does not load") from None
    mono = sound[0] if len(sound) == 1 else sound.mean(axis=0, dtype=np.float64).astype(np.float32)
    speakers = {one.speaker for one in cut.supervisions if one.speaker}
    row = {"speaker": speakers.pop()} if len(speakers) == 1 else {}
    return Subject(cut.id, mono, int(cut.sampling_rate), None, row)


def _cut(stage: Stage, cut: Any, outcome: Outcome | None) -> Any:
    if outcome is None:
        return cut
    if outcome.reason or outcome.made is None:
        return cut.with_custom("reason", outcome.reason) if hasattr(cut, "with_custom") else cut
    sound, row = outcome.made, outcome.row
    seconds = len(sound.item) / sound.rate
    recording = Recording(
        id=row["id"],
        sources=[AudioSource("memory", [0], audio.encode(_pcm(sound.item), sound.rate, "wav"))],
        sampling_rate=sound.rate,
        num_samples=len(sound.item),
        duration=seconds,
        channel_ids=[0],
    )
    custom = dict(getattr(cut, "custom", None) or {})
    custom |= {**stage.recipe.facts(row), "parent": cut.id, "variant": row["variant"]}
    said = [_supervision(stage, cut, one, row, seconds) for one in cut.supervisions]
    return MonoCut(row["id"], 0.0, seconds, 0, said, recording=recording, custom=custom)


def _pcm(item: np.ndarray) -> np.ndarray:
    return (item * np.float32(PCM)).astype(np.int16)


def _supervision(stage: Stage, cut: Any, one: SupervisionSegment, row: dict[str, Any], seconds: float) -> Any:
    """What was said, on the made cut's clock, which is its recording's."""
    begins = _begins(one, getattr(cut, "start", 0.0))
    aligned = {
        kind: [_part(stage, row, seconds, part.with_offset(-begins) if begins else part) for part in parts]
        for kind, parts in (one.alignment or {}).items()
    }
    start, end = _moved(stage, row, seconds, one.start, one.end)
    return fastcopy(
        one,
        id=f"{one.id}~{row['variant']}",
        recording_id=row["id"],
        channel=0,
        start=start,
        duration=round(end - start, 8),
        alignment=aligned or one.alignment,
    )


def _part(stage: Stage, row: dict[str, Any], seconds: float, part: AlignmentItem) -> AlignmentItem:
    start, end = _moved(stage, row, seconds, part.start, part.end)
    return part._replace(start=start, duration=round(end - start, 8))


def _moved(stage: Stage, row: dict[str, Any], seconds: float, start: float, end: float) -> tuple[float, float]:
    """Where a time span of the cut is in what was made of it; where no step moves any, as it was."""
    if not subjects.moves(stage.recipe):
        return start, end
    found = moments.moved(stage.recipe, {**row, "start": start, "end": end}, seconds)
    return found["start"], found["end"]


def _begins(one: SupervisionSegment, start: float) -> float:
    """Where the cut begins on the clock of a supervision's words: there, or at 0.

    Lhotse itself moves a supervision into its cut and leaves its alignment on the recording's clock; others move both.
    """
    parts = [part for parts in (one.alignment or {}).values() for part in parts]
    if not parts:
        return 0.0
    first, last = min(part.start for part in parts), max(part.end for part in parts)

    def outside(begins: float) -> float:
        return max(one.start + begins - first, 0.0) + max(last - begins - one.end, 0.0)

    return start if outside(start) <= outside(0.0) else 0.0
