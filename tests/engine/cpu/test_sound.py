"""The fused executor for sound makes what the plain one makes, whatever the chain, and convolves as numpy does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from signals import voice

from sliceforge.engine import sound as plain
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.cpu import convolve, sound
from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Gain, Inventory, Mix, Shapes, Spectrum
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step

ROOT = Path(__file__).resolve().parents[3]
RECIPES = sorted(
    path.relative_to(ROOT / "recipes").with_suffix("").as_posix() for path in ROOT.glob("recipes/speech/*.yaml")
)
STEP = 1.001 / 32768
"""Where the two executors' float32 differs in its last bits, a value may round to the neighbouring step."""

CLIPS = [(1, 8000), (7, 8000), (801, 8000), (801, 44100), (12000, 16000), (64000, 16000)]


class Bank:
    """Noises and responses that stay the same objects, as those of a folder do."""

    def __init__(self) -> None:
        generator = np.random.default_rng(5)
        self.noises = generator.normal(0, 0.05, 1 << 18).astype(np.float32)
        self.responses = {}
        for name, count in (("short", 300), ("hall", 8000)):
            fall = np.exp(-8 * np.arange(count) / count)
            self.responses[name] = (generator.normal(0, 0.3, count) * fall).astype(np.float32)
            self.responses[name][0] = 2

    def excerpt(self, bank: str, item: str, rate: int, offset: int, length: int) -> np.ndarray:
        return self.noises[offset : offset + length]

    def sound(self, bank: str, item: str, rate: int, channel: float | None = None) -> np.ndarray:
        return self.responses[item]


BANK = Bank()
INVENTORY = {"noise": Inventory(["street"], np.array([4.5]))}
INVENTORY |= {"rirs": Inventory(["hall", "short"], np.array([0.5, 0.02]))}
INVENTORY |= {"voices": Inventory(["hall", "short"], np.array([0.5, 0.02]))}


@dataclass(frozen=True)
class Bend(Apply):
    """x − x³/3: bends a sum otherwise than its parts."""

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        return {**batch, "audio": batch["audio"] - batch["audio"] ** 3 / 3}


@dataclass(frozen=True)
class Backwards(Apply):
    linear: ClassVar[bool] = True

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        return {**batch, "audio": batch["audio"].flip(1)}


@dataclass(frozen=True)
class Broken(Apply):
    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        return {**batch, "audio": batch["audio"] * torch.nan}


@dataclass(frozen=True)
class Peak(Gain):
    """An own operator that needs the samples."""

    def factor(self, audio: np.ndarray, rate: int, /, **plan: Any) -> float:
        return 0.5 / max(float(np.abs(audio).max()), 1e-3)


@dataclass(frozen=True)
class Loudest(Mix):
    """Another one: peak over peak."""

    bank: str = "noise"

    def sources(self) -> set[str]:
        return {"bank"}

    def factor(self, foreground: np.ndarray, noise: np.ndarray, rate: int, /, **plan: Any) -> float:
        return 0.3 * float(np.abs(foreground).max() / np.abs(noise).max())


@dataclass(frozen=True)
class Echo(Spectrum):
    """A third one: one echo after `delay` samples."""

    bank: str = ""
    delay: int = 40

    def response(self, rate: int, sound: np.ndarray | None, /, **plan: Any) -> np.ndarray:
        wave = np.zeros(self.delay + 1)
        wave[0], wave[-1] = 1, -0.6
        return wave


def op(name: str, **settings: Any) -> dict[str, Any]:
    return {"op": f"audio/{name}", **settings}


REVERB = op("reverb", source="bank")
ACTIVE, RMS = (op("mix", source="bank", reference=name) for name in ("active", "rms"))
BAND, LEVEL = op("band", low=[80, 300]), op("level", level=[-30, -12])

