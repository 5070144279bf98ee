"""What a shard holds so far, for gates that compare its items with each other."""

from __future__ import annotations

from sliceforge.engine.gates import Gate, Mark
from sliceforge.engine.outcome import Outcome
from sliceforge.engine.recipe import Recipe


class Kept:
    """The accepted items of a shard in plan order, as far as the recipe's gates compare them.

    Args:
        recipe: whose gates.
    """

    def __init__(self, recipe: Recipe) -> None:
        base = Gate.near
        self._recipe = recipe
        self._gates = {name: gate for name, gate in recipe.gates.items() if type(gate).near is not base}
        self._marks: list[tuple[str, Mark]] = []

    def near(self, outcome: Outcome) -> tuple[str, str] | None:
        """The first gate and the first item that find it too much alike; None where none does."""
        for name, gate in self._gates.items() if outcome.row["variant"] else ():
            if name in outcome.verdicts:
                for other, mark in self._marks:
                    if gate.near(outcome.mark, mark):
                        return name, other
        return None

    def take(self, outcome: Outcome) -> None:
        """Remember an accepted item."""
        if self._gates and outcome.row["variant"]:
            self._marks.append((outcome.row["id"], outcome.mark))
