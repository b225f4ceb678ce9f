"""A worker that embeds, as the tests start it and speak with it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import Any, cast

import numpy as np
from runs import environment

TEXT = "die behörde kann den bescheid zurücknehmen"
Vectors = np.ndarray[Any, np.dtype[np.float32]]


def vectors_of(answer: dict[str, Any], count: int) -> Vectors:
    return np.frombuffer(base64.b64decode(answer["vectors"]), dtype="<f4").reshape(count, -1)


class Client:
    """Starts a worker and speaks with it."""

    def __init__(self, model: str, *arguments: str, **more: str) -> None:
        command = [sys.executable, "-m", "clara_trainer.embed", f"--model={model}", *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, env=environment(**more), stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        self.last = 0

    def send(self, **message: Any) -> int:
        assert self.process.stdin
        self.last += 1
        self.process.stdin.write(json.dumps({"id": self.last, **message}) + "\n")
        self.process.stdin.flush()
        return self.last

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        return cast(dict[str, Any], json.loads(self.process.stdout.readline()))

    def answer(self) -> dict[str, Any]:
        """The next that is no sign of life."""
        return next(message for message in iter(self.hear, None) if "alive" not in message)

    def embed(self, texts: list[str], use: str = "passage") -> Vectors:
        self.send(**{"embed": texts, "as": use})
        return vectors_of(self.answer(), len(texts))

    def count(self, texts: list[str]) -> list[int]:
        self.send(count=texts)
        return cast(list[int], self.answer()["counts"])

    def close(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(timeout=10)
