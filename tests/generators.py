"""The global generators, whose states are nobody's but the user's."""

import random
from typing import Any

import torch
from numpy.random import mtrand


def states() -> dict[str, Any]:
    """The states of torch's, numpy's and Python's."""
    own = mtrand.get_state(legacy=False)["state"]
    numpy = own["key"].tolist(), own["pos"]
    return {"torch": torch.get_rng_state().tolist(), "numpy": numpy, "random": random.getstate()}
