"""One training, from the run to the saved adapter."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import EarlyStoppingCallback, PrinterCallback, set_seed
from transformers.utils import logging as transformers_logging

from clara_trainer.arguments import Setup, check_loggers, make_arguments, packs
from clara_trainer.checkpointing import computes_again
from clara_trainer.contract.types import Gain, Report, Rewards, Run, StartedData
from clara_trainer.data.dataset import Examples, load_examples
from clara_trainer.data.encode import encode, encode_pairs, prepare_tokenizer
from clara_trainer.device import Device, resolve_device
from clara_trainer.events import EventLog, finite
from clara_trainer.failure import TrainingError
from clara_trainer.measure import Measure
from clara_trainer.model import check_method, load_base, load_tokenizer, with_adapter
from clara_trainer.padding_free import lay_out
from clara_trainer.progress import Progress, Reporter, gpu_memory
from clara_trainer.report import peak_process_memory, save_adapter, versions
from clara_trainer.stop import StopWish
from clara_trainer.trainers import FROZEN_COPY, PairCollator, PreferenceTrainer, SupervisedTrainer

AdapterTrainer = SupervisedTrainer | PreferenceTrainer


def train(run: Run, folder: Path, events: EventLog, stop: StopWish) -> None:
    began = time.monotonic()
    transformers_logging.disable_progress_bar()
    set_seed(run["training"]["seed"])
    check_loggers(run, folder)
    device = resolve_device(run)
    events.append("phase", {"phase": "loading_model"})
    tokenizer = load_tokenizer(run)
    model = with_adapter(load_base(run, device), run, device.warnings)
    check_method(model, run)
    padding_free = lay_out(model, run, device)
    setup = Setup(run, folder, device, packs(run), padding_free, computes_again(model, run, device))
    events.append("phase", {"phase": "preparing_data"})
    examples = load_examples(run["data"], run["training"]["seed"], run["method"])
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
        stop.finish()
        events.append("finished", {"adapter": "adapter", "report": report}, step=trainer.state.global_step)
    trainer.accelerator.wait_for_everyone()
    trainer.accelerator.end_training()


def token_rows(examples: Examples, tokenizer: Any, setup: Setup) -> tuple[list[Any], list[Any]]:
    """Rows of `encode`, or for dpo of `encode_pairs`: to train on, and held out."""
    warnings, max_length = setup.device.warnings, setup.run["data"]["max_length"]
    warnings += examples.warnings
    warnings += prepare_tokenizer(tokenizer, setup.run["adapter"]["start_from"])
    encoded = encode_pairs if setup.run["method"] == "dpo" else encode
    train_rows = encoded(examples.train, tokenizer, max_length, "training")
    held_out = encoded(examples.evaluation, tokenizer, max_length, "validation")
    warnings += train_rows.warnings + held_out.warnings
    if not train_rows.rows:
        raise TrainingError("invalid_data", f"No row has anything to learn within max_length ({max_length} tokens).")
    return list(train_rows.rows), list(held_out.rows)


def make_trainer(setup: Setup, model: Any, tokenizer: Any, rows: list[Any], held_out: list[Any]) -> AdapterTrainer:
    early = setup.run["training"]["early_stopping"]
    # TRL rounds the adapter of a quantised base to bfloat16, in which small updates are lost.
    exact = {name: value.detach().float().clone() for name, value in model.named_parameters() if value.requires_grad}
    common = {
        "model": model,
        "args": make_arguments(setup, bool(held_out)),
        "train_dataset": Dataset.from_list(rows),
        "eval_dataset": Dataset.from_list(held_out) if held_out else None,
        "processing_class": tokenizer,
        "callbacks": [EarlyStoppingCallback(early["patience"])] if early and held_out else [],
    }
    trainer: AdapterTrainer
    if setup.run["method"] == "dpo":
        trainer = PreferenceTrainer(**common, data_collator=PairCollator(tokenizer.pad_token_id))
        keep_reference(trainer.model, setup.run)
    else:
        trainer = SupervisedTrainer(**common)
        trainer.piece_tokens = setup.run["training"]["batch_size"] * setup.run["data"]["max_length"]
    trainer.remove_callback(PrinterCallback)
    trainer.evaluation_rows = held_out
    for name, parameter in model.named_parameters():
        if name in exact:
            parameter.data = exact[name]
    return trainer


def keep_reference(model: Any, run: Run) -> None:
    """TRL freezes a copy of the adapter as it begins; a new adapter changes nothing, so there the base is enough."""
    if run["adapter"]["start_from"] is None and FROZEN_COPY in model.peft_config:
        model.delete_adapter(FROZEN_COPY)


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


def rewards_of(run: Run, before: Measure | None, after: Measure | None) -> Rewards | None:
    if run["method"] != "dpo":
        return None
    return {"margin": gain("reward_margin", before, after), "accuracy": gain("reward_accuracy", before, after)}


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
        "rewards": rewards_of(run, before, after),
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
        "method": run["method"],
        "beta": run["training"]["beta"] if run["method"] == "dpo" else None,
        "start_from": run["adapter"]["start_from"],
        "seed": run["training"]["seed"],
        "precision": setup.device.precision,
        "packing": setup.packing,
        "quantization": quantization["type"] if quantization else None,
        "warnings": setup.device.warnings,
    }
    return finite(report)  # type: ignore[no-any-return]
