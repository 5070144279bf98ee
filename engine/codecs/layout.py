"""How an image that Pillow has opened becomes an array, and whether it may: mode, depth, orientation, memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from sliceforge.engine.codecs.png import Header
from sliceforge.engine.errors import InputError

MAX_BYTES = 1 << 28
"""What decoding one file may take: 38 megapixels of RGB, 134 of grey."""

CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4, "I;16": 1}
_MODES = (
    dict.fromkeys(("1", "L"), "L")
    | dict.fromkeys(("P", "RGB", "RGBX", "CMYK", "YCbCr"), "RGB")
    | dict.fromkeys(("RGBA", "RGBa", "LA", "La", "PA"), "RGBA")
    | dict.fromkeys(("I;16", "I;16L", "I;16B"), "I;16")
)
_ORIENTATION, _BITS, _PHOTOMETRIC = 0x0112, 258, 262


@dataclass(frozen=True)
class Layout:
    """How an open file becomes an array.

    Args:
        mode: Pillow's mode of the array: L, RGB, RGBA or I;16.
        depth: bits of a value, 8 or 16.
        orientation: EXIF's, 1 to 8.
        header: of a PNG.
    """

    mode: str
    depth: int
    orientation: int
    header: Header | None

    @property
    def wide(self) -> bool:
        """Colour at 16 bits a value, which Pillow would read as 8."""
        return self.header is not None and self.header.wide


def layout_of(image: Image.Image, header: Header | None) -> Layout:
    """Mode, depth and orientation.

    Raises:
        InputError: unreadable, where the array would be less than the file.
    """
    _refuse_more_pictures(image)
    mode = _MODES.get(image.mode)
    if mode is None:
        raise InputError("unreadable", f"values of kind {image.mode}; expected whole numbers of 8 or 16 bits")
    tags: Any = getattr(image, "tag_v2", {})
    bits = max(tags.get(_BITS, (8,)))
    if bits > 8 and (mode != "I;16" or tags.get(_PHOTOMETRIC) == 0):
        raise InputError("unreadable", f"a TIFF of {bits} bits in this form is not read; expected PNG, or 16-bit grey")
    if image.mode == "P" and image.has_transparency_data:
        mode = "RGBA"
    deep = mode == "I;16" or (header is not None and header.wide)
    return Layout(mode, 16 if deep else 8, _orientation(image, header), header)


def _refuse_more_pictures(image: Image.Image) -> None:
    # A TIFF knows only after looking for its second picture; a camera's MPO is a JPEG with more behind it.
    if image.format == "TIFF":
        try:
            image.seek(1)
        except EOFError:
            image.seek(0)
        else:
            raise InputError("unreadable", "more than one picture; expected a single one")
    elif image.format != "MPO" and getattr(image, "is_animated", False):
        raise InputError("unreadable", "animated; expected a single picture")


def _orientation(image: Image.Image, header: Header | None) -> int:
    if image.format == "TIFF":  # Pillow turns it
        return 1
    if header and header.exif:
        image.info.setdefault("exif", b"Exif\0\0" + header.exif)
    try:
        # The PNG reader's own getexif would decode the whole image first.
        found = Image.Image.getexif(image).get(_ORIENTATION, 1)
    except Exception:  # as many classes as the readers have; a picture with damaged EXIF is taken as it is stored
        return 1
    return found if found in range(1, 9) else 1


def check_size(image: Image.Image, layout: Layout) -> None:
    """Refuse what has no pixels, or too many to decode within `MAX_BYTES`.

    Raises:
        InputError: empty, too_large.
    """
    width, height = image.size
    if width < 1 or height < 1:
        raise InputError("empty", f"{width} × {height} pixels")
    channels = CHANNELS[layout.mode]
    if layout.wide:
        need = 10 * channels
    else:
        pillow = 1 if image.mode in ("1", "L", "P") else 2 if layout.mode == "I;16" else 4
        coefficients = 2 * channels if image.info.get("progressive") else 0
        strip = pillow if image.format == "TIFF" else 0
        need = pillow + channels * layout.depth // 8 + coefficients + strip
    if width * height * need > MAX_BYTES:
        raise InputError("too_large", f"{width} × {height} pixels take more than {MAX_BYTES >> 20} MiB to decode")


def as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """A view of the upright array in the order of the file."""
    view = upright.swapaxes(0, 1) if orientation >= 5 else upright
    rows, columns = orientation in (3, 4, 6, 7), orientation in (2, 3, 7, 8)
    return view[:: -1 if rows else 1, :: -1 if columns else 1]
