"""Where several labellers' transcripts differ: in how things are written, which is a choice, or in what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.agreement import Agreement, agreement
from sliceforge.engine.loop.diagnose.distances import of_words
from sliceforge.engine.loop.diagnose.manners import MANNERS
from sliceforge.engine.loop.diagnose.wording import Wording, wording

EXAMPLES = 3
"""Transcripts that are shown of each choice at most."""


@dataclass(frozen=True)
class Choice:
    """One way to write something.

    Args:
        way: such as `kept with a comma`.
        texts: transcripts that do it, of clips in which others do otherwise.
        labellers: who does it how often, most often first.
        examples: such transcripts.
    """

    way: str
    texts: int
    labellers: dict[str, int]
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """Something that is written in several ways.

    Args:
        kind: `fillers`, `case`, `punctuation`, `numbers`, `contractions`, `spacing`, or `other`.
        clips: clips whose transcripts differ in it.
        choices: the conventions to choose from, the most frequent first.
    """

    kind: str
    clips: int
    choices: tuple[Choice, ...]

    def line(self, clips: int) -> str:
        """One line: what differs, how often, who does what."""
        said = []
        for choice in self.choices:
            who = ", ".join(f"{name} {count}" for name, count in choice.labellers.items())
            said.append(f"{choice.way} ({who}: «{choice.examples[0]}»)")
        count = f"{len(self.choices)} conventions to choose from in {self.clips} of {clips} clips"
        return f"{self.kind}, {count}: {'; '.join(said)}"


@dataclass(frozen=True)
class Conventions:
    """How transcripts of the same clips differ.

    Args:
        clips: clips with two transcripts at least.
        same: clips whose transcripts are the same to the letter.
        written: clips whose transcripts say the same and write it differently.
        disputed: clips of which the labellers heard different words.
        differences: what is written differently, the most frequent first.
        as_written: alpha of the transcripts as they stand.
        as_said: alpha of the words alone, after every convention was taken away.
    """

    clips: int
    same: int
    written: int
    disputed: tuple[str, ...]
    differences: tuple[Difference, ...]
    as_written: Agreement
    as_said: Agreement

    def lines(self) -> tuple[str, ...]:
        """In plain words: a line for what is a real disagreement, and one for each choice to make."""
        first = (
            f"of {self.clips} clips {self.same} are written alike, {self.written} differ only in how they are written, "
            f"{len(self.disputed)} in the words (alpha as written {self.as_written}, "
            f"of the words {self.as_said})"
        )
        return first, *(one.line(self.clips) for one in self.differences)

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON."""
        found = asdict(self) | {"as_written": self.as_written.plain(), "as_said": self.as_said.plain()}
        found["differences"] = [asdict(one) for one in self.differences]
        return found | {"disputed": list(self.disputed)}


def said_distance(a: Wording, b: Wording) -> float:
    """Word errors of what was said, 0 where only the spaces differ."""
    return 0.0 if a.key == b.key else of_words(a.words, b.words)


def conventions(ids: Sequence[str], transcripts: Mapping[str, Sequence[str | None]], seed: int = 0) -> Conventions:
    """Tell conventions from disagreement.

    Args:
        ids: (N,) of the clips.
        transcripts: labeller → (N,) texts, None where a labeller has not written one.
        seed: of the intervals.

    Raises:
        SettingError: the lengths differ, or no clip has two transcripts.
    """
    for name, texts in transcripts.items():
        if len(texts) != len(ids):
            example = "for example {'ann': ['Um, hello', None], 'bob': ['Hello', 'Bye']} for 2 clips"
            raise SettingError(f"conventions: {len(texts)} transcripts of {name} for {len(ids)} clips; {example}")
    clips = [
        (clip, {name: text for name, texts in transcripts.items() if (text := texts[i]) is not None})
        for i, clip in enumerate(ids)
    ]
    clips = [(clip, texts) for clip, texts in clips if len(texts) > 1]
    if not clips:
        raise SettingError(f"conventions: no clip of {len(ids)} has transcripts of two labellers; expected one")
    same = [clip for clip, texts in clips if len(set(texts.values())) == 1]
    disputed = tuple(clip for clip, texts in clips if len({wording(text).key for text in texts.values()}) > 1)
    return Conventions(
        len(clips),
        len(same),
        len(clips) - len(same) - len(disputed),
        disputed,
        _differences([texts for _, texts in clips]),
        agreement([list(texts.values()) for _, texts in clips], of_words, seed),
        agreement([[wording(text) for text in texts.values()] for _, texts in clips], said_distance, seed),
    )


def _differences(clips: Sequence[Mapping[str, str]]) -> tuple[Difference, ...]:
    seen: dict[str, list[list[tuple[str, str, str]]]] = {}
    for texts in clips:
        if len(set(texts.values())) == 1:
            continue
        found = {kind: manner(list(texts.values())) for kind, manner in MANNERS.items()}
        found = {kind: ways for kind, ways in found.items() if len(set(ways) - {None}) > 1}
        if not found and len({wording(text).key for text in texts.values()}) == 1:
            found = {"other": list(texts.values())}
        for kind, ways in found.items():
            rows = zip(ways, texts, texts.values(), strict=True)
            seen.setdefault(kind, []).append([(way, name, text) for way, name, text in rows if way is not None])
    differences = [Difference(kind, len(groups), _choices(groups)) for kind, groups in seen.items()]
    return tuple(sorted(differences, key=lambda one: (-one.clips, one.kind)))


def _choices(groups: Sequence[Sequence[tuple[str, str, str]]]) -> tuple[Choice, ...]:
    rows = [row for group in groups for row in group]
    choices = []
    for way in dict.fromkeys(way for way, _, _ in rows):
        own = [(name, text) for other, name, text in rows if other == way]
        who = Counter(name for name, _ in own)
        labellers = dict(sorted(who.items(), key=lambda pair: (-pair[1], pair[0])))
        examples = tuple(dict.fromkeys(text for _, text in own))[:EXAMPLES]
        choices.append(Choice(way, len(own), labellers, examples))
    return tuple(sorted(choices, key=lambda one: (-one.texts, one.way)))
