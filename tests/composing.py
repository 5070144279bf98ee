"""A small folder of settings, what is composed of it, and the one line of what is refused."""

from pathlib import Path

import pytest

from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError

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


def laid(folder: Path) -> Path:
    """The parts and the recipe in a folder."""
    for name, text in PARTS.items():
        write(folder / "op" / "sound" / f"{name}.yaml", text)
    write(folder / "recipe" / "my" / "base.yaml", BASE)
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def made(folder: Path, *overrides: str, verb: str = "generate", recipe: str = "my/base") -> dict:
    return compose(verb, [f"recipe={recipe}", *overrides], [str(folder)])


def refusal(folder: Path, *overrides: str, verb: str = "generate", recipe: str = "my/base") -> str:
    """The one line that it is refused with."""
    with pytest.raises(SettingError) as caught:
        made(folder, *overrides, verb=verb, recipe=recipe)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message
