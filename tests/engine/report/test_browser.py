"""A run's page in a real browser without a network: looked at, listened to, and walked through with the keyboard."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pages
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sliceforge.engine.report import page as report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: install it (Debian: apt-get install chromium)"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as engines:
        one = engines.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a run's page; whatever it says on the console or asks of a network fails the test."""
    contexts, said = [], []

    def open_page(run: Path, width: int = 1200, **more: Any) -> Page:
        context = browser.new_context(offline=True, viewport={"width": width, "height": 900}, **more)
        contexts.append(context)
        one = context.new_page()
        one.set_default_timeout(10_000)
        one.on("console", lambda message: said.append(message.text))
        one.on("pageerror", lambda error: said.append(str(error)))
        one.on("request", lambda request: request.url.startswith(("data:", "file:")) or said.append(request.url))
        one.goto(report.place(run).as_uri())
        return one

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"))


def style(page: Page, where: str, name: str) -> str:
    return str(page.eval_on_selector(where, f"one => getComputedStyle(one).{name}"))


def luminance(colour: str) -> float:
    parts = [float(one) / 255 for one in colour.split("(")[1].rstrip(")").split(",")[:3]]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_keyboard_reaches_every_item_and_its_plan(pictures: Path, opened: Callable[..., Page]) -> None:
    page = opened(pictures)
    rows = pq.read_table(pictures / "manifest.parquet").to_pylist()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the report"
    assert page.locator(".skip").first.bounding_box()["x"] >= 0
    page.locator("#over").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
    assert focused(page) == f"Open {rows[0]['id']}, scratches"
    assert style(page, ":focus", "outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    assert focused(page) == f"Open {rows[1]['id']}, scratches"
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert focused(page) == f"Open {rows[-2]['id']}, scratches"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert focused(page) == f"Open {rows[0]['id']}, scratches"
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    assert rows[0]["id"] in dialog.locator("h2").inner_text()
    assert f"{rows[0]['amplitude']:.5g}" in dialog.locator("#numbers").inner_text()
    assert rows[0]["sha256"] in dialog.locator("#numbers").inner_text()
    page.locator("#after").click()
    after = f"Open {rows[1]['id']}, scratches"
    assert rows[1]["id"] in dialog.locator("h2").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    # A browser says a moment later that a dialog was closed.
    page.wait_for_function("name => document.activeElement.getAttribute('aria-label') === name", arg=after)


def test_labels_parents_and_order_can_be_chosen(pictures: Path, opened: Callable[..., Page]) -> None:
    page = opened(pictures)
    over = page.locator(".cards .over").first
    made, parent = (page.locator(f".cards .panel.{one}").first for one in ("made", "parent"))
    assert over.is_visible()
    page.locator(".open").first.focus()
    page.keyboard.press("l")
    assert not over.is_visible()
    page.locator("#over").check()
    assert over.is_visible()
    assert (made.is_visible(), parent.is_visible()) == (True, False)
    page.locator("#view").select_option("beside")
    left, right = parent.bounding_box(), made.bounding_box()
    assert left
    assert right
    assert left["x"] + left["width"] <= right["x"]
    page.locator("#view").select_option("difference")
    assert parent.bounding_box() == made.bounding_box()
    page.locator("#order").select_option("got.visible")
    page.locator("#down").check()
    rows = sorted(pq.read_table(pictures / "manifest.parquet").to_pylist(), key=lambda row: -row["got.visible"])
    shown = page.locator(".card figcaption > bdi").all_inner_texts()
    assert shown == [row["id"] for row in rows]
    page.locator("#find").fill(rows[0]["id"])
    assert page.locator("#all tbody tr:visible").count() == 1


def test_the_slider_lays_the_parent_over_the_item(pictures: Path, opened: Callable[..., Page]) -> None:
    page = opened(pictures)
    page.locator(".open").first.click()
    clip = "#stage .panel.parent"
    page.locator("#cut").focus()
    bounds = []
    for key in ("Home", "End"):
        page.keyboard.press(key)
        bounds.append(style(page, clip, "clipPath"))
    assert bounds[0] != bounds[1]
    stage = [page.locator(f"#stage .panel.{one}").bounding_box() for one in ("made", "parent")]
    assert stage[0] == stage[1]


def test_clips_can_be_played(sounds: Path, opened: Callable[..., Page]) -> None:
    page = opened(sounds)
    played = page.evaluate(
        """async () => {
            const found = [];
            for (const one of [...document.querySelectorAll(".cards audio")].slice(0, 3)) {
                one.muted = true;
                await one.play();
                one.pause();
                found.push([one.readyState, one.duration]);
            }
            return found;
        }"""
    )
    seconds = pq.read_table(sounds / "manifest.parquet")["got.seconds"][0].as_py()
    assert [state for state, _ in played] == [4, 4, 4]
    assert all(duration == pytest.approx(seconds, abs=0.01) for _, duration in played)


def test_hostile_words_do_nothing(sounds: Path, opened: Callable[..., Page]) -> None:
    page = opened(sounds)
    page.locator(".open").first.click()
    assert page.evaluate("window.hacked") is None
    text = page.evaluate("document.body.textContent")
    assert all(label in text for label in pages.HOSTILE[:3])
    title = page.locator("#one-title").inner_text()
    assert any(label.split()[0] in title for label in pages.HOSTILE)


@pytest.mark.parametrize("kind", ["pictures", "sounds"])
def test_nothing_is_wider_than_a_phone(kind: str, request: pytest.FixtureRequest, opened: Callable[..., Page]) -> None:
    page = opened(request.getfixturevalue(kind), width=360)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator(".open").first.click()
    assert page.evaluate("document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth")
    assert page.locator("dialog").bounding_box()["width"] <= 360


def test_light_and_dark_read_well(pictures: Path, opened: Callable[..., Page]) -> None:
    papers = []
    for scheme in ("light", "dark"):
        page = opened(pictures, color_scheme=scheme, reduced_motion="reduce")
        papers.append(style(page, "body", "backgroundColor"))
        for where in ("h1", ".verdict", "nav a", ".hint", "figcaption small", ".label", "thead th", ".fact small"):
            assert contrast(style(page, where, "color"), papers[-1]) >= 4.5, (scheme, where)
        assert contrast(style(page, "#rejects .bar.bad", "fill"), papers[-1]) >= 3
        assert contrast(style(page, ".plot .bar", "fill"), papers[-1]) >= 3
        assert style(page, "html", "scrollBehavior") == "auto"
        page.locator("#theme").click()
        assert style(page, "body", "backgroundColor") != papers[-1]
    assert luminance(papers[0]) > 0.8
    assert luminance(papers[1]) < 0.05
