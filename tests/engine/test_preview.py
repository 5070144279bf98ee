"""Previews: the same items as a run has, in a picture that shows what happened to them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image, ImageFont

from sliceforge.engine import cli
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Made
from sliceforge.engine.preview import begin, preview
from sliceforge.engine.report import image, sound
from sliceforge.engine.report.sheet import INK, PAPER, Panel, Row, drawable, panel_width, sheet, wrapped
from sliceforge.engine.run import generate


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def previewed(*settings: str) -> list[Path]:
    config = compose("preview", settings)
    return preview(config, config["name"])


def drawn(*settings: str) -> list[Any]:
    """The outcomes that a preview shows."""
    import sliceforge.engine.preview as module

    shown: list[Any] = []
    was = module._row
    module._row = lambda recipe, i, outcome, beside: shown.append(outcome) or was(recipe, i, outcome, beside)
    try:
        previewed(*settings)
    finally:
        module._row = was
    return shown


def test_a_preview_shows_the_first_items_of_the_run_with_the_same_seed(here: Path):
    settings = ["recipe=speech/car_noise", "seed=11"]
    _, *clips = previewed(*settings, "count=4", "out=sheet.png")
    generate(compose("generate", [*settings, "out=RUN", "sink=folder", "sink.audio=wav", "workers=1"]))
    planned = pq.read_table("RUN/plan-v001.parquet")["id"].to_pylist()
    written = {row["id"]: Path("RUN") / row["path"] for row in pq.read_table("RUN/manifest.parquet").to_pylist()}
    assert [path.name for path in clips[:2]] == ["sheet_01_parent.wav", "sheet_01_made.wav"]
    assert len(clips) == 8
    for item, clip in zip(planned, clips[1::2], strict=False):
        assert np.array_equal(soundfile.read(clip, dtype="int16")[0], soundfile.read(written[item], dtype="int16")[0])


def test_redraws_of_a_gate_are_those_of_the_run(here: Path):
    settings = ["recipe=steel/scratches", "seed=3", "gates.visible.cnr=12", "retries=2"]
    outcomes = drawn(*settings, "count=16", "out=sheet.png")
    generate(compose("generate", [*settings, "out=RUN", "workers=1"]))
    kept = {row["id"]: row["attempt"] for row in pq.read_table("RUN/manifest.parquet").to_pylist()}
    refused = {row["id"]: row["reason"] for row in pq.read_table("RUN/rejects.parquet").to_pylist()}
    assert {one.row["id"]: one.row["attempt"] for one in outcomes if not one.reason} == kept
    assert {one.row["id"]: one.reason for one in outcomes if one.reason} == refused
    assert refused
    assert max(kept.values()) > 0


def test_the_lines_say_what_was_asked_what_was_got_and_what_happened(here: Path, monkeypatch: pytest.MonkeyPatch):
    rows: list[Row] = []
    monkeypatch.setattr(
        "sliceforge.engine.preview.sheet", lambda head, shown, *more: rows.extend(shown) or sheet(head, [])
    )
    settings = [
        "recipe=steel/scratches",
        "count=8",
        "out=sheet.png",
        "retries=0",
        "steps.second.p=0",
        "steps.third.p=0",
    ]
    outcomes = drawn(*settings, "gates.visible.cnr=7")
    assert {row.good for row in rows} == {True, False}
    for row, outcome in zip(rows, outcomes, strict=True):
        got = outcome.verdicts["visible"].got
        assert row.good == (got >= 7)
        assert row.state.startswith("accepted" if row.good else "rejected, gate.visible: asked 7, got ")
        assert f"visible: asked 7, got {got:.3g}" in row.lines[0]
        assert f"amplitude\u00a0{outcome.row['scratch.amplitude']:.3g}" in row.lines[1]
        assert "second" not in row.lines[1]
        assert row.lines[2] == "parent's label: clean   defect: scratches"


def test_a_sheet_is_1200_pixels_wide_and_the_same_each_time(here: Path):
    first = previewed("recipe=steel/scratches", "count=3", "out=a.png")[0]
    again = previewed("recipe=steel/scratches", "count=3", "out=b.png")[0]
    assert first.read_bytes() == again.read_bytes()
    with Image.open(first) as picture:
        assert picture.width == 1200
        # Four panels of 200 × 200 pixels each have most of the row.
        assert 3 * 280 < picture.height < 3 * 500


def test_where_it_lies_when_nothing_is_said(here: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["preview", "recipe=speech/car_noise", "count=1"]) == 0
    assert capsys.readouterr().out == "runs/preview/speech_car_noise.png, and 2 clips beside it\n"
    assert len(list((here / "runs" / "preview").iterdir())) == 3


def test_what_cannot_be_read_has_a_line_and_no_panel(here: Path):
    (here / "data").mkdir()
    Image.new("L", (64, 64), 100).save(here / "data" / "good.png")
    (here / "data" / "bad.png").write_bytes(b"nothing")
    outcomes = drawn("recipe=steel/scratches", "data=data", "out=sheet.png")
    assert sorted(one.reason for one in outcomes if one.made is None) == ["unreadable"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("out=sheet.txt",), "out: sheet.txt: expected a picture"),
        (("out=sheet",), "out: sheet: expected a picture"),
        (("count=100",), "count: 100: expected 1 to 99"),
        (("parents=speaker = 'nobody'",), "parents: no item is chosen"),
        (("out=file/sheet.png",), "out: file/sheet.png"),
    ],
)
def test_a_wrong_setting_is_one_line(settings: tuple[str, ...], message: str, here: Path):
    (here / "file").write_text("")
    with pytest.raises(SettingError) as error:
        previewed("recipe=speech/car_noise", *settings)
    assert str(error.value).startswith(message)


def test_begin_takes_the_parents_in_plan_order(here: Path):
    settings = ["recipe=steel/scratches", "seed=5"]
    generate(compose("generate", [*settings, "out=RUN", "workers=1"]))
    _, parents = begin(compose("preview", settings))
    assert parents["parent"].to_pylist() == pq.read_table("RUN/plan-v001.parquet")["parent"].to_pylist()


def test_the_noise_that_is_shown_is_what_was_written_less_the_parent():
    time = np.arange(8000) / 8000
    parent, noise = (np.sin(2 * np.pi * hz * time).astype(np.float32) * 0.1 for hz in (500, 3000))
    made = Made(parent, 0.5 * parent + noise, 8000, 0.5, {"foreground": 0.5 * parent, "mix": noise})
    panels = sound.panels(made)
    assert np.array_equal(panels[2].pixels, sound.picture(made.item - np.float32(0.5) * parent, 8000, panel_width(3)))
    bright = panels[2].pixels[: sound.TALL].astype(int).sum(axis=(1, 2))
    # 3000 of 4000 Hz lies three quarters up, and 500 Hz, of the parent, is dark.
    assert abs(int(bright[20:].argmax()) + 20 - sound.TALL / 4) < 3
    assert bright[round(sound.TALL * 7 / 8)] < 0.2 * bright.max()


def test_a_clip_that_was_filtered_shows_its_stems_and_one_that_was_clipped_shows_none():
    parent = np.full(4000, 0.1, np.float32)
    stems = {"foreground": parent, "mix": parent / 2}
    assert len(sound.panels(Made(parent, parent, 8000, float("nan"), stems))) == 3
    assert len(sound.panels(Made(parent, parent, 8000, float("nan"), {"foreground": parent}))) == 2


def test_a_clip_that_became_longer_has_the_wider_panel():
    parent = np.full(4000, 0.1, np.float32)
    panels = sound.panels(Made(parent, np.resize(parent, 8000), 8000, 1.0))
    assert [panel.pixels.shape[1] for panel in panels] == [panel_width(3) // 2, panel_width(3)]


@pytest.mark.parametrize("samples", [1, 2, 63, 401, 48000 * 20])
def test_clips_of_any_length_have_a_picture(samples: int):
    picture = sound.picture(np.full(samples, 1e-3, np.float32), 48000, 300)
    assert picture.shape == (sound.TALL + sound.LEVELS, 300, 3)
    assert picture.dtype == np.uint8


def test_a_level_stands_where_its_line_is():
    tall = sound.LEVELS - 14
    for level in (-20.0, -60.0):
        square = np.resize([1, -1], 8000).astype(np.float32) * np.float32(10 ** (level / 20))
        column = sound.level_over_time(square, 8000, 300)[:tall, 250].astype(int)
        dark = np.flatnonzero(np.abs(column - (24, 92, 132)).sum(axis=1) == 0)
        assert abs(dark[0] - tall * level / sound.LOWEST_DB) <= 1


def test_a_rim_lies_around_the_label_and_boxes_are_drawn():
    parent, grey = np.full((100, 100, 1), 128, np.uint8), np.full((100, 100, 1), 0.5, np.float32)
    mask = np.zeros((100, 100), bool)
    mask[40:60, 30:50] = True
    made = Made(parent, parent, masks={"scratch": mask}, boxes=np.array([[10.0, 70, 30, 90]]))
    marked, legend = image.overlay(grey, made, 100)
    assert [name for name, _ in legend] == ["scratch", "boxes"]
    assert np.array_equal(marked[mask], image.pixels(grey, 100)[mask])
    assert tuple(marked[39, 40]) == tuple(marked[61, 40]) == image.COLOURS[0]
    assert tuple(marked[70, 20]) == image.COLOURS[1] or tuple(marked[69, 20]) == image.COLOURS[1]


def test_a_line_of_one_pixel_stays_marked_in_a_smaller_panel():
    parent, grey = np.full((900, 900, 1), 128, np.uint8), np.full((900, 900, 1), 0.5, np.float32)
    mask = np.zeros((900, 900), bool)
    mask[:, 451] = True
    marked, _ = image.overlay(grey, Made(parent, parent, masks={"line": mask}), 200)
    assert (marked == image.COLOURS[0]).all(axis=2).any(axis=1).all()


def test_a_difference_is_enlarged_as_far_as_it_is_not_cut():
    dark = np.zeros((50, 50, 1), np.float32)
    assert [image.amplification(dark, dark + step) for step in (0.0, 0.03, 0.06, 0.2, 0.9)] == [16, 16, 8, 2, 1]


def test_images_of_other_sizes_and_16_bits_have_panels():
    parent = np.full((40, 200, 3), 655, np.uint16)
    made = Made(parent, parent[:, :100] * np.uint16(2))
    panels = image.panels(made)
    assert [panel.caption.split(",")[0] for panel in panels] == ["parent", "made"]
    assert panels[1].pixels.max() == 255
    assert image.across(Made(parent, parent)) == 2


def test_panels_fill_a_row_and_text_stays_inside_its_width():
    panel = Panel(np.zeros((10, panel_width(4), 3), np.uint8), "a caption that is far too long for its panel " * 3)
    long = Row("title " * 40, "state " * 60, False, ["line " * 200], [panel] * 4)
    picture = np.asarray(sheet("heading " * 60, [long, Row("short")], 1))
    assert picture.shape[1] == 1200
    assert (picture[:, -18:] == PAPER).all()
    assert (picture == INK).all(axis=2).any()
    font = ImageFont.load_default(13)
    assert all(font.getlength(line) <= 300 for line in wrapped("word " * 90 + "x" * 400, 300, font))


def test_signs_that_the_font_lacks_are_spelled():
    assert drawable("Öse−3 ≥ 2 × ñ 停") == "Ose-3 >= 2 x n ?"
