"""What an operator or a gate says of itself, read from its file without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sliceforge.engine.library import HOME

KERNELS = HOME / "kernels"


@dataclass(frozen=True)
class Setting:
    """One field.

    Args:
        default: as a recipe would write it; None where it must be given.
        unit: such as dB.
        about: what the class says of it.
    """

    default: Any
    unit: str
    about: str


@dataclass(frozen=True)
class Part:
    """An operator or a gate.

    Args:
        name: family/noun.
        line: what it is.
        settings: by name, in the file's order.
        form: the class of `engine/op.py` that an operator is; empty for a gate.
    """

    name: str
    line: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    form: str = ""


def parts() -> list[Part]:
    """All operators and gates, sorted by name."""
    paths = sorted(path for path in KERNELS.glob("*/*.py") if not path.stem.startswith("_"))
    found = [part(f"{path.parent.name}/{path.stem}") for path in paths]
    return [one for one in found if one]


@cache
def part(name: str) -> Part | None:
    """One operator or gate, or None where there is no such file with its class in it."""
    path = KERNELS / f"{name}.py"
    if not re.fullmatch(r"[a-z0-9_]+/[a-z0-9_]+", name) or not path.is_file():
        return None
    tree = ast.parse(path.read_text("utf-8"))
    title = path.stem.title().replace("_", "")
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == title:
            told = ast.get_docstring(tree) or ast.get_docstring(node) or ""
            return Part(name, told.partition("\n")[0], _settings(node), _form(tree, node))
    return None


def _form(tree: ast.Module, node: ast.ClassDef) -> str:
    imports = [one for one in tree.body if isinstance(one, ast.ImportFrom) and one.module == "sliceforge.engine.op"]
    known = {alias.asname or alias.name: alias.name for one in imports for alias in one.names}
    return next((known[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in known), "")


def _settings(node: ast.ClassDef) -> dict[str, Setting]:
    about = _arguments(ast.get_docstring(node) or "")
    found = {}
    for line in node.body:
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            continue
        if "ClassVar" in ast.unparse(line.annotation):
            continue
        name, default, unit = line.target.id, line.value, ""
        if isinstance(default, ast.Call) and ast.unparse(default.func).endswith("setting"):
            words = {word.arg: word.value for word in default.keywords}
            given = dict(zip(("default", "unit"), default.args, strict=False)) | words
            unit = str(_value(given.get("unit"))) if "unit" in given else ""
            default = given.get("default")
        found[name] = Setting(_value(default), unit, about.get(name, ""))
    return found


def _value(node: ast.expr | None) -> Any:
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _arguments(docstring: str) -> dict[str, str]:
    """The entries of a docstring's `Args:`, each on one line."""
    found: dict[str, str] = {}
    name, inside = "", False
    for line in docstring.splitlines():
        if line.strip() == "Args:":
            inside = True
        elif inside and line and not line.startswith(" "):
            break
        elif inside and (entry := re.match(r" {4}(\w[\w, ]*): (.*)", line)):
            name = entry[1]
            found |= {word.strip(): entry[2] for word in name.split(",")}
        elif inside and name and line.strip():
            found |= {word.strip(): f"{found[word.strip()]} {line.strip()}" for word in name.split(",")}
    return found
