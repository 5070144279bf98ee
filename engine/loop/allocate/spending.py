"""What a budget buys, in words: the table that `allocate` prints, and its page."""

from __future__ import annotations

from pathlib import Path

from sliceforge.engine.loop.allocate import plots
from sliceforge.engine.loop.allocate.allocating import NEXT, Allocated
from sliceforge.engine.loop.allocate.budget import Order
from sliceforge.engine.report import shell
from sliceforge.engine.report.markup import count, grouped, name, table, text
from sliceforge.engine.report.shell import Todo
from sliceforge.engine.texts import Row, ranked


def told(found: Allocated) -> str:
    """A row for each slice, its notes, and what the whole budget comes to."""
    head = ("slice", "cause", "operation", "recipe", "#items", "by", "expected gain")
    rows: list[Row] = []
    for order in found.budget.slices:
        by, gain = _rule(found, order)
        done = (order.operation, order.recipe or "–", grouped(order.items or 0))
        rows.append((order.name, _cause(found, order), *done, by or "–", gain or "–"))
    lines = [ranked(head, rows)]
    lines += [f"{order.name}: {note}" for order in found.budget.slices for note in order.notes]
    return "\n".join([*lines, *found.notes, *summary(found)])


def summary(found: Allocated) -> list[str]:
    """What the budget comes to, where it could stop, and what the next thousand items would buy."""
    made = sum(portion.made for portion in found.portions)
    share = found.originals / max(found.originals + made, 1)
    beside = f"{count(made, 'item')} beside {count(found.originals, 'original')}"
    lines = [f"{beside}: {share:.0%} of the training set is original"]
    if found.stop and found.stop.spent < found.stop.trace[-1, 0]:
        whole, spent = found.stop.trace[-1, 0], found.stop.spent
        lines.append(f"of the {whole:.0f} that curves decide, {spent:.0f} buy {found.stop.share:.0%} of the gain")
    if found.next and not any(more for more, _ in found.next.values()):
        lines.append(f"the next {NEXT} would buy nothing: every slice is at 4 for each parent, or originals run short")
    elif found.next:
        said = ", ".join(f"{more} would go to {one}{_gain(gain)}" for one, (more, gain) in found.next.items() if more)
        rest = NEXT - sum(more for more, _ in found.next.values())
        short = f"; for {rest} there are too few originals" if rest > 0 else ""
        lines.append(f"of the next {NEXT}, {said}{short}")
    return lines


def page(found: Allocated, path: Path) -> Path:
    """Write the page: what each slice gets, its curve, and what the next thousand items would buy."""
    rows = []
    for order in found.budget.slices:
        by, gain = _rule(found, order)
        more, more_gain = found.next.get(order.name, (0, None))
        cells = (_cause(found, order), order.operation, order.recipe or "", grouped(order.items or 0), by, gain)
        tail = f"{grouped(more)}{_gain(more_gain)}" if order.name in found.next else "–"
        rows.append((name(order.name), *(text(cell) for cell in (*cells, tail))))
    head = ("slice", "cause", "operation", "recipe", "#items", "by", "expected gain", f"#of the next {grouped(NEXT)}")
    hint = "By: what decided how many; expected gain: the fall of the slice's loss that its curve says, with 95 %."
    shown = f'{table(head, rows, "What each slice gets")}<p class="hint">{text(hint)}</p>'
    body = f'<section id="slices"><h2>What does each slice get?</h2>{shown}</section>\n'
    drawn = "".join(_curve(found, index) for index in range(len(found.needs)))
    if drawn:
        shown = f'<div class="plots">{drawn}</div><p class="hint">{text(plots.EXPLAINED)}</p>'
        body += f'<section id="curves"><h2>What does more data buy?</h2>{shown}</section>\n'
    noted = [f"<li>{name(order.name)}: {text(note)}</li>" for order in found.budget.slices for note in order.notes]
    noted += [f"<li>{text(note)}</li>" for note in found.notes]
    if noted:
        body += f'<section id="why"><h2>Why?</h2><ul class="why">{"".join(noted)}</ul></section>\n'
    verdict = f"{'; '.join(summary(found))}."
    title = f"Budget for {count(len(found.budget.slices), 'slice')}"
    return shell.write(path, shell.page("allocate", title, verdict, _todo(found, path), body))


def _todo(found: Allocated, path: Path) -> Todo:
    if not any(portion.made for portion in found.portions):
        return Todo("Make nothing: no slice gets items.")
    budget = path.with_suffix(".yaml").name
    return Todo(
        "Make the items, train on RUN/train.parquet with several seeds, and let verify judge it:",
        f"sliceforge generate budget={budget} out=RUN",
    )


def _curve(found: Allocated, index: int) -> str:
    need, portion = found.needs[index], found.portions[index]
    if need.slice not in found.points or need.curve is None:
        return ""
    sizes, losses = found.points[need.slice]
    then = need.items + need.rate * portion.made
    return plots.figure(need.slice, need.curve, sizes, losses, need.items, then)


def _rule(found: Allocated, order: Order) -> tuple[str, str]:
    portion = next((one for one in found.portions if one.slice == order.name), None)
    if portion is None:
        return "", ""
    rule = f"{portion.rule}, 4 for each parent" if portion.capped else portion.rule
    if portion.gain is None or portion.low is None or portion.high is None:
        return rule, ""
    return rule, f"{100 * portion.gain:.1f} points ({100 * portion.low:.1f} to {100 * portion.high:.1f})"


def _cause(found: Allocated, order: Order) -> str:
    return next((one.cause or "not diagnosed" for one in found.slices if one.name == order.name), "")


def _gain(gain: float | None) -> str:
    return "" if gain is None else f" ({100 * gain:.1f} points)"
