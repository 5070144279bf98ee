"""What is written for one accepted item, and how its id and its row are spelled there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from sliceforge.engine.objects import Thing

_ODD = re.compile(r"[%.\\:\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_EMPTY = re.compile(r"^/|/$|(?<=/)/")


def key(item: str) -> str:
    """An item's id as a name inside a tar or a folder: `%`, `.`, control characters and odd slashes percent-encoded.

    webdataset cuts a name at its first dot; an encoded name also cannot leave its folder.

    >>> key("a/b.c~1"), key("../x")
    ('a/b%2Ec~1', '%2E%2E/x')
    """
    encoded = _ODD.sub(lambda m: quote(m[0], safe=""), item).replace(".", "%2E")
    return _EMPTY.sub("%2F", encoded) if "/" in encoded else encoded


@dataclass(frozen=True)
class Item:
    """What is written for one accepted item.

    Args:
        id: the made item's id.
        label: its class, or None.
        suffix: flac, wav, png or jpeg.
        media: the encoded file.
        mask: an encoded PNG, or None.
        row: what KEY.json says.
        size: (height, width, channels) of an image.
        objects: what is in an image.
    """

    id: str
    label: str | None
    suffix: str
    media: bytes
    mask: bytes | None = None
    row: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, int, int] = (0, 0, 0)
    objects: Sequence[Thing] = ()

    def members(self) -> Iterator[tuple[str, bytes]]:
        """(suffix, bytes) of each file, in a fixed order."""
        yield self.suffix, self.media
        if self.mask is not None:
            yield "mask.png", self.mask
        yield "json", line(self.row)


def _other(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=_other)


def line(row: Mapping[str, Any]) -> bytes:
    """A row as a line of JSON, with sorted keys, and null for numbers that JSON cannot say."""
    return _text(row).encode("utf-8", "backslashreplace") + b"\n"


def _text(row: Mapping[str, Any]) -> str:
    try:
        return _JSON.encode(row)
    except ValueError:  # one of them is not finite, which is rare
        return _JSON.encode(_finite(row))


def _finite(value: Any) -> Any:
    """The same, with null for what is no finite number."""
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and value - value != 0 else value
