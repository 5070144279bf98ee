"""The forms of a picture and of a mask: an encoded file, Pillow's image, an array, a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image

from sliceforge.engine.codecs import image
from sliceforge.engine.errors import InputError
from sliceforge.engine.forms import Form, encoded, jpeg, read, repacked

MODES = {"1": "L", "P": "RGB", "CMYK": "RGB", "YCbCr": "RGB", "LA": "RGBA", "PA": "RGBA", "RGBX": "RGB"}
"""Pillow's mode → the one in which it is worked on."""


def picture(value: Any) -> Form:
    """An image.

    Args:
        value: an encoded file as bytes or as `{"bytes": …, "path": …}`; a Pillow image; an array (H, W) or (H, W, C),
            or a tensor (H, W) or (C, H, W): whole numbers, bool, or fractions of one.

    Raises:
        InputError: unreadable, empty, too_large.
    """
    if encoded(value):
        return Form(read(value, image.decode), 0, lambda item, _: repacked(value, _image_bytes(item, jpeg(value))))
    if isinstance(value, Image.Image):
        try:
            own = value.convert(MODES[value.mode]) if value.mode in MODES else value
            pixels = np.asarray(own)
        except OSError as error:
            raise InputError("unreadable", str(error)[:60]) from None
        return Form(_pixels(pixels), 0, lambda item, _: Image.fromarray(item[:, :, 0] if item.shape[2] == 1 else item))
    if not isinstance(value, np.ndarray | torch.Tensor):
        raise InputError("unreadable", f"no picture: {type(value).__name__}")
    return _of_array(value)


def _of_array(value: np.ndarray | torch.Tensor) -> Form:
    planes = isinstance(value, torch.Tensor) and value.ndim == 3
    try:
        array = np.asarray(value)
    except (TypeError, RuntimeError) as error:  # of a device, or of a type that numpy has not
        raise InputError("unreadable", f"no picture: {str(error)[:60]}") from None
    array = array.transpose(1, 2, 0) if planes else array
    kind, flat = array.dtype, array.ndim == 2

    def back(item: np.ndarray, _: int) -> Any:
        held = item[:, :, 0] if flat else item
        if kind.kind == "f":
            held = (held.astype(np.float32) / 255.0).astype(kind)
        held = held > 0 if kind.kind == "b" else held
        held = np.ascontiguousarray(held.transpose(2, 0, 1)) if planes else held
        return torch.from_numpy(held) if isinstance(value, torch.Tensor) else held

    if kind.kind == "b":
        array = array * np.uint8(255)
    elif kind.kind == "f":
        low, high = (float(end) for end in (array.min(initial=0), array.max(initial=0)))
        if not 0 <= low <= high <= 1:
            raise InputError("unreadable", f"values from {low:.3g} to {high:.3g}; expected fractions of one")
        array = np.rint(array.astype(np.float64) * 255).astype(np.uint8)
    return Form(_pixels(array), 0, back)


def mask(value: Any, height: int, width: int) -> tuple[np.ndarray, Callable[[np.ndarray], Any]]:
    """A mask (H, W) bool, what is not 0, and the way back.

    Raises:
        InputError: it cannot be read, is of another size, or holds more than one class.
    """
    form = picture(value)
    if form.array.shape[:2] != (height, width):
        found = f"{form.array.shape[1]} × {form.array.shape[0]}"
        raise InputError("unreadable", f"mask: {found}, and its image is {width} × {height}")
    levels = np.unique(form.array[..., :3])
    levels = levels[levels > 0]
    if len(levels) > 1:
        raise InputError("unreadable", f"mask: {len(levels)} values beside 0; expected one")
    level = levels[0] if len(levels) else np.iinfo(form.array.dtype).max
    channels = form.array.shape[2]

    def back(found: np.ndarray) -> Any:
        flat = (found * level).astype(form.array.dtype)[:, :, None]
        return form.back(np.ascontiguousarray(np.repeat(flat, channels, axis=2)), 0)

    return np.asarray(form.array[..., :3].any(axis=2), bool), back


def blank(value: Any) -> Callable[[np.ndarray], Any]:
    """How a mask (H, W) bool looks beside a picture that came without one: 0 and 255, in the picture's own form."""
    if isinstance(value, bytes | bytearray):
        return lambda found: image.encode((found * np.uint8(255))[:, :, None], "png")
    if encoded(value):
        return lambda found: {"bytes": image.encode((found * np.uint8(255))[:, :, None], "png"), "path": None}
    if isinstance(value, Image.Image):
        return lambda found: Image.fromarray(found * np.uint8(255))
    if isinstance(value, torch.Tensor):
        return lambda found: torch.from_numpy(found * np.uint8(255))
    return lambda found: found * np.uint8(255)


def is_picture(value: Any) -> bool:
    """Whether a value is Pillow's image, or an array or tensor that may be one."""
    return isinstance(value, Image.Image) or (isinstance(value, np.ndarray | torch.Tensor) and value.ndim in (2, 3))


def _pixels(array: np.ndarray) -> np.ndarray:
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not shaped or array.dtype not in (np.uint8, np.uint16):
        raise InputError("unreadable", f"no picture: {array.dtype} {array.shape}")
    if not array.size:
        raise InputError("empty", "0 pixels")
    return np.ascontiguousarray(array if array.ndim == 3 else array[:, :, None])


def _image_bytes(item: np.ndarray, jpeg: bool) -> bytes:
    kind = "jpeg" if jpeg and image.holds("jpeg", item.shape[2], 8 * item.itemsize) else "png"
    return image.encode(item, kind)
