"""The contract of a measured attribute: one number of an item, that a slice can be a condition on.

One attribute is one frozen dataclass in `kernels/attribute/<noun>.py`, named as its file in CapWords. It measures the
item as it is, so that it can be known of any item, made or found.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Attribute(ABC):
    """One number of an item, or None where the item has none."""

    kind: ClassVar[str]
    """What it is measured of: audio or image."""

    unit: ClassVar[str] = ""

    acts_on: ClassVar[str] = ""
    """The recipe setting that moves it, `family/operator.setting`; empty where none does."""

    whole: ClassVar[bool] = False
    """Whether it is a whole number."""

    @abstractmethod
    def measure(self, item: Any, /) -> float | None:
        """The number, finite, or None where the item has none.

        Args:
            item: `kernels/heard.py`'s `Heard` of a clip, `kernels/seen.py`'s `Seen` of an image.
        """
