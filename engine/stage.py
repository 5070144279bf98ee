"""A recipe where data flow already: through `datasets`, webdataset or lhotse, without a `SliceDataset`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from sliceforge.engine import direct, plan, subjects
from sliceforge.engine.banks import Shelf
from sliceforge.engine.classes import Classes
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.mixing import EPOCHS
from sliceforge.engine.outcome import Outcome, facts
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.subjects import Subject

EXAMPLE = 'Stage(load("speech/car_noise"), share=0.5, seed=7)'


class Stage:
    """Makes a share of what flows by; which items, and what is drawn, is a function of (seed, id, epoch) alone.

    A made item has the bytes of `recipe(x, rate=rate, id=id, seed=seed, variant=epoch)`; all others pass as they came,
    and one that could not be made says why. `rows` is for `datasets`, `samples` for webdataset, `cuts` for lhotse.

    Args:
        recipe: what `load` returns, without quotas: they hold over a run, and here is none.
        share: the probability that an item is made in an epoch, 0 to 1.
        seed: any whole number from 0.
        banks: name → folder or table.
        slice: what every made item is, such as `snr < 10`, over columns that the recipe sets.
        classes: the classes in the order of their numbers, where labels are numbers.

    Raises:
        SettingError: one line.
    """

    def __init__(
        self,
        recipe: Recipe,
        share: float = 0.5,
        seed: int = 0,
        banks: Mapping[str, str] | None = None,
        slice: str | None = None,
        classes: Sequence[str] = (),
    ) -> None:
        _check(recipe, share, seed)
        self.recipe, self.share, self.seed, self.slice = recipe, share, seed, slice
        self.banks, self.classes = {name: str(path) for name, path in (banks or {}).items()}, Classes(tuple(classes))
        self._shelf: Shelf | None = None
        plan.check_inventory(recipe, self.banks, own=True)
        self._inventories = self.shelf.inventories()
        self.classes.check(recipe, self._inventories)
        # In shared memory, so that workers that live longer than an epoch see it change.
        self._epoch = torch.ones(1, dtype=torch.int64).share_memory_()
        if slice:
            self._check_slice(slice)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_shelf": None}

    def __deepcopy__(self, memo: Any) -> Stage:
        # `datasets` copies a data set with its transform at every turn, and all copies are of one epoch.
        return self

    @property
    def shelf(self) -> Shelf:
        """The banks, in this process."""
        if self._shelf is None:
            self._shelf = Shelf.open(self.banks, self.recipe.kind)
        return self._shelf

    @property
    def epoch(self) -> int:
        """The epoch that items are drawn for: the variant of what is made, and 65 536 in epoch 0."""
        return int(self._epoch[0])

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, from 0; workers that run already follow with their next item.

        Raises:
            SettingError: no such epoch.
        """
        if isinstance(epoch, bool) or not isinstance(epoch, int) or not 0 <= epoch < EPOCHS:
            raise SettingError(f"epoch: {epoch!r}: expected a whole number from 0, such as set_epoch(1)")
        self._epoch[0] = epoch

    def rows(
        self, batch: Mapping[str, Any], id: str = "id", column: str = "", arrays: bool = False
    ) -> dict[str, list[Any]]:
        """For `datasets`: `dataset.with_transform(stage.rows)`; see `stage_datasets.rows`."""
        from sliceforge.engine import stage_datasets

        return stage_datasets.rows(self, batch, id, column, arrays)

    def sample(self, sample: Any, member: str = "") -> Any:
        """For webdataset: `.map(stage.sample)`, of a sample, a list or a batch; see `stage_webdataset.sample`."""
        from sliceforge.engine import stage_webdataset

        return stage_webdataset.sample(self, sample, member)

    def samples(self, stream: Iterable[Any], member: str = "") -> Iterator[Any]:
        """For webdataset: `.compose(stage.samples)`; see `stage_webdataset.sample`."""
        for one in stream:
            yield self.sample(one, member)

    def cut(self, cut: Any) -> Any:
        """For lhotse: `cuts.map(stage.cut)`; see `stage_lhotse.made`."""
        from sliceforge.engine import stage_lhotse

        return stage_lhotse.made(self, [cut])[0]

    def cuts(self, cuts: Any) -> Any:
        """For lhotse: `cut_transforms=[stage.cuts]`, a CutSet for a CutSet; see `stage_lhotse.made`."""
        from sliceforge.engine import stage_lhotse

        return stage_lhotse.cuts(self, cuts)

    def chosen(self, ids: Sequence[str]) -> np.ndarray:
        """Which items are made in this epoch, (B,) bool."""
        taken: np.ndarray = Keys.of(self.seed, ids, self.epoch).at("stage").uniform("share")[:, 0] < self.share
        return taken

    def outcomes(self, ids: Sequence[str | None], read: Callable[[int], Subject]) -> dict[int, Outcome]:
        """What becomes of the items that are chosen, by their place.

        Args:
            ids: of all; None: what `read` says.
            read: place → the item; called for those that are chosen or have no id.
        """
        known = self.chosen([item or "" for item in ids])
        found: dict[int, Outcome] = {}
        there: dict[int, Subject] = {}
        for place, item in enumerate(ids):
            if item is not None and not known[place]:
                continue
            try:
                subject = read(place)
            except InputError as error:
                found[place] = Outcome({}, error.reason, error.detail)
                continue
            if item is not None or self.chosen([subject.id])[0]:
                there[place] = subject
        made = self._made(list(there.values())) if there else []
        return dict(sorted((found | dict(zip(there, made, strict=True))).items()))

    def facts(self, outcome: Outcome) -> dict[str, Any]:
        """The manifest's row of a made item, and as `plan` what was drawn for it."""
        row = outcome.row
        names = [name for name in row if "." in name and not name.startswith("read.")]
        drawn = {name: row[name] for name in names if row[name] is not None}
        return {**facts(self.recipe, outcome, self.slice), "plan": drawn}

    def _made(self, some: Sequence[Subject]) -> list[Outcome]:
        return subjects.make(
            self.recipe, some, self.seed, self.epoch or EPOCHS, self.shelf, self._inventories, self.slice
        )

    def _check_slice(self, slice_: str) -> None:
        rate = self.recipe.rate or 16000
        picture = Subject("", np.zeros((64, 64, 1), np.uint8))
        one = Subject("", np.zeros(rate, np.float32), rate) if self.recipe.kind == "audio" else picture
        shape = subjects.shapes([one], self._inventories)
        direct.check(self.recipe, self.seed, shape, slice_)


def _check(recipe: Recipe, share: float, seed: int) -> None:
    """Refuse settings that are wrong.

    Raises:
        SettingError: one line.
    """
    if not isinstance(recipe, Recipe):
        raise SettingError(f"recipe: {type(recipe).__name__}: expected what load returns, such as {EXAMPLE}")
    if recipe.by_slot():
        raise SettingError(
            "recipe: its quotas, caps or bins hold over a run, and here is none; expected it without them"
        )
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise SettingError(f"share: {share!r}: expected a number from 0 to 1, such as {EXAMPLE}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SettingError(f"seed: {seed!r}: expected a whole number from 0, such as {EXAMPLE}")
