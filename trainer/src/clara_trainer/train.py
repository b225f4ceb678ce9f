"""One training, from the run to the saved adapter."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, PrinterCallback, set_seed
from transformers.utils import logging as transformers_logging
from trl import SFTTrainer

from clara_trainer.arguments import Setup, check_loggers, make_arguments, packs
from clara_trainer.contract.types import Gain, Report, Run, StartedData
from clara_trainer.data.dataset import Examples, load_examples
from clara_trainer.data.encode import TokenRow, encode, prepare_tokenizer
from clara_trainer.device import Device, resolve_device
from clara_trainer.events import EventLog, finite
from clara_trainer.failure import TrainingError
from clara_trainer.measure import Measure, measure
from clara_trainer.model import load_base, load_tokenizer, with_adapter
from clara_trainer.progress import Progress, Reporter, gpu_memory
from clara_trainer.report import peak_process_memory, save_adapter, versions
from clara_trainer.stop import StopWish


class AdapterTrainer(SFTTrainer):  # type: ignore[misc]
    """TRL's trainer, with an evaluation that does not depend on batches, and a stop agreed by all processes."""

    evaluation_rows: list[TokenRow]
    reporter: Reporter
    control: Any

    def measured(self) -> Measure:
        return measure(self, self.evaluation_rows, self.args.per_device_eval_batch_size)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        found = self.reporter.measured("during", self.state.global_step)
        metrics = {"eval_loss": found.loss, "eval_token_accuracy": found.token_accuracy}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def agreed(self, wish: bool) -> bool:
        if self.accelerator.num_processes == 1:
            return wish
        wishes = torch.tensor(int(wish), device=self.accelerator.device)
        return bool(self.accelerator.reduce(wishes, reduction="sum").item())

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """The adapter has one card, written at the end."""


def train(run: Run, folder: Path, events: EventLog, stop: StopWish) -> None:
    began = time.monotonic()
    transformers_logging.disable_progress_bar()
    set_seed(run["training"]["seed"])
    check_loggers(run, folder)
    device = resolve_device(run)
    setup = Setup(run, folder, device, packs(run, device))
    events.append("phase", {"phase": "loading_model"})
    tokenizer = load_tokenizer(run)
    model = with_adapter(load_base(run, device), run, device.warnings)
    events.append("phase", {"phase": "preparing_data"})
    examples = load_examples(run["data"], run["training"]["seed"])
    rows, held_out = token_rows(examples, tokenizer, setup)
    progress = Progress.load(run["resume_from"])
    seconds_before = progress.seconds
    trainer = make_trainer(setup, model, tokenizer, rows, held_out)
    trainer.reporter = Reporter(trainer, events, stop, progress, lambda state: started(setup, trainer, state))
    trainer.add_callback(trainer.reporter)
    trainer.train(resume_from_checkpoint=run["resume_from"])
    if trainer.agreed(stop.is_wished()):
        stop.end_now()
    stop.leave_loop()
    after = evaluate_after(trainer, events)
    events.append("phase", {"phase": "saving"}, step=trainer.state.global_step)
    seconds = seconds_before + time.monotonic() - began
    report = make_report(setup, trainer, examples, after, seconds)
    trainer.accelerator.wait_for_everyone()
    if trainer.accelerator.is_main_process:
        save_adapter(trainer.accelerator.unwrap_model(trainer.model), tokenizer, run, report, folder / "adapter")
        events.append("finished", {"adapter": "adapter", "report": report}, step=trainer.state.global_step)
    trainer.accelerator.wait_for_everyone()
    trainer.accelerator.end_training()


