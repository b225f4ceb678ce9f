"""From tokens to text, piece by piece: no half characters, no part of a stop string."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

# So many of the prompt's last tokens tell the decoder whether a space stands before the first new one.
CONTEXT_TOKENS = 6


class TextStream:
    def __init__(self, tokens: Any, prompt: Sequence[int], stops: Sequence[str]) -> None:
        from tokenizers.decoders import DecodeStream

        self.tokens = tokens
        self.stops = [stop for stop in stops if stop]
        self.new_stream = partial(DecodeStream, skip_special_tokens=True)
        self.stream = self.new_stream(ids=list(prompt[-CONTEXT_TOKENS:]))
        self.held = ""
        self.stopped: str | None = None

    def push(self, token: int) -> str:
        """The text that is certain now. After a stop string (`stopped`) there is no more."""
        piece = self.decoded(token)
        if not piece:
            return ""
        self.held += piece
        at, found = earliest(self.held, self.stops)
        if found is not None:
            self.stopped = found
            out, self.held = self.held[:at], ""
            return out
        keep = overlap(self.held, self.stops)
        out, self.held = self.held[: len(self.held) - keep], self.held[len(self.held) - keep :]
        return out

    def decoded(self, token: int) -> str | None:
        try:
            return self.stream.step(self.tokens, token)
        except Exception:
            # Some decoders write a token in another way once the next is there; the stream then begins anew.
            self.stream = self.new_stream()
            return self.stream.step(self.tokens, token)

    def rest(self) -> str:
        """At the end of the answer: what was held back because a stop string could have begun with it."""
        out, self.held = self.held, ""
        return out


def earliest(text: str, stops: Sequence[str]) -> tuple[int, str | None]:
    found = [(at, stop) for stop in stops if (at := text.find(stop)) >= 0]
    return min(found, key=lambda one: one[0]) if found else (-1, None)


def overlap(text: str, stops: Sequence[str]) -> int:
    """Characters at the end of the text that could begin a stop string."""
    most = max((len(stop) for stop in stops), default=1) - 1
    for length in range(min(most, len(text)), 0, -1):
        end = text[-length:]
        if any(stop.startswith(end) for stop in stops):
            return length
    return 0
