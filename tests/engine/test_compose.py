"""The composer: Hydra's manners, and texts as typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from composing import made, refusal, write
from hydra import compose as hydra_compose
from hydra import initialize
from hydra.core.global_hydra import GlobalHydra
from hydra.version import VersionBase

from sliceforge.engine import vet
from sliceforge.engine.compose import compose, load_recipe, trace
from sliceforge.engine.errors import SettingError
from sliceforge.engine.library import HOME, Library


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