CHAINS: dict[str, list[dict[str, Any]]] = {
    "the one that is timed": [REVERB, RMS, BAND, LEVEL],
    "the same by active speech": [REVERB, ACTIVE, BAND, LEVEL],
    "two filters beside each other": [REVERB, BAND, RMS, LEVEL],
    "filters on either side of mixes": [BAND, RMS, REVERB, ACTIVE, BAND, LEVEL],
    "three mixes": [RMS, op("mix", source="bank", reference="g712"), ACTIVE, LEVEL],
    "levels between": [LEVEL, ACTIVE, op("gain"), BAND, op("level", level=[-20, -10]), RMS],
    "steps that are skipped": [{**step, "p": 0.5} for step in (REVERB, RMS, BAND, ACTIVE, LEVEL)],
    "a limit": [ACTIVE, LEVEL, op("clip", level=[-20, -6]), BAND],
    "a limit before a mix": [LEVEL, op("clip", level=[-20, -6]), REVERB, ACTIVE, LEVEL],
    "linear code": [RMS, op("drop"), REVERB, op("shift"), LEVEL],
    "linear code and a loudness": [op("speed"), ACTIVE, op("drop"), BAND, LEVEL],
    "a guard": [REVERB, ACTIVE, op("gain", gain=[10, 30])],
    "a guard and a filter": [ACTIVE, BAND, op("gain", gain=[10, 30])],
    "nothing but a level": [LEVEL],
}


def recipe_of(chain: list[dict[str, Any]]) -> Recipe:
    return from_config({"steps": {f"step_{i}": settings for i, settings in enumerate(chain)}})


def rows(recipe: Recipe, length: int, rate: int, count: int = 4, seed: int = 3) -> list[dict[str, Any]]:
    one = np.ones(count, np.int64)
    shapes = Shapes(one * length, one * rate, one * 0, one * 0, INVENTORY)
    columns = recipe.draw(Keys.of(seed, [f"clip {i}" for i in range(count)]), shapes)
    return [{name: column[i] for name, column in columns.items()} for i in range(count)]


def clip(length: int, rate: int) -> np.ndarray:
    sound = voice(max(length, 8) / rate, rate)[:length] + np.float32(0.01)
    return sound.astype(np.float32)


def both(recipe: Recipe, parent: np.ndarray, rate: int, row: dict[str, Any]) -> tuple[Made | str, Made | str]:
    found: list[Made | str] = []
    for executor in (plain, sound):
        try:
            found.append(executor.make(recipe, parent, rate, row, BANK))
        except InputError as error:
            found.append(error.reason)
    return found[0], found[1]


def same(recipe: Recipe, parent: np.ndarray, rate: int, row: dict[str, Any]) -> None:
    one, other = both(recipe, parent, rate, row)
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert other.item.dtype == np.float32
    assert np.abs(one.item - other.item).max() <= STEP
    assert other.gain == pytest.approx(one.gain, rel=1e-4, nan_ok=True)
    assert list(one.stems) == list(other.stems)
    assert list(one.heard) == list(other.heard)
    for name, stem in one.stems.items():
        assert np.abs(stem - other.stems[name]).max() <= STEP
    for name, pair in one.heard.items():
        for sound_, again in zip(pair, other.heard[name], strict=True):
            assert np.abs(sound_ - again).max() <= 2e-5 * max(np.abs(sound_).max(), 1)


@pytest.mark.parametrize(("length", "rate"), CLIPS)
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_what_the_plain_executor_makes(name: str, length: int, rate: int) -> None:
    recipe = load_recipe(name)
    for row in rows(recipe, length, rate, 6):
        same(recipe, clip(length, rate), rate, row)


@pytest.mark.parametrize(("length", "rate"), CLIPS)
@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_what_the_plain_executor_makes(name: str, length: int, rate: int) -> None:
    recipe = recipe_of(CHAINS[name])
    for row in rows(recipe, length, rate):
        same(recipe, clip(length, rate), rate, row)


@pytest.mark.parametrize("own", [Bend(), Backwards(), Broken(), Peak(), Loudest(), Echo(), Echo(delay=5000)])
def test_own_operators_need_know_nothing_of_it(own: Any) -> None:
    for chain in ([ACTIVE], [RMS, BAND], [LEVEL]):
        recipe = recipe_of(chain)
        for row in rows(recipe, 12000, 16000):
            plan = {"own.source": "bank", "own.item": "street", "own.offset": 70} if isinstance(own, Mix) else {}
            for steps in ((*recipe.steps, Step("own", own)), (Step("own", own), *recipe.steps)):
                mine = Recipe("audio", steps, (), {}, {})
                same(mine, clip(12000, 16000), 16000, row | plan)


