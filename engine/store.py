"""Data in a store, such as `s3://bucket/clips` or `zip://::clips.zip`: a mirror of what it holds, in the user's cache.

Names and sizes are listed anew by each command; a file is fetched when it is first read, and again when the store says
that it has changed. All readers see a folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sliceforge.engine.errors import RunError, SettingError, did_you_mean
from sliceforge.engine.fetch import FILES, HOME, NOTE, connected, forget, gone, here, said
from sliceforge.engine.mirror import mirrored, names
from sliceforge.engine.paths import Reject, shown
from sliceforge.engine.tables import SUFFIXES

ALONE = (*SUFFIXES, ".gz", ".tar")
"""Ends of names that are a file, which stands for the folder that it is in; any other name is a folder."""

_URL = re.compile(r"([a-z][a-z0-9+.-]*::)*[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_OPENED: dict[str, Path] = {}


def is_url(text: str) -> bool:
    """Whether a place is in a store.

    >>> is_url("s3://bucket/clips"), is_url("zip://a::b.zip"), is_url("clips")
    (True, True, False)
    """
    return bool(_URL.match(text))


def opened(url: str, key: str, fresh: bool = False) -> Path:
    """Where what a URL names can be read: a mirror of its folder, or a file or a pattern of files in it.

    Args:
        url: as fsspec has it.
        key: the setting that named it, for messages.
        fresh: list it again though this process has.

    Raises:
        SettingError: no such store or place, or its package is missing.
        RunError: it does not answer.
    """
    if url in _OPENED and not fresh:
        return _OPENED[url]
    where = f"{key}: {shown(url)}"
    folder, name = _divided(url)
    forget()
    try:
        store, base = connected(folder)
        if "file" in ([store.protocol] if isinstance(store.protocol, str) else store.protocol):
            return Path(base or "/") / name
        root = mirrored(store, folder, base, name, where)
        _OPENED[url] = root / name
        some = [name] if name and "*" not in name else []
        # What is in memory is in that of this process alone.
        for one in names(root) if "memory" in store.protocol else some:
            here(root / one)
    except ImportError as error:
        raise SettingError(f"{where}: needs another package: {said(error)}") from None
    except (SettingError, RunError):
        raise
    except Exception as error:
        raise _named(error, url, where) from None
    return _OPENED[url]


def named(place: str) -> str:
    """A place as the user named it."""
    return next((url for url, path in _OPENED.items() if str(path) == place), place)


def left_out(root: Path, suffixes: Sequence[str]) -> list[Reject]:
    """What a store has under names that no file of a folder can have, where a folder is a mirror.

    Args:
        root: any folder.
        suffixes: of media files, lower case.
    """
    if root.name != FILES or root.parent.parent.name != HOME:
        return []
    note = json.loads((root.parent / NOTE).read_text("utf-8"))
    media = [(name, why) for name, why in note["left_out"] if name.lower().endswith(tuple(suffixes))]
    return [Reject(shown(name), shown(name), "outside", why) for name, why in media]


def _named(error: Exception, url: str, where: str) -> SettingError | RunError:
    if gone(error) or isinstance(error, NotADirectoryError | IsADirectoryError):
        return SettingError(f"{where}: no such file or folder; expected such as s3://BUCKET/clips, zip://::clips.zip")
    if isinstance(error, ValueError):
        import fsspec

        protocol = url.partition(":")[0]
        known = fsspec.available_protocols()
        tail = "" if protocol in known else did_you_mean(protocol, known)
        return SettingError(f"{where}: {said(error)}{tail}")
    return RunError(f"{where}: cannot be read: {said(error)}")


def _divided(url: str) -> tuple[str, str]:
    """The URL of a folder, and the name of a file in it or a pattern; no name where the folder itself is meant.

    >>> _divided("s3://bucket/a/train.csv"), _divided("zip://b::s3://bucket/a.zip")
    (('s3://bucket/a', 'train.csv'), ('zip://b::s3://bucket/a.zip', ''))
    """
    links = url.split("::")
    own = links[-1].removeprefix("file://")
    if len(links) > 1 and "://" not in own:  # an archive on this machine, whatever folder a worker runs in
        links[-1] = str(Path(own).resolve())
    at = next(i for i, link in enumerate(links) if "://" in link)
    if not links[at].endswith("://"):
        links[at] = links[at].rstrip("/")
    head, _, name = links[at].rpartition("/")
    if PurePosixPath(name).suffix.lower() not in ALONE:
        return "::".join(links), ""
    links[at] = f"{head}/" if head.endswith("/") else head
    return "::".join(links), name
