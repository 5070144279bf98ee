"""Confident learning against the paper's definition, item by item, and against labels that were flipped here."""

import numpy as np
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.confident import calibrated, confidence, joint_counts, noise_matrix, numbered
from sliceforge.engine.loop.diagnose.noise import noise_rate


def judged_by_definition(labels: np.ndarray, p: np.ndarray) -> tuple[list[int], list[bool]]:
    """What each item seems to be, written out: argmax over {j: p_j >= t_j}, the given class where there is none."""
    classes = p.shape[1]
    means = {j: sum(p[i, j] for i in range(len(p)) if labels[i] == j) for j in range(classes)}
    counts = {j: sum(labels == j) for j in range(classes)}
    proposed, sure = [], []
    for i in range(len(p)):
        confident = [j for j in range(classes) if counts[j] and p[i, j] >= means[j] / counts[j] - 1e-12]
        sure.append(bool(confident))
        best = max(confident, key=lambda j: (p[i, j], j == labels[i], -j), default=int(labels[i]))
        proposed.append(best)
    return proposed, sure


def noisy(count: int, rates: np.ndarray, seed: int, sharp: float = 0.9) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True and given classes, and probabilities of a model that knows the true one: rates[given, true]."""
    generator = np.random.default_rng(seed)
    classes = len(rates)
    true = generator.integers(0, classes, count)
    given = np.array([generator.choice(classes, p=rates[:, j]) for j in true])
    p = generator.dirichlet(np.ones(classes), count) * (1 - sharp)
    p[np.arange(count), true] += sharp
    return true, given, p


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_it_is_the_definition_item_by_item(classes: int) -> None:
    generator = np.random.default_rng(classes)
    for peaked in (0.2, 1.0):
        labels = generator.integers(0, classes, 150)
        p = generator.dirichlet(np.full(classes, peaked), 150)
        proposed, sure = judged_by_definition(labels, p)
        judged = confidence(labels, p)
        assert judged.proposed.tolist() == proposed
        assert judged.sure.tolist() == sure
        assert judged.suspect.tolist() == [a != b for a, b in zip(proposed, labels, strict=True)]
        counts = joint_counts(judged)
        for i in range(classes):
            for j in range(classes):
                assert counts[i, j] == sum(labels[n] == i and proposed[n] == j and sure[n] for n in range(len(labels)))


def test_a_tie_goes_to_the_given_label() -> None:
    p = np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]])
    judged = confidence(np.array([0, 1, 1]), p)
    assert judged.sure.all()
    assert not judged.suspect.any()


def test_equal_probabilities_are_confident_though_their_mean_rounds_up() -> None:
    p = np.tile([0.1, 0.9], (3, 1))
    assert np.full(3, 0.1).mean() > 0.1  # what the rule would trip over
    assert confidence(np.zeros(3, int), p).sure.all()


def test_a_class_without_items_is_never_proposed() -> None:
    p = np.array([[0.1, 0.0, 0.9], [0.2, 0.1, 0.7], [0.0, 0.9, 0.1]])
    judged = confidence(np.array([0, 0, 1]), p)
    assert np.isinf(judged.thresholds[2])
    assert 2 not in judged.proposed


def test_where_no_class_is_confident_the_model_says_nothing() -> None:
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.5, 0.5]])
    judged = confidence(np.array([0, 0, 1, 1, 0]), p)
    assert judged.sure.tolist() == [True] * 4 + [False]
    assert not judged.suspect.any()
    found = noise_rate(judged)
    assert (found.suspects, found.sure, found.items) == (0, 4, 5)


def test_the_joint_keeps_the_share_of_each_given_class_and_the_matrix_its_columns() -> None:
    _, given, p = noisy(400, np.full((4, 4), 0.05) + 0.8 * np.eye(4), seed=1, sharp=0.5)
    joint = calibrated(joint_counts(confidence(given, p)), np.bincount(given, minlength=4))
    assert joint.sum(axis=1) == pytest.approx(np.bincount(given) / 400)
    assert noise_matrix(joint).sum(axis=0) == pytest.approx(1)


def test_a_class_that_nothing_seems_to_be_has_no_column() -> None:
    matrix = noise_matrix(np.array([[0.5, 0.0], [0.5, 0.0]]))
    assert matrix[:, 0] == pytest.approx(0.5)
    assert np.isnan(matrix[:, 1]).all()


def test_flips_that_depend_on_the_class_come_out_as_they_were_put_in() -> None:
    rates = np.array([[0.9, 0.0, 0.1], [0.1, 0.95, 0.0], [0.0, 0.05, 0.9]])
    true, given, p = noisy(6000, rates, seed=2)
    judged = confidence(given, p)
    joint = calibrated(joint_counts(judged), np.bincount(given))
    assert noise_matrix(joint) == pytest.approx(rates, abs=0.02)
    assert (judged.suspect == (given != true)).mean() > 0.99
    assert noise_rate(judged).rate == pytest.approx((given != true).mean(), abs=0.01)


def test_the_rate_of_a_slice_is_that_of_its_rows() -> None:
    flip = 0.2 * (np.ones((3, 3)) - np.eye(3)) / 2 + 0.8 * np.eye(3)
    _, bad, p_bad = noisy(300, flip, seed=3)
    _, good, p_good = noisy(900, np.eye(3), seed=4)
    judged = confidence(np.concatenate([bad, good]), np.concatenate([p_bad, p_good]))
    rows = np.arange(1200) < 300
    assert noise_rate(judged, rows).rate == pytest.approx(0.2, abs=0.05)
    assert noise_rate(judged, rows).noisy
    assert not noise_rate(judged, ~rows).suspects


@pytest.mark.parametrize(
    ("labels", "p", "said"),
    [
        ([0, 1], [[0.9, 0.1]], "expected (N,) and (N, C)"),
        ([], np.zeros((0, 2)), "expected (N,) and (N, C)"),
        ([0, 0], [[1.0], [1.0]], "two classes or more"),
        ([0, 1], [[0.9, 0.1], [np.nan, 0.5]], "row 1 has a probability that is no number"),
        ([0, 1], [[0.9, 0.1], [2.0, 1.5]], "row 1 sum to 3.5"),
        ([0, 1], [[0.9, 0.1], [1.4, -0.4]], "the least is -0.4"),
        ([0, 2], [[0.9, 0.1], [0.2, 0.8]], "expected whole numbers from 0 to 1"),
        ([0.0, 1.0], [[0.9, 0.1], [0.2, 0.8]], "expected whole numbers from 0 to 1"),
    ],
)
def test_what_is_no_probability_is_one_clear_line(labels: list[float], p: list[list[float]], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        confidence(np.array(labels), np.array(p))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_label_that_is_no_class_is_named() -> None:
    assert numbered(["go", "stop"], ["stop", "go"]).tolist() == [1, 0]
    with pytest.raises(SettingError, match="did you mean stop"):
        numbered(["go", "stopp"], ["stop", "go"])
    with pytest.raises(SettingError, match="row 1 has no label"):
        numbered(["go", None], ["stop", "go"])
