"""Operators and gates by name: a file of `kernels/`, or of a package that is trusted."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from sliceforge.engine.errors import SettingError, did_you_mean

APART = ("gate", "attribute")
"""Families whose parts are no steps."""


def find(name: str, trust: Sequence[str] = (), family: str = "") -> type[Any]:
    """The class that a recipe names: `audio/mix` is `Mix` in kernels/audio/mix.py; `my_package.hum` is `Hum`.

    Args:
        name: what follows `op:`.
        trust: packages whose operators may be imported by a dotted name.
        family: look only here (`gate`).

    Raises:
        SettingError: no such operator, or a package that is not trusted.
    """
    if re.fullmatch(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*", name):
        module = f"sliceforge.kernels.{name.replace('/', '.')}"
        owned = family in ("", name.split("/")[0])
    elif re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", name):
        module = name
        owned = name.split(".")[0] in trust
    else:
        raise SettingError(f"{name!r}: expected family/noun, such as audio/mix")
    if not owned:
        raise SettingError(f"{name}: own operators need trust=[{name.split('.')[0]}] on the command line")
    noun = module.rpartition(".")[2]
    try:
        found = getattr(importlib.import_module(module), noun.title().replace("_", ""), None)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        found = None
    if found is None and "." in name:
        raise SettingError(f"{name}: no module of that name with its class in it; its folder must be on PYTHONPATH")
    if found is None:
        raise SettingError(f"{name}: no such operator{did_you_mean(name, _operators(family))}")
    return found


def _operators(family: str) -> Iterator[str]:
    from sliceforge.engine.cache import KERNELS

    for path in KERNELS.glob("*/*.py"):
        folder = path.parent.name
        if path.stem != "__init__" and (folder if folder in APART else "") == (family if family in APART else ""):
            yield f"{folder}/{path.stem}"
