"""One answer on its way: what was asked, what has come of it, and how far the model has read."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from clara_trainer.serve.dialect import Dialect
from clara_trainer.serve.lora import Adapter
from clara_trainer.serve.penalties import NO_PENALTIES, Penalties
from clara_trainer.serve.sampling import Sampler, TokenScore
from clara_trainer.serve.text import TextStream

Finish = Literal["stop", "length"]


@dataclass(frozen=True)
class Wish:
    """What a row is asked. `top`: likeliest tokens beside each, None for no logprobs; `max_tokens` at least 0."""

    prompt: list[int]
    dialect: Dialect
    adapter: Adapter | None
    sampler: Sampler
    max_tokens: int
    penalties: Penalties = NO_PENALTIES
    min_tokens: int = 0
    stops: tuple[str, ...] = ()
    stop_ids: frozenset[int] = frozenset()
    top: int | None = None
    prompt_scores: bool = False
    grammar: Any = None


@dataclass(frozen=True)
class Piece:
    """News of a row: text, its tokens, and at the end why it ended, or the error that ended it."""

    text: str = ""
    tokens: int = 0
    scores: tuple[TokenScore, ...] = ()
    prompt_scores: tuple[TokenScore, ...] | None = None
    finish: Finish | None = None
    stopped: str | int | None = None
    error: str | None = None


@dataclass(eq=False)
class Row:
    wish: Wish
    tell: Callable[[Piece], None]
    tokens: list[int] = field(default_factory=list)
    cached: int = 0
    slot: int = -1
    gone: bool = False
    arrived: float = field(default_factory=time.monotonic)
    started: float | None = None
    last_token: float | None = None
    prompt_scores: list[TokenScore] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = random.Random(self.wish.sampler.seed)
        self.text = TextStream(self.wish.dialect.tokens, self.wish.prompt, self.wish.stops)

    @property
    def known(self) -> int:
        """Tokens that the model has read or is to read next."""
        return len(self.wish.prompt) + len(self.tokens)

    @property
    def is_reading(self) -> bool:
        """Whether more than the newest token is still to be read."""
        return self.known - self.cached > 1 or not self.tokens

    def restart(self) -> None:
        """Reads everything again in another slot."""
        self.cached = 0
        if not self.tokens:
            self.prompt_scores.clear()

    def part(self, begin: int, end: int) -> list[int]:
        prompt = self.wish.prompt
        if begin >= len(prompt):
            return self.tokens[begin - len(prompt) : end - len(prompt)]
        return (prompt + self.tokens)[begin:end] if end > len(prompt) else prompt[begin:end]

    def take(self, token: int, score: TokenScore | None) -> Piece:
        """The model's next token, and what it means for the answer."""
        self.tokens.append(token)
        first = self.prompt_news()
        if token in self.wish.stop_ids:
            return Piece(self.text.rest(), 1, (), first, "stop", token)
        scored = () if score is None else (score,)
        text = self.text.push(token)
        if self.text.stopped is not None:
            return Piece(text, 1, scored, first, "stop", self.text.stopped)
        if self.is_grammar_done():
            return Piece(text + self.text.rest(), 1, scored, first, "stop")
        if len(self.tokens) >= self.wish.max_tokens:
            return Piece(text + self.text.rest(), 1, scored, first, "length")
        return Piece(text, 1, scored, first)

    def is_grammar_done(self) -> bool:
        grammar = self.wish.grammar
        return grammar is not None and grammar.is_done()

    def prompt_news(self) -> tuple[TokenScore, ...] | None:
        return tuple(self.prompt_scores) if self.wish.prompt_scores and len(self.tokens) == 1 else None

    def only_prompt(self) -> Piece:
        """For max_tokens 0: nothing but the prompt's own scores."""
        return Piece(prompt_scores=tuple(self.prompt_scores), finish="length")