def token_rows(examples: Examples, tokenizer: Any, setup: Setup) -> tuple[list[TokenRow], list[TokenRow]]:
    warnings, max_length = setup.device.warnings, setup.run["data"]["max_length"]
    warnings += examples.warnings
    warnings += prepare_tokenizer(tokenizer, any(example.turns for example in examples.train + examples.evaluation))
    train_rows = encode(examples.train, tokenizer, max_length, "training")
    held_out = encode(examples.evaluation, tokenizer, max_length, "validation")
    warnings += train_rows.warnings + held_out.warnings
    if not train_rows.rows:
        raise TrainingError("invalid_data", f"No row has anything to learn within max_length ({max_length} tokens).")
    return train_rows.rows, held_out.rows


def make_trainer(
    setup: Setup, model: Any, tokenizer: Any, rows: list[TokenRow], held_out: list[TokenRow]
) -> AdapterTrainer:
    training = setup.run["training"]
    early = training["early_stopping"]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    trainer = AdapterTrainer(
        model=model,
        args=make_arguments(setup, parameters, bool(held_out)),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(held_out) if held_out else None,
        processing_class=tokenizer,
        callbacks=[EarlyStoppingCallback(early["patience"])] if early and held_out else [],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.evaluation_rows = held_out
    # TRL rounds the adapter of a quantised base to bfloat16, in which small updates are lost.
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return trainer


def started(setup: Setup, trainer: AdapterTrainer, state: Any) -> StartedData:
    run, device = setup.run, setup.device
    warn_of_warmup(run, device, state.max_steps)
    return {
        "world_size": trainer.accelerator.num_processes,
        "device": device.kind,
        "device_name": device.name,
        "precision": device.precision,
        "packing": setup.packing,
        "attention": device.attention,
        "parameters": sum(parameter.numel() for parameter in trainer.model.parameters()),
        "trainable_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "total_steps": state.max_steps,
        "total_epochs": math.ceil(state.num_train_epochs),
        "train_rows": len(trainer.train_dataset),
        "eval_rows": len(trainer.evaluation_rows),
        "resumed_step": state.global_step,
        "warnings": device.warnings,
        "versions": versions(),
    }


def warn_of_warmup(run: Run, device: Device, total_steps: int) -> None:
    warmup = run["training"]["warmup_steps"]
    if warmup * 2 > total_steps:
        device.warnings.append(f"warmup_steps ({warmup}) is more than half of all {total_steps} steps.")


def evaluate_after(trainer: AdapterTrainer, events: EventLog) -> Measure | None:
    if not trainer.evaluation_rows:
        return None
    events.append("phase", {"phase": "evaluating_after"}, step=trainer.state.global_step)
    return trainer.reporter.measured("after", trainer.state.global_step)


def gain(name: str, before: Measure | None, after: Measure | None) -> Gain:
    return {"before": getattr(before, name, None), "after": getattr(after, name, None)}


def make_report(
    setup: Setup, trainer: AdapterTrainer, examples: Examples, after: Measure | None, seconds: float
) -> Report:
    run, progress, quantization = setup.run, trainer.reporter.progress, setup.run["quantization"]
    before = progress.before
    loss, perplexity, accuracy = (gain(name, before, after) for name in ("loss", "perplexity", "token_accuracy"))
    report: Report = {
        "loss": {"before": loss["before"], "after": loss["after"], "final_train": progress.last_loss},
        "perplexity": perplexity,
        "token_accuracy": accuracy,
        "tokens_per_second": progress.tokens_seen / progress.training_seconds if progress.training_seconds else None,
        "train_tokens": progress.tokens_seen,
        "seconds": seconds,
        "peak_memory_bytes": {"process": peak_process_memory(), "gpu": gpu_memory()},
        "steps": trainer.state.global_step,
        "epochs": float(trainer.state.epoch or 0.0),
        "versions": versions(),
        "data": examples.files,
        "base_model": run["model"]["path"],
        "trainer_type": run["trainer_type"],
        "seed": run["training"]["seed"],
        "precision": setup.device.precision,
        "packing": setup.packing,
        "quantization": quantization["type"] if quantization else None,
        "warnings": setup.device.warnings,
    }
    return finite(report)  # type: ignore[no-any-return]
