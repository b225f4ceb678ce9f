"""What a row means, whatever its format was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True)
class Turn:
    role: Role
    content: str
    # Only answers are learned, and of these not the ones with weight 0.
    learned: bool = False


@dataclass(frozen=True)
class Example:
    """A conversation (turns) or a plain text (text), never both. A pair is two conversations that differ in the end."""

    turns: tuple[Turn, ...] = ()
    text: str = ""
    # The conversation with the answer that is not preferred.
    rejected: tuple[Turn, ...] = ()
    # Where it stands, for messages; equal rows of different places are equal.
    place: str = field(default="", compare=False)

    def characters(self) -> int:
        longest = max(sum(len(turn.content) for turn in turns) for turns in (self.turns, self.rejected))
        return len(self.text) + longest

    def fingerprint(self) -> str:
        content: object = [asdict(turn) for turn in self.turns] or self.text
        if self.rejected:
            content = [content, [asdict(turn) for turn in self.rejected]]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


class RowError(ValueError):
    """What is wrong with one row."""


class RowSkipped(Exception):
    """A row that is well-formed but holds nothing to learn from; the reason is counted and shown."""
