"""LoRA of many adapters in one forward: the pairs of all active adapters side by side, each token sees its own columns.

A flat batch of T tokens over adapters of rank r1, r2, … costs two products a layer, (T, in) x (in, r1 + r2 + …) and
back; what is not a token's own is masked out between them. Batches without an adapter take the base's own path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from clara_trainer.serve.adapter_files import Pair, Weights

Pairs = dict[str, Pair]
SPARE = 2


@dataclass(eq=False)
class Adapter:
    name: str
    path: str
    weights: Weights

    @property
    def rank(self) -> int:
        return self.weights.rank

    @property
    def pairs(self) -> Pairs:
        return self.weights.pairs


class Stack:
    """Adapters side by side: columns [offset, offset + rank). One that is not used stays until its place is needed."""

    def __init__(self) -> None:
        self.members: dict[Adapter, int] = {}
        self.columns = 0
        self.room = 0
        self.slabs: Pairs = {}

    def hold(self, adapters: Sequence[Adapter]) -> None:
        new = [adapter for adapter in adapters if adapter not in self.members]
        if not new:
            return
        modules = {module for adapter in new for module in adapter.pairs}
        if self.columns + sum(adapter.rank for adapter in new) > self.room or not modules <= self.slabs.keys():
            self.rebuild(adapters)
            new = list(adapters)
        for adapter in new:
            self.add(adapter)

    def rebuild(self, adapters: Sequence[Adapter]) -> None:
        modules = self.slabs.keys() | {module for adapter in adapters for module in adapter.pairs}
        self.room = SPARE * sum(adapter.rank for adapter in adapters)
        self.members, self.columns, self.slabs = {}, 0, {}
        for module in modules:
            found = next((adapter.pairs[module] for adapter in adapters if module in adapter.pairs), None)
            if found is not None:
                self.slabs[module] = Pair(*(part.new_zeros((self.room, part.shape[1])) for part in (found.a, found.b)))

    def add(self, adapter: Adapter) -> None:
        begin, end = self.columns, self.columns + adapter.rank
        for module, pair in adapter.pairs.items():
            slab = self.slabs[module]
            slab.a[begin:end], slab.b[begin:end] = pair.a, pair.b
        self.members[adapter], self.columns = begin, end


class LoraState:
    """What the patched layers add in the running forward; set once a step."""

    def __init__(self) -> None:
        self.stack = Stack()
        self.pairs: Pairs | None = None
        self.columns = 0
        self.mask: Any = None
        self.kept: Any = None

    def rest(self) -> None:
        """Without rows: the memory goes back, and with it adapters that were unloaded."""
        self.stack = Stack()
        self.pairs = None

    def choose(self, tokens: Sequence[tuple[Adapter | None, int]], kept: Any, like: Any) -> None:
        """`tokens`: adapter and number of tokens, row by row in the flat batch; `kept`: places that get logits."""
        active = distinct(adapter for adapter, _ in tokens)
        self.mask, self.kept = None, kept
        if not active:
            self.pairs = None
            return
        if len(active) == 1:
            only = active[0]
            self.pairs, self.columns, offsets = only.pairs, only.rank, {only: 0}
        else:
            self.stack.hold(active)
            self.pairs, self.columns, offsets = self.stack.slabs, self.stack.columns, self.stack.members
        if len(active) > 1 or any(adapter is None for adapter, _ in tokens):
            self.mask = mask_of(tokens, offsets, self.columns, like)


def distinct(adapters: Iterable[Adapter | None]) -> list[Adapter]:
    return list(dict.fromkeys(adapter for adapter in adapters if adapter is not None))


def mask_of(tokens: Sequence[tuple[Adapter | None, int]], offsets: dict[Adapter, int], columns: int, like: Any) -> Any:
    """(tokens, columns) of ones where the columns are of the token's own adapter."""
    import torch

    mask = torch.zeros((sum(count for _, count in tokens), columns), dtype=like.dtype)
    at = 0
    for adapter, count in tokens:
        if adapter is not None:
            begin = offsets[adapter]
            mask[at : at + count, begin : begin + adapter.rank] = 1
        at += count
    return mask.to(like.device)


def patch(model: Any) -> tuple[LoraState, dict[str, Any]]:
    """Lets every linear layer of the model add the state's LoRA; returns the layers by name."""
    import torch

    state = LoraState()
    linears = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    for name, linear in linears.items():
        # Weights of a quantised layer are packed; LoRA is computed in the model's own type.
        packed = not linear.weight.is_floating_point()
        linear.lora_like = linear.weight.new_empty(0, dtype=model.dtype) if packed else linear.weight[:0]
        linear.forward = patched(linear.forward, name, state)
    return state, linears


def patched(base: Any, name: str, state: LoraState) -> Any:
    def forward(x: Any) -> Any:
        out = base(x)
        pair = state.pairs.get(name) if state.pairs is not None else None
        if pair is None:
            return out
        flat = x.reshape(-1, x.shape[-1])
        inner = flat @ pair.a[: state.columns].T
        if state.mask is not None:
            # The head sees only the tokens whose logits are wanted.
            inner *= state.mask if len(inner) == len(state.mask) else state.mask[state.kept]
        out.view(-1, out.shape[-1]).addmm_(inner, pair.b[: state.columns])
        return out

    return forward
