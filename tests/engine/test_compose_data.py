"""A recipe, a part of one and an override are data: none runs code, reads a file or the environment."""

import sys
from pathlib import Path

import pytest
from composing import made, refusal, write

EVIL = [
    "steps: {a: {_target_: builtins.open, file: MARK, mode: w}}",
    "steps: {a: {op: sound/a, inner: {_target_: numpy.load}}}",
    "steps: {a: {op: sound/a, list: [{_target_: os.system}]}}",
    "steps: {a: {op: sound/a, _partial_: true}}",
    "steps: {a: {op: sound/a, _recursive_: true}}",
    "steps: {a: {op: sound/a, _convert_: all}}",
    "steps: {a: {op: sound/a, _args_: [1]}}",
    "_target_: os.system",
    "hydra: {run: {dir: MARK}}",
    "hydra: {searchpath: ['file:///tmp']}",
    "hydra: {callbacks: {a: {_target_: os.system}}}",
    "hydra: {job_logging: {handlers: {a: {class: logging.FileHandler, filename: MARK}}}}",
    "steps: {hydra: {a: 1}}",
    "trust: [os]",
    "seed: 3",
    "data: MARK",
    "out: MARK",
    "sink: {kind: folder}",
    "name: x",
    "defaults: [override hydra/launcher: joblib, _self_]",
    "defaults: [override /hydra/launcher: joblib, _self_]",
    "defaults: [hydra/launcher: joblib]",
    "defaults: [/hydra/config]",
    "defaults: [hydra/config]",
    "defaults: [../../secret]",
    "defaults: [/op/../../secret@steps.a: x]",
    "defaults: [/op/sound@steps.a: ../../secret]",
    "defaults: [/op/sound@steps.a: /etc/passwd]",
    "defaults: [/etc/passwd]",
    "defaults: [pkg://os]",
    "defaults: ['file:///etc/passwd']",
    "defaults: [/op/sound@_global_: hum]",
    "defaults: [/op/sound@trust: hum]",
    "defaults: [/op/sound@hydra.run: hum]",
    "defaults: [/op/sound: hum]",
    "defaults: [my/base@steps.a]",
    "defaults: [/sink: folder]",
    "defaults: [/generate]",
    "defaults: ['${oc.env:HOME}']",
    "defaults: [{/op/sound@steps.a: '${oc.env:HOME}'}]",
    "defaults: [{/op/sound@steps.a: [hum, ../x]}]",
    "defaults: [optional /op/sound@steps.a: nothing]",
    "about: ${oc.env:HOME}",
    "about: ${now:%Y}",
    "about: ${hydra:runtime.cwd}",
    "about: ${oc.create:x}",
    "about: '${oc.decode:${about}}'",
    "about: ${seed}",
    "about: ${data}",
    "about: ${.kind}",
    "about: '${steps[a]}'",
    "about: '${oc.env:${kind}}'",
    "about: '${${kind}}'",
    "about: '\\${oc.env:HOME}'",
    "sets: {'${oc.env:HOME}': 1}",
    "about: !!python/object/apply:os.system ['touch MARK']",
    "about: !!python/name:os.system",
    "about: !!python/object/apply:pathlib.PosixPath [MARK]",
    "about: !custom x",
    "about: !!binary aGVsbG8=",
    "about: !!str x",
    "about: ! x",
    "about: &a x",
    "sets: {a: &a {b: 1}, c: *a}",
    "sets: {a: *a}",
    "sets: {<<: *a}",
    "sets: " + "[" * 40 + "]" * 40,
    "sets: " + "[" * 5000 + "]" * 5000,
]


