"""The run's hyper-parameters in TRL's words."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trl import DPOConfig, SFTConfig

from clara_trainer.contract.types import Run
from clara_trainer.device import Device
from clara_trainer.failure import TrainingError
from clara_trainer.padding_free import rows_of_step

# Two, because the newest that was announced must not be deleted before the next one is.
FEWEST_CHECKPOINTS = 2


@dataclass(frozen=True)
class Setup:
    run: Run
    folder: Path
    device: Device
    packing: bool
    # Rows stand one after another.
    padding_free: bool
    checkpointing: bool


def check_loggers(run: Run, folder: Path) -> None:
    for name in run["training"]["report_to"]:
        if importlib.util.find_spec(name) is None:
            raise TrainingError(
                "not_allowed",
                f"training.report_to names {name}, but the package of that name is not installed in the trainer's "
                f"environment. Install it with: uv pip install --python <the trainer's python> {name}",
            )
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder / "tensorboard")
    os.environ["WANDB_DIR"] = str(folder)
    for key, value in (run["training"].get("wandb") or {}).items():
        if isinstance(value, str):
            os.environ[f"WANDB_{key.upper()}"] = value


def packs(run: Run) -> bool:
    """auto: no. It makes a step of other rows than the configuration says."""
    return run["data"]["packing"] is True and run["method"] != "dpo"


def make_arguments(setup: Setup, evaluated: bool) -> SFTConfig | DPOConfig:
    common = common_arguments(setup, evaluated)
    if setup.run["method"] == "dpo":
        # The rows are token ids already, cut to their length; the collator takes all of their columns.
        return DPOConfig(**common, beta=setup.run["training"]["beta"], max_length=None, remove_unused_columns=False)
    return SFTConfig(
        **common,
        # Rows are cut to their length already.
        max_length=setup.run["data"]["max_length"] if setup.packing else None,
        packing=setup.packing,
        padding_free=setup.padding_free,
        eval_packing=False,
        # The rows are token ids already; only packing is left to TRL.
        dataset_kwargs=None if setup.packing else {"skip_prepare_dataset": True},
    )


def common_arguments(setup: Setup, evaluated: bool) -> dict[str, Any]:
    run, device, training, hardware = setup.run, setup.device, setup.run["training"], setup.run["hardware"]
    by_length = training["group_by_length"] and run["method"] == "supervised"
    return dict(
        output_dir=str(setup.folder / "checkpoints"),
        run_name=training["run_name"] or run["job_id"],
        num_train_epochs=training["epochs"],
        max_steps=training["max_steps"],
        # Without padding the rows of a step come at once, and go through the model in pieces.
        per_device_train_batch_size=rows_of_step(run) if setup.padding_free else training["batch_size"],
        per_device_eval_batch_size=training["eval_batch_size"],
        gradient_accumulation_steps=1 if setup.padding_free else training["gradient_accumulation_steps"],
        learning_rate=training["learning_rate"],
        weight_decay=training["weight_decay"],
        warmup_steps=training["warmup_steps"],
        lr_scheduler_type=training["lr_scheduler"],
        optim=device.optimizer,
        max_grad_norm=training["max_grad_norm"],
        logging_steps=training["logging_steps"],
        logging_nan_inf_filter=False,
        save_total_limit=kept_checkpoints(run),
        **evaluation_arguments(setup, evaluated),
        bf16=device.precision == "bf16",
        fp16=device.precision == "fp16",
        seed=training["seed"],
        gradient_checkpointing=setup.checkpointing,
        train_sampling_strategy="group_by_length" if by_length else "random",
        torch_compile=training.get("torch_compile", False),
        report_to=list(training["report_to"]),
        use_cpu=device.kind == "cpu",
        ddp_backend=backend_of(setup),
        ddp_find_unused_parameters=False,
        dataloader_num_workers=hardware["dataloader_workers"],
        dataloader_pin_memory=device.pin_memory,
        torch_empty_cache_steps=hardware.get("empty_cache_steps"),
        disable_tqdm=True,
    )


def kept_checkpoints(run: Run) -> int | None:
    limit = run["training"]["save_total_limit"]
    return None if limit is None else max(FEWEST_CHECKPOINTS, limit)


def evaluation_arguments(setup: Setup, evaluated: bool) -> dict[str, Any]:
    training = setup.run["training"]
    save_steps, eval_steps = training["save_steps"], training["eval_steps"]
    if not evaluated:
        if training["early_stopping"]:
            setup.device.warnings.append("There are no rows to evaluate on: early stopping is off.")
        return {"save_strategy": "steps", "save_steps": save_steps, "eval_strategy": "no"}
    if training["early_stopping"] is None:
        strategy = {"eval_strategy": "steps", "eval_steps": eval_steps} if eval_steps else {"eval_strategy": "no"}
        return {"save_strategy": "steps", "save_steps": save_steps, **strategy}
    # The best adapter can only be taken up again if each evaluation comes with a checkpoint.
    eval_steps = eval_steps or save_steps
    return {
        "save_strategy": "steps",
        "save_steps": eval_steps,
        "eval_strategy": "steps",
        "eval_steps": eval_steps,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    }


def backend_of(setup: Setup) -> str | None:
    hardware = setup.run["hardware"]
    if hardware["processes"] == 1:
        return None
    if hardware["backend"] == "auto":
        return "nccl" if setup.device.kind == "cuda" else "gloo"
    if hardware["backend"] == "nccl" and setup.device.kind == "cpu":
        setup.device.warnings.append("Backend nccl needs GPUs: gloo is used.")
        return "gloo"
    return hardware["backend"]
