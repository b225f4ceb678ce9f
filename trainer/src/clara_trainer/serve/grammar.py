"""JSON mode: llguidance says which tokens may come next."""

from __future__ import annotations

import json
from typing import Any

from clara_trainer.serve.dialect import Dialect
from clara_trainer.serve.problem import bad

# Free spacing lets a small model write nothing but spaces.
SPACING: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class Grammar:
    """Of one row."""

    def __init__(self, tokenizer: Any, schema: dict[str, Any]) -> None:
        from llguidance import LLMatcher

        try:
            written = LLMatcher.grammar_from_json_schema(json.dumps(schema), defaults=SPACING)
            self.matcher = LLMatcher(tokenizer, written)
        except Exception as error:
            raise bad("response_format", f"The JSON schema cannot be kept to: {error}") from error
        problem = self.matcher.get_error()
        if problem:
            raise bad("response_format", f"The JSON schema cannot be kept to: {problem}")

    def mask(self, logits: Any) -> Any:
        """Of one row (vocabulary,): what the grammar forbids is minus infinity."""
        import numpy as np
        import torch

        # A byte for each token, more than 0 where it is allowed.
        allowed = np.frombuffer(self.matcher.compute_logit_bias(), dtype=np.uint8)[: logits.shape[-1]] > 0
        kept = torch.zeros(logits.shape[-1], dtype=torch.bool)
        kept[: len(allowed)] = torch.from_numpy(allowed)
        return logits.masked_fill(~kept.to(logits.device), float("-inf"))

    def take(self, token: int) -> None:
        self.matcher.consume_token(token)

    def is_done(self) -> bool:
        return bool(self.matcher.is_stopped())


def grammar_tokenizer(dialect: Dialect, vocabulary: int) -> Any:
    """Slow to make: once for a tokenizer."""
    import llguidance.hf

    ends = sorted(dialect.eos | dialect.turn_ends)
    return llguidance.hf.from_tokenizer(dialect.tokenizer, n_vocab=vocabulary, eos_token=ends)
