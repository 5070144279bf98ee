"""`loop`: train, find, diagnose, try, allocate, generate, train again, verify; stopped anywhere, it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sliceforge.engine import commit, folder
from sliceforge.engine.loop import beginning, rounds, steps, story
from sliceforge.engine.loop.asked import Asked
from sliceforge.engine.loop.command import Command
from sliceforge.engine.loop.costs import costs
from sliceforge.engine.loop.ground import Ground, write_eval
from sliceforge.engine.loop.operations import operations
from sliceforge.engine.loop.rows import slices
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.loop.trainings import Rows, Trainings, write_manifest

Said = Callable[[str], None]


@dataclass(frozen=True)
class Ended:
    """How a loop ended.

    Args:
        out: its folder.
        code: 0 accepted, nothing to do, or labels asked for; 1 not accepted.
        sentence: that in words.
        table: each slice's gain, or the steps of a dry run; may be empty.
        page: the page that tells all of it; None of a dry run.
    """

    out: Path
    code: int
    sentence: str
    table: str
    page: Path | None


@dataclass(frozen=True)
class Loop:
    """A loop at work.

    Args:
        asked: the settings.
        ground: the material.
        trainings: by the user's command.
        home: the folder.
        said: told what is going on, a line each.
    """

    asked: Asked
    ground: Ground
    trainings: Trainings
    home: Path
    said: Said

    def step(
        self, name: str, inputs: Mapping[str, Any], action: Callable[[Path], steps.Done], again: bool = False
    ) -> Any:
        """Do a step, or find that it is done; see `steps.done`."""
        place = steps.place(self.home, name, again)
        if steps.found(place) is None:
            self.said(f"{place.name}: {ABOUT[name]}")
        return steps.done(place, inputs, action)


ABOUT = {
    "baseline": "train on the data as they are",
    "find": "look for weak slices on the rows that find",
    "diagnose": "judge the labels, and say why each slice is weak",
    "trial": "try what could be done for each slice, judged on the rows that tune",
    "allocate": "divide the budget",
    "generate": "make the items",
    "retrain": "train on originals and made items",
    "verify": "judge the change on the rows that report",
}


def loop(config: Mapping[str, Any], said: Said = lambda line: None) -> Ended:
    """Do, or go on with, the loop that a configuration describes.

    Args:
        config: of conf/loop.yaml.
        said: told what is going on, a line each.

    Raises:
        SettingError: a setting is wrong, the train command fails, or `out` holds another loop.
        RunError: a lost worker, a command that was killed, or another process at the same loop.
    """
    asked = Asked.of(config)
    command = Command.of(asked.train, asked.seeds)
    if asked.dry_run and not (Path(asked.out) / "loop.yaml").exists():
        return Ended(Path(asked.out), 0, *costs(asked, command, None), None)
    home = folder.open_folder(asked.out)
    with folder.locked(home):
        ground = Ground.of(asked)
        steps.agree(home, {**asked.decisive(), **ground.digests})
        trainings = _trainings(asked, command, ground, home)
        if asked.dry_run:
            return Ended(home, 0, *costs(asked, command, trainings), None)
        return _ended(Loop(asked, ground, trainings, home, said))


def _trainings(asked: Asked, command: Command, ground: Ground, home: Path) -> Trainings:
    commit.sweep(home / "log")
    rows = home / f"eval.{asked.table}"
    if not rows.exists():
        write_manifest(rows, ground.evaluation())
    if not (home / "splits.parquet").exists():
        write_eval(home / "splits.parquet", ground)
    found = Trainings(home, command, Rows(rows, frozenset(ground.ids)), asked.jobs)
    found.sweep()
    return found


def _ended(own: Loop) -> Ended:
    before = beginning.baseline(own)
    beginning.find(own, before)
    diagnosed = beginning.diagnose(own, before)
    if diagnosed["labels"]:
        return _told(
            own, 0, f"labels first: {diagnosed['labels'][0]}; see {own.home / 'relabel.csv'}; nothing was made"
        )
    weak = slices.read(steps.place(own.home, "diagnose") / "slices.yaml")
    worked = [one for one in weak if one.cause in ("nuisance", "scarcity")][: own.asked.most]
    if not worked:
        return _told(own, 0, _nothing(weak))
    orders = operations(own, weak, worked, diagnosed["digest"])
    if not any(order.operation != "nothing" for order in orders):
        return _told(own, 0, "nothing was made: no operation beat doing nothing on the rows that tune")
    for again in (False, True):
        verified = rounds.round_of(own, weak, worked, orders, before, again)
        if verified["decision"] != "halve":
            break
        if not again:
            own.said("the weak slice gained, another lost: once more with half of the budget")
    code = 0 if verified["decision"] == "accept" else 1
    tail = f"; train on {verified['train']}" if code == 0 else "; keep the training set as it was"
    return _told(own, code, f"{verified['decision']}: {verified['reason']}{tail}", verified["table"])


def _nothing(weak: list[WeakSlice]) -> str:
    if not weak:
        return "nothing to do: no slice of the evaluation set is shown to be weak"
    causes = ", ".join(f"{one.name} ({one.cause or 'no cause known'})" for one in weak)
    return f"nothing was made: making data does not mend {causes}; see the page for what would"


def _told(own: Loop, code: int, sentence: str, table: str = "") -> Ended:
    return Ended(own.home, code, sentence, table, story.write(own, sentence))