@pytest.mark.parametrize("text", EVIL)
def test_a_recipe_is_data_not_code(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = folder / "mark"
    monkeypatch.setenv("HOME", "secret-home")
    made(folder)  # imports what composing needs
    before = set(sys.modules)
    write(folder / "recipe" / "my" / "derived.yaml", f"# @package _global_\n{text.replace('MARK', str(mark))}\n")
    assert "secret-home" not in refusal(folder, recipe="my/derived")
    assert "secret-home" not in refusal(folder, recipe=f"{folder}/recipe/my/derived.yaml")
    assert not mark.exists()
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    "text",
    [
        "# @package hydra.run\nop: sound/hum\n",
        "# @package _global_\ntrust: [os]\n",
        "defaults: [/recipe/my/base]\nop: sound/hum\n",
        "op: {_target_: os.system}\n",
        "op: ${oc.env:HOME}\n",
    ],
)
def test_a_part_of_a_recipe_is_vetted_alike(folder: Path, text: str) -> None:
    write(folder / "op" / "sound" / "hum.yaml", text)
    refusal(folder)


@pytest.mark.parametrize("directive", ["hydra", "hydra.run", "_group_", "steps", "_global_.hydra", ""])
def test_a_package_directive_other_than_global_is_refused(folder: Path, directive: str) -> None:
    write(folder / "recipe" / "my" / "derived.yaml", f"# @package {directive}\nsteps: {{a: {{op: sound/a}}}}\n")
    assert "# @package _global_" in refusal(folder, recipe="my/derived")


@pytest.mark.parametrize(
    "override",
    [
        "hydra.run.dir=x",
        "hydra/launcher=joblib",
        "+hydra.callbacks.a._target_=os.system",
        "++hydra.searchpath=[file:///tmp]",
        "~hydra",
        "hydra={}",
        "hydra@steps.a=x",
        "+steps.a._target_=os.system",
        "+steps.a={_target_: os.system}",
        "+steps.a={op: sound/a, x: [{_args_: [1]}]}",
        "steps.mix.snr=${oc.env:HOME}",
        "steps.mix.snr='${oc.env:HOME}'",
        "steps.mix.snr=${now:%Y}",
        "+steps.a={op: '${oc.env:HOME}'}",
        "+_target_=os.system",
        "+trust.a=${oc.env:HOME}",
        "device=${oc.env:HOME}",
        "sink=../../secret",
        "sink=/etc/passwd",
        "sink@steps=folder",
        "+sink@steps.a=folder",
        "+op/sound@trust=hum",
        "+op/sound@_global_=hum",
        "+op/sound@steps.a=../../recipe/my/base",
        "+op/../sink@steps.a=folder",
        "+recipe/my@steps.a=base",
        "recipe@steps=my/base",
        "recipe=../my/base",
        "recipe=/etc/passwd",
        "recipe=pkg://os",
        "recipe=file:///etc/x.yaml",
        "recipe=pkg://os.yaml",
        "recipe=FILE",
        "recipe=${oc.env:HOME}",
        "recipe=",
        "name=x",
        "+name=x",
        "steps.a.b@c=1",
        "a b=1",
        "=3",
        "",
    ],
)
def test_an_override_is_data_not_code(folder: Path, override: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "secret-home")
    assert "secret-home" not in refusal(folder, override)


def test_references_cannot_explode(folder: Path) -> None:
    rows = ["  a0: {x: 1}"] + [f"  a{n}: {{x: '${{sets.a{n - 1}}}', y: '${{sets.a{n - 1}}}'}}" for n in range(1, 30)]
    write(folder / "recipe" / "my" / "derived.yaml", "\n".join(["sets:", *rows]))
    assert "references counted" in refusal(folder, recipe="my/derived")
    rows = ["  a0: lol"] + [f"  a{n}: '${{sets.a{n - 1}}}${{sets.a{n - 1}}}'" for n in range(1, 30)]
    write(folder / "recipe" / "my" / "derived.yaml", "\n".join(["sets:", *rows]))
    refusal(folder, recipe="my/derived")
    for n in range(12):
        write(folder / "recipe" / "my" / f"b{n}.yaml", f"defaults: [{', '.join([f'my/b{n + 1}'] * 3)}]\n")
    write(folder / "recipe" / "my" / "b12.yaml", "rate: 8000\n")
    assert "more than 1000 entries" in refusal(folder, recipe="my/b0")
