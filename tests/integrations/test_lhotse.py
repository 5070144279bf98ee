"""A stage over lhotse's cuts: made cuts carry what the one-array call gives, and what was said keeps to the sound."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snippets
import soundfile
from lhotse import CutSet, MonoCut, Recording, SupervisionSegment, validate
from lhotse.dataset import DynamicBucketingSampler, K2SpeechRecognitionDataset, SimpleCutSampler
from lhotse.dataset.input_strategies import AudioSamples
from lhotse.supervision import AlignmentItem
from signals import voice
from torch.utils.data import DataLoader

from sliceforge.engine import load
from sliceforge.engine.stage import Stage

RATE, COUNT = 8000, 14

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # torch's loader forks beside threads


def clip(i: int) -> np.ndarray:
    return (np.rint(voice(0.4 + 0.01 * i, RATE, 90 + 7 * i) * 32767) / 32768).astype(np.float32)


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> CutSet:
    """Whole recordings with a supervision each, which has a word."""
    folder = tmp_path_factory.mktemp("recordings")
    found = []
    for i in range(COUNT):
        soundfile.write(folder / f"{i}.flac", clip(i), RATE, subtype="PCM_16")
        recording = Recording.from_file(folder / f"{i}.flac", recording_id=f"r{i}")
        words = {"word": [AlignmentItem("a", 0.1, 0.2)]}
        said = SupervisionSegment(f"s{i}", f"r{i}", 0.05, 0.3, text=f"text {i}", speaker="bob", alignment=words)
        found.append(MonoCut(f"cut {i}", 0.0, recording.duration, 0, [said], recording=recording, custom={"n": i}))
    return CutSet.from_cuts(found)


@pytest.fixture(scope="module")
def plain(cuts: CutSet, tmp_path_factory: pytest.TempPathFactory) -> CutSet:
    """The same, lazy, and without words: lhotse's data set puts those in frames, which raw sound has none of."""
    path = tmp_path_factory.mktemp("cuts") / "cuts.jsonl.gz"
    cuts.drop_alignments().to_file(path)
    return CutSet.from_jsonl_lazy(path)


@pytest.fixture(scope="module")
def speech() -> Stage:
    return Stage(load("speech/car_noise"), share=0.5, seed=7)


def test_made_cuts_are_those_of_the_call_and_all_others_are_the_same_objects(cuts: CutSet, speech: Stage) -> None:
    before = list(cuts)
    seen = []
    for epoch in (1, 2):
        speech.set_epoch(epoch)
        chosen = speech.chosen([cut.id for cut in before]).tolist()
        for i, (cut, was) in enumerate(zip(cuts.map(speech.cut), before, strict=True)):
            if not chosen[i]:
                assert cut is was
                continue
            validate(cut, read_data=True)
            want = speech.recipe(clip(i), rate=RATE, id=was.id, seed=7, variant=epoch, group="bob")
            assert np.array_equal(cut.load_audio()[0], want)
            assert cut.is_in_memory
            assert (cut.id, cut.noise, cut.n, cut.parent) == (f"{was.id}~{epoch}", "car", i, was.id)
            assert -5 <= cut.snr <= 20
            old, new = was.supervisions[0], cut.supervisions[0]
            assert (new.start, new.duration, new.text, new.speaker) == (old.start, old.duration, old.text, "bob")
            assert (new.alignment, new.recording_id) == (old.alignment, cut.recording_id)
        seen.append(chosen)
    assert seen[0] != seen[1]
    speech.set_epoch(1)


def heard(cuts: CutSet) -> dict[str, bytes]:
    return {cut.id: cut.load_audio().tobytes() for cut in cuts}


def test_lazy_sets_and_other_orders_hold_the_same(cuts: CutSet, speech: Stage, tmp_path: Path) -> None:
    want = heard(speech.cuts(cuts))
    cuts.to_file(tmp_path / "cuts.jsonl.gz")
    lazy = CutSet.from_jsonl_lazy(tmp_path / "cuts.jsonl.gz")
    assert speech.cuts(lazy).is_lazy
    assert heard(speech.cuts(lazy)) == want
    assert heard(lazy.map(speech.cut)) == want
    assert heard(speech.cuts(CutSet.from_cuts(list(cuts)[::-1]))) == want


def batches(dataset: Any, cuts: CutSet, workers: int, **more: Any) -> dict[str, bytes]:
    """id → what a data set of lhotse gives of a cut."""
    sampler = DynamicBucketingSampler(cuts, max_duration=2.0, num_buckets=2, shuffle=True, seed=workers)
    found = {}
    for batch in DataLoader(dataset, None, sampler=sampler, num_workers=workers, **more):
        for cut, sound in zip(batch["supervisions"]["cut"], batch["inputs"], strict=True):
            found[cut.id] = sound[: cut.num_samples].numpy().tobytes()
    return found


