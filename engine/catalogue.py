"""The texts of `list` and `--help`: what there is, read from the folders with nothing imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sliceforge.engine.anatomy import Part, part, parts
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.library import HOME, Library
from sliceforge.engine.operators import APART
from sliceforge.engine.settings import CHOICES
from sliceforge.engine.texts import Row, plain, table
from sliceforge.engine.vet import read_yaml

if TYPE_CHECKING:
    from sliceforge.engine.op import Op


def recipes(config_dirs: Sequence[str] = ()) -> dict[str, str]:
    """Name → what it is, of every recipe; one that cannot be read says why."""
    library = Library(config_dirs)
    found = {}
    for name in library.names("recipe"):
        place = library.place(f"recipe/{name}")
        if place:
            try:
                found[name] = str(read_yaml(*place)[0].get("about", ""))
            except SettingError as error:
                found[name] = f"cannot be read: {error}"
    return found


def banks() -> dict[str, list[str]]:
    """Name of a bank → the operators that read it unless told otherwise."""
    found: dict[str, list[str]] = {}
    for one in parts():
        default = one.settings["bank"].default if "bank" in one.settings else None
        if isinstance(default, str) and default:
            found.setdefault(default, []).append(one.name)
    return found


def listing(config: Mapping[str, Any], config_dirs: Sequence[str] = ()) -> str:
    """The text of `list`; with `recipe` in the configuration, only what has that in its name, and of the recipe that
    has just that name, or is a file of it, its segments."""
    wanted = config.get("recipe") or ""
    known = [one for one in parts() if wanted in one.name]
    made = {name: about for name, about in recipes(config_dirs).items() if wanted in name}
    sections: dict[str, list[Row]] = {
        "Recipes": list(made.items()),
        "Operators": _family(known, "", bool(wanted)),
        "Gates": _family(known, "gate", bool(wanted)),
        "Attributes": _family(known, "attribute", bool(wanted)),
        "Banks": [(f"banks.{name}=", f"read by {', '.join(by)}") for name, by in banks().items() if not wanted],
    }
    if wanted in made or wanted.endswith((".yaml", ".yml")):
        sections["Segments"] = passes(wanted, config_dirs)
    shown = [f"{title}\n{table(rows, indent=2)}" for title, rows in sections.items() if rows]
    return "\n\n".join(shown) or f"nothing has {wanted} in its name"


def passes(name: str, config_dirs: Sequence[str] = ()) -> list[Row]:
    """The passes over the data that a recipe's steps become; operators are asked for nothing but their form.

    Raises:
        SettingError: no such recipe, or a step whose operator is not one of Sliceforge's.
    """
    from sliceforge.engine import fuse
    from sliceforge.engine.recipe import Recipe
    from sliceforge.engine.step import Step

    config = compose("show", [f"recipe={name}"], config_dirs)
    steps = tuple(Step(step, _stand_in(step, op)) for step, op in _named(config["steps"]))
    kind = config.get("kind") or (steps[0].op.kind if steps else "")
    found = fuse.segments(Recipe(kind, steps, (), {}, {}))
    numbered = enumerate(found, 1)
    return [("pass", "form", "steps"), *((str(i), one.form, ", ".join(one.steps)) for i, one in numbered)]


def _named(steps: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(step, operator), the branches of a `one_of` beside each other."""
    for name, given in steps.items():
        branches = given.get("one_of") if isinstance(given, Mapping) else None
        if isinstance(branches, Mapping):
            yield from ((f"{name}.{branch}", str(dict(own or {}).get("op", ""))) for branch, own in branches.items())
        else:
            yield name, str(dict(given).get("op", "")) if isinstance(given, Mapping) else ""


def _stand_in(step: str, op: str) -> Op:
    """An operator of the same form and kind that does nothing: to import the real one can take seconds."""
    from sliceforge.engine import op as forms

    known = part(op)
    if known is None or not known.form:
        raise SettingError(f"steps.{step}: op: {op!r}: segments are shown for operators of Sliceforge's own")
    form = getattr(forms, known.form)
    nothing = dict.fromkeys(form.__abstractmethods__) | {"kind": op.partition("/")[0]}
    made: Op = type(known.form, (form,), nothing)()
    return made


def _family(known: Sequence[Part], family: str, settings: bool) -> list[Row]:
    """What there is of a family, or of all whose parts are steps."""
    own = [(one.name.partition("/")[0], one) for one in known]
    return [row for name, one in own if (name if name in APART else "") == family for row in _rows(one, settings)]


def _rows(one: Part, settings: bool) -> Iterator[Row]:
    yield one.name, one.line
    if settings:
        for name, setting in one.settings.items():
            default = "" if setting.default is None else plain(setting.default)
            yield f"  {name}", ": ".join(filter(None, (default, setting.about or setting.unit)))


def settings(verb: str) -> str:
    """The text of `--help` of a verb: every setting, its default and what it means, from the verb's own YAML."""
    text = Path(HOME / "conf" / f"{verb}.yaml").read_text("utf-8")
    lines = re.findall(r"^(\w+): *(.*?) *# (.*)$", text, re.MULTILINE)
    rows = [(name, default, about) for name, default, about in lines]
    if "- recipe:" in text:
        rows.insert(0, ("recipe", "speech/car_noise", "a name of sliceforge list, or a file, such as ./mine.yaml"))
        rows.append(("steps.NAME.KEY", "", "any setting of a step, such as steps.mix.snr=[0,10]; see sliceforge show"))
    if "- sink:" in text:
        kinds = ", ".join(CHOICES["sink.kind"])
        rows.append(("sink", "webdataset", f"{kinds}; sink.audio is flac or wav, sink.image png or jpeg"))
    return table([("setting", "default", "meaning"), *rows])
