"""Image files: no bit lost, always upright, damage named, and nothing else ever happens."""

import io
import json
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from sliceforge.engine.codecs import image, png
from sliceforge.engine.codecs.layout import MAX_BYTES
from sliceforge.engine.errors import REASONS, InputError, SettingError

SHAPES = [(1, 1), (1, 63), (100, 1), (37, 53)]


def pixels(height: int, width: int, channels: int, kind: type = np.uint8) -> np.ndarray:
    top = np.iinfo(kind).max
    return np.random.default_rng(5).integers(0, top + 1, (height, width, channels)).astype(kind)


def saved(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "picture.bin"
        path.write_bytes(content)
        return path

    return write


def decoded(path: Path) -> np.ndarray:
    array = image.decode(path)
    seen = image.probe(path)
    assert (seen.height, seen.width, seen.channels, seen.depth) == (*array.shape, 8 * array.dtype.itemsize)
    assert array.flags.c_contiguous
    return array


def refusal(path: Path) -> str | None:
    try:
        decoded(path)
    except InputError as error:
        refused = error
    else:
        return None
    assert refused.reason in REASONS
    assert str(path.parent) not in str(refused)
    return str(refused)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_a_png_comes_back_exactly_and_is_the_same_each_time(
    put: Callable[[bytes], Path], height: int, width: int, channels: int, kind: type
) -> None:
    x = pixels(height, width, channels, kind)
    content = image.encode(x, "png")
    assert content == image.encode(np.asfortranarray(x), "png")
    y = decoded(put(content))
    assert y.dtype == kind
    assert np.array_equal(y, x)


def test_a_16_bit_colour_png_is_what_others_see_in_8_bits(put: Callable[[bytes], Path]) -> None:
    x = pixels(37, 53, 3, np.uint16)
    content = image.encode(x, "png")
    assert np.abs(np.asarray(Image.open(io.BytesIO(content))).astype(int) - (x >> 8)).max() <= 1


def by_hand(x: np.ndarray, colour: int, interlaced: bool) -> bytes:
    """A 16-bit PNG with every filter in turn, written slowly: an independent reference."""
    height, width, lanes = x.shape
    bytes_of = 2 * lanes
    rows = b""
    steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    for x0, y0, dx, dy in steps if interlaced else ((0, 0, 1, 1),):
        part = x[y0::dy, x0::dx].astype(">u2")
        above = bytes(part[0].nbytes) if part.size else b""
        for number, row in enumerate(part if part.size else []):
            line, out = row.tobytes(), bytearray()
            for i, byte in enumerate(line):
                a = line[i - bytes_of] if i >= bytes_of else 0
                b, c = above[i], above[i - bytes_of] if i >= bytes_of else 0
                near = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
                out.append((byte - (0, a, b, (a + b) // 2, near)[number % 5]) & 0xFF)
            rows += bytes([number % 5]) + bytes(out)
            above = line
    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, interlaced)
    content = png.SIGNATURE
    for name, body in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        content += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return content


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("colour", "lanes"), [(2, 3), (4, 2), (6, 4)])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 2), (13, 11)])
def test_every_filter_and_pass_of_a_16_bit_colour_png_is_undone(
    put: Callable[[bytes], Path], height: int, width: int, colour: int, lanes: int, interlaced: bool
) -> None:
    x = pixels(height, width, lanes, np.uint16)
    y = decoded(put(by_hand(x, colour, interlaced)))
    assert y.dtype == np.uint16
    assert np.array_equal(y, x if lanes > 2 else x[:, :, [0, 0, 0, 1]])


