"""The page of a run, report/index.html: one file that opens anywhere, asks no server and runs nobody else's script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from sliceforge.engine.errors import SettingError
from sliceforge.engine.replay import Said, quiet, reopen
from sliceforge.engine.report import gallery, origins, sections, shell
from sliceforge.engine.report.markup import count, grouped, name, number, pairs, table, text
from sliceforge.engine.report.shell import hashed
from sliceforge.engine.report.told import Told, stamp
from sliceforge.engine.work import Workshop

HERE = Path(__file__).parent
MARK = '<meta name="stamp" content="'


def place(run: Path) -> Path:
    """Where a run's page lies."""
    return run / "report" / "index.html"


def current(run: Path) -> bool:
    """Whether the page is there, and of the run as it is now."""
    try:
        with place(run).open(encoding="utf-8", errors="replace") as file:
            return f'{MARK}{stamp(run)}"' in file.read(4096)
    except OSError:
        return False


def report(config: Mapping[str, Any], said: Said = quiet) -> Path:
    """Write the page of a finished run once more, such as after an audit.

    Args:
        config: `run`, and `data` and `banks` where the material has moved since.
        said: told what is not as it was.

    Raises:
        SettingError: there is no finished run, or its material is not where it was.
    """
    workshop = reopen(config, said)
    if not (workshop.run / "manifest.parquet").exists():
        raise SettingError(f"run: {workshop.run}: is not finished; the command that began it goes on")
    return write(workshop)


def write(workshop: Workshop) -> Path:
    """Write a finished run's page; the same run gives the same bytes.

    Args:
        workshop: of the run.

    Raises:
        RunError: a table of the run is damaged.
    """
    told = Told.of(workshop)
    return shell.write(place(workshop.run), page(told))


def page(told: Told) -> str:
    """The page's HTML."""
    style, script = ((HERE / f"page.{kind}").read_text("utf-8") for kind in ("css", "js"))
    shown = gallery.items(told)
    few = f"{len(shown)} of {count(len(told.made), 'item')}"
    policy = (
        f"default-src 'none'; img-src data:; media-src data:; style-src {hashed(style)}; script-src {hashed(script)}"
    )
    made, bad = len(told.made), len(told.rejected)
    if not bad:
        verdict = f"All {count(made, 'planned item')} passed every gate."
    else:
        verdict = f"{count(made, 'item')} of {grouped(made + bad)} planned passed every gate; {grouped(bad)} did not."
    return Template((HERE / "page.html").read_text("utf-8")).substitute(
        mark=f'{MARK}{stamp(told.run)}"',
        policy=text(policy),
        style=style,
        script=script,
        title=text(told.name),
        name=name(told.name),
        verdict=verdict,
        kind=told.recipe.kind,
        question=f"Does it {'look' if told.recipe.kind == 'image' else 'sound'} right?",
        facts=sections.facts(told),
        controls=_controls(told, shown),
        few=few,
        cards="".join(_card(told, one, place) for place, one in enumerate(shown)),
        gates=sections.gates(told),
        rejects=sections.rejects(told),
        slices=sections.slices(told),
        drawn=sections.drawn(told),
        banks=origins.banks(told),
        near=origins.near(told) + origins.told_apart(told),
        everything=origins.everything(told),
        made_with=origins.made_with(told),
    )


def _controls(told: Told, shown: list[gallery.Shown]) -> str:
    """What the gallery shows of each item, and in which order."""
    image = told.recipe.kind == "image"
    views = {"made": "made", "parent": "parent", "beside": "beside each other"}
    views |= {"difference": "difference, 4 times"} if any(one.alike for one in shown) else {}
    views |= {"added": "made less parent"} if any('class="panel added"' in one.panels for one in shown) else {}
    choices = "".join(f'<option value="{value}">{words}</option>' for value, words in views.items())
    parts = [f'<label>Show <select id="view">{choices}</select></label>']
    if image and any('class="over' in one.panels for one in shown):
        parts.append('<label><input id="over" type="checkbox" checked> Labels <kbd>L</kbd></label>')
    orders = [one for one in _numbers(told) if len({row.row.get(one) for row in shown}) > 1]
    choices = "".join(f'<option value="{text(one)}">{text(one)}</option>' for one in orders)
    if choices:
        parts.append(
            f'<label>Order by <select id="order"><option value="">plan</option>{choices}</select></label>'
            '<label><input id="down" type="checkbox"> greatest first</label>'
        )
    return "".join(parts)


