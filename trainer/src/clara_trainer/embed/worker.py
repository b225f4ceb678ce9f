"""
Requests and answers as JSON lines over standard input and output.

To it:    ``{"id", "embed": [text…], "as": "query"|"passage"}``  ``{"id", "count": [text…]}``  ``{"cancel": id}``
From it:  ``{"state": "downloading"}``  ``{"ready": {name, dimension, max_tokens, …}}``  ``{"failed": {code, message}}``
          ``{"id", "vectors": base64 of float32, little endian, text after text}``  ``{"id", "counts": [number…]}``
          ``{"id", "alive": true}`` after each batch  ``{"id", "error": message}``
It ends when its input does: with the process that started it.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, cast

from clara_trainer.child import Say
from clara_trainer.embed.desk import Desk, Job, Sizes, Use
from clara_trainer.embed.encoder import Encoder
from clara_trainer.failure import code_of


class Worker:
    def __init__(self, say: Say, prefixes: dict[Use, str], sizes: Sizes) -> None:
        self.say = say
        self.prefixes = prefixes
        self.sizes = sizes
        self.desk = Desk()
        self.encoder: Encoder | None = None

    def listen(self, stream: BinaryIO) -> None:
        """Until the end of the stream; then the process is of no use any more, whatever it does."""
        try:
            for line in stream:
                self.hear(line)
        finally:
            os._exit(0)

    def hear(self, line: bytes) -> None:
        message = cast(dict[str, Any], json.loads(line))
        if "cancel" in message:
            self.desk.cancel(message["cancel"])
        elif "count" in message:
            # At once, in this thread: the tokenizer needs no turn at the model.
            self.answer(message["id"], lambda encoder: {"counts": encoder.count(message["count"])})
        else:
            self.desk.put(Job(message["id"], message["as"], message["embed"]))

    def answer(self, request: int, work: Callable[[Encoder], dict[str, Any]]) -> None:
        try:
            if self.encoder is None:
                raise ValueError("the model is still being loaded")
            self.say({"id": request, **work(self.encoder)})
        except Exception as error:
            self.say({"id": request, "error": described(error)})

    def serve(self, encoder: Encoder) -> None:
        self.encoder = encoder
        while True:
            job = self.desk.take()
            self.answer(job.id, partial(self.step, job))

    def step(self, job: Job, encoder: Encoder) -> dict[str, Any]:
        if not job.step(encoder, self.prefixes[job.use], self.sizes):
            self.desk.put(job)
            return {"alive": True}
        self.desk.forget(job.id)
        return {"vectors": base64.b64encode(job.vectors().astype("<f4").tobytes()).decode()}


def described(error: Exception) -> str:
    if code_of(error) == "out_of_memory":
        return "the memory was not enough for the embedding model; take a smaller one, or give the machine more"
    return str(error).strip() or type(error).__name__


def read_requests(worker: Worker) -> threading.Thread:
    """Begins at once, so that the end of the parent is noticed while the model is still being loaded."""
    thread = threading.Thread(target=worker.listen, args=(sys.stdin.buffer,), daemon=True)
    thread.start()
    return thread
