"""What a loop is asked for: a wrong setting is told before anything is trained."""

import pytest

from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.asked import Asked


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"data": None}, "data: is not given"),
        ({"budget": "many"}, "budget: 'many': expected a whole number"),
        ({"seeds": 0}, "seeds: '0'|seeds: 0: expected a whole number from 1"),
        ({"folds": 1}, "folds: 1: expected 2 or more"),
        ({"clean_share": 0}, "clean_share: 0: expected a share"),
        ({"table": "xls"}, "table: 'xls': expected csv or parquet"),
        ({"recipes": "speech/car_noise"}, "recipes: 'speech/car_noise': expected a list"),
        ({"trial": "often"}, "trial: 'often': expected true or false"),
    ],
)
def test_a_wrong_setting_is_one_line(given: dict, told: str) -> None:
    config = compose("loop", ["train=x", "data=a", "eval=b", "out=c", "budget=100"])
    with pytest.raises(SettingError, match=told):
        Asked.of({**config, **given})
