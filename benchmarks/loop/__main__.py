"""benchmarks/loop/README.md, from what the experiments measured.

python -m benchmarks.loop [FOLDER]

FOLDER, benchmarks/results/loop unless given, holds e1.json to e6.json and ideas.json as far as they were run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.loop import runs
from benchmarks.loop.notes import AFTER, BEFORE, HEAD, TITLES

Found = Mapping[str, Any]


def interval(line: Found) -> str:
    """`+1.2 [−0.3, 2.7]`; what is no difference has no plus."""
    ends = f" [{line['low']:.1f}, {line['high']:.1f}]" if "low" in line else ""
    share = "percent" in line.get("bar", "") or "AUC" in line.get("bar", line.get("slice", ""))
    return f"{line['gain']:{'' if share else '+'}.1f}{ends}".replace("-0.0", "0.0").replace("-", "−")


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


def section(name: str, found: Found) -> Iterator[str]:
    """One experiment."""
    machine = found["machine"]
    told = ", ".join(str(value) for value in machine.values()) if isinstance(machine, dict) else str(machine)
    yield f"## {TITLES[name]}\n\n`{found['command']}`, on {told}.\n\n{BEFORE[name]}\n"
    for condition in found["conditions"]:
        seeds = condition["seeds"]
        yield f"### {condition['name']}, {seeds} {'seed' if seeds == 1 else 'seeds'}\n"
        for part in (bars, accuracies, gains, verdicts, more):
            yield from part(condition)
    if name in AFTER:
        yield AFTER[name] + "\n"


def page(results: Mapping[str, Found]) -> str:
    """The page of the experiments that were run."""
    parts = [HEAD]
    for name in TITLES:
        if name in results:
            parts += section(name, results[name])
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else runs.RESULTS
    measured = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}
    place = Path(__file__).resolve().parent / "README.md"
    place.write_text(page(measured), "utf-8")
    print(place)
