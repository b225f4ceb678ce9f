"""From what is asked to one wish a row: rendered, tokenised, and checked against the context."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clara_trainer.serve.asked import Asked, Prompt
from clara_trainer.serve.dialect import Dialect
from clara_trainer.serve.lora import Adapter
from clara_trainer.serve.problem import bad
from clara_trainer.serve.row import Wish


@dataclass(frozen=True)
class Speaker:
    """A model as it is asked for: the base, or an adapter of it."""

    name: str
    dialect: Dialect
    adapter: Adapter | None
    # Makes the grammar of a row from a JSON schema.
    grammar: Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Order:
    """`wishes`: the choices of the first prompt, then those of the next; `prompts`: text and tokens of each."""

    asked: Asked
    wishes: list[Wish]
    prompts: list[tuple[str, list[int]]]

    @property
    def prompt_tokens(self) -> int:
        return sum(len(ids) for _, ids in self.prompts)


def order_of(asked: Asked, speaker: Speaker, context: int, vocabulary: int) -> Order:
    field = "messages" if asked.is_chat else "prompt"
    prompts = [chat_prompt(asked, speaker.dialect)] if asked.is_chat else []
    prompts += [plain_prompt(prompt, speaker.dialect) for prompt in asked.prompts]
    foreign = next((token for token in asked.penalties.bias if not 0 <= token < vocabulary), None)
    if foreign is not None:
        raise bad("logit_bias", f"logit_bias names the token id {foreign}; the model has 0 to {vocabulary - 1}")
    wishes = []
    for _, ids in prompts:
        # A tokenizer of an adapter may know tokens that the base has not.
        unknown = next((token for token in ids if not 0 <= token < vocabulary), None)
        if unknown is not None:
            raise bad(field, f"{field} holds the token id {unknown}; the model has the tokens 0 to {vocabulary - 1}")
        max_tokens = room(asked, len(ids), context, field)
        wishes += [wish_of(asked, speaker, ids, max_tokens, choice) for choice in range(asked.choices)]
    return Order(asked, wishes, prompts)


def chat_prompt(asked: Asked, dialect: Dialect) -> tuple[str, list[int]]:
    try:
        text = dialect.chat_text(asked.turns)
    except Exception as error:
        roles = ", ".join(turn.role for turn in asked.turns)
        raise bad("messages", f"The model's chat template refuses the roles {roles}: {error}") from error
    return text, dialect.chat_ids(text)


def plain_prompt(prompt: Prompt, dialect: Dialect) -> tuple[str, list[int]]:
    if isinstance(prompt, str):
        return prompt, dialect.ids(prompt)
    known = [token for token in prompt if 0 <= token < 1 << 32]
    return dialect.tokens.decode(known, skip_special_tokens=False), list(prompt)


def room(asked: Asked, prompt: int, context: int, field: str) -> int:
    """How many tokens the answer may have: what was asked for, clipped to the context."""
    if prompt == 0:
        raise bad(field, f"{field} is empty: it has no tokens")
    wanted = asked.limits.max_tokens
    least = 0 if wanted == 0 else 1
    if prompt + least > context:
        raise bad(
            field,
            f"This model's maximum context length is {context} tokens, but {field} has {prompt} tokens"
            f"{'' if prompt > context else ', which leaves no room for an answer'}. Shorten {field}.",
            "context_length_exceeded",
        )
    left = context - prompt
    return left if wanted is None else min(wanted, left)


def wish_of(asked: Asked, speaker: Speaker, ids: list[int], max_tokens: int, choice: int) -> Wish:
    dialect, limits, sampler = speaker.dialect, asked.limits, asked.sampler
    ends = frozenset() if limits.ignore_eos else dialect.eos | (dialect.turn_ends if asked.is_chat else frozenset())
    if sampler.seed is not None and choice:
        # The choices of one request differ, and are the same again with the same seed.
        sampler = dataclasses.replace(sampler, seed=sampler.seed + choice)
    return Wish(
        prompt=ids,
        dialect=dialect,
        adapter=speaker.adapter,
        sampler=sampler,
        penalties=asked.penalties,
        max_tokens=max_tokens,
        min_tokens=limits.min_tokens,
        stops=limits.stops,
        stop_ids=ends | limits.stop_ids,
        top=asked.top,
        prompt_scores=asked.echo and asked.top is not None,
        grammar=None if asked.schema is None else speaker.grammar(asked.schema),
    )
