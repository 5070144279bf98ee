"""The user's own train command: a template of words, run once for each training, what it prints in a log."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from sliceforge.engine.errors import RunError, SettingError, did_you_mean
from sliceforge.engine.paths import shown

FIELDS = ("train", "predictions", "seed", "eval")
EXAMPLE = 'train="python train.py {train} {predictions} --seed {seed}"'

_SHELL = frozenset("|&;<>$`\n")
"""Signs with which a template is more than plain words."""

_LOOKED = 0.2
"""Seconds between two looks at whether a command should stop."""

_LAST = 8192
"""Bytes at the end of a log in which its last line is looked for."""


@dataclass(frozen=True)
class Command:
    """A command with `{train}`, `{predictions}`, `{seed}` and `{eval}` in it; other braces are written twice.

    A template of plain words runs without a shell, so that no path can be anything but one word; one with `|`, `&`,
    `;`, `<`, `>`, `$` or a backtick runs in `sh`, with its values quoted.

    Args:
        text: as typed.
    """

    text: str

    @classmethod
    def of(cls, text: str | None, seeds: int) -> Command:
        """A template that was looked through.

        Args:
            text: as typed.
            seeds: trainings of the same data: with more than one, `{seed}` must be in it.

        Raises:
            SettingError: an unknown field, a missing one, or quotes that do not close.
        """
        if not text:
            raise SettingError(f"train: is not given; expected the command that trains, such as {EXAMPLE}")
        where = f"train: {shown(text, 80)}"
        try:
            shlex.split(text)
            fields = [field for _, field, _, _ in Formatter().parse(text) if field is not None]
        except ValueError as error:
            raise SettingError(f"{where}: {error}; expected a command, such as {EXAMPLE}") from None
        for field in fields:
            if field not in FIELDS:
                near = did_you_mean(field, FIELDS)
                raise SettingError(f"{where}: {{{shown(field, 40)}}}: no such field{near}; other braces: {{{{ and }}}}")
        needed = ("train", "predictions", *(("seed",) if seeds > 1 else ()))
        for field in needed:
            if field not in fields:
                why = f" with seeds={seeds}" if field == "seed" else ""
                raise SettingError(f"{where}: no {{{field}}} in it{why}; expected a command such as {EXAMPLE}")
        return cls(text)

    @property
    def shell(self) -> bool:
        """Whether it is more than plain words."""
        return not _SHELL.isdisjoint(self.text)

    def words(self, values: Mapping[str, object]) -> list[str]:
        """The command of one training."""
        if self.shell:
            return ["/bin/sh", "-c", self.text.format(**{key: shlex.quote(str(v)) for key, v in values.items()})]
        return [word.format(**values) for word in shlex.split(self.text)]

    def run(self, values: Mapping[str, object], log: Path, stopped: threading.Event | None = None) -> float:
        """Run it once, or once more where a signal ended it; returns the seconds of the run that did.

        Args:
            values: of `FIELDS`.
            log: what it prints is added to this file.
            stopped: when it is set, the command and all that it began is ended.

        Raises:
            SettingError: there is no such program, or it failed; the log's last line is in the message.
            RunError: a signal ended it twice, or it was stopped.
        """
        stopped = stopped or threading.Event()
        for left in (True, False):
            began = time.monotonic()
            code = _ended(self.words(values), log, stopped)
            if code == 0:
                return time.monotonic() - began
            if code > 0:
                said = _last_line(log)
                raise SettingError(f"train: the command ended with {code}: {said}; see {log}; mended, it goes on")
            if not left or stopped.is_set():
                name = signal.Signals(-code).name
                raise RunError(f"train: the command was ended by {name}; see {log}; the same command goes on")
        raise AssertionError


def _ended(words: list[str], log: Path, stopped: threading.Event) -> int:
    """Its exit code, or minus the signal that ended it; with an interrupt all that it began ends too."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
        except OSError as error:
            what = error.strerror or error
            raise SettingError(f"train: {shown(words[0], 80)}: {what}; expected a program, such as {EXAMPLE}") from None
        try:
            while True:
                try:
                    return process.wait(_LOOKED)
                except subprocess.TimeoutExpired:
                    if stopped.is_set():
                        os.killpg(process.pid, signal.SIGKILL)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST))
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return shown(lines[-1], 200) if lines else "it printed nothing"
