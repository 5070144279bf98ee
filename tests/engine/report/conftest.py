"""The runs whose pages are tested, each made once."""

from pathlib import Path

import pages
import pytest


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of images of which some were drawn again and some rejected."""
    return pages.pictures(tmp_path_factory.mktemp("pictures") / "RUN")


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of sounds whose ids and labels are hostile."""
    return pages.sounds(tmp_path_factory.mktemp("sounds") / "speech")
