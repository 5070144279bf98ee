"""benchmarks/loop/README.md and its plots, from what the experiments measured.

python -m benchmarks.loop [FOLDER]

FOLDER, benchmarks/results/loop unless given, holds e1.json to e6.json and what the other commands of this folder
measured, as far as they were run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from benchmarks.loop import runs
from benchmarks.loop.notes import AFTER, ARMS, HEAD, PLOTTED, SAYS, TITLES
from benchmarks.loop.plots import drawn
from benchmarks.loop.statistics import chapters

Found = Mapping[str, Any]

WAYS = {
    "baseline": (("as in E1", ("noise 5 dB", "clean")),),
    "ideas": (("engine", ("noise 5 dB", "noise 0 dB", "clean")), ("engine", ("under-exposed", "as it is"))),
}
"""Experiments of many ways and no bars: for each condition the way that the others are compared with, and the slices
that are shown first."""


def interval(line: Found) -> str:
    """`+1.2 [−0.3, 2.7]`; what is no difference has no plus."""
    ends = f" [{line['low']:.1f}, {line['high']:.1f}]" if "low" in line else ""
    share = "percent" in line.get("bar", "") or "AUC" in line.get("bar", line.get("slice", ""))
    return f"{line['gain']:{'' if share else '+'}.1f}{ends}".replace("-0.0", "0.0").replace("-", "−")


def figures(condition: Found) -> dict[str, str]:
    """`slice|arm` → percent right, or AUC; `slice|base → arm` → gain; `attribute alone|arm` → AUC."""
    found = {}
    for line in condition["accuracy"]:
        for arm, values in line["percent"].items():
            found[f"{line['slice']}|{arm}"] = f"{sum(values) / len(values):.1f}"
    for line in condition["gains"]:
        found[f"{line['slice']}|{line['base']} → {line['arm']}"] = interval(line)
        if line["slice"].startswith("AUC"):
            found[f"{line['slice']}|{line['arm']}"] = f"{line['gain']:.1f}"
    for one in condition.get("apart", ()):
        found[f"{one['attribute']} alone|{one['arm']}"] = f"{one['auc']:.1f}"
    return found


def filled(words: str, known: Mapping[str, str]) -> str:
    """A paragraph with its figures."""
    return fill(words.format_map(known), 120, break_long_words=False, break_on_hyphens=False)


def bars(condition: Found) -> Iterator[str]:
    """The bars and whether they are met."""
    if condition["bars"]:
        yield "| the bar | asked for, at least | measured | met |"
        yield "| --- | ---: | ---: | --- |"
    for one in condition["bars"]:
        least = f"{one['least']:g}".replace("-", "−")
        yield f"| {one['bar']} | {least} | {interval(one)} | {'yes' if one['met'] else '**no**'} |"
    if condition["bars"]:
        yield ""


def ways(condition: Found, base: str, slices: tuple[str, ...]) -> Iterator[str]:
    """A line for each way to do it: percent right, and the gain over the usual one."""
    right, rows = figures(condition), next(iter(condition["accuracy"]))["percent"]
    yield f"| {condition['name']} | {' | '.join(f'{one} | against {base}' for one in slices)} |"
    yield f"| --- |{' ---: | ---: |' * len(slices)}"
    for arm in rows:
        cells = (f"{right[f'{one}|{arm}']} | {right.get(f'{one}|{base} → {arm}', '')}" for one in slices)
        yield f"| {arm} | {' | '.join(cells)} |"
    yield ""


def accuracies(condition: Found) -> Iterator[str]:
    """Each arm's mean in each slice."""
    arms = list(condition["accuracy"][0]["percent"])
    yield f"| percent right | rows | {' | '.join(arms)} |"
    yield f"| --- | ---: |{' ---: |' * len(arms)}"
    for line in condition["accuracy"]:
        means = " | ".join(f"{sum(values) / len(values):.1f}" for values in line["percent"].values())
        yield f"| {line['slice']} | {line['rows']} | {means} |"
    yield ""


