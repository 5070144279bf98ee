"""Sound files: what is whole is read exactly, what is damaged is named, and nothing else ever happens."""

import io
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sliceforge.engine.codecs import audio
from sliceforge.engine.codecs.containers import ogg_checksum
from sliceforge.engine.errors import REASONS, InputError, SettingError

STEP = 2.0**-15


def tone(length: int = 4000, channels: int = 1, rate: int = 8000) -> np.ndarray:
    t = np.arange(length)[:, None] / rate
    return (0.4 * np.sin(2 * np.pi * (200 + 50 * np.arange(channels)) * t)).astype(np.float64)


def made(form: str, subtype: str, x: np.ndarray | None = None, rate: int = 8000, endian: str = "FILE") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone() if x is None else x, rate, format=form, subtype=subtype, endian=endian)
    return buffer.getvalue()


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "clip.bin"
        path.write_bytes(content)
        return path

    return write


def reason(path: Path, declared: int | None = None) -> str:
    with pytest.raises(InputError) as caught:
        audio.decode(path, declared)
    assert caught.value.reason in REASONS
    assert str(path.parent) not in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize(
    ("form", "subtype", "error"),
    [
        *(
            ("WAV", "PCM_U8", 2.0**-7),
            ("WAV", "PCM_16", STEP),
            ("WAV", "PCM_24", 2.0**-23),
            ("WAV", "PCM_32", 2.0**-24),
        ),
        *(("WAV", "FLOAT", 2.0**-24), ("WAV", "DOUBLE", 2.0**-24), ("RF64", "PCM_16", STEP), ("WAVEX", "PCM_16", STEP)),
        *(("FLAC", "PCM_S8", 2.0**-7), ("FLAC", "PCM_16", STEP), ("FLAC", "PCM_24", 2.0**-23)),
        *(("WAV", "ULAW", 0.02), ("WAV", "ALAW", 0.02), ("OGG", "VORBIS", 0.05), ("MP3", "MPEG_LAYER_III", 0.05)),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_form_comes_back_and_its_probe_agrees(
    put: Callable[[bytes], Path], form: str, subtype: str, error: float, channels: int
) -> None:
    x = tone(4001, channels)
    path = put(made(form, subtype, x))
    y, rate = audio.decode(path)
    assert (rate, y.dtype, y.shape) == (8000, np.float32, x.shape)
    assert np.abs(y - x).max() <= error
    assert audio.probe(path) == audio.Probe(4001, 8000, channels)


@pytest.mark.parametrize(("length", "channels", "rate"), [(1, 1, 8000), (63, 8, 4000), (2000, 3, 192000)])
@pytest.mark.parametrize("form", ["WAV", "FLAC"])
def test_odd_lengths_channels_and_rates(
    put: Callable[[bytes], Path], form: str, length: int, channels: int, rate: int
) -> None:
    x = tone(length, channels, rate)
    y, got = audio.decode(put(made(form, "PCM_24", x, rate)))
    assert (got, y.shape) == (rate, x.shape)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_flac_gives_what_libsndfile_gives_in_floats(put: Callable[[bytes], Path], subtype: str) -> None:
    content = made("FLAC", subtype, tone(600_000, 2))  # more than one block
    expected, _ = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    assert np.array_equal(audio.decode(put(content))[0], expected)


def test_big_endian_wav(put: Callable[[bytes], Path]) -> None:
    assert np.abs(audio.decode(put(made("WAV", "PCM_16", endian="BIG")))[0] - tone()).max() <= STEP


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.01])
def test_a_cut_file_is_noticed(put: Callable[[bytes], Path], form: str, kept: float) -> None:
    subtype = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}.get(form, "PCM_16")
    content = made(form, subtype)
    assert reason(put(content[: int(len(content) * kept)])) == "unreadable"


