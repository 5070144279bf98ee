"""Clusters of an embedding: a weak one is found and told by its rule, and chance makes none."""

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.find.clustered import assigned, clusters, tree, vectors

ROWS = 1200


def rows(generator: np.random.Generator) -> tuple[np.ndarray, pa.Table]:
    """Points in four clouds, and columns that say in which one a row is."""
    cloud = generator.integers(4, size=ROWS)
    points = 8 * np.eye(40)[cloud] + generator.normal(size=(ROWS, 40))
    place, light = np.where(cloud < 2, "north", "south"), np.where(cloud % 2, "day", "night")
    return points, pa.table({"place": place, "light": light, "other": generator.normal(size=ROWS)})


def test_a_weak_cloud_is_told_by_the_columns_that_make_it() -> None:
    generator = np.random.default_rng(3)
    points, columns = rows(generator)
    weak = (columns["place"].to_numpy() == "north") & (columns["light"].to_numpy() == "night")
    loss = (generator.random(ROWS) < np.where(weak, 0.5, 0.1)).astype(float)
    (found,) = clusters(points, columns, loss)
    assert found.rule == "light = 'night' AND place = 'north'"
    assert found.shared > 0.95
    assert found.rows == pytest.approx(weak.sum(), rel=0.05)
    assert found.error > 0.4 > 0.2 > found.reference


def test_a_weak_cloud_that_no_column_tells_is_found_and_its_rule_has_little_in_common() -> None:
    generator = np.random.default_rng(6)
    points, columns = rows(generator)
    weak = points[:, 0] > 4
    (found,) = clusters(points, columns.select(["other"]), (generator.random(ROWS) < np.where(weak, 0.5, 0.1)) * 1.0)
    assert found.rows == pytest.approx(weak.sum(), rel=0.05)
    assert found.shared < 0.3


def test_each_node_of_the_tree_holds_the_clusters_below_it() -> None:
    own = np.arange(5).repeat(3)
    parts = tree(np.array([0.0, 1.0, 10.0, 11.0, 40.0]).repeat(3)[:, None], own)
    assert parts.shape == (8, 5)
    assert {tuple(np.flatnonzero(one)) for one in parts[5:]} == {(0, 1), (2, 3), (0, 1, 2, 3)}


def test_chance_makes_no_weak_cluster() -> None:
    for seed in range(20):
        generator = np.random.default_rng(seed)
        points, columns = rows(generator)
        assert not clusters(points, columns, (generator.random(ROWS) < 0.2).astype(float), seed=seed)


def test_weights_and_continuous_losses_count() -> None:
    generator = np.random.default_rng(4)
    points, columns = rows(generator)
    weak = columns["light"].to_numpy() == "night"
    loss = generator.gamma(2, np.where(weak, 1.0, 0.5))
    found = clusters(points, columns, loss, generator.integers(1, 9, ROWS).astype(float))
    assert found
    assert all(one.error > one.reference for one in found)


def test_the_same_rows_and_seed_give_the_same_clusters() -> None:
    points = rows(np.random.default_rng(5))[0]
    assert np.array_equal(assigned(points, 7), assigned(points, 7))


@pytest.mark.parametrize(
    "column", [[[1.0], [1.0, 2.0]], [[1.0], None], [[float("nan")], [1.0]], ["a", "b"], [[], []], [["a"], ["b"]]]
)
def test_what_is_no_embedding_is_refused(column: list[object]) -> None:
    with pytest.raises(SettingError, match=r"embedding: v: .*expected a list of finite numbers"):
        vectors(pa.chunked_array([pa.array(column)]), "v")
