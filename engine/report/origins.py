"""The parts of a run's page that say what it was made of and with: banks, likeness, all items, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from sliceforge.engine import device
from sliceforge.engine.report import figures
from sliceforge.engine.report.markup import count, grouped, name, number, pairs, table, text
from sliceforge.engine.report.sections import FEW
from sliceforge.engine.report.told import Told

ROWS = 500
"""Items of the table of all items."""


def banks(told: Told) -> str:
    """How evenly each bank was used, and how the SNRs are spread."""
    rows = told.coverage()
    if not rows:
        return "<p>The recipe takes nothing from a bank.</p>"
    parts = []
    heads = [row for row in rows if row["part"] == "bank"]
    if heads:
        lines: list[tuple[str, ...]] = [
            (
                *(text(one["step"]), name(one["bank"]), f"{grouped(one['used'])} of {grouped(one['items'])}"),
                *(grouped(one["uses"]), f"{one['least']} to {one['most']}", _share(one["heard"])),
            )
            for one in heads
        ]
        parts.append(table(("step", "bank", "#used", "#uses", "#times each", "#heard"), lines, "Banks"))
    for head in heads:
        parts.append(_uses(head, [row for row in rows if row["part"] == "item" and _of(row) == _of(head)]))
    for step in dict.fromkeys(row["step"] for row in rows if row["part"] == "snr"):
        bins = [row for row in rows if row["part"] == "snr" and row["step"] == step]
        whole = max(sum(row["count"] for row in bins), 1)
        spread = [(f"{text(one['name'])} dB", grouped(one["count"]), figures.bar(one["count"] / whole)) for one in bins]
        parts.append(table((f"SNR of {step}", "#items", ""), spread, f"Items by SNR of {step}"))
    return f'<div class="stack">{"".join(parts)}</div>'


def _of(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["step"], row["bank"]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _uses(head: Mapping[str, Any], items: list[dict[str, Any]]) -> str:
    """The items of a bank, the most used first, and how many were never used."""
    order = sorted(items, key=lambda row: (-row["uses"], str(row["name"])))
    most = max([row["uses"] for row in order] or [1]) or 1
    rows = [
        (
            *(name(one["name"]), name(one["tag"]), grouped(one["uses"]), _share(one["heard"])),
            figures.bar(one["uses"] / most),
        )
        for one in order[: 4 * FEW]
    ]
    shown = f"{len(rows)} of {count(len(order), 'item')} of {head['bank']}, the most used first"
    unused = sum(row["uses"] == 0 for row in order)
    return (
        f"<details><summary>{text(shown)}; {grouped(unused)} never used</summary>"
        f"{table(('item', 'tag', '#uses', '#heard', ''), rows, shown)}</details>"
    )


def near(told: Told) -> str:
    """The made items that are most like another one."""
    if "near.distance" not in told.made.column_names:
        return ""
    some = told.made.select(["id", "near.id", "near.distance"])
    some = some.filter(pc.is_valid(some["near.distance"])).sort_by(
        [("near.distance", "ascending"), ("id", "ascending")]
    )
    if not len(some):
        return "<p>No made item is nearly the same as another one.</p>"
    rows = [
        (name(row["id"]), name(row["near.id"]), str(row["near.distance"])) for row in some.slice(0, FEW).to_pylist()
    ]
    told_many = f"The {len(rows)} nearest of {count(len(some), 'item')} with a near neighbour"
    return table(("item", "nearest other", "#bits of 64 that differ"), rows, told_many)


def told_apart(told: Told) -> str:
    """What the classifier found, or how to ask it."""
    if told.auc:
        low, high, at = (number(float(told.auc.get(one) or 0)) for one in ("low", "high", "auc"))
        return (
            f"<p>A simple classifier tells made items from real ones with an area under its ROC curve of "
            f"<strong>{at}</strong> (95 %: {low} to {high}); 0.5 is chance, 1 is always.</p>"
        )
    return (
        "<p>Whether a classifier tells made items from real ones was not asked: "
        "<code>sliceforge audit run=RUN auc=true</code>, then <code>sliceforge report run=RUN</code>.</p>"
    )


def everything(told: Told) -> str:
    """The items as a table, without what is a list, such as alignments: it would make rows taller than a screen."""
    if not len(told.made):
        return "<p>There is none.</p>"
    skip = ("path", "mask", "boxes", "box_labels", "sha256", "parent_path", "variant", "near.hash", "split", "slice")
    names = [
        one
        for one in told.made.column_names
        if one not in skip
        and (one == "parents" or not pa.types.is_nested(told.made.schema.field(one).type))
        and not one.startswith(("asked.", "gate."))
        and told.made[one].null_count < len(told.made)
        and (not one.startswith("got.") or one[4:] in told.recipe.gates)
    ]
    some = told.made.select(names).slice(0, ROWS)
    number_like = [pa.types.is_floating(kind) or pa.types.is_integer(kind) for kind in some.schema.types]
    head = [f"#{one}" if numeric else one for one, numeric in zip(names, number_like, strict=True)]
    rows = (tuple(name(value) for value in row.values()) for row in some.to_pylist())
    shown = f"{count(len(some), 'item')} of {grouped(len(told.made))}"
    more = "" if len(some) == len(told.made) else " All of them stand in <code>manifest.parquet</code>."
    return (
        f'<p><label>Find <input id="find" type="search" placeholder="id, label, number"></label> '
        f'<span id="found" role="status">{shown}.</span>{more}</p>{table(head, rows, f"Items: {shown}", "tall")}'
    )


def made_with(told: Told) -> str:
    """What was asked: the command, the recipe, the versions."""
    said = told.settings
    rows = [("Command", f"<code>{text(told.command)}</code>"), ("Recipe", name(told.name))]
    for key in ("seed", "slice", "parents", "variants", "count", "retries", "data_sha256", "recipe_sha256"):
        if said.get(key) is not None:
            rows.append((key.replace("_", " "), f"<code>{text(said[key])}</code>"))
    rows.append(("Device", text(said.get("device", device.CPU))))
    rows.append(("Processor", text(said.get("cpu", ""))))
    versions = {"sliceforge": said.get("sliceforge", ""), **(said.get("versions") or {})}
    rows.append(("Versions", text(", ".join(f"{one} {value}" for one, value in versions.items()))))
    if told.originals:
        rows.append(("Originals copied in", grouped(told.originals)))
    whole = yaml.safe_dump(said.get("recipe") or {}, sort_keys=False, allow_unicode=True, default_flow_style=None)
    recipe = f'<details><summary>The recipe, in full</summary><pre tabindex="0">{text(whole)}</pre></details>'
    return pairs(rows) + recipe
