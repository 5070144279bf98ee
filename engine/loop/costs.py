"""What a loop will cost: its steps, how many trainings each takes, and the seconds where one was timed."""

from __future__ import annotations

from statistics import median

from sliceforge.engine.loop.arms import OF_A_RECIPE
from sliceforge.engine.loop.asked import Asked
from sliceforge.engine.loop.command import Command
from sliceforge.engine.loop.grown import SIZES
from sliceforge.engine.loop.halving import MOST
from sliceforge.engine.loop.steps import STEPS, found, place
from sliceforge.engine.loop.trainings import Trainings
from sliceforge.engine.loop.trial import count
from sliceforge.engine.texts import Row, table


def costs(asked: Asked, command: Command, trainings: Trainings | None) -> tuple[str, str]:
    """A sentence, and a table of the steps.

    Args:
        asked: the settings.
        command: the user's.
        trainings: those that there are; None: the loop has not begun.
    """
    most = _most(asked, command)
    timed = median(trainings.seconds()) if trainings and trainings.seconds() else None
    rows: list[Row] = [("step", "trainings", "seconds", "state")]
    left = 0
    for name in STEPS:
        done = trainings is not None and found(place(trainings.home, name)) is not None
        number = most.get(name, 0)
        left += 0 if done else number
        seconds = f"{number * timed:.0f}" if timed is not None and number else "–"
        state = "done" if done else _why(name, asked) or "to do"
        rows.append((name, ("at most " if name == "trial" and number else "") + str(number), seconds, state))
    said = f"{left} trainings at most are left"
    if timed is not None:
        said += f", {left * timed / asked.jobs:.0f} s at {timed:.1f} s each"
    return f"{said}; a second round with half of the budget takes {asked.seeds} more", table(rows)


def _most(asked: Asked, command: Command) -> dict[str, int]:
    judged = asked.folds if "{eval}" in command.text else 0
    return {
        "baseline": 0 if asked.predictions else asked.seeds,
        "diagnose": judged,
        "trial": asked.most * count(min(4 + OF_A_RECIPE * len(asked.recipes), MOST)) if asked.trial else 0,
        "allocate": len(SIZES) * asked.seeds if asked.curves else 0,
        "retrain": asked.seeds,
    }


def _why(name: str, asked: Asked) -> str:
    if name == "baseline" and asked.predictions:
        return "predictions are given"
    if name == "trial":
        return f"{asked.most} slices at most" if asked.trial else "by the diagnosis"
    return ""
