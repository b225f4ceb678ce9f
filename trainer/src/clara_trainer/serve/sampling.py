"""The next token of a row: greedy or drawn, and what the model thought of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# A nucleus is looked for among so many tokens first: sorting a large vocabulary costs more than a step.
NUCLEUS = 1024


@dataclass(frozen=True)
class Sampler:
    """`top_k` 0: all. `seed` None: other answers each time."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None


@dataclass(frozen=True)
class TokenScore:
    """Natural logarithms, of the model itself (temperature 1); `top`: the likeliest tokens, best first."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()


def draw(logits: Any, sampler: Sampler, numbers: random.Random) -> Any:
    """Of one row (vocabulary,): a tensor of one token id."""
    if sampler.temperature == 0:
        return logits.argmax()
    scaled = logits / sampler.temperature
    chosen, places = candidates(scaled, sampler)
    weights = chosen.double().softmax(-1)
    if sampler.min_p > 0:
        weights = weights * (weights >= sampler.min_p * weights.max())
    sums = weights.cumsum(-1)
    # One number of the row's own generator: the same seed gives the same answer on every device.
    drawn = (sums < numbers.random() * sums[-1]).sum()
    return drawn if places is None else places[drawn]


def candidates(scaled: Any, sampler: Sampler) -> tuple[Any, Any]:
    """The logits that may be drawn, and their places; None: in their own order."""
    vocabulary = scaled.shape[-1]
    if 0 < sampler.top_k < vocabulary:
        values, places = scaled.topk(sampler.top_k)
    elif sampler.top_p < 1:
        values, places = nucleus_candidates(scaled, sampler.top_p)
    else:
        return scaled, None
    if sampler.top_p < 1:
        # Shares are those among all tokens, as top_k has left them.
        shares = values.double().softmax(-1) if sampler.top_k else shares_of(values, scaled)
        kept = max(1, int((shares.cumsum(-1) - shares < sampler.top_p).sum()))
        values, places = values[:kept], places[:kept]
    return values, places


def nucleus_candidates(scaled: Any, top_p: float) -> tuple[Any, Any]:
    values, places = scaled.topk(min(NUCLEUS, scaled.shape[-1]))
    if float(shares_of(values, scaled).sum()) < top_p:
        values, places = scaled.sort(descending=True)
    return values, places


def shares_of(values: Any, scaled: Any) -> Any:
    return (values.double() - scaled.double().logsumexp(-1)).exp()


def scores(logits: Any, tokens: Sequence[int], top: int) -> list[TokenScore]:
    """Of rows (n, vocabulary) and the tokens that were taken there."""
    import torch

    logprobs = logits.log_softmax(-1)
    taken = logprobs.gather(1, torch.tensor(tokens, device=logits.device)[:, None])[:, 0].tolist()
    if not top:
        return [TokenScore(token, value) for token, value in zip(tokens, taken, strict=True)]
    best = logprobs.topk(min(top, logprobs.shape[-1]))
    rows = zip(tokens, taken, best.indices.tolist(), best.values.tolist(), strict=True)
    return [TokenScore(token, value, tuple(zip(places, values, strict=True))) for token, value, places, values in rows]