def test_modes_become_grey_rgb_or_rgba(put: Callable[[bytes], Path]) -> None:
    base = Image.fromarray(pixels(20, 30, 3))
    grey, bits = base.convert("L"), base.convert("1")
    assert np.array_equal(decoded(put(saved(bits)))[:, :, 0], np.asarray(bits) * np.uint8(255))
    assert np.array_equal(decoded(put(saved(grey, "BMP")))[:, :, 0], np.asarray(grey))
    palette = base.quantize(16)
    assert np.array_equal(decoded(put(saved(palette))), np.asarray(palette.convert("RGB")))
    clear = decoded(put(saved(palette, transparency=0)))
    assert clear.shape[2] == 4
    assert np.array_equal(clear[:, :, 3] == 0, np.asarray(palette) == 0)
    alpha = Image.fromarray(np.dstack([np.asarray(grey), np.asarray(grey)[::-1]]), "LA")
    assert np.array_equal(decoded(put(saved(alpha))), np.asarray(alpha.convert("RGBA")))
    inks = base.convert("CMYK")
    assert np.array_equal(decoded(put(saved(inks, "TIFF"))), np.asarray(inks.convert("RGB")))


@pytest.mark.parametrize("endian", ["<u2", ">u2"])
def test_a_16_bit_grey_tiff_keeps_its_bits(put: Callable[[bytes], Path], endian: str) -> None:
    x = pixels(20, 30, 1, np.uint16)
    mode = "I;16" if endian == "<u2" else "I;16B"
    picture = Image.frombytes(mode, (30, 20), x.astype(endian).tobytes())
    assert np.array_equal(decoded(put(saved(picture, "TIFF"))), x)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_a_turned_picture_comes_out_upright(put: Callable[[bytes], Path], form: str, orientation: int) -> None:
    picture = Image.fromarray(pixels(20, 30, 3))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(picture, form, exif=exif)
    expected = {
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: np.rot90(x, 2),
        4: lambda x: x[::-1],
        5: lambda x: x.swapaxes(0, 1),
        6: lambda x: np.rot90(x, -1),
        7: lambda x: np.rot90(x, 2).swapaxes(0, 1),
        8: lambda x: np.rot90(x, 1),
    }[orientation](np.asarray(picture))
    assert np.array_equal(decoded(put(content)), expected)
    assert np.array_equal(ImageOps.exif_transpose(Image.open(io.BytesIO(content))), expected)


def test_a_turn_that_stands_behind_the_pixels_is_seen(put: Callable[[bytes], Path]) -> None:
    picture = Image.fromarray(pixels(20, 30, 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    content, body = saved(picture), exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
    assert decoded(put(content[:-12] + chunk + content[-12:])).shape == (30, 20, 3)


def test_a_jpeg_is_close_and_the_same_each_time(put: Callable[[bytes], Path]) -> None:
    y, x = np.mgrid[0:60, 0:80]
    smooth = np.dstack([2 * x + y, 3 * y, 255 - x - y]).astype(np.uint8)
    for picture in (smooth, smooth[:, :, :1]):
        content = image.encode(picture, "jpeg")
        assert content == image.encode(picture, "jpeg")
        assert np.abs(decoded(put(content)).astype(int) - picture).max() <= 6
        assert len(image.encode(picture, "jpeg", quality=50)) < len(content)


def test_what_cannot_be_written_is_named() -> None:
    with pytest.raises(SettingError, match="did you mean jpeg"):
        image.encode(pixels(2, 2, 3), "jpg")
    for x, kind in ((pixels(2, 2, 4), "jpeg"), (pixels(2, 2, 1, np.uint16), "jpeg"), (pixels(2, 2, 2), "png")):
        with pytest.raises(SettingError):
            image.encode(x, kind)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF"])
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.05])
def test_a_cut_file_is_noticed(put: Callable[[bytes], Path], form: str, kept: float) -> None:
    content = saved(Image.fromarray(pixels(40, 50, 3)), form)
    assert (refusal(put(content[: int(len(content) * kept)])) or "").startswith("unreadable")


def test_a_flipped_bit_anywhere_in_the_pixels_of_a_png_is_noticed(put: Callable[[bytes], Path]) -> None:
    for channels, kind in ((1, np.uint8), (3, np.uint16)):
        content = image.encode(pixels(40, 50, channels, kind), "png")
        for at in range(45, len(content) - 16, 97):
            mutant = bytearray(content)
            mutant[at] ^= 1
            assert (refusal(put(bytes(mutant))) or "").startswith("unreadable: damaged")


