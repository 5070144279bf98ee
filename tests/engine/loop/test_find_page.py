"""The page of find in a real browser without a network: what is on it, and what must not be."""

import base64
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from signals import voice

from sliceforge.engine.cli import main

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.usefixtures("kept"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: install it (Debian: apt-get install chromium)"),
]
HOSTILE = '<script>window.hacked = 1</script>"><img src=x onerror="window.hacked=1">'


@pytest.fixture(scope="module")
def opened() -> Iterator[Callable[..., Page]]:
    """Opens a page; whatever it says on the console or asks of a network fails the test."""
    said: list[str] = []
    with sync_playwright() as engines:
        browser: Browser = engines.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

        def open_page(path: Path, width: int = 1200) -> Page:
            page = browser.new_context(offline=True, viewport={"width": width, "height": 900}).new_page()
            page.set_default_timeout(10_000)
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", lambda one: one.url.startswith(("data:", "file:")) or said.append(one.url))
            page.goto(path.as_uri())
            return page

        yield open_page
        browser.close()
    assert said == []


@pytest.fixture(scope="module")
def dark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a model that fails on dark strips, of which training has none."""
    folder = tmp_path_factory.mktemp("dark")
    generator = np.random.default_rng(0)
    rows: dict[str, list] = {"id": [], "label": [], "pred": []}
    for part, count in (("train", 120), ("eval", 200)):
        (folder / part).mkdir()
        for i in range(count):
            under = part == "eval" and i % 4 == 0
            pixels = generator.normal(45 if under else 130, 12, (40, 40))
            name = f"{'ab'[i % 2]}_{i}"
            picture = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
            Image.fromarray(picture).save(folder / part / f"{name}.png")
            if part == "eval":
                wrong = generator.random() < (0.7 if under else 0.05)
                rows["id"].append(name)
                rows["label"].append("ab"[i % 2])
                rows["pred"].append("ab"[(i + wrong) % 2])
    pq.write_table(pa.table(rows), folder / "P.parquet")
    more = [f"data={folder / 'eval'}", f"train={folder / 'train'}", "pattern={label}_{index}"]
    out = folder / "slices.yaml"
    command = ["find", f"predictions={folder / 'P.parquet'}", *more, "train_pattern={label}_{index}", f"out={out}"]
    assert main(command) == 0
    return out.with_suffix(".html")


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of production that has more of quiet clips, which lie in two folders under the same ids."""
    folder = tmp_path_factory.mktemp("drifted")
    generator = np.random.default_rng(1)
    for part, share in (("before", 0.05), ("after", 0.5)):
        (folder / part).mkdir()
        quiet = generator.random(90) < share
        for i, low in enumerate(quiet):
            sound = voice(0.2, 8000, 100 + i) * (0.02 if low else 0.5)
            soundfile.write(folder / part / f"{i}.wav", sound, 8000, subtype="PCM_16")
        ids = [f"{i}" for i in range(90)]
        table = {"id": ids, "path": [f"{part}/{i}.wav" for i in ids], "mic": np.where(quiet, "far", "near")}
        pq.write_table(pa.table(table), folder / f"{part}.parquet")
    both = [f"predictions={folder / 'before.parquet'}", f"production={folder / 'after.parquet'}"]
    assert main(["find", *both, f"out={folder / 'slices.yaml'}"]) == 0
    return folder / "slices.html"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of clips whose labels would be markup."""
    folder = tmp_path_factory.mktemp("hostile")
    names, labels = [], []
    for i in range(120):
        soundfile.write(folder / f"{i}.wav", voice(0.2, 8000, 100 + i), 8000, subtype="PCM_16")
        names.append(f"{i}")
        labels.append(HOSTILE if i % 3 == 0 else "go")
    wrong = np.arange(120) % 3 == 0
    table = {"id": names, "path": [f"{name}.wav" for name in names], "label": labels}
    pq.write_table(pa.table(table), folder / "items.parquet")
    said = [HOSTILE if label == "go" else "go" for label in labels]
    predicted = [other if bad else label for label, other, bad in zip(labels, said, wrong, strict=True)]
    pq.write_table(pa.table({"id": names, "label": labels, "pred": predicted}), folder / "P.parquet")
    out = folder / "slices.yaml"
    more = [f"data={folder / 'items.parquet'}", f"out={out}"]
    assert main(["find", f"predictions={folder / 'P.parquet'}", *more]) == 0
    return out.with_suffix(".html")


def test_a_slice_has_its_plots_its_cause_and_its_worst_items(dark: Path, opened: Callable[..., Page]) -> None:
    page = opened(dark)
    assert page.locator("#ranked tbody tr").count() == 1
    page.locator("#ranked a").first.click()
    section = page.locator("main > section").nth(1)
    assert section.get_attribute("id") == page.evaluate("location.hash.slice(1)")
    assert "nuisance" in section.inner_text()
    assert "brightness" in section.inner_text()
    assert "image/photometric.brightness acts on it" in section.inner_text()
    plots = section.locator("svg.plot")
    assert 2 <= plots.count() == section.locator("figure.plotted").count()
    assert plots.first.locator(".mean").count() == 6
    pictures = section.locator(".card img")
    assert 1 <= pictures.count() <= 8
    for i in range(pictures.count()):
        assert pictures.nth(i).evaluate("one => one.complete && one.naturalWidth") == 40


def test_the_error_plot_shows_the_rates_where_they_are(dark: Path, opened: Callable[..., Page]) -> None:
    plot = opened(dark).locator("svg.plot").first
    bad = [float(one.get_attribute("cx") or 0) for one in plot.locator(".mean.bad").all()]
    rest = [float(one.get_attribute("cx") or 0) for one in plot.locator(".mean:not(.bad)").all()]
    assert min(bad) > max(rest)
    for one, interval in zip(plot.locator(".mean").all(), plot.locator(".interval").all(), strict=True):
        box, at = interval.bounding_box(), one.bounding_box()
        assert box is not None
        assert at is not None
        assert box["x"] <= at["x"] + at["width"] / 2 <= box["x"] + box["width"]


def test_clips_can_be_played_and_labels_cannot_become_markup(hostile: Path, opened: Callable[..., Page]) -> None:
    page = opened(hostile)
    clips = page.locator("audio")
    assert 1 <= clips.count() <= 80
    first = clips.first
    first.evaluate("one => new Promise(done => { one.onloadedmetadata = done; one.preload = 'auto'; one.load(); })")
    assert first.evaluate("one => one.duration") == pytest.approx(0.2, abs=0.02)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
    assert HOSTILE in page.locator("main").inner_text()


def test_what_to_do_is_said_before_any_figure(dark: Path, drifted: Path, opened: Callable[..., Page]) -> None:
    todo = opened(dark).locator("header .todo")
    assert "Make items for slice 1" in todo.inner_text()
    assert "sliceforge allocate slices=slices.yaml" in todo.locator("code").inner_text()
    assert "items of production in slice" in opened(drifted).locator("header .todo").inner_text()


def test_items_of_a_drifted_slice_are_productions_and_are_in_it(drifted: Path, opened: Callable[..., Page]) -> None:
    page = opened(drifted)
    after = pq.read_table(drifted.with_name("after.parquet")).to_pylist()
    mics = {row["id"]: row["mic"] for row in after}
    shown = page.locator("main > section").nth(1).locator(".card")
    assert 1 <= shown.count() <= 8
    for card in shown.all():
        item = (card.locator(".title").text_content() or "").split()[0]
        assert mics[item] == "far"
        data = (card.locator("audio").get_attribute("src") or "").partition("base64,")[2]
        sound, _ = soundfile.read(io.BytesIO(base64.b64decode(data)))
        original, _ = soundfile.read(drifted.parent / "after" / f"{item}.wav")
        np.testing.assert_array_equal(sound, original)


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(dark: Path, opened: Callable[..., Page], width: int) -> None:
    page = opened(dark, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
