"""Shell completion: what may follow on a command line, and the scripts with which bash, zsh and fish ask for it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sliceforge.engine.anatomy import Part, part
from sliceforge.engine.catalogue import banks
from sliceforge.engine.compose import VERBS, compose
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.library import Library
from sliceforge.engine.overrides import signed
from sliceforge.engine.settings import CHOICES
from sliceforge.engine.vet import RECIPE_KEYS

BASH = r"""# In ~/.bashrc: source <(sliceforge --completion bash)
_sliceforge() {
    local line=${COMP_LINE:0:COMP_POINT} word tail found
    word=${line##*[[:space:]]}
    tail=${word##*["$COMP_WORDBREAKS"]}  # bash has cut the word at = and @, and replaces what follows alone
    COMPREPLY=()
    while IFS= read -r found; do
        if [[ $found == "$word"* ]]; then COMPREPLY+=("${found#"${word%"$tail"}"}"); fi
    done < <("$1" --complete "$line" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=.] ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o bashdefault -o default -F _sliceforge sliceforge
"""

ZSH = r"""# In ~/.zshrc, after compinit: source <(sliceforge --completion zsh)
_sliceforge() {
    local -a found
    found=(${(f)"$("${words[1]}" --complete "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)"})
    if (( $#found )); then
        compadd -S '' -- ${(M)found:#*[=.]}
        compadd -- ${found:#*[=.]}
    else
        compset -P '*='
        _files
    fi
}
compdef _sliceforge sliceforge
"""

FISH = r"""# In ~/.config/fish/config.fish: sliceforge --completion fish | source
function __sliceforge
    set -l words (commandline -opc)
    $words[1] --complete (commandline -cp | string collect) 2>/dev/null
end
complete -c sliceforge -n 'not string match -q "*=*" -- (commandline -ct)' -f
complete -c sliceforge -l config-dir -r -F
complete -c sliceforge -a '(__sliceforge)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
_VALUES = {"device": ("auto", "cpu", "cuda"), **CHOICES}


def answer(option: str, *rest: str) -> str:
    """The text that `--completion SHELL` or `--complete LINE [POINT]` prints.

    Raises:
        SettingError: no such shell.
    """
    if option == "--complete":
        line, point = (*rest, "", "")[:2]
        return "".join(f"{word}\n" for word in complete(line[: int(point)] if point.isdigit() else line))
    shell = rest[0] if rest else ""
    if shell not in SCRIPTS:
        near = did_you_mean(shell, SCRIPTS)
        raise SettingError(f"--completion: {shell!r}: expected bash, zsh or fish, such as --completion bash{near}")
    return SCRIPTS[shell]


def complete(line: str) -> list[str]:
    """Every whole word that the last one of a line may become; none where that is a path or a free text.

    Args:
        line: the command line up to the cursor, such as `sliceforge generate reci`.
    """
    try:
        _, *words, last = shlex.split(f"{line}|")  # with a sign at its end the last word is never empty
        found = _candidates(words, last[:-1])
    except (ValueError, SettingError, OSError):  # inside a quotation, or of a line that is wrong as it stands
        return []
    return [word for word in dict.fromkeys(found) if word.startswith(last[:-1])]


def _candidates(words: Sequence[str], last: str) -> list[str]:
    if not words:
        return ["--help", "--version", "--completion"] if last.startswith("-") else list(VERBS)
    if words[-1] in ("--completion", "--cfg", "-c"):
        return list(SCRIPTS) if words[-1] == "--completion" else ["job"]
    verb, *given = words
    if verb not in VERBS or words[-1] in ("--config-dir", "-cd"):
        return []
    if last.startswith("-"):
        return ["--cfg", "--config-dir", "--help", *(["--multirun"] if verb == "generate" else [])]
    folders = [after for word, after in pairwise(given) if word in ("--config-dir", "-cd")]
    folders += [word.partition("=")[2] for word in given if word.startswith(("--config-dir=", "-cd="))]
    many = "--multirun" in given or "-m" in given
    sign, rest = signed(last)
    key, equals, value = rest.partition("=")
    if equals:
        head = value[: value.rfind(",") + 1] if many else ""
        return [f"{sign}{key}={head}{word}" for word in _values(verb, key, given, folders, many)]
    config = _config(verb, given, folders, many)
    if sign == "~":
        return [f"~{group}.{name}" for group in ("steps", "sets", "gates") for name in config.get(group, ())]
    taken = {word.partition("=")[0] for word in given}
    keys = [f"{sign}{name}=" for name in _settings(config) if name not in taken]
    if sign and "steps" in config:
        keys += [f"{sign}op/{name.split('/')[0]}@steps." for name in Library(folders).names("op")]
    return [_to_the_next_dot(name, last) for name in keys]


def _to_the_next_dot(name: str, last: str) -> str:
    end = name.find(".", len(last))
    return name if end < 0 else name[: end + 1]


def _values(verb: str, key: str, given: Sequence[str], folders: Sequence[str], many: bool) -> Sequence[str]:
    if key in ("recipe", "sink"):
        return Library(folders).names(key)
    if "@" in key:
        return Library(folders).names(key.partition("@")[0])
    if key in _VALUES:
        return _VALUES[key]
    value = _settings(_config(verb, given, folders, many)).get(key)
    return ("true", "false") if isinstance(value, bool) else ()


def _config(verb: str, given: Sequence[str], folders: Sequence[str], many: bool) -> dict[str, Any]:
    """The configuration of what stands on the line so far, or of as much of it as can be composed."""
    recipe = [word for word in given if word.startswith("recipe=")]
    recipe = [word.partition(",")[0] for word in recipe] if many else recipe
    steps = [word for word in given if word.startswith(("+op/", "~"))]
    for overrides in ([*recipe, *steps], recipe):
        try:
            return compose(verb, overrides, folders)
        except SettingError:
            continue
    return compose(verb, [], folders)


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Key → value of everything that can be set, operators' own defaults included."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if key == "banks":
            found |= {f"banks.{name}": None for name in banks()}
        elif key == "sink":
            found |= {"sink": None, **{f"sink.{name}": inner for name, inner in value.items()}}
        elif key in ("steps", "gates"):
            for name, inner in value.items():
                found |= dict(_part(f"{key}.{name}", inner, name))
        elif key == "sets":
            found |= {f"sets.{name}": inner for name, inner in value.items()}
        elif key not in ("name", *RECIPE_KEYS):
            found[key] = value
    if "name" in config:
        found |= dict.fromkeys(("recipe", "rate", "channels", "size", "guard_db"))
    return found


def _part(place: str, given: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(given, Mapping):
        return
    branches = given.get("one_of")
    known: Part | None = None
    if place.startswith("gates."):
        known = part(f"gate/{given.get('gate', name)}")
    elif not branches:
        known = part(str(given.get("op", "")))
        yield f"{place}.p", 1.0
    for key, setting in (known.settings if known else {}).items():
        yield f"{place}.{key}", setting.default
    for key, value in given.items():
        if key not in ("one_of", "op", "gate"):
            yield f"{place}.{key}", value
    for branch, inner in branches.items() if isinstance(branches, Mapping) else ():
        yield from _part(f"{place}.one_of.{branch}", inner, branch)
