"""A cause is told where it was planted, and none is made up where training and evaluation are alike."""

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.loop.diagnose.diagnose import diagnose
from sliceforge.engine.loop.diagnose.doubts import Doubts, Side
from sliceforge.engine.loop.diagnose.outside import outside
from sliceforge.engine.loop.diagnose.spreads import shift
from sliceforge.engine.loop.rows.attributes import known
from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.loop.rows.predictions import of_table

AUDIO = known("audio")


def rows(generator: np.random.Generator, count: int, **more: object) -> Known:
    """Clips of eight classes and six speakers, whose attributes hang together; `seconds` follows from the class."""
    base = generator.normal(0, 1, count)
    columns: dict = {}
    for i, name in enumerate(AUDIO):
        values = 0.6 * base + generator.normal(0, 1, count)
        columns[name] = (values, np.exp(values), np.round(values, 1))[i % 3]
    label = generator.choice(list("abcdefgh"), count)
    columns["seconds"] = 0.4 + 0.1 * (label == "c") + generator.normal(0, 0.02, count)
    columns["snr_est"] = 30 + 3 * base
    columns |= {
        "id": [str(i) for i in range(count)],
        "label": label,
        "speaker": generator.choice(list("uvwxyz"), count),
    }
    return Known(pa.table(columns | more), AUDIO)


def some(generator: np.random.Generator, one: Known, inside: np.ndarray, share: float) -> Known:
    """All other rows, and a share of those inside."""
    return one.take(~inside | (generator.random(len(inside)) < share))


def column(one: Known, name: str) -> np.ndarray:
    return np.array(one.table[name].to_pylist())


KINDS = ("label = 'c'", "speaker = 'w'", "snr_est < 26.5", "snr_est < 30 AND speaker = 'w'")
"""Slices with an eighth, a sixth, an eighth and a twelfth of the rows."""


