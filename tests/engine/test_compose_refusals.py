"""What the composer refuses, in one line that helps."""

from pathlib import Path

import pytest
from composing import refusal, write

from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("varients=3", "varients: no such setting; did you mean variants?"),
        ("banks.noise", "expected key=value"),
        ("data", "expected key=value, such as data=VALUE"),
        ("banks=x", "such as banks.noise=FOLDER"),
        ("predictions=x", "predictions: no such setting"),
        ("variants=0", "variants: 0: expected a whole number from 1, or null, such as variants=4"),
        ("batch=x", "batch: 'x': expected a whole number from 1, such as batch=64"),
        ("batch=true", "batch: True"),
        ("seed=-1", "seed: -1"),
        ("seed=1.5", "seed: 1.5"),
        ("device=tpu", "device: 'tpu': expected auto, cpu, cuda or cuda:N, such as device=cpu"),
        ("max_rejects=2", "max_rejects: 2: expected a share from 0 to 1"),
        ("trust=my_package", "trust=[my_package]"),
        ("sink=foldr", "did you mean folder?"),
        ("sink.kind=foldr", "sink.kind: 'foldr': expected webdataset or folder"),
        ("sink.colour=1", "sink.colour: no such key"),
        ("~seed", "~seed: only what a recipe holds"),
        ("steps.mixx.snr=3", "steps.mixx: no such key; did you mean mix?"),
        ("steps.mix.snrr=3", "steps.mix.snrr: no such key; did you mean snr?"),
        (
            "steps.mix.colour=3",
            "steps.mix.colour: no such key; known: op, reference, snr; to add it write +steps.",
        ),
        ("~steps.mixx", "steps.mixx: no such key; did you mean mix?"),
        ("steps.mix.snr=1,2", "expected one value; a list is written [a, b]"),
        ("steps.mix.snr=range(3)", "steps.mix.snr=range(3)"),
        ("steps.mix.snr=shuffle([1,2])", "shuffle"),
        ("steps.mix.snr=[0, 10", "steps.mix.snr=[0, 10"),
        ("steps.mix.snr=a=b(", "steps.mix.snr=a=b("),
        ("+steps.mix.snr=3", "+steps.mix.snr=3"),
        ("steps.mix.snr=${steps.mix.snrr}", "no such key; did you mean snr?"),
        ("steps.mix.snr=${steps.mix.snr}", "circle"),
        ("steps.mix.snr=???", "steps.mix.snr: is needed"),
        ("+steps.mix.snr.low=3", "+steps.mix.snr.low=3"),
        ("op/sound@steps.other=hum", "Could not override 'op/sound@steps.other'. Did you mean"),
    ],
)
def test_a_wrong_setting_is_one_line_that_helps(folder: Path, override: str, words: str) -> None:
    assert words in refusal(folder, override)


def test_an_unknown_recipe_is_refused_with_the_nearest(folder: Path) -> None:
    assert "did you mean my/base?" in refusal(folder, recipe="my/bose")
    assert "no such file; did you mean" in refusal(folder, recipe=f"{folder}/recipe/my/bose.yaml")
    assert "no such folder" in refusal(folder / "nowhere")
    with pytest.raises(SettingError, match=r"no such verb; did you mean generate\?"):
        compose("generte", [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("steps: {a: [}\n", "derived.yaml, line 2: "),
        ("rate: 1\nrate: 2\n", "derived.yaml, line 3: found duplicate key rate"),
        ("- a\n", "expected a mapping"),
        ("kindd: audio\n", "kindd: no key of a recipe; did you mean kind?"),
        ("steps: 3\n", "steps: 3: expected a mapping"),
        ("steps: {1: {op: sound/a}}\n", "expected a word as key"),
        ("defaults: {a: b}\n", "expected a list"),
        ("defaults: [my/bose]\n", "did you mean my/base?"),
        ("defaults: [/op/sound@steps.a: hmm]\n", "did you mean hum?"),
        ("defaults: [my/derived]\n", "a recipe is among its own defaults"),
        ("\tsteps: 3\n", "derived.yaml, line 2: "),
        ("rate: 16000\n---\nrate: 8000\n", "a second document"),
        ("rate: " + "9" * 5000 + "\n", "derived.yaml: "),
    ],
)
def test_a_wrong_file_is_one_line_with_its_name(folder: Path, text: str, words: str) -> None:
    write(folder / "recipe" / "my" / "derived.yaml", f"# @package _global_\n{text}")
    message = refusal(folder, recipe="my/derived")
    assert words in message
    assert "derived.yaml" in message or "defaults" in message


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "recipe" / "my" / "derived.yaml").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in refusal(folder, recipe="my/derived")
