"""What the YAML of each operator of sound says, and what those that run alone make of a batch."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from signals import voice

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Shapes
from sliceforge.engine.operators import find
from sliceforge.engine.read import pad

PARTS = sorted((Path(__file__).resolve().parents[3] / "conf" / "op" / "audio").glob("*.yaml"))


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.stem)
def test_a_part_and_its_operator_have_the_same_defaults(path: Path) -> None:
    settings = yaml.safe_load(path.read_text("utf-8"))
    kind = find(settings.pop("op"))
    assert build(kind, settings, "steps.one") == build(kind, {}, "steps.one")


@pytest.mark.parametrize("name", [path.stem for path in PARTS if issubclass(find(f"audio/{path.stem}"), Apply)])
def test_a_padded_batch_is_its_clips_one_by_one_and_is_left_as_it_was(name: str) -> None:
    op = build(find(f"audio/{name}"), {}, "steps.one")
    clips = [voice(seconds, 8000, 100 + 300 * seconds) for seconds in (0.5, 0.2, 0.8, 0.31)]
    none = np.zeros(len(clips), np.int64)
    lengths = np.array([len(clip) for clip in clips])
    plan = op.draw(Keys.of(1, ["a", "b", "c", "d"]), Shapes(lengths, none + 8000, none, none))
    batch = pad(clips) | {"rate": torch.full((len(clips),), 8000)}
    before = batch["audio"].clone()
    made = op.apply(batch, **{column: torch.as_tensor(values) for column, values in plan.items()})
    assert torch.equal(batch["audio"], before)
    for i, clip in enumerate(clips):
        alone = apply_sound(op, clip, 8000, {column: values[i] for column, values in plan.items()})
        assert made["audio"][i, : int(made["length"][i])].numpy().tobytes() == alone.tobytes()
        assert not made["audio"][i, int(made["length"][i]) :].any()