@pytest.mark.parametrize("form", ["FLAC", "OGG"])
def test_a_flipped_byte_in_the_sound_is_noticed(put: Callable[[bytes], Path], form: str) -> None:
    content = bytearray(made(form, "VORBIS" if form == "OGG" else "PCM_16"))
    content[len(content) * 3 // 4] ^= 0x40
    assert reason(put(bytes(content))) == "unreadable"


def test_a_flac_that_lies_about_its_frames_is_noticed(put: Callable[[bytes], Path]) -> None:
    for frames in (0, 3999, 4001, 10**10):
        content = bytearray(made("FLAC", "PCM_16"))
        packed = int.from_bytes(content[18:26], "big") >> 36 << 36 | frames
        content[18:26] = packed.to_bytes(8, "big")
        assert reason(put(bytes(content))) in ("unreadable", "too_large")


def test_a_flac_without_an_md5_is_taken(put: Callable[[bytes], Path]) -> None:
    content = bytearray(made("FLAC", "PCM_16"))
    content[26:42] = bytes(16)
    assert np.abs(audio.decode(put(bytes(content)))[0] - tone()).max() <= STEP


def test_an_mp3_whose_length_would_be_guessed_is_refused(put: Callable[[bytes], Path]) -> None:
    noise = np.random.default_rng(3).standard_normal(32000) * 0.1
    content = made("MP3", "MPEG_LAYER_III", noise, 16000)
    second = content.find(content[:2], 4)
    assert reason(put(content[second:])) == "unreadable"


def test_a_wav_of_4_gib_by_its_header_is_refused(put: Callable[[bytes], Path]) -> None:
    for stated in (0xFFFFFFFF, 0xFFFFFFF0, 0x7FFFFFFF):
        content = bytearray(made("WAV", "PCM_16"))
        content[40:44] = struct.pack("<I", stated)
        assert reason(put(bytes(content))) == "unreadable"


def test_a_small_file_of_a_very_long_sound_is_too_large(put: Callable[[bytes], Path]) -> None:
    content = bytearray(made("FLAC", "PCM_16"))
    packed = int.from_bytes(content[18:26], "big") >> 36 << 36 | (audio.MAX_VALUES + 1)
    content[18:26] = packed.to_bytes(8, "big")
    assert reason(put(bytes(content))) == "too_large"


def test_empty_is_0_bytes_or_0_samples(put: Callable[[bytes], Path]) -> None:
    assert reason(put(b"")) == "empty"
    assert reason(put(made("WAV", "PCM_16", np.zeros((0, 1))))) == "empty"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_value_that_is_no_sound_is_non_finite(put: Callable[[bytes], Path], value: float) -> None:
    x = tone()
    x[17] = value
    assert reason(put(made("WAV", "DOUBLE", x))) == "non_finite"


def test_floats_over_full_scale_are_sound(put: Callable[[bytes], Path]) -> None:
    assert np.array_equal(audio.decode(put(made("WAV", "FLOAT", 10 * tone())))[0], (10 * tone()).astype(np.float32))


def test_a_wrong_declared_rate_is_named(put: Callable[[bytes], Path]) -> None:
    path = put(made("WAV", "PCM_16"))
    assert audio.decode(path, 8000)[1] == 8000
    assert reason(path, 16000) == "rate_mismatch"


def test_what_is_no_regular_file_is_unreadable(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    for path in (tmp_path, tmp_path / "absent.wav", pipe, tmp_path / "a\0b.wav", tmp_path / ("x" * 300)):
        for read in (audio.decode, audio.probe):
            with pytest.raises(InputError, match=r"^unreadable"):
                read(path)


def test_a_name_does_not_decide_what_a_file_is(tmp_path: Path) -> None:
    for name in ("clip.raw", "clip.vox", "clip.flac", "clip"):
        (tmp_path / name).write_bytes(made("WAV", "PCM_16"))
        assert audio.decode(tmp_path / name)[0].shape == (4000, 1)


def test_forms_outside_the_list_are_refused(put: Callable[[bytes], Path]) -> None:
    assert reason(put(made("WAV", "IMA_ADPCM"))) == "unreadable"
    assert reason(put(made("AIFF", "PCM_16"))) == "unreadable"


@pytest.mark.parametrize(("level", "silent"), [(-59.0, False), (-61.0, True)])
def test_the_level_is_that_of_the_loudest_20_ms(level: float, silent: bool) -> None:
    x = np.zeros(16001, np.float32)
    x[-320:] = 10 ** (level / 20)
    if silent:
        with pytest.raises(InputError, match=r"^silent: -61 dBFS"):
            audio.check_level(x)
    else:
        audio.check_level(x)


def test_nothing_at_all_is_silent() -> None:
    for length in (0, 1, 319, 321):
        with pytest.raises(InputError, match=r"^silent"):
            audio.check_level(np.zeros(length, np.float32))


@pytest.mark.parametrize("kind", ["flac", "wav"])
@pytest.mark.parametrize("shape", [(1,), (4001,), (63, 2)])
def test_what_is_written_is_read_again_and_is_the_same_each_time(
    put: Callable[[bytes], Path], kind: str, shape: tuple[int, ...]
) -> None:
    x = np.random.default_rng(1).integers(-32768, 32768, shape).astype(np.int16)
    content = audio.encode(x, 16000, kind)
    assert content == audio.encode(x.copy(), 16000, kind)
    y, rate = audio.decode(put(content))
    assert rate == 16000
    assert np.array_equal(np.round(y * 32768).astype(int), x.reshape(len(x), -1))


def test_other_kinds_and_types_are_not_written() -> None:
    with pytest.raises(SettingError, match="did you mean flac"):
        audio.encode(np.zeros(3, np.int16), 8000, "flak")
    with pytest.raises(SettingError, match="int16"):
        audio.encode(np.zeros(3, np.float32), 8000, "wav")


def test_the_ogg_checksum_is_the_one_of_the_format() -> None:
    def slow(data: bytes) -> int:
        state = 0
        for byte in data:
            state ^= byte << 24
            for _ in range(8):
                state = (state << 1 ^ (0x04C11DB7 if state & 0x80000000 else 0)) & 0xFFFFFFFF
        return state

    for data in (b"", b"\0", b"OggS", bytes(range(256))):
        assert ogg_checksum(data) == slow(data)


@pytest.mark.parametrize(
    ("form", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")]
)
def test_mutants_are_read_or_refused(put: Callable[[bytes], Path], form: str, subtype: str) -> None:
    content = made(form, subtype, tone(1500))
    draw = np.random.default_rng(9)
    for number in range(60):
        mutant = bytearray(content)
        for at in draw.integers(0, (64, len(mutant))[number % 2], 1 + number % 5):
            mutant[at] = draw.integers(256)
        if number % 7 == 0:
            mutant = mutant[: draw.integers(len(mutant))]
        path = put(bytes(mutant))
        try:
            samples, _ = audio.decode(path)
        except InputError:
            continue
        assert np.isfinite(samples).all()
        assert audio.probe(path).length == len(samples)


# Read by libsndfile, refused here, and why.
REFUSED = {
    "03 - wrong bit depth.flac": "MD5",
    "test-44100Hz-le-1ch-4bytes-early-eof.wav": "cut",
}


def refusal(path: Path) -> str | None:
    try:
        audio.decode(path)
    except InputError as error:
        return str(error)
    return None


def test_the_damaged_corpus_is_read_or_refused_as_expected(real: Path) -> None:
    for row in json.loads((real / "bad" / "MANIFEST.json").read_text()):
        if "libsndfile" in row:
            path = real / "bad" / row["file"]
            said = refusal(path)
            assert (said is None) == (row["libsndfile"].startswith("OK") and path.name not in REFUSED)
            assert REFUSED.get(path.name, "") in (said or "")


def test_real_clips_are_all_read(real: Path) -> None:
    for folder in ("fsdd", "keywords", "noise", "rirs"):
        for path in [path for path in sorted((real / folder).rglob("*")) if path.suffix in audio.SUFFIXES][:60]:
            samples, rate = audio.decode(path)
            assert audio.probe(path) == audio.Probe(len(samples), rate, samples.shape[1])
