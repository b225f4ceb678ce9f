"""How a model is spoken to: its tokenizer, its chat template, and the tokens that end an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clara_trainer.data.chat_template import render, rendered
from clara_trainer.data.example import Turn
from clara_trainer.serve.vocabulary import Vocabulary

MARK = "xyzzy"


@dataclass(frozen=True)
class Templated:
    """A tokenizer with a template of its own: adapters share the tokenizer and differ in this."""

    tokenizer: Any
    template: str

    def apply_chat_template(self, messages: list[dict[str, str]], **more: Any) -> Any:
        return self.tokenizer.apply_chat_template(messages, chat_template=self.template, **more)


@dataclass
class Dialect:
    """`tokens`: the tokenizer of the tokenizers library; threads share it, nothing may change its settings."""

    tokenizer: Any
    tokens: Any
    templated: Templated
    eos: frozenset[int]
    turn_ends: frozenset[int]
    vocabulary: Vocabulary

    def ids(self, text: str) -> list[int]:
        """Of a plain text, with the marks that the tokenizer puts before it."""
        return list(self.tokens.encode(text).ids)

    def chat_text(self, turns: Sequence[Turn]) -> str:
        """Rendered as in training. @throws the template's own error when it refuses the roles."""
        return rendered(self.templated, tuple(turns), ask=True)[0]

    def chat_ids(self, text: str) -> list[int]:
        return list(self.tokens.encode(text, add_special_tokens=False).ids)


def dialect_of(tokenizer: Any, template: str, eos: frozenset[int]) -> Dialect:
    tokens = tokenizer.backend_tokenizer
    tokens.no_truncation()
    tokens.no_padding()
    own = frozenset() if tokenizer.eos_token_id is None else frozenset({int(tokenizer.eos_token_id)})
    templated = Templated(tokenizer, template)
    return Dialect(tokenizer, tokens, templated, eos | own, turn_ends(templated), Vocabulary(tokens))


def turn_ends(templated: Templated) -> frozenset[int]:
    """The special token that the template writes after an answer, such as <end_of_turn>."""
    try:
        text = render(templated, (Turn("user", "a"), Turn("assistant", MARK)))
    except Exception:
        return frozenset()
    tokenizer = templated.tokenizer
    after = tokenizer(text.rpartition(MARK)[2], add_special_tokens=False)["input_ids"]
    return frozenset(after[:1]) & frozenset(tokenizer.all_special_ids)
