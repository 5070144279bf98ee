"""Labels that are numbers or words: the class that one means, and the label of what was painted over."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from sliceforge.engine.errors import SettingError
from sliceforge.engine.op import Inventory
from sliceforge.engine.recipe import Recipe


@dataclass
class Classes:
    """What labels mean.

    Args:
        names: the classes in the order of their numbers; empty where nobody says.
    """

    names: Sequence[str] = ()
    _told: set[str] = field(default_factory=set)

    def check(self, recipe: Recipe, banks: Mapping[str, Inventory]) -> None:
        """Refuse a recipe that paints a class without a number.

        Raises:
            SettingError: naming the class.
        """
        donors = {label for one in banks.values() for label in one.labels if label}
        painted = {*recipe.labels(), *donors} if recipe.paints() else set()
        missing = sorted(painted - set(self.names))
        if self.names and missing:
            raise SettingError(f"classes: {missing[0]!r} is painted and is none of {', '.join(self.names)}")

    def named(self, label: Any) -> str | None:
        """The class that a label means, or None where nobody says."""
        if isinstance(label, Integral):
            return self.names[int(label)] if 0 <= int(label) < len(self.names) else None
        return None if label is None else str(label)

    def renamed(self, label: Any, name: str | None) -> Any:
        """The label of what was made: a number where its parent's was one. A number that nobody explained stays."""
        if not isinstance(label, Integral):
            return label if name is None else name
        if name in self.names:
            return self.names.index(name)
        if name is not None and name not in self._told:
            self._told.add(name)
            hint = "name the classes in the order of their numbers, such as classes=['plain', 'scratch']"
            warnings.warn(f"label: {label} stays though {name!r} was painted; {hint}", stacklevel=2)
        return label
