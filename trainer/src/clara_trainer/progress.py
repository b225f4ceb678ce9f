"""What happens around each step: events, checkpoints, the wish to stop."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from clara_trainer.contract.types import StartedData
from clara_trainer.events import EventLog, finite
from clara_trainer.launch import read_json, write_json
from clara_trainer.measure import Measure
from clara_trainer.stop import StopWish

STATE = "clara_state.json"
SMOOTHING = 0.9


@dataclass
class Progress:
    """What the report needs beyond Trainer's own state; travels in each checkpoint."""

    before: Measure | None = None
    tokens_seen: int = 0
    training_seconds: float = 0.0
    seconds: float = 0.0
    last_loss: float | None = None

    @classmethod
    def load(cls, checkpoint: str | None) -> Progress:
        stored = read_json(Path(checkpoint) / STATE) if checkpoint else None
        if stored is None:
            return cls()
        before = stored.pop("before")
        return cls(before=Measure(**before) if before else None, **stored)


@dataclass
class Clock:
    """Tokens and time between two logged steps."""

    started: float = field(default_factory=time.monotonic)
    logged: float = field(default_factory=time.monotonic)
    logged_step: int = 0
    logged_tokens: int = 0
    step_seconds: float | None = None

    def advance(self, step: int, tokens: int) -> float | None:
        """Tokens a second since the last call; also smooths the seconds a step."""
        moment = time.monotonic()
        elapsed, steps = moment - self.logged, step - self.logged_step
        speed = (tokens - self.logged_tokens) / elapsed if elapsed > 0 else None
        if steps > 0:
            latest = elapsed / steps
            old = self.step_seconds
            self.step_seconds = latest if old is None else SMOOTHING * old + (1 - SMOOTHING) * latest
        self.logged, self.logged_step, self.logged_tokens = moment, step, tokens
        return speed


class Reporter(TrainerCallback):  # type: ignore[misc]
    """Writes events and obeys the wish to stop. All ranks run it; only rank 0 writes."""

    def __init__(
        self, trainer: Any, events: EventLog, stop: StopWish, progress: Progress, started: Callable[[Any], StartedData]
    ) -> None:
        self.progress = progress
        self._trainer = trainer
        self._events = events
        self._stop = stop
        self._started = started
        self._clock = Clock()
        self._began = time.monotonic()
        self._before = replace(progress)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._events.append("started", self._started(state), step=state.global_step)
        if self._trainer.evaluation_rows and state.global_step == 0:
            self._events.append("phase", {"phase": "evaluating_before"}, step=0)
            self.progress.before = self.measured("before", 0)
        self._events.append("phase", {"phase": "training"}, step=state.global_step)
        self._stop.enter_loop()
        self._clock = Clock(logged_step=state.global_step)

    def measured(self, when: str, step: int) -> Measure:
        found: Measure = self._trainer.measured()
        data = {
            "when": when,
            "eval_loss": found.loss,
            "perplexity": found.perplexity,
            "token_accuracy": found.token_accuracy,
            "reward_margin": found.reward_margin,
            "reward_accuracy": found.reward_accuracy,
        }
        self._events.append("metric", data, step=step)
        return found

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._trainer.agreed(self._stop.is_wished()):
            control.should_save = control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        tokens = int(logs.get("num_tokens", 0))
        speed = self._clock.advance(state.global_step, tokens)
        progress = self.progress
        progress.tokens_seen = self._before.tokens_seen + tokens
        progress.training_seconds = self._before.training_seconds + time.monotonic() - self._clock.started
        progress.last_loss = finite(logs["loss"])
        per_step = self._clock.step_seconds
        data = {
            "epoch": state.epoch or 0.0,
            "total_epochs": math.ceil(state.num_train_epochs),
            "total_steps": state.max_steps,
            "loss": logs["loss"],
            "learning_rate": logs["learning_rate"],
            "grad_norm": logs.get("grad_norm"),
            "tokens_per_second": speed,
            "tokens_seen": progress.tokens_seen,
            "token_accuracy": logs.get("mean_token_accuracy"),
            "reward_margin": logs.get("rewards/margins"),
            "reward_accuracy": logs.get("rewards/accuracies"),
            "seconds_left": None if per_step is None else per_step * (state.max_steps - state.global_step),
            "gpu_memory_bytes": gpu_memory(),
        }
        self._events.append("progress", data, step=state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if state.is_world_process_zero:
            sync_folder(folder)
            self.progress.seconds = self._before.seconds + time.monotonic() - self._began
            write_json(folder / STATE, asdict(self.progress))
            relative = folder.relative_to(folder.parent.parent)
            self._events.append("checkpoint", {"path": str(relative)}, step=state.global_step)


def gpu_memory() -> int | None:
    import torch

    return torch.cuda.max_memory_allocated() if torch.cuda.is_initialized() else None


def sync_folder(folder: Path) -> None:
    """A checkpoint that is announced must survive a power cut."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
