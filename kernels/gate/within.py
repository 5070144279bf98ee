"""A made item belongs to the slice that it was made for: what is measured of it fulfils the slice's condition."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.loop.generate.fulfils import fulfils
from sliceforge.engine.loop.rows.attributes import known, of_item
from sliceforge.engine.loop.rows.columns import MEASURED
from sliceforge.engine.op import setting
from sliceforge.kernels.heard import Heard
from sliceforge.kernels.seen import Seen


@dataclass(frozen=True)
class Within(Gate):
    """The condition is true of the item: of measured attributes, of what the recipe sets, and of its parent's metadata.

    Only the attributes that the condition names are measured. A name means what `find` means by it: a column of the
    metadata before an attribute of that name, which is then called NAME_measured.

    Args:
        step: empty, or only items to which this step happened.
        where: an SQL condition, such as snr_est < 10.
    """

    whole: ClassVar[bool] = True

    step: str = ""
    where: str = setting("")

    def check(self) -> None:
        """Refuse what is no condition."""
        if not self.where:
            raise SettingError("where: is needed, such as snr_est < 10")
        fulfils(self.where, "where")

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """1 where it is true, else 0; more: the measured attributes, NaN for one that the item does not have."""
        asked = fulfils(self.where, "where")
        attributes, row = known(op.kind), {**plan, **op.facts(plan)}
        measured = {}
        for name in asked.columns:
            own = name.removesuffix(MEASURED)
            if name in row and "." not in name:
                continue
            if own not in attributes:
                names = [*attributes, *(one for one in row if "." not in one)]
                raise SettingError(f"gates: within: {name}: no such column{did_you_mean(name, names)}")
            measured[name] = own
        got = of_item(op.kind, _item(made, op.kind), list(measured.values())) if measured else []
        values = dict(zip(measured, got, strict=True))
        ok = asked({name: values.get(name) if name in values else row[name] for name in asked.columns})
        more = {name: math.nan if value is None else float(value) for name, value in values.items()}
        return Verdict(ok, 1.0, float(ok), more)


def _item(made: Made, kind: str) -> Any:
    if kind == "audio":
        return Heard(made.item, made.rate)
    masks = list(made.masks.values())
    return Seen(made.item, np.logical_or.reduce(masks) if masks else None)
