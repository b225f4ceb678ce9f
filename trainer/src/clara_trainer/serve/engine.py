"""The engine's models by name: the base, and the adapters that were loaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from clara_trainer.serve.adapter_files import AdapterProblem, check_folder, read_weights
from clara_trainer.serve.base import Base
from clara_trainer.serve.dialect import Dialect
from clara_trainer.serve.dialects import Dialects
from clara_trainer.serve.grammar import Grammar, grammar_tokenizer
from clara_trainer.serve.loop import Loop
from clara_trainer.serve.lora import Adapter
from clara_trainer.serve.problem import Problem, no_model
from clara_trainer.serve.wishes import Speaker


class Grammars:
    """Of one dialect; its tokenizer is made at the first use."""

    def __init__(self, dialect: Dialect, vocabulary: int) -> None:
        self.dialect = dialect
        self.vocabulary = vocabulary
        self.lock = threading.Lock()

    @cached_property
    def tokenizer(self) -> Any:
        return grammar_tokenizer(self.dialect, self.vocabulary)

    def make(self, schema: dict[str, Any]) -> Grammar:
        with self.lock:
            tokenizer = self.tokenizer
        return Grammar(tokenizer, schema)


@dataclass
class Served:
    speaker: Speaker
    root: str
    created: int = field(default_factory=lambda: int(time.time()))


@dataclass
class Slots:
    loras: int
    rank: int


class Engine:
    """`load` and `unload` one at a time; what runs meanwhile goes on."""

    def __init__(self, base: Base, name: str, linears: dict[str, Any], slots: Slots) -> None:
        self.base = base
        self.name = name
        self.linears = linears
        self.slots = slots
        self.lock = threading.Lock()
        self.dialects = Dialects(base.folder, base.eos)
        self.dialect = self.dialects.base
        self.grammars = Grammars(self.dialect, base.vocabulary)
        speaker = Speaker(name, self.dialect, None, self.grammars.make)
        self.models: dict[str, Served] = {name: Served(speaker, str(base.folder))}

    def served(self, name: str) -> Served:
        found = self.models.get(name)
        if found is None:
            raise no_model(name)
        return found

    def speaker(self, name: str) -> Speaker:
        return self.served(name).speaker

    @property
    def adapters(self) -> list[str]:
        return [name for name in self.models if name != self.name]

    def load(self, name: str, path: str) -> None:
        """Reads the folder; the adapter answers as soon as this returns. @throws Problem"""
        with self.lock:
            if name in self.models:
                raise refused(400, f"The lora adapter '{name}' has already been loaded.")
            if len(self.adapters) >= self.slots.loras:
                raise refused(409, f"All {self.slots.loras} places for adapters (--max-loras) are taken; unload one.")
            try:
                self.models[name] = self.read(name, path)
            except AdapterProblem as problem:
                status = 404 if problem.missing else 400
                raise refused(status, f"Loading lora {name} failed: {problem}") from problem

    def read(self, name: str, path: str) -> Served:
        folder = check_folder(Path(path))
        weights = read_weights(folder, self.linears, self.slots.rank)
        try:
            dialect = self.dialects.of(folder)
        except (ValueError, OSError) as error:
            raise AdapterProblem(str(error)) from error
        grammars = self.grammars if dialect is self.dialect else Grammars(dialect, self.base.vocabulary)
        return Served(Speaker(name, dialect, Adapter(name, path, weights), grammars.make), path)

    def unload(self, name: str) -> None:
        """New requests find it no more; answers that run are finished with it."""
        with self.lock:
            if name == self.name or name not in self.models:
                raise refused(404, f"The lora adapter '{name}' cannot be found.")
            del self.models[name]

    def cards(self) -> list[dict[str, Any]]:
        return [self.card_of(name, served) for name, served in self.models.copy().items()]

    def card(self, name: str) -> dict[str, Any]:
        return self.card_of(name, self.served(name))

    def card_of(self, name: str, served: Served) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": served.created,
            "owned_by": "clara",
            "root": served.root,
            "parent": None if name == self.name else self.name,
            "max_model_len": self.base.context,
            "permission": [],
        }


def refused(status: int, message: str) -> Problem:
    """As vLLM refuses adapter control."""
    kind = "NotFoundError" if status == 404 else "InvalidUserInput"
    return Problem(status, message, kind, code=status)


def set_threads(loop: Loop, threads: int, done: Callable[[], object]) -> None:
    import torch

    def work() -> None:
        torch.set_num_threads(threads)
        done()

    loop.call(work)
