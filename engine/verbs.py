"""What each verb of the command line does: it prints, and returns the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

Action = Callable[[dict[str, Any], list[str], list[str]], int]
"""Told the composed configuration, the settings that were typed and the folders of `--config-dir`."""


def composed(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    """Print the configuration and stop: `--cfg job`."""
    import yaml

    print(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), end="")
    return 0


def _said(line: str) -> None:
    print(f"sliceforge: {line}", file=sys.stderr)


def _generate(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    if config.get("budget"):
        return _generate_budget({**config, "typed": rest}, folders)
    from sliceforge.engine import progress
    from sliceforge.engine.run import generate

    with progress.shown("generate") as told:
        summary = generate({**config, "typed": rest}, config["name"], told, partial(print, flush=True))
    rejected = sum(summary.rejects.values())
    why = ", ".join(f"{number} {reason}" for reason, number in sorted(summary.rejects.items()))
    state = f"{summary.made} made" if summary.worked else "finished already"
    rate = f", {summary.made / summary.seconds:.0f} items/s" if summary.made and summary.seconds else ""
    print(f"{summary.run}: {summary.accepted} items, {rejected} rejected{f' ({why})' if why else ''}; {state}{rate}")
    for problem in summary.problems:
        print(f"sliceforge: {problem}; see {summary.run / 'rejects.parquet'}", file=sys.stderr)
    return 1 if summary.problems else 0


def _generate_budget(config: dict[str, Any], folders: list[str]) -> int:
    from sliceforge.engine import progress
    from sliceforge.engine.loop.generate.budgeted import generate

    with progress.shown("generate") as told:
        found = generate(config, folders, told, _said)
    print(found.told())
    for problem in found.problems:
        _said(problem)
    return 1 if found.problems else 0


def _preview(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine.preview import preview

    sheet, *clips = preview(config, config["name"])
    print(f"{sheet}{f', and {len(clips)} clips beside it' if clips else ''}")
    return 0


def _bench(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine import progress
    from sliceforge.engine.bench import bench, table

    with progress.shown("bench") as told:
        found = bench(config, config["name"], told)
    print(table(found))
    return 0


def _replay(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine.replay import replay

    for path in replay(config, _said):
        print(path)
    return 0


def _audit(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine import progress
    from sliceforge.engine.audit import audit

    with progress.shown("audit") as told:
        checked, findings = audit(config, told, _said)
    for finding in findings:
        print(finding)
    state = f"{len(findings)} findings" if findings else "nothing found"
    print(f"{Path(config['run'])}: {checked}: {state}")
    return 1 if findings else 0


def _report(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine.report.page import report

    print(report(config, _said))
    return 0


def _allocate(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine.loop.allocate import allocating, spending

    found = allocating.allocated(config)
    print(spending.told(found))
    path = allocating.write(found, config["out"])
    print(f"{path}, and {spending.page(found, path.with_suffix('.html'))}")
    return 0


def _verify(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine.loop.verify import effect, verifying

    found = verifying.verified(config)
    print(effect.told(found))
    path = effect.write(found, config["out"])
    print(f"{path}, and {effect.page(found, path.with_suffix('.html'))}")
    return found.code


def _find(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine.loop.find.found import find_slices
    from sliceforge.engine.loop.find.listed import printed

    printed(find_slices(config))
    return 0


def _loop(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine.loop.loop import loop

    found = loop(config, _said)
    for line in (found.table, found.sentence, str(found.page or "")):
        if line:
            print(line)
    return found.code


def _list(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine.catalogue import listing

    print(listing(config, folders))
    return 0


def _show(config: dict[str, Any], rest: list[str], folders: list[str]) -> int:
    from sliceforge.engine.show import show

    print(show(config, rest, folders))
    return 0


ACTIONS: dict[str, Action] = {
    "generate": _generate,
    "preview": _preview,
    "bench": _bench,
    "replay": _replay,
    "audit": _audit,
    "report": _report,
    "find": _find,
    "allocate": _allocate,
    "verify": _verify,
    "loop": _loop,
    "list": _list,
    "show": _show,
}
