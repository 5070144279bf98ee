"""The gate lets through exactly the items whose measured attributes and rows fulfil the condition."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine import predicate
from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Made
from sliceforge.engine.loop.rows.attributes import of_item
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe
from sliceforge.kernels.gate.within import Within
from sliceforge.kernels.heard import Heard
from sliceforge.kernels.seen import Seen


def recipe(where: str, kind: str = "image") -> Recipe:
    steps = {"image": {"light": {"op": "image/photometric"}}, "audio": {"level": {"op": "audio/level"}}}[kind]
    sets = {"word": "dim", "gain": "light.brightness"} if kind == "image" else {}
    return from_config({"steps": steps, "sets": sets, "gates": {"within": {"where": where}}})


def measured(where: str, made: Made, plan: dict[str, object], kind: str = "image") -> tuple[bool, dict[str, float]]:
    whole = recipe(where, kind)
    gate = whole.gates["within"]
    assert isinstance(gate, Within)
    verdict = gate.measure(made, whole, plan)
    assert verdict.got == float(verdict.ok)
    return verdict.ok, dict(verdict.more)


@pytest.mark.parametrize(
    "where",
    ["brightness < 100", "brightness >= 60 AND contrast < 20 AND word = 'dim'", "site = 'a' OR sharpness < 0.2"],
)
def test_it_says_what_a_query_over_the_measured_items_says(where: str) -> None:
    generator, found, lines = np.random.default_rng(0), [], []
    for site in ("a", "b", None) * 8:
        level, spread = generator.uniform(20, 200), generator.uniform(1, 40)
        image = np.clip(generator.normal(level, spread, (24, 32, 1)), 0, 255).astype(np.uint8)
        plan = {"site": site, "light.brightness": 0.5}
        found.append(measured(where, Made(image, image), plan)[0])
        names = ("brightness", "contrast", "sharpness")
        lines.append({**dict(zip(names, of_item("image", Seen(image), names), strict=True)), **plan, "word": "dim"})
    assert found == predicate.select(pa.Table.from_pylist(lines), where).tolist()
    assert 0 < sum(found) < len(found)


def test_only_what_the_condition_names_is_measured_and_that_is_kept() -> None:
    image = np.full((16, 16, 1), 90, np.uint8)
    ok, more = measured("brightness < 100", Made(image, image), {})
    assert ok
    assert more == {"brightness": 90.0}


def test_an_attribute_that_an_item_has_not_is_null_and_fails_what_compares_it() -> None:
    silence = np.zeros(8000, np.float32)
    ok, more = measured("snr_est < 50", Made(silence, silence, 8000), {}, "audio")
    assert not ok
    assert np.isnan(more["snr_est"])
    assert measured("snr_est IS NULL", Made(silence, silence, 8000), {}, "audio")[0]


def test_metadata_come_before_an_attribute_of_their_name_as_find_has_them() -> None:
    image = np.full((16, 16, 1), 90, np.uint8)
    assert measured("brightness = 'high'", Made(image, image), {"brightness": "high"}) == (True, {})
    ok, more = measured("brightness_measured = 90", Made(image, image), {"brightness": "high"})
    assert ok
    assert more == {"brightness_measured": 90.0}


def test_the_masks_of_an_item_are_its_label() -> None:
    image, mask = np.full((16, 16, 1), 90, np.uint8), np.zeros((16, 16), bool)
    mask[:4] = True
    ok, more = measured("mask_share = 0.25", Made(image, image, masks={"scratch": mask}), {})
    assert ok
    assert more == {"mask_share": 0.25}


def test_a_clip_is_measured_as_find_measures_its_file(real: Path) -> None:
    import soundfile

    x, rate = soundfile.read(sorted((real / "fsdd").glob("**/*.wav"))[0], dtype="float32")
    _, more = measured("level < 0", Made(x, x, rate), {}, "audio")
    assert more["level"] == of_item("audio", Heard(x, rate), ["level"])[0]


@pytest.mark.parametrize(
    ("where", "says"), [("", "is needed"), ("brightness <", "where: "), ("a = b = c (", "where: ")]
)
def test_what_is_no_condition_is_refused_when_the_recipe_is_read(where: str, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        recipe(where)


def test_an_unknown_column_names_the_nearest() -> None:
    image = np.full((16, 16, 1), 90, np.uint8)
    with pytest.raises(SettingError, match="did you mean brightness"):
        measured("brightnes < 3", Made(image, image), {})
