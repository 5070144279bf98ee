"""The composer: Hydra's manners, texts as typed, and a recipe that cannot run code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hydra import compose as hydra_compose
from hydra import initialize
from hydra.core.global_hydra import GlobalHydra
from hydra.version import VersionBase

from sliceforge.engine import vet
from sliceforge.engine.compose import compose, load_recipe, trace
from sliceforge.engine.errors import SettingError
from sliceforge.engine.library import HOME, Library

BASE = """\
# @package _global_
defaults:
  - /op/sound@steps.hum: hum
  - /op/sound@steps.mix: mix
  - /op/sound@steps.level: level
  - _self_
about: A base
kind: audio
sets: {noise: car, snr: mix.snr}
steps:
  mix: {snr: [-5, 15]}
gates: {snr: {step: mix}}
"""
PARTS = {
    "hum": "op: sound/hum\nspeed: [30, 130]\n",
    "mix": "op: sound/mix\nsnr: [0, 20]\nreference: active\n",
    "level": "op: sound/level\nlevel: [-35, -15]\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in PARTS.items():
        write(tmp_path / "op" / "sound" / f"{name}.yaml", text)
    write(tmp_path / "recipe" / "my" / "base.yaml", BASE)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def made(folder: Path, *overrides: str, verb: str = "generate", recipe: str = "my/base") -> dict:
    return compose(verb, [f"recipe={recipe}", *overrides], [str(folder)])


def refusal(folder: Path, *overrides: str, verb: str = "generate", recipe: str = "my/base") -> str:
    with pytest.raises(SettingError) as caught:
        made(folder, *overrides, verb=verb, recipe=recipe)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


def derived(folder: Path, text: str) -> dict:
    write(folder / "recipe" / "my" / "derived.yaml", f"# @package _global_\n{text}")
    return made(folder, recipe="my/derived")


def test_a_recipe_is_composed_from_its_parts_in_the_order_of_its_defaults(folder: Path) -> None:
    config = made(folder)
    assert list(config["steps"]) == ["hum", "mix", "level"]
    assert config["steps"]["mix"] == {"op": "sound/mix", "snr": [-5, 15], "reference": "active"}
    assert config["sink"] == {"kind": "webdataset", "audio": "flac", "image": "png"}
    assert config["name"] == "my/base"
    assert type(config["steps"]["mix"]["snr"]) is list
    assert json.loads(json.dumps(config)) == config


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("steps.mix.snr=3", "steps.mix.snr", 3),
        ("steps.mix.snr=[0, 10]", "steps.mix.snr", [0, 10]),
        ("steps.mix.snr=[normal, 5, 4, 0, 10]", "steps.mix.snr", ["normal", 5, 4, 0, 10]),
        ("++steps.mix.snr=1e-3", "steps.mix.snr", 0.001),
        ("+steps.extra={op: sound/level, level: -20}", "steps.extra", {"op": "sound/level", "level": -20}),
        ("+op/sound@steps.extra=hum", "steps.extra", {"op": "sound/hum", "speed": [30, 130]}),
        ("op/sound@steps.mix=hum", "steps.mix.op", "sound/hum"),
        ("rate=16000", "rate", 16000),
        ("rate=${steps.mix.snr}", "rate", [-5, 15]),
        ("seed=7", "seed", 7),
        ("count=5000", "count", 5000),
        ("device=cuda:1", "device", "cuda:1"),
        ("trust=[my_package]", "trust", ["my_package"]),
        ("sink=folder", "sink.kind", "folder"),
        ("sink.audio=wav", "sink.audio", "wav"),
        ("+sets.level=level.level", "sets.level", "level.level"),
    ],
)
def test_an_override_does_what_a_hydra_user_expects(folder: Path, override: str, path: str, value: object) -> None:
    node = made(folder, override)
    for word in path.split("."):
        node = node[word]
    assert node == value


@pytest.mark.parametrize("override", ["steps.level=null", "~steps.level"])
def test_a_step_is_dropped_by_null_and_by_a_tilde(folder: Path, override: str) -> None:
    assert list(made(folder, override)["steps"]) == ["hum", "mix"]


def test_a_derived_recipe_prepends_appends_changes_and_drops_steps(folder: Path) -> None:
    config = derived(
        folder,
        "defaults: [/op/sound@steps.first: level, my/base, /op/sound@steps.last: hum, _self_]\n"
        "steps: {mix: {snr: 4}, level: null, own: {op: sound/hum}}\nsets: {noise: null, place: car}\n",
    )
    assert list(config["steps"]) == ["first", "hum", "mix", "last", "own"]
    assert config["steps"]["mix"] == {"op": "sound/mix", "snr": 4, "reference": "active"}
    assert config["sets"] == {"snr": "mix.snr", "place": "car"}
    assert config["about"] == "A base"


@pytest.mark.parametrize("entry", ["/recipe/my/base", "my/base", "recipe/my/base", "{/recipe/my: base}"])
def test_the_base_may_be_written_in_each_usual_way(folder: Path, entry: str) -> None:
    assert list(derived(folder, f"defaults: [{entry}, _self_]\nrate: 8000\n")["steps"]) == ["hum", "mix", "level"]


def test_a_recipe_file_of_ones_own_may_build_on_its_neighbours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "here" / "plain-1.yaml", "defaults: [near, _self_]\nsteps: {b: {op: sound/b}}\n")
    write(folder / "here" / "near.yaml", "steps: {a: {op: sound/a}}\n")
    monkeypatch.chdir(folder / "here")
    for name in ("./plain-1.yaml", "plain-1.yaml", "../here/plain-1.yaml", str(folder / "here" / "plain-1.yaml")):
        config = compose("show", [f"recipe={name}"])
        assert list(config["steps"]) == ["a", "b"]
        assert config["name"] == "plain-1"


def test_a_reference_takes_the_value_of_another_key(folder: Path) -> None:
    config = derived(
        folder,
        "defaults: [my/base, _self_]\nrate: 8000\nsteps: {copy: '${steps.mix}', level: {level: '${steps.mix.snr}'}}\n"
        "sets: {text: 'at ${rate} hertz'}\n",
    )
    assert config["steps"]["copy"] == config["steps"]["mix"]
    assert config["steps"]["level"]["level"] == [-5, 15]
    assert config["sets"]["text"] == "at 8000 hertz"


def test_each_value_knows_the_file_or_the_override_that_set_it(folder: Path) -> None:
    origins = trace("show", ["recipe=my/base", "steps.level.level=-20"], [str(folder)]).origins
    assert origins["steps.hum.speed"] == f"{folder}/op/sound/hum.yaml"
    assert origins["steps.mix.snr"] == f"{folder}/recipe/my/base.yaml"
    assert origins["steps.level.level"] == "steps.level.level=-20"


TEXTS = [
    "['a' b]",
    "plain",
    " two  spaces ",
    "ü/ñ/日本",
    "speaker = 'theo'",
    "noise = 'car' AND snr < 10",
    'a >= (b) OR c <> "d"',
    "\"both\" 'quotes'",
    "[a, {b: c}]",
    "~/clips",
    "a # b",
    "${oc.env:HOME}",
    "${",
    "trailing\\",
    "C:\\new\\table",
    "a,b,c",
    "null",
    "true",
    "007",
    "1e5",
    "???",
    "a: b",
    "- a",
    "!!python/object:x",
    "&a *b",
    "s3://bucket/key?x=1&y=%20",
    "_target_=os.system",
    "@file",
    "--flag",
    "a\ttab",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_taken_as_typed(folder: Path, text: str) -> None:
    given = {"data": text, "parents": text, "slice": text, "pattern": text}
    given |= {} if "://" in text else {"out": text}
    config = made(folder, *[f"{key}={value}" for key, value in given.items()], f"banks.noise={text}")
    assert {key: config[key] for key in given} == given
    assert config["banks"] == {"noise": text}
    assert yaml.safe_load(yaml.safe_dump(config, allow_unicode=True)) == config


def test_texts_come_through_a_command_line_as_typed() -> None:
    program = (
        "import sys, json; from sliceforge.engine.compose import compose\n"
        "print(json.dumps([compose('replay', [f'id={text}', f'banks.a={text}']) for text in sys.argv[1:]]))"
    )
    done = subprocess.run([sys.executable, "-c", program, *TEXTS], capture_output=True, check=True, encoding="utf-8")
    assert [config["id"] for config in json.loads(done.stdout)] == TEXTS
    assert [config["banks"]["a"] for config in json.loads(done.stdout)] == TEXTS


def test_an_empty_text_unsets(folder: Path) -> None:
    config = made(folder, "data=x", "data=", "banks.noise=x", "banks.noise=")
    assert config["data"] is None
    assert config["banks"] == {}


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


def test_inside_a_users_own_hydra_application_nothing_of_it_changes(folder: Path) -> None:
    write(folder / "app" / "config.yaml", "x: 1\n")
    before = made(folder, "seed=3")
    relative = os.path.relpath(folder / "app", Path(__file__).parent)
    with initialize(version_base="1.3", config_path=relative):
        loader = GlobalHydra.instance().config_loader()
        version = VersionBase.instance().getbase()
        assert made(folder, "seed=3") == before
        refusal(folder, "hydra.run.dir=x")
        assert GlobalHydra.instance().config_loader() is loader
        assert VersionBase.instance().getbase() is version
        assert hydra_compose("config").x == 1
    made(folder)
    assert not GlobalHydra.instance().is_initialized()


def test_composing_imports_neither_torch_nor_numba() -> None:
    program = (
        "import sys; from sliceforge.engine.compose import compose; compose('list', []); compose('audit', ['run=x'])\n"
        "assert not {'torch', 'numba', 'numpy', 'hydra_plugins'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_other_verbs_have_their_own_settings_only() -> None:
    assert compose("replay", ["run=a", "id=b~1", "out=c", "stems=true"]) == {
        "run": "a", "id": "b~1", "out": "c", "stems": True, "data": None, "banks": {},
    }  # fmt: skip
    assert compose("audit", ["run=a"])["share"] == 0.05
    assert compose("list", ["recipe=speech"]) == {"recipe": "speech"}
    for override in ("steps.mix.snr=3", "rate=8000", "+op/audio@steps.a=mix", "seed=3", "sink=folder"):
        with pytest.raises(SettingError):
            compose("audit", [override])


@pytest.mark.parametrize("name", Library().names("recipe"))
def test_every_recipe_is_composed_and_built(name: str) -> None:
    assert load_recipe(name).steps
    config = compose("generate", [f"recipe={name}"])
    assert config["about"]
    text = (HOME / "recipes" / f"{name}.yaml").read_text("utf-8")
    assert text.startswith("# @package _global_\n# sliceforge generate recipe=")


@pytest.mark.parametrize("path", sorted((HOME / "conf" / "op").rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_operators_part_names_it_and_all_of_its_settings(path: Path) -> None:
    from sliceforge.engine.anatomy import part
    from sliceforge.engine.build import build
    from sliceforge.engine.operators import find

    data, _ = vet.read_yaml(path, path.name)
    name = data.pop("op")
    assert name == f"{path.parent.name}/{path.stem}"
    build(find(name), data, "steps.x")
    known = part(name)
    assert known is not None
    assert set(known.settings) <= set(data)
