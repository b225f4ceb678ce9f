"""One forward over all rows of a step, and the news of each that comes of it."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

from clara_trainer.serve.attention import FlatBatch, Span
from clara_trainer.serve.base import Base
from clara_trainer.serve.kv_cache import KvCache
from clara_trainer.serve.lora import LoraState
from clara_trainer.serve.penalties import penalised
from clara_trainer.serve.row import Piece, Row
from clara_trainer.serve.sampling import TokenScore, draw, scores

Share = tuple[Row, int]
NO_NUMBERS = "The model gave no numbers (NaN or infinite): its weights or the adapter's are too large."


def read_logits(base: Base, lora: LoraState, cache: KvCache, rows: Sequence[Share]) -> Iterator[tuple[Row, Piece]]:
    """Reads each row's next tokens and writes a token for those that have read all; rows of one token come first."""
    import torch

    batch, ids, wanted = flat(cache, rows)
    device = base.model.device
    kept = torch.tensor(wanted, dtype=torch.long, device=device)
    lora.choose([(row.wish.adapter, count) for row, count in rows], kept, base.like)
    logits = base.logits(torch.tensor([ids], device=device), batch, kept)
    ready = []
    at = 0
    for row, count in rows:
        first, row.cached = row.cached, row.cached + count
        places = wanted_of(row, first, count)
        own = logits[at : at + len(places)]
        at += len(places)
        if row.wish.prompt_scores and first < len(row.wish.prompt) and not row.tokens:
            read_prompt(row, first, own)
        if row.cached == row.known:
            ready.append((row, own[-1]))
    yield from write(ready)


def flat(cache: KvCache, rows: Sequence[Share]) -> tuple[FlatBatch, list[int], list[int]]:
    """The batch, its tokens, and the places whose logits are wanted."""
    spans: list[Span] = []
    ids: list[int] = []
    wanted: list[int] = []
    for row, count in rows:
        begin = len(ids)
        spans.append(Span(row.slot, row.cached, begin, begin + count))
        ids += row.part(row.cached, row.cached + count)
        wanted += [begin + at for at in wanted_of(row, row.cached, count)]
    single = next((at for at, (_, count) in enumerate(rows) if count > 1), len(rows))
    return FlatBatch(cache, spans, single), ids, wanted


def wanted_of(row: Row, first: int, count: int) -> range:
    """Of its tokens in this step: all where the prompt is scored, else the very last."""
    if row.wish.prompt_scores and not row.tokens:
        return range(count)
    return range(count - 1, count) if first + count == row.known else range(0)


def read_prompt(row: Row, first: int, logits: Any) -> None:
    """The scores of the prompt's tokens after those just read."""
    following = row.wish.prompt[first + 1 : first + 1 + len(logits)]
    if following:
        row.prompt_scores += scores(logits[: len(following)], following, row.wish.top or 0)


def write(ready: Sequence[tuple[Row, Any]]) -> Iterator[tuple[Row, Piece]]:
    import torch

    for row, _ in ready:
        if row.wish.max_tokens == 0:
            yield row, row.only_prompt()
    asked = [(row, logits) for row, logits in ready if row.wish.max_tokens > 0]
    if not asked:
        return
    drawn = torch.stack([draw(changed(row, logits), row.wish.sampler, row.numbers) for row, logits in asked])
    # One look at the device for all rows.
    taken = torch.stack([logits.take(token) for (_, logits), token in zip(asked, drawn, strict=True)])
    for (row, logits), token, value in zip(asked, drawn.tolist(), taken.tolist(), strict=True):
        yield row, news(row, logits, token) if math.isfinite(value) else Piece(error=NO_NUMBERS)


def changed(row: Row, logits: Any) -> Any:
    """The logits that a token is drawn by: penalised, and without what must not come now."""
    logits = penalised(logits, row.wish.penalties, row.wish.prompt, row.tokens)
    if row.wish.stop_ids and len(row.tokens) < row.wish.min_tokens:
        logits = logits.clone()
        logits[list(row.wish.stop_ids)] = float("-inf")
    return logits if row.wish.grammar is None else row.wish.grammar.mask(logits)


def news(row: Row, logits: Any, token: int) -> Piece:
    """A fault here is the row's own."""
    try:
        score: TokenScore | None = None
        if row.wish.top is not None:
            score = scores(logits[None], [token], row.wish.top)[0]
        if row.wish.grammar is not None:
            row.wish.grammar.take(token)
        return row.take(token, score)
    except Exception as error:
        traceback.print_exc()
        return Piece(error=f"The answer failed: {str(error).strip() or type(error).__name__}")
