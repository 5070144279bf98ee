"""What every paint owes: its mask is where it changed the image, and its compiled loop does what plain Python does."""

import marks
import pytest

from sliceforge.engine import operators
from sliceforge.engine.build import build
from sliceforge.engine.cache import KERNELS
from sliceforge.engine.op import Paint

CLASSES = [operators.find(f"image/{path.stem}") for path in sorted((KERNELS / "image").glob("[a-z]*.py"))]
PAINTS = [pytest.param(build(each, {}, "steps.mark"), id=each.__name__) for each in CLASSES if issubclass(each, Paint)]


@pytest.mark.parametrize("op", PAINTS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (40, 33, 1)])
def test_the_engine_agrees_with_the_reference(op: Paint, shape: tuple[int, int, int]) -> None:
    for plan in marks.plans(op, 3, *shape[:2]):
        marks.agrees(op, plan, shape)


@pytest.mark.parametrize("op", PAINTS)
def test_it_changes_its_mask_alone_and_leaves_no_value_out_of_range(op: Paint) -> None:
    for plan in marks.plans(op, 10, 63, 100):
        marks.owes(op, plan)
