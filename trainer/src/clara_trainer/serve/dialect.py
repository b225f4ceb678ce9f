"""How a model is spoken to: its tokenizer, its chat template, and the tokens that end an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clara_trainer.data.encode import SHIPPED_TEMPLATE, render, without_system
from clara_trainer.data.example import Turn
from clara_trainer.serve.vocabulary import Vocabulary

TEMPLATE_FILE = "chat_template.jinja"
MARK = "xyzzy"


@dataclass
class Dialect:
    """`tokens`: the tokenizer of the tokenizers library; threads share it, nothing may change its settings."""

    tokenizer: Any
    tokens: Any
    eos: frozenset[int]
    turn_ends: frozenset[int]
    vocabulary: Vocabulary

    def ids(self, text: str) -> list[int]:
        """Of a plain text, with the marks that the tokenizer puts before it."""
        return list(self.tokens.encode(text).ids)

    def chat_text(self, turns: Sequence[Turn]) -> str:
        """Rendered as in training. @throws the template's own error when it refuses the roles."""
        try:
            return render(self.tokenizer, tuple(turns), ask=True)
        except Exception:
            changed = without_system(tuple(turns))
            if changed == tuple(turns):
                raise
            return render(self.tokenizer, changed, ask=True)

    def chat_ids(self, text: str) -> list[int]:
        return list(self.tokens.encode(text, add_special_tokens=False).ids)


def load_dialect(folder: Path, base: Dialect | None, eos: frozenset[int]) -> Dialect:
    """Of a model's or an adapter's folder; what an adapter brings not of its own is its base's. @throws ValueError"""
    template = folder / TEMPLATE_FILE
    if not (folder / "tokenizer_config.json").is_file() and not (folder / "tokenizer.json").is_file():
        if base is None:
            raise ValueError(f"{folder.name} has no tokenizer (tokenizer.json)")
        return with_template(base, template.read_text(encoding="utf-8")) if template.is_file() else base
    tokenizer = load_tokenizer(folder)
    if tokenizer.chat_template is None and base is not None:
        tokenizer.chat_template = base.tokenizer.chat_template
    return dialect_of(tokenizer, eos)


def load_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"the tokenizer cannot be loaded: {first}") from error
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError("there is no fast tokenizer (tokenizer.json); save one with transformers")
    return tokenizer


def with_template(base: Dialect, template: str) -> Dialect:
    import copy

    tokenizer = copy.deepcopy(base.tokenizer)
    tokenizer.chat_template = template
    return dialect_of(tokenizer, base.eos)


def dialect_of(tokenizer: Any, eos: frozenset[int]) -> Dialect:
    if tokenizer.chat_template is None:
        tokenizer.chat_template = SHIPPED_TEMPLATE.read_text(encoding="utf-8")
    tokens = tokenizer.backend_tokenizer
    tokens.no_truncation()
    tokens.no_padding()
    own = frozenset() if tokenizer.eos_token_id is None else frozenset({int(tokenizer.eos_token_id)})
    return Dialect(tokenizer, tokens, eos | own, turn_ends(tokenizer), Vocabulary(tokens))


def turn_ends(tokenizer: Any) -> frozenset[int]:
    """The special token that the template writes after an answer, such as <end_of_turn>."""
    try:
        text = render(tokenizer, (Turn("user", "a"), Turn("assistant", MARK)))
    except Exception:
        return frozenset()
    after = tokenizer(text.rpartition(MARK)[2], add_special_tokens=False)["input_ids"]
    return frozenset(after[:1]) & frozenset(tokenizer.all_special_ids)