def test_workers_change_no_byte_of_a_speech_recognition_data_set(plain: CutSet, speech: Stage) -> None:
    make = partial(K2SpeechRecognitionDataset, return_cuts=True, input_strategy=AudioSamples())
    dataset, want = make(cut_transforms=[speech.cuts]), heard(speech.cuts(plain))
    assert batches(dataset, plain, 0) == want
    assert batches(dataset, plain, 2, multiprocessing_context="fork") == want


def test_workers_that_live_on_follow_the_epoch(plain: CutSet, speech: Stage) -> None:
    dataset = K2SpeechRecognitionDataset(return_cuts=True, cut_transforms=[speech.cuts], input_strategy=AudioSamples())
    sampler = SimpleCutSampler(plain, max_cuts=4)
    loader = DataLoader(
        dataset, None, sampler=sampler, num_workers=1, persistent_workers=True, multiprocessing_context="fork"
    )
    for epoch in (1, 2, 1):
        speech.set_epoch(epoch)
        sampler.set_epoch(epoch)
        ids = {cut.id for batch in loader for cut in batch["supervisions"]["cut"]}
        assert ids == {cut.id for cut in speech.cuts(plain)}


@pytest.mark.parametrize("factor", [0.5, 1.25])
def test_supervisions_and_words_move_with_the_speed(factor: float, cuts: CutSet) -> None:
    stage = Stage(load("speech/speed", f"steps.speed.factor={factor}"), share=1)
    for was, cut in zip(cuts, stage.cuts(cuts), strict=True):
        validate(cut, read_data=True)
        own = was.perturb_speed(factor)
        assert cut.num_samples == pytest.approx(own.num_samples, abs=1)
        new, theirs = cut.supervisions[0], own.supervisions[0]
        step = 1.01 / RATE  # lhotse rounds to samples
        assert new.start == pytest.approx(theirs.start, abs=step)
        assert new.duration == pytest.approx(theirs.duration, abs=step)
        word, other = new.alignment["word"][0], theirs.alignment["word"][0]
        assert word.start == pytest.approx(other.start, abs=step)
        assert word.duration == pytest.approx(other.duration, abs=step)


def test_a_part_of_a_recording_is_made_of_that_part_and_its_words_are_on_its_clock(cuts: CutSet) -> None:
    stage = Stage(load("speech/levels"), share=1, seed=7)
    whole = cuts[0]
    part = whole.truncate(offset=0.05, duration=0.3)
    assert part.supervisions[0].alignment["word"][0].start in (pytest.approx(0.1), pytest.approx(0.05))
    cut = stage.cut(part)
    x = part.load_audio()[0]
    assert np.array_equal(cut.load_audio()[0], stage.recipe(x, rate=RATE, id=part.id, seed=7, group="bob"))
    # The word lies 0.1 s into the recording, and so 0.05 s into the cut.
    assert cut.supervisions[0].alignment["word"][0].start == pytest.approx(0.05)


def test_mixed_cuts_and_those_of_several_channels_become_one_channel(cuts: CutSet, tmp_path: Path) -> None:
    stage = Stage(load("speech/levels"), share=1, seed=7)
    soundfile.write(tmp_path / "two.wav", np.stack([clip(0), clip(0) / 2], 1), RATE, subtype="FLOAT")
    two = Recording.from_file(tmp_path / "two.wav").to_cut()
    padded = cuts[1].pad(duration=1.0)
    for cut in (two, padded):
        x = cut.load_audio().mean(axis=0, dtype=np.float64).astype(np.float32)
        own = "bob" if cut.supervisions else ""
        made = stage.cut(cut)
        assert np.array_equal(made.load_audio()[0], stage.recipe(x, rate=RATE, id=cut.id, seed=7, group=own))
        assert len(made.supervisions) == len(cut.supervisions)


def test_what_cannot_be_made_says_why(cuts: CutSet, tmp_path: Path) -> None:
    stage = Stage(load("speech/car_noise"), share=1)
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    silent = Recording.from_file(tmp_path / "silent.wav").to_cut()
    soundfile.write(tmp_path / "gone.wav", clip(0), RATE)
    gone = Recording.from_file(tmp_path / "gone.wav").to_cut()
    (tmp_path / "gone.wav").unlink()
    out = list(stage.cuts(CutSet.from_cuts([silent, cuts[1], gone])))
    assert [getattr(cut, "reason", "") if cut.custom else "" for cut in out] == ["silent", "", "unreadable"]
    assert [cut.id for cut in out] == [silent.id, "cut 1~1", gone.id]
    assert np.array_equal(out[0].load_audio(), silent.load_audio())


def test_the_program_in_the_docs_runs(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clips").symlink_to(clips)
    monkeypatch.chdir(tmp_path)
    assert snippets.run("lhotse") == 1