def test_splits_of_one_distribution_show_a_nuisance_in_at_most_five_of_a_hundred() -> None:
    generator, false = np.random.default_rng(0), 0
    for run in range(100):
        size, many, kind = (30, 60, 120, 300)[run // 4 % 4], (100, 600, 1500)[run % 3], run % 4
        here, train = rows(generator, size * (8, 6, 8, 12)[kind]), rows(generator, many)
        false += bool(outside(KINDS[kind], here, train))
    assert false <= 5


def test_the_index_of_two_samples_of_one_distribution_is_nothing_on_the_average() -> None:
    generator = np.random.default_rng(0)
    found = [shift(*generator.normal(0, 1, (2, 60))) for _ in range(300)]
    assert np.median(found) < 0.1
    far = shift(generator.normal(0, 1, 3000), generator.normal(1, 1, 3000))
    # Of two Gaussians a deviation apart the index over fine bins is 1.
    assert far == pytest.approx(1.0, abs=0.15)


def test_noise_that_training_has_not_is_a_nuisance_and_the_setting_that_makes_it_is_named() -> None:
    generator = np.random.default_rng(1)
    here, train = rows(generator, 800), rows(generator, 600)
    noisy = generator.random(800) < 0.15
    table = here.table.drop_columns("snr_est").append_column("noise", pa.array(np.where(noisy, "car", "none")))
    snr = np.where(noisy, generator.normal(4, 2, 800), column(here, "snr_est"))
    here = Known(table.append_column("snr_est", pa.array(snr)), AUDIO)
    for where in ("noise = 'car'", "snr_est < 10", "noise = 'car' AND label = 'c'"):
        found = diagnose(where, here, train)
        assert found.cause == "nuisance"
        assert found.evidence[0].startswith("snr_est: the slice lies at ")
        assert "training at" in found.evidence[0]
        assert found.evidence[0].endswith("audio/mix.snr acts on it")
    assert "training has no column noise" in diagnose("noise = 'car'", here, train).evidence
    assert "is not known" in diagnose("noise = 'none'", here, train).evidence[-1]
    assert [one.column for one in outside("noise = 'car'", here, train)] == ["snr_est"]


def test_a_corner_that_training_has_too_is_no_nuisance() -> None:
    generator = np.random.default_rng(2)
    here, train = rows(generator, 1000), rows(generator, 800)
    found = diagnose("snr_est < 27", here, train)
    assert found.cause == "neither"
    rare = some(generator, train, column(train, "snr_est") < 27, 0.1)
    assert diagnose("snr_est < 27", here, rare).cause == "nuisance"
    assert outside("snr_est < 27", here, rare)[0].own


def test_a_speaker_cut_to_six_is_scarce_though_half_of_all_that_is_evaluated_is_noisy() -> None:
    generator = np.random.default_rng(9)
    train = rows(generator, 800)
    noisy = generator.random(800) < 0.5
    here = rows(generator, 800)
    snr = np.where(noisy, generator.normal(4, 2, 800), column(here, "snr_est"))
    here = Known(here.table.drop_columns("snr_est").append_column("snr_est", pa.array(snr)), AUDIO)
    kept = np.ones(800, bool)
    kept[np.flatnonzero(column(train, "speaker") == "w")[6:]] = False
    scarce = train.take(kept)
    assert diagnose("speaker = 'w'", here, scarce).cause == "scarcity"
    of_w = np.where(column(here, "speaker") == "w", 4.0, column(here, "snr_est"))
    here = Known(here.table.drop_columns("snr_est").append_column("snr_est", pa.array(of_w)), AUDIO)
    assert diagnose("speaker = 'w'", here, scarce).cause == "nuisance"


def test_a_class_cut_to_six_is_scarce_though_its_clips_are_longer() -> None:
    generator = np.random.default_rng(3)
    here, train = rows(generator, 800), rows(generator, 800)
    own = np.flatnonzero(column(train, "label") == "c")
    kept = np.ones(800, bool)
    kept[own[6:]] = False
    found = diagnose("label = 'c'", here, train.take(kept))
    assert found.cause == "scarcity"
    assert found.evidence[0].startswith("6 of ")
    assert "label = 'c'" in found.evidence[0]
    assert "other values of label have" in found.evidence[1]
    kept[own] = False
    none = diagnose("label = 'c'", here, train.take(kept))
    assert none.cause == "scarcity"
    assert none.evidence[0].startswith("0 of ")


def test_a_speaker_with_a_third_of_the_clips_of_others_is_scarce() -> None:
    generator = np.random.default_rng(4)
    here, train = rows(generator, 800), rows(generator, 3000)
    few = some(generator, train, column(train, "speaker") == "w", 0.2)
    found = diagnose("speaker = 'w' AND snr_est >= 25", here, few)
    assert found.cause == "scarcity"
    assert diagnose("speaker = 'w' AND snr_est >= 25", here, train).cause == "neither"


def test_a_missing_speaker_who_differs_a_little_is_scarce_and_one_far_away_a_nuisance() -> None:
    generator = np.random.default_rng(5)
    here, train = rows(generator, 900), rows(generator, 900)
    own, others = column(here, "speaker") == "w", column(train, "speaker") != "w"
    for step, cause in ((0.7, "scarcity"), (4.0, "nuisance")):
        level = column(here, "level") + step * column(train, "level").std() * own
        table = here.table.drop_columns("level").append_column("level", pa.array(level))
        assert diagnose("speaker = 'w'", Known(table, AUDIO), train.take(others)).cause == cause


def flipped(generator: np.random.Generator, count: int, share: float) -> tuple[pa.Table, np.ndarray]:
    """Predictions of a model that is right of 95 %, under labels of which a share is wrong in half of the rows."""
    true = generator.integers(0, 5, count)
    p = generator.dirichlet(np.full(5, 0.3), count) * 0.1
    top = np.where(generator.random(count) < 0.95, true, generator.integers(0, 5, count))
    p[np.arange(count), top] += 0.9
    half = np.arange(count) % 2 == 0
    wrong = half & (generator.random(count) < share)
    label = np.where(wrong, (true + 1 + generator.integers(0, 4, count)) % 5, true)
    table = pa.table({"id": [f"i{i}" for i in range(count)], "label": [f"c{one}" for one in label]})
    for j in range(5):
        table = table.append_column(f"p_c{j}", pa.array(p[:, j] / p.sum(axis=1)))
    return table.append_column("site", pa.array(np.where(half, "north", "south"))), wrong


def test_flipped_training_labels_come_before_every_other_cause() -> None:
    generator = np.random.default_rng(6)
    table, wrong = flipped(generator, 2000, 0.15)
    doubts = Doubts(trained=Side("training", of_table(table, "P"), table), slices=("site = 'north'",))
    here = Known(table.select(["id", "label", "site"]), {})
    none = here.take(column(here, "site") == "south")
    for train in (here, none):
        found = diagnose("site = 'north'", here, train, doubts.first("site = 'north'"))
        assert found.cause == "labels"
        assert found.evidence[0].startswith("fix the labels first")
    assert diagnose("site = 'south'", here, here, doubts.first("site = 'south'")).cause == "neither"
    queued = set(doubts.queue([])["id"].to_pylist())
    planted = {f"i{i}" for i in np.flatnonzero(wrong)}
    assert len(queued & planted) > 0.8 * len(planted)


def test_evaluated_labels_are_doubted_only_where_the_model_has_seen_others_like_them() -> None:
    generator = np.random.default_rng(7)
    table, _ = flipped(generator, 1000, 0.15)
    doubts = Doubts(evaluated=Side("evaluation", of_table(table, "P"), table), slices=("site = 'north'",))
    last = doubts.last("site = 'north'")
    here = Known(table.select(["id", "label", "site"]), {})
    covered = diagnose("site = 'north'", here, here, None, last)
    assert covered.cause == "labels"
    assert any(line.startswith("evaluation label noise") for line in covered.evidence)
    unseen = here.take(column(here, "site") == "south")
    assert diagnose("site = 'north'", here, unseen, None, last).cause == "scarcity"
    assert len(doubts.queue(["site = 'north'"])) > 2 * len(doubts.queue([]))


def test_clean_labels_let_the_other_causes_speak() -> None:
    table, _ = flipped(np.random.default_rng(7), 1000, 0.0)
    doubts = Doubts(evaluated=Side("evaluation", of_table(table, "P"), table))
    here = Known(table.select(["id", "label", "site"]), {})
    found = diagnose("site = 'north'", here, here, doubts.first("site = 'north'"), doubts.last("site = 'north'"))
    assert found.cause == "neither"
    assert any(line.startswith("evaluation label noise") for line in found.evidence)
