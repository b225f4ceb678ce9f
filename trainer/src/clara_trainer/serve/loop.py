"""The decode loop: a thread that makes one forward a step over all running rows; rows join and leave between steps."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from clara_trainer.failure import code_of
from clara_trainer.serve.base import Base
from clara_trainer.serve.kv_cache import KvCache
from clara_trainer.serve.lora import LoraState
from clara_trainer.serve.row import Piece, Row
from clara_trainer.serve.step import read_logits

# Prompt tokens read in a step, and in one of rows that write: these wait for it.
PROMPT_TOKENS = {"cpu": 256, "cuda": 4096}
PROMPT_TOKENS_BESIDE = {"cpu": 64, "cuda": 1024}
# Logits of a whole prompt are large: fewer at once.
SCORED_TOKENS = {"cpu": 64, "cuda": 512}


class Watcher(Protocol):
    def step(self, seconds: float, rows: int) -> None: ...
    def left(self, row: Row, piece: Piece) -> None: ...
    def gave_way(self) -> None: ...
    def news(self, row: Row, piece: Piece) -> None: ...


@dataclass
class Limits:
    rows: int
    kv_bytes: int | None
    threads: int


class Loop:
    """`submit`, `cancel` and `call` from any thread; a row's `tell` is called in the loop's own."""

    def __init__(self, base: Base, lora: LoraState, limits: Limits, watcher: Watcher) -> None:
        self.base = base
        self.lora = lora
        self.limits = limits
        self.watcher = watcher
        self.cache = KvCache(limits.kv_bytes, base.kv_sizes)
        self.waiting: deque[Row] = deque()
        self.running: list[Row] = []
        self.free = list(range(limits.rows))
        self.calls: deque[Callable[[], None]] = deque()
        self.turn = threading.Condition()
        self.stopping: str | None = None
        self.thread = threading.Thread(target=self.run, name="decode", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def submit(self, rows: list[Row]) -> None:
        with self.turn:
            if self.stopping is None:
                self.waiting.extend(rows)
                self.turn.notify()
                return
            reason = self.stopping
        for row in rows:
            row.tell(Piece(error=reason))

    def cancel(self, row: Row) -> None:
        with self.turn:
            row.gone = True
            self.turn.notify()

    def call(self, work: Callable[[], None]) -> None:
        """Between two steps, in the thread that computes."""
        with self.turn:
            self.calls.append(work)
            self.turn.notify()

    def stop(self, reason: str) -> None:
        """All answers end with this error, and the thread with them."""
        with self.turn:
            self.stopping = reason
            self.turn.notify()

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:
            # Then nothing can be computed any more: /health says so.
            traceback.print_exc()
            self.stop(f"The decode loop failed: {described(error)}")
        for row in [*self.running, *self.waiting]:
            row.tell(Piece(error=self.stopping))

    def work(self) -> None:
        import torch

        # Counts for the thread that says it.
        torch.set_num_threads(self.limits.threads)
        with torch.inference_mode():
            while self.stopping is None:
                self.between()
                if self.running:
                    self.step()
                else:
                    self.rest()

    def between(self) -> None:
        while self.calls:
            guarded(self.calls.popleft())
        for row in [row for row in self.running if row.gone]:
            self.leave(row)
        with self.turn:
            if any(row.gone for row in self.waiting):
                self.waiting = deque(row for row in self.waiting if not row.gone)
            while self.waiting and self.has_room(self.waiting[0]):
                self.join(self.waiting.popleft())

    def rest(self) -> None:
        self.lora.rest()
        self.cache.rest()
        with self.turn:
            while not (self.waiting or self.calls or self.stopping is not None):
                self.turn.wait()

    def has_room(self, row: Row) -> bool:
        if not self.free:
            return False
        if not self.running or self.cache.fits(self.free[0] + 1, row.known + 1):
            return True
        self.cache.tighten(self.highest(), max(one.known for one in self.running))
        return self.cache.fits(self.free[0] + 1, row.known + 1)

    def highest(self) -> int:
        """Slots up to the last that is taken."""
        return max((row.slot for row in self.running), default=-1) + 1

    def join(self, row: Row) -> None:
        # The lowest: a step attends over all slots between the rows.
        row.slot = self.free.pop(0)
        row.cached = 0
        row.started = row.started or time.monotonic()
        self.running.append(row)

    def leave(self, row: Row) -> None:
        self.running.remove(row)
        self.free = sorted([*self.free, row.slot])
        row.slot = -1

    def step(self) -> None:
        began = time.monotonic()
        rows = self.chosen()
        try:
            self.make_room(rows)
            self.forward(rows)
        except Exception as error:
            self.fail(rows, error)
        self.watcher.step(time.monotonic() - began, len(rows))

    def fail(self, rows: list[tuple[Row, int]], error: Exception) -> None:
        """All that were in the step end; the others read again what they had read."""
        traceback.print_exc()
        message = f"The answer failed: {described(error)}"
        for row in [row for row, _ in rows if row in self.running]:
            self.end(row, Piece(error=message))
        for row in self.running:
            row.cached = 0
        self.cache.drop()

    def chosen(self) -> list[tuple[Row, int]]:
        """Rows and how many tokens each reads in this step; first those that read just their newest."""
        steady = [(row, 1) for row in self.running if not row.is_reading]
        left = (PROMPT_TOKENS_BESIDE if steady else PROMPT_TOKENS)[self.base.device]
        reading = []
        for row in self.running:
            if row.is_reading and left > 0:
                most = SCORED_TOKENS[self.base.device] if row.wish.prompt_scores and not row.tokens else left
                count = min(row.known - row.cached, most, left)
                left -= count
                reading.append((row, count))
        return steady + reading

    def make_room(self, rows: list[tuple[Row, int]]) -> None:
        """When the memory for keys is used up the youngest rows wait again; what they wrote they read once more."""
        while True:
            need = max(row.cached + count for row, count in rows)
            if len(self.running) == 1 or self.cache.fits(self.highest(), need):
                self.cache.reserve(self.highest(), need)
                return
            youngest = self.running[-1]
            rows[:] = [one for one in rows if one[0] is not youngest]
            self.leave(youngest)
            youngest.restart()
            self.watcher.gave_way()
            with self.turn:
                self.waiting.appendleft(youngest)
            self.cache.resize(self.highest(), self.cache.capacity)
            if not rows:
                return

    def forward(self, rows: list[tuple[Row, int]]) -> None:
        if not rows:
            return
        for row, piece in read_logits(self.base, self.lora, self.cache, rows):
            if row.gone:
                continue
            if piece.error is not None:
                self.cache.clear(row.slot)
            if piece.finish is None and piece.error is None:
                self.tell(row, piece)
            else:
                self.end(row, piece)

    def end(self, row: Row, piece: Piece) -> None:
        self.leave(row)
        self.tell(row, piece)
        self.watcher.left(row, piece)

    def tell(self, row: Row, piece: Piece) -> None:
        self.watcher.news(row, piece)
        row.tell(piece)


def guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        traceback.print_exc()


def described(error: Exception) -> str:
    if code_of(error) == "out_of_memory":
        return "the memory was not enough; send fewer requests at once or shorter ones"
    return str(error).strip() or type(error).__name__
