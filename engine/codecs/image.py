"""Image files to arrays and back: PNG, JPEG, BMP and TIFF in, PNG and JPEG out; always upright, never fewer bits."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from sliceforge.engine.codecs import png
from sliceforge.engine.codecs.files import one_line, opened
from sliceforge.engine.codecs.layout import CHANNELS, Layout, as_stored, check_size, layout_of
from sliceforge.engine.errors import InputError, SettingError, did_you_mean

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
KINDS = ("png", "jpeg")
PNG_LEVEL = 1
_BAND = 1 << 20

# Pillow logs what is wrong with a file; here that is in the error.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Probe:
    """What a header says, upright.

    Args:
        height, width: pixels.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA).
        depth: bits of a value, 8 or 16.
    """

    height: int
    width: int
    channels: int
    depth: int


def probe(path: Path) -> Probe:
    """Size, channels and depth, from the header alone.

    Raises:
        InputError: unreadable, empty, too_large.
    """
    with _image(path) as (image, layout, _):
        width, height = image.size
        if layout.orientation >= 5:
            width, height = height, width
        return Probe(height, width, CHANNELS[layout.mode], layout.depth)


def decode(path: Path) -> np.ndarray:
    """An image as (H, W, C) uint8 or uint16, upright; C is 1 (grey), 3 (RGB) or 4 (RGBA).

    1 bit becomes 0 and 255, a palette RGB (RGBA where it is transparent), CMYK RGB, grey with alpha RGBA; the one
    transparent colour that a grey or RGB PNG may name is ignored. Bits are kept: 12 bits stand unscaled in a uint16,
    and colour at 16 bits is read from PNG and refused from TIFF.

    Raises:
        InputError: unreadable, empty, too_large.
    """
    with _image(path, checksums=True) as (image, layout, file):
        width, height = image.size
        flat = (height, width) if layout.orientation < 5 else (width, height)
        upright = np.empty((*flat, CHANNELS[layout.mode]), np.uint8 if layout.depth == 8 else np.uint16)
        stored = as_stored(upright, layout.orientation)
        if layout.header and layout.wide:
            values = png.read_wide(file, layout.header)
            stored[:] = values if values.shape[2] > 2 else values[:, :, [0, 0, 0, 1]]
            return upright
        image.load()
        rows = max(1, _BAND // width)
        for top in range(0, height, rows):
            band = image.crop((0, top, width, min(top + rows, height)))
            if band.mode != layout.mode and layout.depth == 8:
                band = band.convert(layout.mode)
            stored[top : top + rows] = np.asarray(band).reshape(-1, width, upright.shape[2])
        return upright


def holds(kind: str, channels: int, depth: int) -> bool:
    """Whether files of a kind can hold so many channels of so many bits."""
    return kind != "jpeg" or (channels != 4 and depth == 8)


def encode(array: np.ndarray, kind: str, quality: int = 95) -> bytes:
    """A file's bytes, the same for the same pixels.

    Args:
        array: (H, W, C) uint8 or uint16; C is 1 (grey), 3 (RGB) or 4 (RGBA).
        kind: png, or jpeg for uint8 grey or RGB.
        quality: of a JPEG, 1 to 100; colour is kept at full resolution.

    Raises:
        SettingError: another kind, or one that cannot hold the array.
    """
    if kind not in KINDS:
        raise SettingError(f"suffix: {kind} is not a kind of image file that can be written{did_you_mean(kind, KINDS)}")
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.dtype not in (np.uint8, np.uint16):
        raise SettingError(f"image: {array.dtype} {array.shape} cannot be written; expected uint8 (H, W, 1, 3 or 4)")
    if not holds(kind, array.shape[2], 8 * array.itemsize):
        raise SettingError(f"suffix: jpeg cannot hold {array.dtype} with {array.shape[2]} channels; expected png")
    if array.dtype == np.uint16 and array.shape[2] > 1:
        return png.write_wide(array, PNG_LEVEL)
    image = Image.fromarray(np.ascontiguousarray(array[:, :, 0] if array.shape[2] == 1 else array))
    buffer = io.BytesIO()
    if kind == "png":
        image.save(buffer, "PNG", compress_level=PNG_LEVEL)
    else:
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


@contextmanager
def _image(path: Path, checksums: bool = False) -> Iterator[tuple[Image.Image, Layout, BinaryIO]]:
    """An open file that has been found worth decoding."""
    with opened(path) as (file, size), warnings.catch_warnings(action="ignore"):
        try:
            head = png.header(file, size, checksums) if file.read(8) == png.SIGNATURE else None
            file.seek(0)
            with Image.open(file, formats=FORMATS) as image:
                layout = layout_of(image, head)
                check_size(image, layout)
                yield image, layout, file
        except InputError:
            raise
        except UnidentifiedImageError:
            raise InputError("unreadable", "not PNG, JPEG, BMP or TIFF, or its header is damaged") from None
        except Image.DecompressionBombError as error:
            raise InputError("too_large", one_line(error)) from None
        # Pillow's readers meet damage with a dozen classes, from OSError and SyntaxError to struct.error and KeyError.
        except Exception as error:
            raise InputError("unreadable", one_line(error)) from None
