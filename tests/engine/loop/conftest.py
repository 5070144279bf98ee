"""What tests of the loop share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is measured of items is kept apart from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sliceforge.engine.loop.rows.attributes.cache_folder", lambda: tmp_path_factory.mktemp("k") / "k")
        yield
