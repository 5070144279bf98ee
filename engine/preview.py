"""What a recipe makes, as a picture: a contact sheet of the first items that `generate` would make, and their clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import soundfile

from sliceforge.engine import plan, sink
from sliceforge.engine.apart import apart
from sliceforge.engine.banks import Shelf
from sliceforge.engine.errors import SettingError
from sliceforge.engine.manifest import read
from sliceforge.engine.naming import given
from sliceforge.engine.outcome import Outcome
from sliceforge.engine.parents import choose, survey
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.report import image, sound
from sliceforge.engine.report.sheet import Row, sheet
from sliceforge.engine.spec import Spec
from sliceforge.engine.work import Workshop

MOST = 99
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def begin(config: Mapping[str, Any]) -> tuple[Workshop, pa.Table]:
    """A workshop without a run, and the parents that `generate` would take, in plan order.

    Args:
        config: `data pattern parents slice banks sink seed retries batch trust` and the recipe, composed.

    Raises:
        SettingError: a setting is wrong, or no item is chosen.
    """
    recipe = from_config(config, tuple(config.get("trust") or ()))
    plan.check_inventory(recipe, {bank: path for bank, path in (config.get("banks") or {}).items() if path})
    manifest = read(config.get("data"), recipe.kind, config.get("pattern") or "", material=config.get("material"))
    config = {**config, "banks": given(config, recipe, manifest)}
    banks = Shelf.open(config["banks"], recipe.kind)
    rows = choose(manifest, recipe, config.get("parents"), config.get("slice"))
    suffix = sink.suffix(config["sink"], recipe.kind)
    parents = survey(manifest, rows, recipe, config["seed"], suffix)
    if not len(parents):
        raise SettingError("parents: no item is chosen; look at data=, parents= and slice=")
    return Workshop(Spec.of(config, recipe, manifest.root, apart=apart(manifest, banks.places()))), parents


def preview(config: Mapping[str, Any], name: str = "preview") -> list[Path]:
    """Make the first items of variant 1 and draw them; clips are written beside the sheet.

    Args:
        config: what `compose("preview", …)` returns.
        name: the recipe's name: the default `out` is runs/preview/<name>.png.

    Returns:
        The files written, the sheet first.

    Raises:
        SettingError: a setting is wrong, or `out` cannot be written.
    """
    out = Path(config.get("out") or f"runs/preview/{name.replace('/', '_')}.png")
    if out.suffix.lower() not in SUFFIXES:
        raise SettingError(f"out: {out}: expected a picture, such as out=sheet.png")
    count = config["count"] or 12
    if count > MOST:
        raise SettingError(f"count: {count}: expected 1 to {MOST}, such as count=12")
    shop, parents = begin(config)
    spec, banks = shop.spec, shop.banks.inventories()
    rows = plan.draw(shop.recipe, parents.slice(0, count), spec.seed, 1, banks, spec.slice)
    outcomes = list(shop.outcomes(rows))
    made = [outcome.made for outcome in outcomes if outcome.made]
    beside = image.columns(made) if shop.recipe.kind == "image" else 1
    shown = [_row(shop.recipe, i, outcome, beside) for i, outcome in enumerate(outcomes, 1)]
    accepted = sum(not outcome.reason for outcome in outcomes)
    heading = f"{name}, seed {spec.seed}: the first {len(outcomes)} of {len(parents)} items, {accepted} accepted"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        sheet(heading, shown, beside).save(out, quality=92)  # a PNG has none
        return [out, *(clip for i, outcome in enumerate(outcomes, 1) for clip in _clips(out, i, outcome))]
    except (OSError, soundfile.LibsndfileError) as error:
        raise SettingError(f"out: {out}: {getattr(error, 'strerror', None) or error}") from None


def _row(recipe: Recipe, number: int, outcome: Outcome, beside: int) -> Row:
    title = f"{number:02d}   {outcome.row['id'] or outcome.row['path']}"
    draws = f"draw {outcome.row['attempt'] + 1}"
    state = f"accepted, {draws}"
    if outcome.reason:
        state = f"rejected, {outcome.reason}: {outcome.detail}"
        state += f", {draws}" if outcome.made else ""
    lines = [line for line in (_gates(outcome), _steps(recipe, outcome), _facts(recipe, outcome)) if line]
    if outcome.made is None:
        return Row(title, state, False)
    if recipe.kind == "image":
        panels, across = image.panels(outcome.made, beside), image.across(outcome.made)
    else:
        panels, across = sound.panels(outcome.made), sound.ACROSS
    return Row(title, state, not outcome.reason, lines, panels, across)


def _gates(outcome: Outcome) -> str:
    found = [
        f"{name}: asked {_short(verdict.asked)}, got {_short(verdict.got)}{'' if verdict.ok else ', not passed'}"
        for name, verdict in outcome.verdicts.items()
    ]
    return "gates   " + "   ".join(found) if found else ""


def _steps(recipe: Recipe, outcome: Outcome) -> str:
    """The steps that happened to the item, with their numbers."""
    shown = []
    for step in recipe.steps:
        if recipe.active(step, outcome.row):
            known = recipe.draws(step, outcome.row).items()
            drawn = [f"{name}\u00a0{_short(value)}" for name, value in known if _speaks(name, value)]
            shown.append(f"{step.name}: {', '.join(drawn)}" if drawn else step.name)
    return "steps   " + ("   ".join(shown) or "none")


def _speaks(name: str, value: Any) -> bool:
    """Whether a drawn number says something to a reader: those that seed a noise field do not."""
    return value not in (None, "") and not (isinstance(value, int) and abs(value) >= 1 << 24) and name != "key"


def _facts(recipe: Recipe, outcome: Outcome) -> str:
    """What the item is, beside what the steps' numbers say."""
    known = {"parent's label": outcome.row["label"], "transcript": outcome.row.get("transcript")}
    known |= {name: value for name, value in recipe.sets.items() if value not in outcome.row}
    return "   ".join(f"{name}: {_short(value)}" for name, value in known.items() if value is not None)


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def _clips(out: Path, number: int, outcome: Outcome) -> list[Path]:
    """The parent and the made clip, in 16 bits, beside the sheet."""
    made = outcome.made
    if made is None or not made.rate:
        return []
    files = []
    for which, audio in (("parent", made.parent), ("made", made.item)):
        path = out.with_name(f"{out.stem}_{number:02d}_{which}.wav")
        soundfile.write(path, audio, made.rate, subtype="PCM_16")
        files.append(path)
    return files
