"""The conditions that a slice's predicate joins: apart, in words, and as a name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sliceforge.engine import predicate
from sliceforge.engine.report.markup import number

PURE = ("fraction", "of the mean")
"""Units that say nothing behind a number."""

LONGEST = 60
"""Characters of a slice's name."""

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\s+|.", re.DOTALL)
_COLUMN = r'(?P<column>"(?:[^"]|"")+"|\w+)'
_COMPARED = re.compile(rf"\s*{_COLUMN}\s*(?P<sign><=|>=|<>|!=|=|<|>)\s*(?P<value>'(?:[^']|'')*'|[-+.\w]+)\s*")
_MISSING = re.compile(rf"\s*{_COLUMN}\s+IS\s+NULL\s*", re.IGNORECASE)
_TRUE = re.compile(rf"\s*(?P<no>NOT\s+)?{_COLUMN}\s*", re.IGNORECASE)
_SIGNS = {"=": "is", "<": "below", ">=": "from", ">": "above", "<=": "up to", "<>": "is not", "!=": "is not"}


@dataclass(frozen=True)
class Condition:
    """One of the conditions that a predicate joins by AND.

    Args:
        text: as it is written.
        columns: that it uses.
        column, sign, value: of `column sign value` alone; a text's value stands without its quotes, and `sign` is
            `IS NULL` or `TRUE` or `FALSE` where there is no value. Empty of anything else.
    """

    text: str
    columns: frozenset[str]
    column: str = ""
    sign: str = ""
    value: str = ""


def conditions(where: str) -> list[Condition]:
    """The conditions of a predicate; one alone where they are not joined by AND.

    >>> [one.text for one in conditions("noise = 'a AND b' AND snr BETWEEN 2 AND 4")]
    ["noise = 'a AND b'", 'snr BETWEEN 2 AND 4']

    Raises:
        SettingError: it is not a condition, or not admitted.
    """
    predicate.columns(where)
    parts, depth, between = [""], 0, False
    for token in _TOKEN.findall(where):
        word = token.upper()
        depth += (word in ("(", "CASE")) - (word in (")", "END"))
        if word == "OR" and not depth:
            return [_condition(where)]
        if word == "AND" and not depth and not between:
            parts.append("")
            continue
        between = not depth and (word == "BETWEEN" or (between and word != "AND"))
        parts[-1] += token
    return [_condition(part.strip()) for part in parts]


def _condition(text: str) -> Condition:
    columns = frozenset(predicate.columns(text))
    if found := _COMPARED.fullmatch(text):
        value = found["value"]
        plain = value[1:-1].replace("''", "'") if value.startswith("'") else value
        return Condition(text, columns, _bare(found["column"]), found["sign"], plain)
    if found := _MISSING.fullmatch(text):
        return Condition(text, columns, _bare(found["column"]), "IS NULL")
    if found := _TRUE.fullmatch(text):
        return Condition(text, columns, _bare(found["column"]), "FALSE" if found["no"] else "TRUE")
    return Condition(text, columns)


def _bare(column: str) -> str:
    return column[1:-1].replace('""', '"') if column.startswith('"') else column


def in_words(where: str, units: Mapping[str, str] | None = None) -> str:
    """A predicate as somebody would say it.

    Args:
        where: the predicate.
        units: column → unit.

    >>> in_words("noise = 'car' AND snr_est >= 2 AND snr_est < 5.25", {"snr_est": "dB"})
    'noise is car, snr_est from 2 to 5.25 dB'
    """
    known, said = units or {}, []
    every = conditions(where)
    while every:
        one, *every = every
        upper = next(
            (other for other in every if one.sign == ">=" and (other.column, other.sign) == (one.column, "<")), None
        )
        if upper:
            every.remove(upper)
        said.append(_said(one, upper, known.get(one.column, "")))
    return ", ".join(said)


def _said(one: Condition, upper: Condition | None, unit: str) -> str:
    if not one.sign:
        return one.text
    if one.sign in ("IS NULL", "TRUE", "FALSE"):
        return f"{one.column} {'is missing' if one.sign == 'IS NULL' else 'is ' + one.sign.lower()}"
    tail = f" {unit}" if unit and unit not in PURE else ""
    if upper:
        return f"{one.column} from {_short(one.value)} to {_short(upper.value)}{tail}"
    return f"{one.column} {_SIGNS[one.sign]} {_short(one.value)}{tail if one.sign not in ('=', '<>') else ''}"


def _short(value: str) -> str:
    try:
        return number(float(value)) if "." in value else value
    except ValueError:
        return value


def names(predicates: Sequence[str]) -> list[str]:
    """A name of `[a-z0-9_]` for each predicate, all different.

    >>> names(["snr_est < 5.2", "snr_est < 5.2 AND label = 'Nine!'", "snr_est <= 5.2"])
    ['snr_est_below_5_2', 'snr_est_below_5_2_label_nine', 'snr_est_up_to_5_2']
    """
    found: list[str] = []
    for one in predicates:
        words = re.sub(r"[^a-z0-9]+", "_", in_words(one).lower().replace(" is ", " ").replace("-", " minus "))
        base = words.strip("_")[:LONGEST].strip("_") or "slice"
        name, times = base, 1
        while name in found:
            times += 1
            name = f"{base}_{times}"
        found.append(name)
    return found
