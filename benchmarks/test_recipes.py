"""Items per second of every recipe found under recipes/, stage by stage on one thread; and what bounds them.

make bench
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.fft import irfft, next_fast_len, rfft

from sliceforge.engine.bench import machine
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.stages import STAGES, Stages, copy_rate

HOME = Path(__file__).resolve().parents[1] / "recipes"
RECIPES = sorted(path.relative_to(HOME).with_suffix("").as_posix() for path in HOME.rglob("*.yaml"))


@pytest.fixture(scope="module", params=RECIPES)
def stages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stages:
    try:
        return Stages(compose("bench", [f"recipe={request.param}"]), tmp_path_factory.mktemp("shards"))
    except SettingError as error:
        pytest.skip(str(error))  # a bank that the package does not bring along


@pytest.mark.parametrize("stage", [*STAGES, "step by step", "whole", "decode", "code"])
def test_stage(stage: str, stages: Stages, benchmark: Any, request: pytest.FixtureRequest) -> None:
    work = stages.of(stage)
    benchmark.extra_info |= {"recipe": request.node.callspec.params["stages"], "stage": stage, "items": work()}
    benchmark.extra_info |= {"bytes": stages.bytes_of_an_item()}
    if stage == "apply":
        benchmark.extra_info |= {"error": stages.error()}
    benchmark.pedantic(work, rounds=11, warmup_rounds=1)


def test_fft(benchmark: Any) -> None:
    """Clips of 4 s with responses of 0.5 s: one transform there and one back, the least that a convolution needs."""
    x, size = (
        np.random.default_rng(0).standard_normal((64, 64000), np.float32),
        next_fast_len(64000 + 8000 - 1, real=True),
    )

    def work() -> int:
        return len([irfft(rfft(one, size, workers=1), size, workers=1) for one in x])

    benchmark.extra_info |= {"recipe": "", "stage": "FFT", "items": work()}
    benchmark.pedantic(work, rounds=7)


def test_copy(benchmark: Any) -> None:
    benchmark.extra_info |= {"recipe": "", "stage": "copy", "items": copy_rate(), **machine()}
    benchmark.pedantic(lambda: copy_rate(1), rounds=3)