def gains(condition: Found) -> Iterator[str]:
    """Paired gains, a column for each pair of arms."""
    pairs = list(dict.fromkeys((line["base"], line["arm"]) for line in condition["gains"]))
    cells = {(line["slice"], line["base"], line["arm"]): interval(line) for line in condition["gains"]}
    yield f"| gain, points | {' | '.join(f'{base} → {arm}' for base, arm in pairs)} |"
    yield f"| --- |{' ---: |' * len(pairs)}"
    for name in dict.fromkeys(line["slice"] for line in condition["gains"]):
        yield f"| {name} | {' | '.join(cells.get((name, *pair), '') for pair in pairs)} |"
    yield ""


def verdicts(condition: Found) -> Iterator[str]:
    """What `verify` says."""
    for one in condition["verdicts"]:
        yield f"* `verify` of {one['arm']} against {one['base']}: **{one['decision']}**. {one['reason']}."
    if condition["verdicts"]:
        yield ""


def more(condition: Found) -> Iterator[str]:
    """What one experiment alone has."""
    for one in condition.get("streams", ()):
        said = f"alarm in batch {one['first_alarm']}, {one['false_alarms']} false ones before"
        yield f"* {said}; {one['found'] or 'no slice found'}; `{one['matched']}`"
    for one in condition.get("gate", ()):
        closed = "asks for labels" if one["fix"] else "stays open"
        shares = (
            f"{one['queue']} in the queue, {one['precision']:.0%} of them wrong, {one['recall']:.0%} of the wrong ones"
        )
        yield f"* the gate {closed}: {shares}"
    if "chosen" in condition:
        worse = condition["splits_worse_than_oversampling_percent"]
        yield f"Splits more than a point worse than oversampling: {worse} %.\n"
        yield "| class | split | chosen on tune rows | why |\n| --- | ---: | --- | --- |"
    for one in condition.get("chosen", ()):
        yield f"| {one['class']} | {one['seed']} | {one['chosen']} | {one['reason']} |"
    yield ""


def apart(condition: Found) -> Iterator[str]:
    """Which measured attributes tell made items from real ones."""
    if "apart" in condition:
        yield "| made by | attribute | AUC alone | made: 5, 50, 95 % | real: 5, 50, 95 % |"
        yield "| --- | --- | ---: | ---: | ---: |"
    for one in condition.get("apart", ()):
        ends = (", ".join(f"{end:g}" for end in one[side]).replace("-", "−") for side in ("made", "real"))
        yield f"| {one['arm']} | {one['attribute']} | {one['auc']} | {' | '.join(ends)} |"
    yield ""


def section(name: str, found: Found) -> Iterator[str]:
    """One experiment: what it says, its bars and its plot; then, folded away, every table."""
    machine, conditions = found["machine"], found["conditions"]
    told = ", ".join(str(value) for value in machine.values()) if isinstance(machine, dict) else str(machine)
    known = {key: value for one in reversed(conditions) for key, value in figures(one).items()}
    yield f"## {TITLES[name]}\n\n{filled(SAYS[name], known)}\n"
    for at, condition in enumerate(conditions):
        seeds = condition["seeds"]
        yield f"### {condition['name']}, {seeds} {'seed' if seeds == 1 else 'seeds'}\n"
        yield from bars(condition)
        if name in WAYS:
            yield from ways(condition, *WAYS[name][at])
    yield f"![{PLOTTED[name]}]({name}.svg)\n"
    if name in AFTER:
        yield filled(AFTER[name], known) + "\n"
    yield from apart(conditions[0])
    yield "<details><summary>The command, every arm, every slice</summary>\n"
    yield f"`{found['command']}`, on {told}.\n\n{ARMS.get(name, '')}\n"
    for condition in conditions:
        yield f"#### {condition['name']}\n"
        for part in (accuracies, gains, verdicts, more):
            yield from part(condition)
    yield "</details>\n"


def page(results: Mapping[str, Found]) -> str:
    """The page of the experiments that were run."""
    parts = [HEAD]
    for name in TITLES:
        if name in results:
            parts += section(name, results[name])
    parts += chapters(results)
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else runs.RESULTS
    measured = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}
    place = Path(__file__).resolve().parent
    for name in set(TITLES) & set(measured):
        (place / f"{name}.svg").write_text(drawn(name, measured[name]), "utf-8")
    (place / "README.md").write_text(page(measured), "utf-8")
    print(place / "README.md")
