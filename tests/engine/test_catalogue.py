"""The texts of list, show and help: complete, narrow, quick, and read without importing an operator."""

import ast
import dataclasses
import subprocess
import sys

import pytest

from sliceforge.engine import anatomy, catalogue, texts
from sliceforge.engine.compose import VERBS, compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.library import HOME
from sliceforge.engine.show import show

PARTS = [one.name for one in anatomy.parts()]

RECIPE = """\
# @package _global_
about: A long story {words}
kind: image
steps:
  turn: {{op: image/affine, rotate: [0, 20], p: 0.5}}
  either:
    weights: {{a: 1, b: 2}}
    one_of: {{a: {{op: image/affine, rotate: 1}}, b: {{op: my_package.hum, x: {{deep: [1, null]}}}}}}
sets: {{defect: none}}
"""


def lines(text: str) -> list[str]:
    found = text.splitlines()
    assert all(len(line) <= texts.WIDTH for line in found)
    assert all(line == line.rstrip() for line in found)
    return found


def row(text: str, key: str) -> list[str]:
    return next(line.split("  ") for line in lines(text) if line.strip().startswith(key))


@pytest.mark.parametrize("name", PARTS)
def test_what_is_read_of_a_part_is_what_the_class_says(name: str) -> None:
    from sliceforge.engine.operators import find

    kind = find(name, family=name.split("/")[0])
    fields = {field.name: field for field in dataclasses.fields(kind)}
    read = anatomy.part(name)
    assert read is not None
    assert read.line
    assert set(read.settings) <= set(fields)
    for key, setting in read.settings.items():
        field = fields[key]
        if field.default_factory is not dataclasses.MISSING:
            assert setting.default == field.default_factory()
        elif field.default is not dataclasses.MISSING:
            assert setting.default == field.default
        assert setting.unit == field.metadata.get("unit", "")
        assert setting.about


def test_every_kernel_file_is_listed() -> None:
    files = [path for path in (HOME / "kernels").glob("*/*.py") if path.stem != "__init__"]
    assert len(files) == len(PARTS)
    text = catalogue.listing({})
    for path in files:
        assert f"  {path.parent.name}/{path.stem}" in text


def test_a_listing_names_recipes_operators_and_gates() -> None:
    text = catalogue.listing({"recipe": None})
    lines(text)
    assert "Recipes\n" in text
    assert "steel/scratches" in text
    assert "\nOperators\n" in text
    assert "\nGates\n" in text


def test_a_listing_of_one_operator_has_its_settings() -> None:
    text = catalogue.listing({"recipe": "image/affine"})
    lines(text)
    assert "Recipes" not in text
    assert "    rotate" in text
    assert "[-10, 10]: degrees" in text
    assert catalogue.listing({"recipe": "nonsense"}) == "nothing has nonsense in its name"


@pytest.mark.parametrize("name", sorted(catalogue.recipes()))
def test_a_listing_of_one_recipe_has_the_passes_that_it_becomes(name: str) -> None:
    from sliceforge.engine import fuse
    from sliceforge.engine.compose import load_recipe

    found = fuse.segments(load_recipe(name))
    shown = catalogue.listing({"recipe": name}).partition("Segments\n")[2].splitlines()
    cells = [[cell.strip() for cell in line.split("  ") if cell] for line in shown]
    passes = [[str(i), one.form, ", ".join(one.steps)] for i, one in enumerate(found, 1)]
    assert cells == [["pass", "form", "steps"], *passes]


def test_a_listing_of_several_recipes_has_no_passes() -> None:
    assert "Segments" not in catalogue.listing({"recipe": "speech"})
    assert "Segments" not in catalogue.listing({})


