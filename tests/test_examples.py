"""The examples do what they say."""

from pathlib import Path

import pytest
import resuming
import torch
import train_speech
import train_steel

from sliceforge.engine import Share, SliceDataset


def test_words_that_were_heard_in_a_car_are_told_under_noise_that_is_new() -> None:
    (plain, noisy_plain), (car, noisy_car) = train_speech.main(epochs=40)
    assert min(plain, car) > 0.9
    assert noisy_car > noisy_plain + 0.05


def test_defects_that_are_new_in_every_epoch_teach_more_than_the_same_few() -> None:
    (same,), (new,) = train_steel.main(epochs=10)
    assert new > same
    assert new > 0.25  # by chance


def test_a_training_that_was_stopped_goes_on_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "EVERY", 7)  # five batches an epoch: in the middle of one

    def weights(epochs: int, state: Path | None) -> torch.Tensor:
        dataset = SliceDataset(None, [Share(train_speech.TRAINED)], 7, seconds=1.0)
        torch.manual_seed(1)
        model = train_speech.network(len(dataset.classes))
        model = resuming.train(model, train_speech.features, dataset, epochs, state, batch=2)
        return torch.cat([weight.flatten() for weight in model.state_dict().values()])

    class Killed(BaseException):
        pass

    whole, replace = weights(3, None), Path.replace
    state = tmp_path / "state"

    def after_one(self: Path, target: Path) -> Path:
        replace(self, target)
        if target == state:  # what kills it comes right after the first state is there
            raise Killed
        return target

    monkeypatch.setattr(Path, "replace", after_one)
    with pytest.raises(Killed):
        weights(3, state)
    monkeypatch.setattr(Path, "replace", replace)
    assert torch.load(state)["step"] == 7
    assert torch.equal(weights(3, state), whole)
