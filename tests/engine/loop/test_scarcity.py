"""The experiment with a scarce class: what is chosen on tune rows, and what is said of the rows that report."""

import numpy as np
import pytest

from benchmarks.loop import e3, steel

NAMES = ("one", "two", "rare")
CUT = 2


def strips(count: int) -> steel.Strips:
    rows = np.arange(count)
    names = np.array([f"{k:03}" for k in rows])
    block = np.array([f"{k // 5}" for k in rows])
    return steel.Strips(names, NAMES, rows * 3 // count, block, np.zeros((count, 1, 1), np.uint8))


def says(asked: steel.Strips, share: float) -> np.ndarray:
    """(5, N, 3) by five networks that are right of all other classes, and of a share of the rare one's rows."""
    own = np.flatnonzero(asked.label == CUT)
    found = asked.label.copy()
    found[own[int(share * len(own)) :]] = 0
    return np.stack([np.eye(3)[found]] * (e3.TRIED + e3.REPORTED)).astype(np.float16)


def split(on_tune: dict[str, float], on_report: dict[str, float]) -> tuple[e3.Found, steel.Strips, steel.Strips]:
    tune, asked = strips(90), strips(120)
    made = (
        {arm: says(rows, of.get(arm, 0.2)) for arm in e3.ARMS} for rows, of in ((tune, on_tune), (asked, on_report))
    )
    return e3.Found(*made), tune, asked


@pytest.mark.parametrize("best", ["none", "generic", "geometry", "procedural"])
def test_what_is_much_better_on_tune_rows_is_chosen_whatever_reports(best: str) -> None:
    found, tune, _ = split({best: 0.8}, {best: 0.0})
    chosen = e3.tried(found, tune, CUT).candidate.name
    assert chosen == ("nothing" if best == "none" else best)


def test_without_a_difference_oversampling_is_chosen() -> None:
    found, tune, _ = split({}, {})
    assert e3.tried(found, tune, CUT).candidate.name == "oversample"


def test_bars_are_of_the_choices_rows_that_report() -> None:
    found, tune, asked = split({"generic": 0.8}, {"generic": 0.5, "geometry": 0.6, "oversample": 0.3})
    jobs = [e3.Job("", "report", CUT, seed) for seed in range(2)]
    told = e3.told(jobs, [found] * 2, [e3.tried(found, tune, CUT)] * 2, asked, NAMES)
    versus, regret = told["bars"]
    assert versus["gain"] == pytest.approx(20)
    assert versus["met"]
    assert "geometry" in regret["bar"]
    assert regret["gain"] == pytest.approx(-10)
    assert not regret["met"]
    assert told["splits_worse_than_oversampling_percent"] == 0
    assert [one["chosen"] for one in told["chosen"]] == ["generic"] * 2