@pytest.mark.parametrize("name", ["the one that is timed", "the same by active speech", "a guard and a filter"])
def test_an_item_does_not_depend_on_whether_its_parts_are_asked_for(name: str) -> None:
    recipe = recipe_of(CHAINS[name])
    for row in rows(recipe, 12000, 16000):
        asked, silent = (sound.make(recipe, clip(12000, 16000), 16000, row, BANK) for _ in range(2))
        before = asked.item.tobytes()
        total = np.sum([stem.astype(np.float64) for stem in asked.stems.values()], axis=0)
        assert len(asked.stems) == 2
        assert np.abs(total - asked.item).max() <= STEP
        assert asked.item.tobytes() == before == silent.item.tobytes()


def test_an_item_does_not_depend_on_what_was_made_before_or_on_what_scratch_holds() -> None:
    recipes = [recipe_of(chain) for chain in CHAINS.values()]
    first = {}
    for again in range(2):
        for length, rate in CLIPS if not again else CLIPS[::-1]:
            for i, recipe in enumerate(recipes):
                for array in convolve.SCRATCH.arrays.values():
                    array.fill(np.nan)
                made = both(recipe, clip(length, rate), rate, rows(recipe, length, rate, 1)[0])[1]
                bytes_ = made if isinstance(made, str) else made.item.tobytes()
                assert first.setdefault((i, length, rate), bytes_) == bytes_


def test_the_parent_is_left_as_it_was() -> None:
    recipe, parent = recipe_of(CHAINS["the one that is timed"]), clip(801, 8000)
    parent.flags.writeable = False
    for row in rows(recipe, 801, 8000):
        assert isinstance(both(recipe, parent, 8000, row)[1], Made)


SIZES = [(1, 1), (1, 5), (7, 3), (801, 1), (801, 700), (8000, 257), (8000, 8000), (70000, 1800), (64000, 9000)]


@pytest.mark.parametrize(("length", "taps"), [*SIZES, (30000, 70000)])
def test_a_convolution_is_that_of_numpy(length: int, taps: int) -> None:
    generator = np.random.default_rng(length + taps)
    x = generator.normal(0, 0.1, length).astype(np.float32)
    response = generator.normal(0, 1, taps) * np.exp(-3 * np.arange(taps) / taps)
    expected = np.convolve(x.astype(np.float64), response)[:length]
    made = convolve.Known(response).run(x)
    # Float32 through a transform forth and back errs by some 10⁻⁷ of the whole.
    assert np.abs(made - expected).max() <= 2e-6 * np.abs(expected).max()


@pytest.mark.parametrize("n", [256, 1024, 4096, 16384])
@pytest.mark.parametrize("length", [1, 300, 5000, 90000])
def test_every_way_to_cut_is_the_same_convolution(n: int, length: int) -> None:
    generator = np.random.default_rng(n)
    x = generator.normal(0, 0.1, length).astype(np.float32)
    for taps in (n // 3, n // 2, 3 * n // 2, 4 * n):
        response = generator.normal(0, 1, taps)
        for cut in convolve.ways(length, taps, n):
            made = convolve.convolve(x, convolve.transfer(response, cut), cut)
            expected = plain.filtered(x, response)
            assert np.abs(made - expected).max() <= 2e-6 * np.abs(expected).max()


def test_a_response_beyond_all_blocks_still_convolves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolve, "LONGEST", 50)
    x, response = clip(801, 8000), np.random.default_rng(0).normal(0, 1, 200)
    assert np.abs(convolve.Known(response).run(x) - plain.filtered(x, response)).max() < 1e-6


def test_responses_are_kept_within_a_bound_and_told_apart() -> None:
    library, made = convolve.Library(2), []
    for i in (0, 1, 0, 2, 1):
        sound_ = BANK.noises[i : i + 9] if i else BANK.responses["hall"]
        known = library.get(Echo, sound_, 8000, lambda: np.ones(3))
        made.append(known)
    assert made[0] is made[2]
    assert len(library) == 2
    assert library.get(Echo, BANK.responses["hall"], 16000, lambda: np.ones(2)) is not made[0]
