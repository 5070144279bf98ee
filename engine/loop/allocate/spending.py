"""What a budget buys, in words: the table that `allocate` prints, and its page."""

from __future__ import annotations

from pathlib import Path

from sliceforge.engine.loop.allocate import plots
from sliceforge.engine.loop.allocate.allocating import NEXT, Allocated
from sliceforge.engine.loop.allocate.budget import Order
from sliceforge.engine.report.markup import count, grouped, name, table, text
from sliceforge.engine.texts import Row
from sliceforge.engine.texts import table as aligned


def told(found: Allocated) -> str:
    """A row for each slice, its notes, and what the whole budget comes to."""
    rows: list[Row] = [("slice", "cause", "operation", "recipe", "items", "by", "expected gain")]
    for order in found.budget.slices:
        by, gain = _rule(found, order)
        rows.append(
            (order.name, _cause(found, order), order.operation, order.recipe or "", str(order.items or 0), by, gain)
        )
    lines = [aligned(rows)]
    lines += [f"{order.name}: {note}" for order in found.budget.slices for note in order.notes]
    return "\n".join([*lines, *found.notes, *summary(found)])


def summary(found: Allocated) -> list[str]:
    """What the budget comes to, where it could stop, and what the next thousand items would buy."""
    made = sum(portion.made for portion in found.portions)
    share = found.originals / max(found.originals + made, 1)
    lines = [f"{made} items beside {found.originals} originals: {share:.0%} of the training set is original"]
    if found.stop and found.stop.spent < found.stop.trace[-1, 0]:
        whole, spent = found.stop.trace[-1, 0], found.stop.spent
        lines.append(f"of the {whole:.0f} that curves decide, {spent:.0f} buy {found.stop.share:.0%} of the gain")
    if found.next and not any(more for more, _ in found.next.values()):
        lines.append(f"the next {NEXT} would buy nothing: every slice is at 4 for each parent, or originals run short")
    elif found.next:
        said = ", ".join(f"{more} for {one}{_gain(gain)}" for one, (more, gain) in found.next.items() if more)
        lines.append(f"the next {NEXT} would be {said}")
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
    head = ("slice", "cause", "operation", "recipe", "#items", "by", "expected gain", f"of the next {NEXT}")
    body = f"<section><h2>What each slice gets</h2>{table(head, rows, 'What each slice gets')}</section>"
    drawn = "".join(_curve(found, index) for index in range(len(found.needs)))
    if drawn:
        body += f'<section><h2>Learning curves</h2><div class="plots">{drawn}</div></section>'
    noted = [(order.name, note) for order in found.budget.slices for note in order.notes]
    if noted:
        lines = "".join(f"<li>{name(one)}: {text(note)}</li>" for one, note in noted)
        body += f"<section><h2>Why</h2><ul>{lines}</ul></section>"
    slices = count(len(found.budget.slices), "slice")
    return plots.write(path, plots.page(f"Budget for {slices}", "; ".join(summary(found)), body))


def _curve(found: Allocated, index: int) -> str:
    need, portion = found.needs[index], found.portions[index]
    if need.slice not in found.points or need.curve is None:
        return ""
    sizes, losses = found.points[need.slice]
    then = need.items + need.rate * portion.made
    said = f"{need.slice}: loss {need.curve.b:.3g} · n^−{need.curve.a:.3g}, R² {need.curve.r2:.2f}"
    believed = "" if need.curve.believed else "; not believed, excess errors decide"
    drawn = plots.curve(need.curve, sizes, losses, need.items, then, said)
    return f"<figure>{drawn}<figcaption>{text(said + believed)}</figcaption></figure>"


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
