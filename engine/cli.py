"""The command line: `sliceforge <verb> key=value …`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper

from sliceforge.engine.errors import RunError, SettingError, SliceforgeError, did_you_mean
from sliceforge.engine.verbs import ACTIONS, composed

VERBS = {
    "generate": "make a slice: sliceforge generate recipe=speech/car_noise data=FOLDER out=RUN seed=7",
    "preview": "a picture of what a recipe makes: sliceforge preview recipe=steel/scratches data=FOLDER out=sheet.png",
    "bench": "items per second, stage by stage, beside their limits: sliceforge bench recipe=steel/scratches",
    "replay": "make one item again from its plan row: sliceforge replay run=RUN id=ID out=FILE [stems=true]",
    "audit": "check a run's shards, hashes and gates, and make a share again: sliceforge audit run=RUN",
    "report": "a page of a run to look at and listen to: sliceforge report run=RUN",
    "find": "weak slices, and why they are weak: sliceforge find predictions=P.parquet data=EVAL train=TRAIN",
    "allocate": "how much each weak slice gets: sliceforge allocate slices=slices.yaml train=TRAIN budget=5000",
    "verify": "did it help, and harm nothing: sliceforge verify before=A.parquet after=B.parquet slices=slices.yaml",
    "loop": "all of it around your own training: sliceforge loop train=COMMAND data=TRAIN eval=EVAL out=LOOP",
    "list": "recipes, operators and gates, a line each",
    "show": "a recipe with every setting, its unit and where it was set: sliceforge show recipe=steel/scratches",
}

HELP = """\
Sliceforge makes more of exactly the data that a model is weak on.

  sliceforge <verb> key=value …

{verbs}

Options, as in Hydra: --config-dir DIR (more recipes), --cfg job (print the configuration and stop), --help, --version,
--multirun or -m (a run for each value: seed=1,2 recipe=a,b), --completion bash|zsh|fish (print a script for Tab).
Any setting can be given as key=value: steps.mix.snr=[0,10]  parents="speaker = 'theo'"  banks.noise=FOLDER  workers=4
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 past a limit, 2 a wrong setting, 3 disk, store, interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    except SliceforgeError as error:
        print(f"sliceforge: {_line(error)}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("sliceforge: interrupted; the same command goes on", file=sys.stderr)
        return RunError.code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"sliceforge: {place}{error.strerror or error}; the same command goes on", file=sys.stderr)
        return RunError.code


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        width = max(map(len, VERBS))
        print(HELP.format(verbs="\n".join(f"  {verb:{width}}  {text}" for verb, text in VERBS.items())), end="")
        return 0
    if arguments[0] == "--version":
        from importlib.metadata import version

        print(version("sliceforge"))
        return 0
    if arguments[0] in ("--completion", "--complete"):
        from sliceforge.engine.completion import answer

        print(answer(*arguments), end="")
        return 0
    verb, rest = arguments[0], arguments[1:]
    if verb not in VERBS:
        raise SettingError(f"{verb}: no such verb{did_you_mean(verb, VERBS)}")
    if "--help" in rest or "-h" in rest:
        from sliceforge.engine.catalogue import settings

        print(f"{verb}: {VERBS[verb]}\n\n{settings(verb)}")
        return 0
    rest, folders, print_only, many = _options(rest)
    action = composed if print_only else ACTIONS[verb]
    if many:
        if verb != "generate":
            raise SettingError(f"--multirun: {verb} is done once; expected sliceforge generate --multirun seed=1,2")
        from sliceforge.engine.multirun import multirun

        return multirun(rest, folders, action)
    from sliceforge.engine.compose import compose

    return action(compose(verb, rest, folders), rest, folders)


def _options(rest: list[str]) -> tuple[list[str], list[str], bool, bool]:
    """(settings, folders of --config-dir, whether --cfg job was given, whether --multirun was)."""
    settings, folders, print_only, many = [], [], False, False
    left = iter(rest)
    for argument in left:
        name, equals, value = argument.partition("=")
        if name in ("--config-dir", "-cd", "--cfg", "-c"):
            value = value if equals else next(left, "")
            if name in ("--config-dir", "-cd"):
                folders.append(value)
            elif value == "job":
                print_only = True
            else:
                raise SettingError(f"--cfg: {value!r}: expected job")
        elif argument in ("--multirun", "-m"):
            many = True
        elif argument.startswith("--"):
            known = ["--config-dir", "--cfg", "--multirun", "--help"]
            raise SettingError(f"{argument}: no such option{did_you_mean(name, known)}")
        else:
            settings.append(argument)
    return settings, folders, print_only, many


if __name__ == "__main__":
    sys.exit(main())
