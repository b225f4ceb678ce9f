"""A process that the application holds by its input and output: JSON lines out, and an end with the input."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

Say = Callable[[dict[str, Any]], None]


class Output:
    """The answers' stream for itself: what a library prints goes to the log."""

    def __init__(self) -> None:
        self.stream = os.fdopen(os.dup(1), "wb", buffering=0)
        self.lock = threading.Lock()
        os.dup2(2, 1)

    def say(self, message: dict[str, Any]) -> None:
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self.lock:
            view = memoryview(line)
            while view:
                view = view[self.stream.write(view) :]


def end_with_input(status: int) -> None:
    """The parent holds the other end: without it nobody can ask any more."""

    def watch() -> None:
        try:
            while sys.stdin.buffer.read(4096):
                pass
        finally:
            os._exit(status)

    threading.Thread(target=watch, daemon=True).start()


def leave(status: int) -> None:
    """The thread that reads standard input cannot be ended, and an orderly exit would abort because of it."""
    sys.stderr.flush()
    os._exit(status)
