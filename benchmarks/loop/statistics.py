"""Chapters of benchmarks/loop/README.md: how often find, verify and the label gate are right, and how fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

Found = Mapping[str, Any]


def rows(head: tuple[str, ...], cells: list[tuple[object, ...]]) -> Iterator[str]:
    """A table; figures stand to the right of the first column."""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for one in cells:
        yield f"| {' | '.join(map(str, one))} |"
    yield ""


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.0f}"


def search(found: Found) -> Iterator[str]:
    """Speed, false slices on noise, planted slices found."""
    yield "`python -m benchmarks.loop.search sliceline=PYTHON`, one core.\n"
    if speed := found.get("speed"):
        two, three = speed["depth2"], speed["depth3"]
        cells = [
            (f"{speed['rows']} rows × {speed['columns']} columns, depth 2", f"{two['seconds']:.2f}", two["tested"])
        ]
        cells += [("the same, depth 3", f"{three['seconds']:.2f}", three["tested"])]
        yield from rows(("search", "seconds", "slices"), cells)
        yield f"{speed['extra_mib']:.0f} MiB beside the data.\n"
        if beside := speed.get("sliceline"):
            same = "the same" if beside["same_top"] else "**other**"
            yield (
                f"sliceline at depth 2 on the same bins, in the same run: {beside['sliceline_seconds']:.1f} s, ours "
                f"{beside['seconds']:.3f} s, {beside['ratio']:.0f} × as fast, {same} top slices.\n"
            )
    if noise := found.get("noise"):
        cells = [(f"{one['rows']} rows, {one['loss']} loss", one["way"], one["runs"], one["false"]) for one in noise]
        yield from rows(("pure noise", "way", "runs", "runs with a slice"), cells)
    if power := found.get("power"):
        head = (
            "150 rows 15 points worse, of 2 000",
            "way",
            "found %",
            "one condition",
            "two",
            "gap too large by, points",
        )
        cells = []
        for one in power:
            name = f"{percent(one['base'])} % wrong elsewhere, {one['planted']}"
            shares = (percent(one[key]) for key in ("found", "one", "two"))
            cells.append((name, one["way"], *shares, f"{100 * one['gap_excess']:.1f}"))
        yield from rows(head, cells)
        yield (
            "`drawn`: each row is wrong with that probability, so that the gap itself varies by 4 points; `exact`: the "
            "gap is 15 points. A slice of 150 rows whose gap came out at 11 points cannot be told from thousands of "
            "others by anybody.\n"
        )


def verify(found: Found) -> Iterator[str]:
    """By simulation: what is accepted."""
    yield f"`python -m benchmarks.loop.verify`: {found['repeats']} simulated repeats a line, 300 weak rows of 3 000.\n"
    cells = [
        (
            f"{one['gain_points']:g} points gained, {one['harm_points']:g} lost elsewhere",
            one["seeds"],
            f"{one['swing_points']:g}",
            "yes" if one["clusters"] else "no",
            one["accepted_percent"],
            one["accepted_by_point_estimates_percent"],
        )
        for one in found["cases"]
    ]
    head = (
        "what happened",
        "trainings a side",
        "swing of a seed, points",
        "clusters",
        "accepted %",
        "by point estimates %",
    )
    yield from rows(head, cells)


def seeds(found: Found) -> Iterator[str]:
    """With networks that were trained: what is accepted."""
    yield f"`python -m benchmarks.loop.seeds`: {found['networks']} networks that differ in their seed alone.\n"
    false = found["falsely_accepted_percent"]
    names = [name for name in false[0] if name not in ("seeds", "pairs")]
    cells = [(one["seeds"], one["pairs"], *(one[name] for name in names)) for one in false]
    yield from rows(("trainings a side", "pairs", *(f"{name}: falsely accepted %" for name in names)), cells)
    planted = found["planted_accepted_percent"]
    kinds = [name for name in planted[0] if name not in ("weak", "seeds", "draws")]
    cells = [(f"{one['weak']}, {one['seeds']} a side", one["draws"], *(one[name] for name in kinds)) for one in planted]
    yield from rows(("15 % mended, 5 % broken of 300 rows", "draws", *kinds), cells)


def labels(found: Found) -> Iterator[str]:
    """Whole sets: how often the gate closes."""
    yield f"`python -m benchmarks.loop.labels`: {found['repeats']} simulated sets a line; how often it closes, %.\n"
    every: dict[tuple[int, int, float], dict[float, float]] = {}
    knows: dict[tuple[int, int, float], float] = {}
    for one in found["rows"]:
        key = one["classes"], one["count"], one["apart"]
        every.setdefault(key, {})[one["noise"]] = one["gate"]
        knows[key] = max(knows.get(key, 0.0), one["knows"])
    noises = sorted({noise for shares in every.values() for noise in shares})
    cells = [
        (
            f"{classes} classes, model right on {percent(knows[classes, count, apart])} %",
            count,
            *map(percent, shares.values()),
        )
        for (classes, count, apart), shares in every.items()
    ]
    yield from rows(("set", "items", *(f"{percent(noise)} % wrong" for noise in noises)), cells)


def slices(found: Found) -> Iterator[str]:
    """Slices: false alarms on hard ones, hits on mislabelled ones."""
    yield "`python -m benchmarks.loop.slices`: how often it closes, %, by this rule and an earlier one.\n"
    groups: dict[tuple[str, str], list[Found]] = {}
    for one in found["rows"]:
        easy = one["slice"] == "plain" or one["slice"].startswith("speaker")
        what = f"{percent(one['wrong'])} % wrong" if one["wrong"] > 0.05 else "right labels"
        alike = ", always the same class" if one["alike"] else ""
        groups.setdefault((one["source"], f"{'easy' if easy else 'hard'}, {what}{alike}"), []).append(one)
    cells = []
    for (source, name), own in groups.items():
        weights = [one["slices"] for one in own]
        shares = (
            percent(float(np.average([one[rule] for one in own], weights=weights))) for rule in ("gate", "agrees")
        )
        cells.append((f"{source}: {name}", sum(weights), *shares))
    yield from rows(("slices", "number", "this rule", "earlier"), cells)


def whole(name: str, found: Found) -> Iterator[str]:
    """One loop from its command line, told nothing."""
    yield f"### {name}\n\n`{found['command']}`\n"
    for one in found["found"]:
        hits = f"{one['precision']:.0%} of its rows were made weak, {one['recall']:.0%} of these are in it"
        errors = f"{100 * one['error']:.1f} % wrong, the rest {100 * one['rest']:.1f} %"
        yield f"* found `{one['where']}`: {one['cause']}; {errors}; {hits}"
    for tried, said in found["trial"].items():
        yield f"* {tried}: {said['chosen']}; {said['reason']}"
    if queue := found.get("queue"):
        right = f"{queue['precision']:.0%} of them wrong, {queue['recall']:.0%} of the wrong ones"
        yield f"* asks for labels first, makes nothing: {queue['items']} in the queue, {right}"
    if verdict := found["verdict"]:
        yield f"* made {sum(found['items'].values())} items; **{verdict['decision']}**: {verdict['reason']}"
    elif not found["labels"]:
        yield "* nothing was made"
    yield f"* {found['trainings']} trainings\n"


CHAPTERS: dict[str, tuple[str, Callable[[Found], Iterator[str]]]] = {
    "search": ("The search", search),
    "verify": ("`verify`, simulated", verify),
    "seeds": ("`verify`, networks that were trained", seeds),
    "labels": ("The label gate on whole sets", labels),
    "slices": ("The label gate on slices", slices),
}
"""Result → title and what is said of it."""


def chapters(results: Mapping[str, Found]) -> Iterator[str]:
    """Those that were measured."""
    if "whole" in results:
        yield "## The whole loop, from its command line\n"
        for name, one in results["whole"].items():
            yield from whole(name, one)
    there = {name: one for name, one in CHAPTERS.items() if name in results}
    if there:
        yield "## The statistics behind it\n"
    for name, (title, said) in there.items():
        machine = results[name]["machine"]
        yield f"### {title}\n"
        yield from said(results[name])
        yield f"<sub>{machine['cpu']}, {machine['cores']} cores, {machine['ram_gib']} GiB, {machine['system']}</sub>\n"
