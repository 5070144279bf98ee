"""The steps of a recipe: an operator under a name, or a choice of several."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sliceforge.engine.op import Op

NAME = re.compile(r"(?!(read|asked|got|gate|near)$)[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Step:
    """An operator under a name.

    Args:
        name: unique in the recipe; a branch of a `one_of` is `<step>.<branch>`.
        op: the operator.
        p: the share of items that it happens to.
        group: the `one_of` that it is a branch of, or empty.
    """

    name: str
    op: Op
    p: float = 1.0
    group: str = ""


@dataclass(frozen=True)
class OneOf:
    """A step of which each item takes one branch.

    Args:
        name: the step's name.
        branches: the names of its branches.
        weights: their shares, adding up to one.
        p: the share of items that it happens to.
    """

    name: str
    branches: tuple[str, ...]
    weights: tuple[float, ...]
    p: float = 1.0