def _numbers(told: Told) -> list[str]:
    """Columns that items can be put in order by: what was measured, and what the recipe sets."""
    wanted = [*(f"got.{gate}" for gate in told.recipe.gates), *told.recipe.sets]
    kinds = dict(zip(told.made.schema.names, map(str, told.made.schema.types), strict=True))
    return [one for one in wanted if kinds.get(one, "") in ("double", "float", "int64", "int32")]


def _card(told: Told, one: gallery.Shown, at: int) -> str:
    keys = [(key, one.row.get(key)) for key in _numbers(told)]
    order = text(";".join(f"{key}={value!r}" for key, value in keys if value is not None))
    head = gallery.title(one)
    panels = one.panels or '<span class="panel made"></span>'
    note = f'<p class="note">{text(one.note)}</p>' if one.note else ""
    short = " ".join(
        f"<span>{text(key)} <b>{text(value)}</b></span>"
        for key, value in ((key, one.row.get(key)) for key in told.recipe.sets)
        if isinstance(value, float | int) and not isinstance(value, bool)
    )
    label = f"Open {one.row['id']}, {one.row.get('label') or 'no label'}"
    opener = f'<button type="button" class="open" aria-haspopup="dialog" aria-label="{text(label)}">'
    if told.recipe.kind == "image":
        body = f'{opener}<span class="frame">{panels}</span></button>'
    else:
        body = f'<div class="frame">{panels}</div>{opener}Numbers and plan</button>'
    alike = " data-alike" if one.alike else ""
    return (
        f'<li class="card" data-at="{at}" data-order="{order}"{alike}><figure>{body}'
        f"<figcaption>{head}<small>{short}</small></figcaption></figure>{note}"
        f"<template>{_numbers_of(told, one)}</template></li>"
    )


def _numbers_of(told: Told, one: gallery.Shown) -> str:
    """An item's gates, its row of the manifest, and its plan, step by step."""
    row = one.row
    measured = [
        (text(gate), text(row.get(f"asked.{gate}")), text(row.get(f"got.{gate}")), text(row.get(f"gate.{gate}")))
        for gate in told.recipe.gates
        if row.get(f"got.{gate}") is not None
    ]
    parts = [f"<h3>Gates</h3>{table(('gate', '#asked', '#got', 'passed'), measured, 'Gates')}"] if measured else []
    known = {key: value for key, value in row.items() if not key.startswith(("asked.", "gate.")) and value is not None}
    known = {key: value for key, value in known.items() if key[4:] not in told.recipe.gates or key[:4] != "got."}
    parts.append(f"<h3>Item</h3>{_listed(known)}")
    parts.append("<h3>Plan</h3>")
    for step in told.recipe.steps:
        if one.drawn and told.recipe.active(step, one.drawn):
            own = {key: value for key, value in told.recipe.draws(step, one.drawn).items() if value is not None}
            parts.append(f"<h4>{text(step.name)}</h4>{_listed(own)}")
        elif one.drawn:
            parts.append(f"<h4>{text(step.name)} <small>did not happen</small></h4>")
    return "".join(parts)


def _listed(known: Mapping[str, Any]) -> str:
    return pairs((text(key), f"<bdi>{_exact(value)}</bdi>") for key, value in known.items())


def _exact(value: Any) -> str:
    """A value with the digits that tell it from others."""
    if isinstance(value, float) and value == value and abs(value) < 1e6:
        return f'<span title="{value!r}">{number(value) if value == int(value) else f"{value:.5g}"}</span>'
    return text(value)
