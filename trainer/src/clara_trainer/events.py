"""The worker's side of events.jsonl: whole lines, numbered from 1, in one write each."""

from __future__ import annotations

import errno
import json
import logging
import math
import os
import signal
from pathlib import Path
from typing import Any

from clara_trainer.failure import TrainingError
from clara_trainer.launch import now

log = logging.getLogger("clara")
# Freed before the last words, so that they fit on a disk that the training has filled.
RESERVE_BYTES = 16 * 1024


def finite(value: Any) -> Any:
    """JSON has no NaN: what is not finite becomes null."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class EventLog:
    """Written by rank 0 alone; on the other ranks it says nothing."""

    def __init__(self, run: Path, rank: int) -> None:
        self._number = 0
        self._descriptor: int | None = None
        self._reserve = run / ".reserve"
        if rank != 0:
            return
        path = run / "events.jsonl"
        if path.exists() and path.stat().st_size > 0:
            raise TrainingError("internal", f"{path} already holds a training: give each attempt its own folder")
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def keep_reserve(self) -> None:
        if self._descriptor is not None:
            self._reserve.write_bytes(b"\0" * RESERVE_BYTES)

    def release_reserve(self) -> None:
        self._reserve.unlink(missing_ok=True)

    def append(self, kind: str, data: object, step: int | None = None) -> None:
        if self._descriptor is None:
            return
        # The handler of SIGTERM also appends; it must not come between the number and its line.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            self._write(kind, data, step, self._descriptor)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        if kind not in ("finished", "failed", "started"):
            log.info("%s%s %s", kind, "" if step is None else f" {step}", json.dumps(finite(data)))

    def _write(self, kind: str, data: object, step: int | None, descriptor: int) -> None:
        event = {"n": self._number + 1, "time": now(), "type": kind, "step": step, "data": finite(data)}
        line = (json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n").encode()
        size = os.fstat(descriptor).st_size
        written = os.write(descriptor, line)
        if written < len(line):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, "events.jsonl could not be written", "events.jsonl")
        self._number += 1
