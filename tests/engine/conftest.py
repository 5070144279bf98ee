"""What tests of the engine share: a folder of settings, a card that is feigned, a machine without one."""

from pathlib import Path
from types import SimpleNamespace

import composing
import feigned
import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three parts of a recipe, and a recipe of them."""
    return composing.laid(tmp_path)


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    feigned.without(monkeypatch)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    return feigned.card(monkeypatch)
