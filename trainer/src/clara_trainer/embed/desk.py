"""Requests that wait for their turn: questions first, then passages, each batch by batch."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from clara_trainer.embed.encoder import Encoder
from clara_trainer.embed.windows import Window, batches_of

Use = Literal["query", "passage"]
URGENCY: dict[Use, int] = {"query": 0, "passage": 1}


@dataclass
class Sizes:
    """Of one step; a question waits for no longer than one. On a CPU larger ones are hardly faster."""

    windows: int = 8
    tokens: int = 4096

    @staticmethod
    def on(device: str) -> Sizes:
        return Sizes(windows=64, tokens=32_768) if device == "cuda" else Sizes()


@dataclass
class Job:
    id: int
    use: Use
    texts: Sequence[str]
    sums: Any = None
    batches: list[list[Window]] | None = None

    def step(self, encoder: Encoder, prefix: str, sizes: Sizes) -> bool:
        """Embeds the next batch; whether it was the last."""
        import numpy as np

        if self.batches is None:
            # The longest batch is taken from the end.
            self.batches = batches_of(encoder.windows(self.texts, prefix), sizes.windows, sizes.tokens)[::-1]
        if self.batches:
            batch = self.batches.pop()
            vectors = encoder.vectors(batch)
            if self.sums is None:
                self.sums = np.zeros((len(self.texts), vectors.shape[1]), dtype=np.float32)
            for window, vector in zip(batch, vectors, strict=True):
                self.sums[window.text] += window.weight * vector
        return not self.batches

    def vectors(self) -> Any:
        """Float32 array of unit vectors (texts, dimension)."""
        import numpy as np

        lengths = np.linalg.norm(self.sums, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths)) or not np.all(lengths > 0):
            raise ValueError("the model gave a vector without a direction (zero or not a number)")
        return self.sums / lengths


@dataclass
class Desk:
    waiting: list[tuple[int, int, Job]] = field(default_factory=list)
    cancelled: set[int] = field(default_factory=set)
    turn: threading.Condition = field(default_factory=threading.Condition)

    def put(self, job: Job) -> None:
        with self.turn:
            heapq.heappush(self.waiting, (URGENCY[job.use], job.id, job))
            self.turn.notify()

    def take(self) -> Job:
        """The most urgent; blocks until there is one."""
        with self.turn:
            while True:
                while not self.waiting:
                    self.turn.wait()
                job = heapq.heappop(self.waiting)[2]
                if job.id not in self.cancelled:
                    return job
                self.cancelled.discard(job.id)

    def cancel(self, job: int) -> None:
        with self.turn:
            self.cancelled.add(job)

    def forget(self, job: int) -> None:
        with self.turn:
            self.cancelled.discard(job)
