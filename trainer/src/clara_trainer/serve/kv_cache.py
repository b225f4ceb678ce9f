"""Keys and values of all rows: a pair of slabs a layer, (slot, head, position, width); each row has a slot."""

from __future__ import annotations

from typing import Any

BLOCK = 256
LARGEST_IDLE = 2048


def rounded(tokens: int) -> int:
    return -(-tokens // BLOCK) * BLOCK


class KvCache:
    """Grows by what the rows need; every slot has room for the longest row. `budget`: bytes, None for no limit."""

    def __init__(self, budget: int | None = None, sizes: dict[int, int] | None = None) -> None:
        self.budget = budget
        # Bytes of one position, by layer.
        self.sizes = dict(sizes or {})
        self.slots = 0
        self.capacity = 0
        self.layers: dict[int, tuple[Any, Any]] = {}

    @property
    def token_bytes(self) -> int:
        return sum(self.sizes.values())

    @property
    def bytes(self) -> int:
        return self.slots * self.capacity * self.token_bytes

    def fits(self, slots: int, tokens: int) -> bool:
        wanted = max(slots, self.slots) * max(rounded(tokens), self.capacity) * self.token_bytes
        return self.budget is None or wanted <= self.budget

    def reserve(self, slots: int, tokens: int) -> None:
        """Room for these; what is stored stays. Grows by half at once where the budget allows, to copy seldom."""
        slots = max(self.slots, slots)
        capacity = max(self.capacity, rounded(tokens))
        if capacity > self.capacity > 0 and self.fits(slots, self.capacity * 3 // 2):
            capacity = max(capacity, rounded(self.capacity * 3 // 2))
        self.resize(slots, capacity)

    def resize(self, slots: int, capacity: int) -> None:
        if (slots, capacity) == (self.slots, self.capacity):
            return
        self.slots, self.capacity = slots, capacity
        for index in list(self.layers):
            # Layer by layer: the old and the new are never both there for all.
            self.layers[index] = (self.moved(self.layers[index][0]), self.moved(self.layers[index][1]))

    def moved(self, old: Any) -> Any:
        new = self.empty(old)
        slots, capacity = min(len(old), self.slots), min(old.shape[2], self.capacity)
        new[:slots, :, :capacity] = old[:slots, :, :capacity]
        return new

    def tighten(self, slots: int, tokens: int) -> None:
        """Gives back what these do not need, where it is much."""
        if 2 * slots * rounded(tokens) <= self.slots * self.capacity:
            self.resize(slots, rounded(tokens))

    def layer(self, index: int, key: Any, value: Any) -> tuple[Any, Any]:
        """The slabs of a layer, made at its first use in the shape of what is to be stored."""
        found = self.layers.get(index)
        if found is None:
            found = self.layers[index] = (self.empty(key), self.empty(value))
            self.sizes[index] = (key[0, :, 0].numel() + value[0, :, 0].numel()) * key.element_size()
        return found

    def empty(self, like: Any) -> Any:
        # Zeros: what is masked must still be a number.
        return like.new_zeros((self.slots, like.shape[1], self.capacity, like.shape[3]))

    def clear(self, slot: int) -> None:
        """After a row whose keys were no numbers."""
        for keys, values in self.layers.values():
            keys[slot], values[slot] = 0, 0

    def drop(self) -> None:
        self.layers.clear()
        self.capacity = self.slots = 0

    def rest(self) -> None:
        """Without rows: gives a large slab back."""
        if self.capacity > LARGEST_IDLE:
            self.drop()