def test_a_file_of_ones_own_has_passes_too_and_a_branch_is_a_step(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = RECIPE.format(words="").replace("my_package.hum, x: {deep: [1, null]}", "image/grain")
    (tmp_path / "mine.yaml").write_text(own)
    text = catalogue.listing(compose("list", ["recipe=./mine.yaml"]))
    assert row(text, "1")[-1].strip() == "turn, either.a, either.b"
    (tmp_path / "mine.yaml").write_text(RECIPE.format(words=""))
    with pytest.raises(SettingError, match=r"steps\.either\.b: op: 'my_package\.hum'"):
        catalogue.listing({"recipe": "./mine.yaml"})


def test_listing_passes_imports_no_operator_and_no_torch() -> None:
    program = (
        "import sys; from sliceforge.engine.catalogue import listing\n"
        "assert 'Segments' in listing({'recipe': 'speech/general'})\n"
        "assert 'torch' not in sys.modules\n"
        "assert not [name for name in sys.modules if name.startswith('sliceforge.kernels.')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_recipe_that_cannot_be_read_does_not_hide_the_others(tmp_path) -> None:
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe" / "broken.yaml").write_text("about: !!python/name:os.system\n")
    text = catalogue.listing({}, [str(tmp_path)])
    assert "steel/scratches" in text
    assert "broken" in text
    assert "cannot be read" in text


def test_a_shown_recipe_has_every_value_with_its_unit_and_origin(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text(RECIPE.format(words="of many words " * 20))
    monkeypatch.chdir(tmp_path)
    overrides = ["recipe=./mine.yaml", "steps.turn.rotate=[0, 30]", "rate=8000"]
    text = show(compose("show", overrides), overrides)
    assert row(text, "rate")[-1].strip() == "as given"
    shown = [[cell.strip() for cell in line.split("  ") if cell] for line in lines(text)]
    assert ["rotate", "[0, 30]", "degrees", "as given"] in shown
    assert ["steps.turn", "image/affine", "./mine.yaml"] in shown
    assert ["p", "0.5", "share of items", "./mine.yaml"] in shown
    assert ["shear", "[-5, 5]", "degrees", "kernels/image/affine.py"] in shown
    assert ["steps.either.one_of.b", "my_package.hum", "./mine.yaml"] in shown
    assert ["x", "{deep: [1, null]}", "./mine.yaml"] in shown
    assert ["defect", "none", "./mine.yaml"] in shown


def test_showing_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(SettingError, match="did you mean steel/scratches"):
        show({}, ["recipe=steel/scratch"])


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_has_each_of_its_settings(verb: str) -> None:
    text = catalogue.settings(verb)
    lines(text)
    recipe = ["recipe=steel/scratches"] if verb in ("generate", "show") else []
    for key in compose(verb, recipe):
        if key not in ("name", "about", "kind", "rate", "sets", "gates", "steps"):
            assert f"\n{key} " in text


def test_a_table_wraps_long_cells_below_themselves() -> None:
    text = texts.table([("a", "word " * 40, "c"), ("bb", "x" * 150, "")], indent=2)
    assert all(line.startswith("  ") for line in lines(text))
    assert text.count("x") == 150


def test_listing_and_showing_import_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from sliceforge.engine.catalogue import listing, settings\n"
        "from sliceforge.engine.show import show\n"
        "from sliceforge.engine.compose import compose\n"
        "listing(compose('list', [])); settings('generate')\n"
        "show(compose('show', ['recipe=steel/scratches']), ['recipe=steel/scratches'])\n"
        "assert not {'torch', 'numba', 'numpy'} & set(sys.modules)\n"
        "assert not [name for name in sys.modules if name.startswith('sliceforge.kernels')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_default_that_is_no_literal_is_shown_as_written() -> None:
    node = ast.parse(
        "class X(Op):\n    a: Real = setting(2 * PI, unit='m')\n    b: int\n    c: ClassVar[int] = 3\n"
    ).body[0]
    assert isinstance(node, ast.ClassDef)
    found = anatomy._settings(node)
    assert found == {"a": anatomy.Setting("2 * PI", "m", ""), "b": anatomy.Setting(None, "", "")}
