"""The two bugs that public SNR mixers had, planted in a copy of `mix`: the gate catches them, and the run fails."""

import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sliceforge.engine.cli import main

OPERATOR = '''"""Add noise at a signal-to-noise ratio, wrongly."""

import math
from dataclasses import dataclass
from typing import Any

from sliceforge.kernels.audio.mix import Mix


@dataclass(frozen=True)
class {name}(Mix):
    """{about}"""

    def by_levels(self, foreground: Any, noise: Any, /, **plan: Any) -> float:
        over, under = foreground.level(self.reference, True), noise.level(self.reference, False)
        snr = float(plan["snr"])
        return {factor}
'''

FAULTS = {
    "right": "over / under * 10 ** (-snr / 20)",
    "rootless": "(over / under) ** 2 * 10 ** (-snr / 10)",
    "linear": "10 ** ((over - 20 * math.log10(under) - snr) / 20)",
}
"""How the noise is scaled: as it should be; by a ratio of powers; by a linear level less one in decibels."""


@pytest.fixture(scope="module", autouse=True)
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("own")
    (folder / "own_mixers").mkdir()
    for name, factor in FAULTS.items():
        text = OPERATOR.format(name=name.title(), about=f"Scaled by {factor}.", factor=factor)
        (folder / "own_mixers" / f"{name}.py").write_text(text)
    sys.path.insert(0, str(folder))
    yield "own_mixers"
    sys.path.remove(str(folder))


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_mixer_is_caught_on_nearly_every_item_and_fails_the_run(name: str, clips: Path, tmp_path: Path) -> None:
    command = ["generate", "recipe=speech/car_noise", f"data={clips}", f"out={tmp_path / 'RUN'}", "trust=[own_mixers]"]
    code = main([*command, f"steps.mix.op=own_mixers.{name}", "variants=5", "retries=0", "workers=1"])
    rejects = pq.read_table(tmp_path / "RUN" / "rejects.parquet")["reason"].to_pylist()
    if name == "right":
        assert code == 0
        assert len(rejects) <= 0.01 * 5 * 23  # P.56 jumps where two thresholds are as good
    else:
        assert code == 1
        assert len(rejects) >= 0.99 * 5 * 23
        assert set(rejects) == {"gate.snr"}