def test_more_than_one_picture_is_refused(put: Callable[[bytes], Path]) -> None:
    first, second = Image.fromarray(pixels(9, 9, 3)), Image.fromarray(pixels(9, 9, 3)[::-1])
    for form in ("PNG", "TIFF"):
        content = saved(first, form, save_all=True, append_images=[second])
        assert "single" in (refusal(put(content)) or "")


def test_values_that_would_lose_bits_are_refused(put: Callable[[bytes], Path]) -> None:
    for mode in ("I", "F"):
        assert (refusal(put(saved(Image.new(mode, (5, 5)), "TIFF"))) or "").startswith("unreadable: values of kind")


def test_other_formats_are_not_opened(put: Callable[[bytes], Path]) -> None:
    for form in ("GIF", "PPM", "TGA", "PCX"):
        assert (refusal(put(saved(Image.new("L", (5, 5)), form))) or "").startswith("unreadable: not PNG")


@pytest.mark.parametrize(
    ("mode", "form", "pixel"), [("L", "PNG", 2), ("RGB", "PNG", 7), ("RGBA", "PNG", 8), ("RGB", "BMP", 7)]
)
def test_a_bomb_is_refused_by_its_header(put: Callable[[bytes], Path], mode: str, form: str, pixel: int) -> None:
    content = bytearray(saved(Image.new(mode, (9, 9)), form))
    height = MAX_BYTES // (10_000 * pixel) + 1
    if form == "PNG":
        content[16:24] = struct.pack(">II", 10_000, height)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    else:
        content[18:26] = struct.pack("<ii", 10_000, height)
    path = put(bytes(content))
    for read in (image.probe, image.decode):
        with pytest.raises(InputError, match=r"^too_large"):
            read(path)


def test_0_bytes_are_empty_and_a_folder_or_pipe_is_unreadable(put: Callable[[bytes], Path], tmp_path: Path) -> None:
    assert (refusal(put(b"")) or "").startswith("empty")
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path, tmp_path / "pipe.png", tmp_path / "absent.png", tmp_path / "a\0.png"):
        with pytest.raises(InputError, match=r"^unreadable"):
            image.decode(path)


def test_a_name_does_not_decide_what_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(image.encode(pixels(4, 4, 1), "png"))
    assert np.array_equal(decoded(tmp_path / "x.jpg"), pixels(4, 4, 1))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "wide"])
def test_mutants_are_read_or_refused(put: Callable[[bytes], Path], form: str) -> None:
    x = pixels(16, 24, 3, np.uint16 if form == "wide" else np.uint8)
    content = image.encode(x, "png") if form == "wide" else saved(Image.fromarray(x), form)
    draw = np.random.default_rng(9)
    for number in range(50):
        mutant = bytearray(content)
        for at in draw.integers(0, (128, len(mutant))[number % 2], 1 + number % 5):
            mutant[at] = draw.integers(256)
        if number % 7 == 0:
            mutant = mutant[: draw.integers(len(mutant))]
        refusal(put(bytes(mutant)))


def refused_on_purpose(name: str, pillow: str) -> bool:
    """Read by Pillow and refused here: other formats, animations, LAB, and what would lose bits."""
    other = name.endswith((".gif", ".webp")) or pillow in ("OK LAB", "OK I")
    animated = "apng" in name and "frames_zero" not in name
    return other or animated or name == "blend_transparency.png" or "planar_16bit" in name


def test_the_damaged_corpus_is_read_or_refused_as_pillow_does(real: Path) -> None:
    for row in json.loads((real / "bad" / "MANIFEST.json").read_text()):
        if "pillow_13_six_formats" not in row:
            continue
        path, pillow = real / "bad" / row["file"], row["pillow_13_six_formats"]
        accepted = pillow.startswith("OK") and not refused_on_purpose(path.name, pillow)
        assert (refusal(path) is None) == accepted, row["file"]
        if accepted:
            array = image.decode(path)
            with warnings.catch_warnings(action="ignore"), Image.open(path) as picture:
                upright = ImageOps.exif_transpose(picture)
            if array.dtype == np.uint8:
                upright = upright.convert({1: "L", 3: "RGB", 4: "RGBA"}[array.shape[2]])
                assert np.array_equal(np.asarray(upright).reshape(array.shape), array)
