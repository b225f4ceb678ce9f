"""What a row wants changed in the logits before a token is drawn: OpenAI's penalties and biases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Penalties:
    """`presence` once and `frequency` each time for a token that was written; `repetition` divides, prompt included."""

    presence: float = 0.0
    frequency: float = 0.0
    repetition: float = 1.0
    bias: Mapping[int, float] = field(default_factory=dict)

    @property
    def is_none(self) -> bool:
        return not (self.presence or self.frequency or self.bias) and self.repetition == 1


NO_PENALTIES = Penalties()


def penalised(logits: Any, penalties: Penalties, prompt: Sequence[int], written: Sequence[int]) -> Any:
    """Of one row (vocabulary,); formulas as in OpenAI's API reference, repetition as in CTRL (Keskar et al., 2019)."""
    import torch

    if penalties.is_none:
        return logits
    logits = logits.clone()
    if penalties.repetition != 1:
        seen = torch.tensor(sorted({*prompt, *written}), device=logits.device)
        old = logits[seen]
        logits[seen] = torch.where(old > 0, old / penalties.repetition, old * penalties.repetition)
    if written and (penalties.presence or penalties.frequency):
        counts = torch.bincount(torch.tensor(written), minlength=len(logits)).to(logits)
        logits -= penalties.frequency * counts + penalties.presence * (counts > 0)
    for token, bias in penalties.bias.items():
        logits[token] += bias
    return logits
