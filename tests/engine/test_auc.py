"""The classifier finds what there is to find, and nothing where there is nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.stats import norm
from signals import voice

from sliceforge.engine.auc import area, crossed, fitted, interval
from sliceforge.engine.cli import main

GROUPS = np.array([f"parent {i // 2}" for i in range(600)], object)


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    generator = np.random.default_rng(0)
    labels, scores = generator.integers(0, 2, 80), np.round(generator.normal(0, 1, 80), 1)
    made, real = scores[labels == 1], scores[labels == 0]
    pairs = (made[:, None] > real).mean() + 0.5 * (made[:, None] == real).mean()
    assert area(scores, labels) == pytest.approx(pairs)


@pytest.mark.parametrize("apart", [0.0, 0.7, 3.0])
def test_it_reaches_what_two_normal_clouds_allow(apart: float) -> None:
    generator = np.random.default_rng(1)
    labels = np.arange(600) // 300
    traits = generator.normal(0, 1, (600, 12))
    traits[:, 3] += apart * labels
    groups = np.roll(GROUPS, 1)
    scores = crossed(traits, labels, groups)
    best = norm.cdf(apart / np.sqrt(2))
    assert area(scores, labels) == pytest.approx(best, abs=0.06)
    low, high = interval(scores, labels, groups)
    assert low - 0.02 < best < high + 0.03
    assert high - low < 0.15


def test_a_parent_that_was_seen_does_not_help() -> None:
    # Each pair of a parent and its item is alike and like nobody else: only memory could tell them.
    generator = np.random.default_rng(2)
    traits = np.repeat(generator.normal(0, 1, (300, 40)), 2, axis=0)
    labels = np.tile([0, 1], 300)
    assert area(crossed(traits, labels, GROUPS), labels) == pytest.approx(0.5, abs=0.05)


def test_the_weights_are_where_the_penalised_likelihood_is_flat() -> None:
    generator = np.random.default_rng(3)
    x, labels = generator.normal(0, 1, (90, 4)), generator.integers(0, 2, 90)
    weights = fitted(x, labels)

    def loss(w: np.ndarray) -> float:
        share = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
        z = (x - np.average(x, axis=0, weights=share)) @ w
        return float((share * (np.logaddexp(0, z) - labels * z)).sum() + 0.5 * w @ w)

    for step in np.eye(4) * 1e-3:
        assert loss(weights) < min(loss(weights + step), loss(weights - step))


def test_audit_reports_it_beside_what_is_hashed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(24):
        soundfile.write(tmp_path / f"{i}.wav", voice(0.3, 8000, 90 + 5 * i), 8000, subtype="PCM_16")
    run = tmp_path / "RUN"
    command = ["generate", "recipe=speech/car_noise", f"data={tmp_path}", f"out={run}", "workers=1"]
    assert main([*command, "steps.mix.snr=0"]) == 0
    assert main(["audit", f"run={run}", "share=0", "auc=true"]) == 0
    assert "real against made" in capsys.readouterr().out
    said = json.loads((run / "log" / "auc.json").read_text())
    assert (said["made"], said["real"], said["against"]) == (24, 24, "parents")
    assert 0.9 < said["low"] <= said["auc"] <= said["high"] == 1  # noise at 0 dB is easily told
    assert main(["audit", f"run={run}", "share=0", "auc=true", f"real={tmp_path}/0.wav"]) == 2
