"""Wishes to end the training: SIGTERM, the file stop.json, a job that nobody watches any more."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from clara_trainer.events import EventLog
from clara_trainer.failure import peer_failure

REASONS = ("cancel", "pause", "shutdown", "time_limit")
CHECKPOINT = "checkpoint-"


class StopWish:
    """Outside the training loop a wish ends the process at once; inside it is noted, and the step is finished."""

    def __init__(self, run: Path, events: EventLog) -> None:
        self._run = run
        self._events = events
        self._in_loop = False
        self._signalled = False
        self._finished = False
        self._orphan_seconds: float | None = None
        signal.signal(signal.SIGTERM, self._on_signal)

    def watch_heartbeat(self, orphan_seconds: float | None) -> None:
        self._orphan_seconds = orphan_seconds

    def end_if_already_wished(self) -> None:
        """For a wish that came before the handler was there."""
        if (self._run / "stop.json").exists():
            self.end_now()

    def enter_loop(self) -> None:
        self.end_if_already_wished()
        self._in_loop = True

    def leave_loop(self) -> None:
        """Then saving begins; a wish that came meanwhile ends the process here, after its checkpoint."""
        self._in_loop = False
        if self._signalled:
            self.end_now()

    def finish(self) -> None:
        """The adapter is complete on disk: a wish to stop comes too late."""
        self._finished = True

    def is_wished(self) -> bool:
        return self._signalled or self._is_orphan()

    def end_now(self) -> NoReturn:
        failure = peer_failure(self._run)
        if failure:
            # torchrun ends the other ranks by SIGTERM when one has failed: that is no wish to stop.
            self._events.release_reserve()
            self._events.append("failed", failure)
            os._exit(1)
        checkpoint = self.newest_checkpoint()
        step = int(checkpoint.rpartition("-")[2]) if checkpoint else None
        self._events.append("stopped", {"reason": self.reason(), "checkpoint": checkpoint}, step=step)
        self._events.release_reserve()
        # Threads of the libraries may be anywhere; nothing of this process is needed any more.
        os._exit(0)

    def reason(self) -> str:
        try:
            named = json.loads((self._run / "stop.json").read_text()).get("reason")
        except (OSError, ValueError, AttributeError):
            named = None
        if named in REASONS:
            return str(named)
        return "orphan" if self._is_orphan() else "signal"

    def newest_checkpoint(self) -> str | None:
        """Relative to the run folder; only folders that a `checkpoint` event could have named."""
        complete = [path.parent for path in (self._run / "checkpoints").glob(f"{CHECKPOINT}*/clara_state.json")]
        if not complete:
            return None
        newest = max(complete, key=lambda path: int(path.name.removeprefix(CHECKPOINT)))
        return str(newest.relative_to(self._run))

    def _is_orphan(self) -> bool:
        if self._orphan_seconds is None:
            return False
        try:
            beat = (self._run.parent / "heartbeat").stat().st_mtime
        except OSError:
            return False
        return time.time() - beat > self._orphan_seconds

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True
        if not self._in_loop and not self._finished:
            self.end_now()
