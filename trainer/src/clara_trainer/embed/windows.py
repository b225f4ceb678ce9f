"""Texts of any length as windows that the model takes; nothing is cut. Pure, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Window:
    text: int
    """Position of its text in the request."""
    ids: list[int]
    """Prefix and special tokens included."""
    weight: int
    """Tokens of the text itself, at least 1: its share in the text's vector."""


@dataclass(frozen=True)
class Frame:
    """What stands around every window, and how long one may be."""

    left: list[int]
    right: list[int]
    prefix: list[int]
    max_tokens: int

    @property
    def room(self) -> int:
        return self.max_tokens - len(self.left) - len(self.right) - len(self.prefix)


def windows_of(text: int, ids: Sequence[int], frame: Frame) -> list[Window]:
    """
    `ids` are the tokens of prefix and text, encoded together as the model was trained. Windows of one text are equally
    long but for one token, so that no small remainder stands alone, and each begins with the prefix.
    """
    start = common(frame.prefix, ids)
    prefix, body = list(ids[:start]), ids[start:]
    parts = max(1, -(-len(body) // max(1, frame.room)))
    bounds = [len(body) * part // parts for part in range(parts + 1)]
    return [
        Window(text, [*frame.left, *prefix, *body[begin:end], *frame.right], max(1, end - begin))
        for begin, end in pairwise(bounds)
    ]


def common(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the common beginning: the last token of a prefix may have grown together with the text."""
    length = min(len(a), len(b))
    return next((index for index in range(length) if a[index] != b[index]), length)


def batches_of(windows: Sequence[Window], most_windows: int, most_tokens: int) -> list[list[Window]]:
    """Sorted by length, the longest first, so that little is padded and a lack of memory shows at once."""
    batches: list[list[Window]] = []
    for window in sorted(windows, key=lambda each: len(each.ids), reverse=True):
        batch = batches[-1] if batches else None
        fits = batch and len(batch) < most_windows and (len(batch) + 1) * len(batch[0].ids) <= most_tokens
        if batch and fits:
            batch.append(window)
        else:
            batches.append([window])
    return batches
