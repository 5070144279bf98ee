"""Draws depend on (seed, item, variant, attempt, step, draw) and on nothing else."""

import unicodedata

import generators
import numpy as np
import pytest
import reference_draw

from sliceforge.engine.keys import Keys, item_hash, philox4x32

# Random123 1.14, examples/kat_vectors: philox4x32 with 10 rounds: counter, key, result.
RANDOM123 = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), RANDOM123)
def test_philox_gives_the_published_vectors(
    counter: tuple[int, ...], key: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert tuple(map(int, philox4x32(*map(np.uint64, (*counter, *key))))) == expected


def test_compiled_words_are_those_of_the_plain_function() -> None:
    keys = Keys.of(7, ["a", "b", "ü/3"], variant=5, attempt=2).at("mix")
    words = keys.bits("snr", 11)
    import hashlib

    k0, k1 = np.frombuffer(hashlib.blake2b(b"7\0mix\0snr", digest_size=8).digest(), "<u4")
    for row, item in enumerate(keys.items):
        plain = []
        for block in range(3):
            counter = (int(item) & 0xFFFFFFFF, int(item) >> 32, 5, 2 << 16 | block)
            plain += philox4x32(*map(np.uint64, (*counter, k0, k1)))
        assert words[row].tolist() == [int(word) for word in plain[:11]]


def test_a_row_does_not_depend_on_the_batch_or_its_order() -> None:
    ids = [f"item {i}" for i in range(201)]
    whole = Keys.of(1, ids, 3).at("cabin").uniform("speed", 5)
    for start, size in ((0, 1), (13, 7), (64, 64)):
        part = Keys.of(1, ids[start : start + size], 3).at("cabin").uniform("speed", 5)
        assert (part == whole[start : start + size]).all()
    turned = Keys.of(1, ids[::-1], 3).at("cabin").uniform("speed", 5)
    assert (turned[::-1] == whole).all()


@pytest.mark.parametrize("other", ["seed", "variant", "attempt", "step", "draw", "item"])
def test_every_part_of_a_key_matters(other: str) -> None:
    base = {"seed": 7, "variant": 1, "attempt": 0, "step": "mix", "draw": "snr", "item": "a"}
    different = base | {other: "z" if isinstance(base[other], str) else 3}

    def words(seed: int, variant: int, attempt: int, step: str, draw: str, item: str) -> list[int]:
        return Keys.of(seed, [item], variant, attempt).at(step).bits(draw, 8)[0].tolist()

    assert not set(words(**base)) & set(words(**different))


def test_words_are_the_same_for_any_number_of_words_asked_for() -> None:
    keys = Keys.of(0, ["a", "b"])
    assert (keys.bits("x", 3) == keys.bits("x", 97)[:, :3]).all()


def test_uniforms_and_field_keys_are_those_of_the_words() -> None:
    keys = Keys.of(-3, [f"{i}/ü" for i in range(257)], np.arange(257), np.arange(257) % 7).at("mix")
    assert (keys.uniform("snr", 9) == reference_draw.uniform(keys, "snr", 9)).all()
    assert (keys.field() == reference_draw.field(keys)).all()


def test_uniforms_are_uniform() -> None:
    u = Keys.of(11, [str(i) for i in range(20000)]).at("s").uniform("d", 2)
    assert u.min() >= 0
    assert u.max() < 1
    assert (u * 2**24 == np.floor(u * 2**24)).all()
    # Kolmogorov's distance at a risk of 1e-6 for 20000 values is 2.7 / √n.
    distance = np.abs(np.sort(u[:, 0]) - (np.arange(20000) + 0.5) / 20000).max()
    assert distance < 2.7 / np.sqrt(20000)
    assert abs(np.corrcoef(u.T)[0, 1]) < 5 / np.sqrt(20000)


def test_an_id_counts_by_its_composed_form() -> None:
    assert item_hash(unicodedata.normalize("NFD", "grün")) == item_hash(unicodedata.normalize("NFC", "grün"))
    assert item_hash("grün") != item_hash("grun")


def test_field_keys_are_never_negative() -> None:
    keys = Keys.of(3, [str(i) for i in range(1000)]).field()
    assert keys.dtype == np.int64
    assert keys.min() >= 0
    assert len(set(keys.tolist())) == 1000


def test_no_global_generator_is_touched() -> None:
    before = generators.states()
    Keys.of(3, ["a"]).uniform("x", 100)
    assert generators.states() == before
