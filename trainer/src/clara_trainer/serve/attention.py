"""Attention of a flat batch: the new tokens of all rows stand one after another, each row sees its own past.

Registered with transformers as the attention ``clara``; the batch comes through the keyword arguments of the forward.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clara_trainer.serve.kv_cache import KvCache

NAME = "clara"
ARGUMENT = "clara_batch"
# A call for a row alone costs about as much as attending this many positions.
CALL_TOKENS = 192


@dataclass
class Span:
    """New tokens of a row: flat places [begin, end), positions from `start` on, in a slot of the cache."""

    slot: int
    start: int
    begin: int
    end: int

    @property
    def length(self) -> int:
        """Of the row, with the new tokens."""
        return self.start + self.end - self.begin


@dataclass
class FlatBatch:
    """`single`: the first spans, of one token each; `joint` of them share a call. Tensors serve all layers."""

    cache: KvCache
    spans: list[Span]
    single: int
    slots: Any = None
    positions: Any = None
    joint: int = 0
    masks: dict[tuple[int, int | None], Any] = field(default_factory=dict)

    def prepare(self, device: Any) -> None:
        import torch

        flat = [(span.slot, span.start + at) for span in self.spans for at in range(span.end - span.begin)]
        self.slots, self.positions = torch.tensor(flat, device=device).unbind(1)
        self.joint = self.single if self.is_joint() else 0

    def is_joint(self) -> bool:
        """Whether one call over all slots between the rows is cheaper than a call for each row."""
        rows = self.spans[: self.single]
        if len(rows) < 2:
            return False
        slots = [span.slot for span in rows]
        area = (max(slots) + 1 - min(slots)) * max(span.length for span in rows)
        return area <= sum(span.length + CALL_TOKENS for span in rows)


def attend(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **more: Any) -> tuple[Any, None]:
    """query (1, heads, tokens, width), key and value (1, kv heads, tokens, width) -> (1, tokens, heads, width)."""
    batch: FlatBatch = more[ARGUMENT]
    keys, values = batch.cache.layer(module.layer_idx, key, value)
    keys[batch.slots, :, batch.positions] = key[0].transpose(0, 1)
    values[batch.slots, :, batch.positions] = value[0].transpose(0, 1)
    window = more.get("sliding_window")
    call = Call(keys, values, more.get("scaling"), window, batch.masks)
    out = query.new_empty((1, query.shape[2], query.shape[1], values.shape[3]))
    together = batch.joint
    if together:
        out[0, :together] = call.joint(query[0, :, :together].transpose(0, 1), batch.spans[:together])
    for span in batch.spans[together:]:
        out[0, span.begin : span.end] = call.row(query[:, :, span.begin : span.end], span)[0].transpose(0, 1)
    return out, None


@dataclass
class Call:
    keys: Any
    values: Any
    scaling: float | None
    window: int | None
    masks: dict[tuple[int, int | None], Any]

    def joint(self, query: Any, spans: list[Span]) -> Any:
        """(rows, heads, width) of one token each -> the same shape."""
        import torch

        first, last = min(span.slot for span in spans), max(span.slot for span in spans) + 1
        longest = max(span.length for span in spans)
        key = (-1, self.window)
        if key not in self.masks:
            self.masks[key] = joint_mask(spans, (first, last, longest), self.window, query.device)
        places, mask = self.masks[key]
        heads, width = query.shape[1:]
        kv_heads = self.keys.shape[1]
        full = query.new_zeros((last - first, heads, width))
        full[places] = query
        # Heads that share keys stand in the place of queries: nothing is copied.
        grouped = full.view(last - first, kv_heads, heads // kv_heads, width)
        out = torch.nn.functional.scaled_dot_product_attention(
            grouped,
            self.keys[first:last, :, :longest],
            self.values[first:last, :, :longest],
            attn_mask=mask,
            scale=self.scaling,
        )
        return out.reshape(last - first, heads, -1)[places]

    def row(self, query: Any, span: Span) -> Any:
        """(1, heads, tokens, width) -> the same shape."""
        import torch

        _, heads, tokens, width = query.shape
        # What has left the window of the first new token is left out.
        low = 0 if self.window is None else max(0, span.start + 1 - self.window)
        keys = self.keys[span.slot : span.slot + 1, :, low : span.length]
        values = self.values[span.slot : span.slot + 1, :, low : span.length]
        kv_heads = keys.shape[1]
        attention = torch.nn.functional.scaled_dot_product_attention
        if tokens == 1:
            grouped = query.view(1, kv_heads, heads // kv_heads, width)
            return attention(grouped, keys, values, scale=self.scaling).view(1, heads, 1, -1)
        keys, values = (part.repeat_interleave(heads // kv_heads, dim=1) for part in (keys, values))
        if span.start == 0 and (self.window is None or tokens <= self.window):
            return attention(query, keys, values, is_causal=True, scale=self.scaling)
        mask = self.masks.get((span.begin, self.window))
        if mask is None:
            mask = self.masks[(span.begin, self.window)] = row_mask(span, low, self.window, query.device)
        return attention(query, keys, values, attn_mask=mask, scale=self.scaling)


def joint_mask(spans: list[Span], area: tuple[int, int, int], window: int | None, device: Any) -> tuple[Any, Any]:
    """Places of the rows among the slots, and what each slot sees (slots, 1, 1, positions); an empty one its first."""
    import torch

    first, last, longest = area
    places = torch.tensor([span.slot - first for span in spans], device=device)
    ends = torch.ones(last - first, dtype=torch.long, device=device)
    ends[places] = torch.tensor([span.length for span in spans], device=device)
    positions = torch.arange(longest, device=device)
    mask = positions < ends[:, None]
    if window is not None:
        mask &= positions >= ends[:, None] - window
    return places, mask[:, None, None]


def row_mask(span: Span, low: int, window: int | None, device: Any) -> Any:
    """(tokens, positions from `low` on)."""
    import torch

    own = torch.arange(span.start, span.length, device=device)[:, None]
    seen = torch.arange(low, span.length, device=device)
    mask = seen <= own
    return mask if window is None else mask & (seen > own - window)


def register() -> None:
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
