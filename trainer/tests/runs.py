"""Run folders for tests, and the ways to start them."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SRC = Path(__file__).resolve().parent.parent / "src"
LAUNCHER = SRC / "clara_trainer" / "launch.py"
DEFAULTS: dict[str, Any] = {
    "version": 1,
    "job_id": "job",
    "attempt": 1,
    "fence": 1,
    "trainer_type": "lora",
    "method": "supervised",
    "model": {
        "path": "",
        "revision": None,
        "dtype": "auto",
        "attention": "auto",
        "trust_remote_code": False,
        "allow_pickle": False,
    },
    "adapter": {
        "r": 8,
        "alpha": 16,
        "dropout": 0.1,
        "target_modules": "all-linear",
        "bias": "none",
        "start_from": None,
    },
    "quantization": None,
    "data": {
        "train": [],
        "validation": [],
        "validation_split": 0.2,
        "max_length": 128,
        "packing": "auto",
        "remove_duplicates": True,
        "min_length": 0,
        "max_characters": None,
    },
    "training": {
        "epochs": 2,
        "max_steps": -1,
        "batch_size": 4,
        "eval_batch_size": 4,
        "gradient_accumulation_steps": 1,
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "warmup_steps": 0,
        "lr_scheduler": "linear",
        "optimizer": "adamw_torch",
        "max_grad_norm": 1.0,
        "logging_steps": 1,
        "save_steps": 50,
        "eval_steps": None,
        "save_total_limit": 2,
        "precision": "auto",
        "seed": 42,
        "beta": 0.1,
        "gradient_checkpointing": "auto",
        "group_by_length": False,
        "report_to": [],
        "run_name": None,
        "early_stopping": None,
    },
    "hardware": {
        "processes": 1,
        "backend": "auto",
        "dataloader_workers": 0,
        "pin_memory": "auto",
        "gpus": [],
        "max_memory_per_gpu": None,
    },
    "resume_from": None,
    "orphan_seconds": None,
}
QUANTIZATION = {"bits": 4, "type": "nf4", "double": True, "compute_dtype": "auto"}


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(base)
    for key, value in changes.items():
        result[key] = merged(result[key], value) if isinstance(value, dict) and result.get(key) else value
    return result


def make_run(job: Path, base: Path, rows: Path, attempt: int = 1, **changes: Any) -> Path:
    """The attempt's folder with its run.json; changes are laid over the defaults, section by section."""
    file = {"path": str(rows), "sha256": hashlib.sha256(rows.read_bytes()).hexdigest()}
    run = merged(DEFAULTS, {"attempt": attempt, "model": {"path": str(base)}, "data": {"train": [file]}})
    folder = job / str(attempt)
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(merged(run, changes)))
    return folder


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SRC), "HF_HUB_OFFLINE": "1", "ACCELERATE_USE_CPU": "true", **more}


def worker_command(run: Path) -> list[str]:
    return [sys.executable, "-m", "clara_trainer", "--run", str(run)]


def accelerate_command(run: Path, processes: int = 1) -> list[str]:
    several = ["--multi_gpu", "--main_process_port", "0"] if processes > 1 else []
    shape = [
        "--num_processes",
        str(processes),
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
    ]
    return [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        *several,
        *shape,
        "-m",
        "clara_trainer",
        "--run",
        str(run),
    ]


def execute(command: list[str], timeout: float = 180, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def events_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]


def of_type(run: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in events_of(run) if event["type"] == kind]
