"""A run's page as text: whole, closed to the outside, the same each time, and true to the run's tables."""

import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pages
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sliceforge.engine.cli import main
from sliceforge.engine.replay import reopen
from sliceforge.engine.report import origins, page
from sliceforge.engine.report.told import Told

VOID = {"meta", "link", "img", "input", "br"}
PLACES = {"src", "href", "srcset", "poster", "action", "data", "xlink:href", "formaction"}


class Read(HTMLParser):
    """Every element of a page, and its text; tags that do not close where they should are kept."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(params=["pictures", "sounds"])
def run(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def written(run: Path) -> str:
    return page.place(run).read_text("utf-8")


def test_a_page_asks_nobody_and_every_element_closes(run: Path) -> None:
    read = Read(written(run))
    assert not read.wrong
    assert not read.open
    for tag, attributes in read.tags:
        for name in PLACES & set(attributes):
            assert attributes[name].startswith(("data:", "#")), (tag, attributes[name][:80])
        assert not [name for name in attributes if name.startswith("on")]
        assert "style" not in attributes
    policy = next(a["content"] for _, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_every_pair_of_asked_and_got_has_a_plot(run: Path) -> None:
    read = Read(written(run))
    names = pq.read_schema(run / "manifest.parquet").names
    pairs = {name[6:] for name in names if name.startswith("asked.") and f"got.{name[6:]}" in names}
    assert pairs
    captions = re.findall(r"<figcaption><strong>([^<]+)</strong>", written(run))
    assert pairs <= set(captions)
    plots = [attributes for tag, attributes in read.tags if tag == "svg" and attributes.get("role") == "img"]
    assert all(attributes["aria-label"] for attributes in plots)


def test_each_item_is_shown_with_its_parent_and_the_plan_that_made_it(pictures: Path) -> None:
    manifest = pq.read_table(pictures / "manifest.parquet")
    assert max(manifest["attempt"].to_pylist()) > 0, "one at least was drawn again"
    read = Read(written(pictures))
    alts = [attributes["alt"] for tag, attributes in read.tags if tag == "img" and attributes["alt"]]
    for row in manifest.to_pylist():
        assert f"{row['id']}, scratches" in alts
        assert f"Parent {row['parents'][0]}" in alts
    cards = written(pictures).split('<li class="card"')[1:]
    assert len(cards) == len(manifest)
    for row, card in zip(manifest.to_pylist(), cards, strict=True):
        # The numbers of the plan are those of the accepted draw, and so those that the manifest states.
        for own in ("width", "length", "amplitude"):
            assert card.count(f'title="{row[own]!r}"') == 2, own


def test_rejects_are_counted_and_named_with_their_reason(pictures: Path) -> None:
    rejects = pq.read_table(pictures / "rejects.parquet").to_pylist()
    assert rejects
    section = written(pictures).split('id="rejects"')[1].split("</section>")[0]
    for row in rejects:
        assert row["id"] in section
        assert row["reason"] in section
    text = Read(written(pictures)).text
    assert f"8 items of {8 + len(rejects)} planned passed every gate; {len(rejects)} did not." in text


def test_hostile_words_are_text(sounds: Path) -> None:
    read = Read(written(sounds))
    assert sum(tag == "script" for tag, _ in read.tags) == 1
    assert not [attributes for _, attributes in read.tags if "autofocus" in attributes]
    assert not [tag for tag, attributes in read.tags if tag == "img" and attributes["src"] == "x"]
    for label in pages.HOSTILE[:3]:
        assert label in read.text
    assert "\x07" not in written(sounds)
    assert "🙂" in written(sounds)


def test_a_page_is_the_same_each_time_and_is_left_alone_where_it_is_current(run: Path) -> None:
    before = page.place(run).read_bytes()
    assert page.current(run)
    assert main(["report", f"run={run}"]) == 0
    assert page.place(run).read_bytes() == before
    page.place(run).unlink()
    assert not page.current(run)
    assert main(["report", f"run={run}"]) == 0
    assert page.place(run).read_bytes() == before


def test_an_audits_finding_comes_into_the_page(sounds: Path) -> None:
    path = sounds / "log" / "auc.json"
    path.write_text('{"auc": 0.8712, "low": 0.8, "high": 0.93, "made": 20, "real": 20, "against": "parents"}')
    try:
        assert not page.current(sounds)
        assert main(["report", f"run={sounds}"]) == 0
        assert "0.871 (95 %: 0.8 to 0.93)" in Read(written(sounds)).text
    finally:
        path.unlink()
        assert main(["report", f"run={sounds}"]) == 0


def test_no_page_where_none_is_wanted_and_one_where_no_item_passed(tmp_path: Path) -> None:
    common = ["generate", "recipe=steel/scratches", "seed=3", "workers=1", "retries=0", "parents=coil = 'c04'"]
    assert main([*common, f"out={tmp_path / 'A'}", "report=false"]) == 0
    assert not (tmp_path / "A" / "report").exists()
    assert main([*common, f"out={tmp_path / 'B'}", "gates.visible.cnr=1e6", "min_yield=0"]) == 0
    assert "0 items of 4 planned passed every gate; 4 did not." in Read(written(tmp_path / "B")).text


def test_a_parent_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    out = pages.sounds(tmp_path / "speech")
    first = pq.read_table(out / "manifest.parquet")["parent_path"][0].as_py()
    (tmp_path / "speech" / first).unlink()
    assert main(["report", f"run={out}"]) == 0
    read = Read(written(out))
    assert read.text.count("The parent cannot be shown") == 1
    assert sum(tag == "audio" for tag, _ in read.tags) == 3 * 8 - 2


def test_a_hundred_thousand_items_make_no_large_page(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told.of(reopen({"run": str(pictures)}))
    many = 100_000
    places = pa.array(np.arange(many) % len(told.made))
    ids = pa.array([f"item {i}" for i in range(many)])
    made, planned = (table.take(places) for table in (told.made, told.planned))
    made, planned = (
        table.set_column(table.column_names.index("id"), "id", ids).combine_chunks() for table in (made, planned)
    )
    noise = np.random.default_rng(1).normal(0, 1, many)
    made = made.set_column(made.column_names.index("asked.visible"), "asked.visible", pa.array(20 + noise))
    monkeypatch.setattr("sliceforge.engine.report.gallery.items", lambda told: [])
    text = page.page(Told(told.workshop, made, told.rejected, planned, 0))
    assert len(text.encode()) < 5_000_000
    assert "500 items of 100\u202f000" in text
    digest = hashlib.sha256(text.encode()).hexdigest()
    again = page.page(Told(told.workshop, made, told.rejected, planned, 0))
    assert hashlib.sha256(again.encode()).hexdigest() == digest


def test_lists_of_a_row_do_not_make_the_table_of_items_tall(sounds: Path) -> None:
    workshop = reopen({"run": str(sounds)})
    told = Told.of(workshop)
    words = pa.array([[{"word": "go", "start": 0.0, "end": 0.5}]] * len(told.made))
    table = origins.everything(dataclasses.replace(told, made=told.made.append_column("words", words)))
    assert "words" not in table
    assert "snr" in table
