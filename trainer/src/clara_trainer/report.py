"""The adapter's folder: PEFT files, tokenizer, model card and training_report.json."""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clara_trainer.contract.types import Gain, Report, Run
from clara_trainer.progress import sync_folder

PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "bitsandbytes")


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def peak_process_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def save_adapter(model: Any, tokenizer: Any, run: Run, report: Report, folder: Path) -> None:
    """Written beside its final name and renamed when it is completely on disk."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    model.peft_config["default"].base_model_name_or_path = run["model"]["path"]
    model.save_pretrained(partial, safe_serialization=True, selected_adapters=["default"])
    tokenizer.save_pretrained(partial)
    (partial / "training_report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    (partial / "README.md").write_text(model_card(run, report, model.peft_config["default"]))
    sync_folder(partial)
    os.rename(partial, folder)


def model_card(run: Run, report: Report, config: Any) -> str:
    training = run["training"]
    files = "\n".join(
        f"- `{Path(file['path']).name}`: {file['rows']} rows, {file['format']}, sha256 `{file['sha256']}`"
        for file in report["data"]
    )
    gains: tuple[tuple[str, Gain], ...] = (
        ("loss", {"before": report["loss"]["before"], "after": report["loss"]["after"]}),
        ("perplexity", report["perplexity"]),
        ("token accuracy", report["token_accuracy"]),
    )
    if report["rewards"] is not None:
        gains = (
            *gains,
            ("reward margin", report["rewards"]["margin"]),
            ("reward accuracy", report["rewards"]["accuracy"]),
        )
    metrics = "\n".join(f"| {name} | {shown(gain['before'])} | {shown(gain['after'])} |" for name, gain in gains)
    return f"""{front_matter(run, report)}
# LoRA adapter {run["job_id"]}

Trained by CLARA ({run["trainer_type"]}, {told_method(report)}) on `{run["model"]["path"]}`{told_start(report)}.

## Evaluation

| | before | after |
|---|---|---|
{metrics}

## Data

{files}

## Settings

| | |
|---|---|
| rank, alpha, dropout | {config.r}, {config.lora_alpha}, {config.lora_dropout} |
| target modules | {", ".join(sorted(config.target_modules))} |
| quantization of the base | {report["quantization"] or "none"} |
| learning rate, scheduler | {training["learning_rate"]}, {training["lr_scheduler"]} |
| rows a step | {training["batch_size"]} x {training["gradient_accumulation_steps"]} x {run["hardware"]["processes"]} |
| steps, epochs | {report["steps"]}, {report["epochs"]:.2f} |
| precision, seed | {report["precision"]}, {report["seed"]} |
| versions | {", ".join(f"{name} {number}" for name, number in report["versions"].items())} |
"""


def front_matter(run: Run, report: Report) -> str:
    datasets = "\n".join(f"- {json.dumps(Path(file['path']).name, ensure_ascii=False)}" for file in report["data"])
    values = "\n".join(
        f"    - type: {kind}\n      value: {number}"
        for kind, number in (("loss", report["loss"]["after"]), ("perplexity", report["perplexity"]["after"]))
        if number is not None
    )
    results = (
        f"""model-index:
- name: {run["job_id"]}
  results:
  - task:
      type: text-generation
    dataset:
      name: held-out rows
      type: json
    metrics:
{values}
"""
        if values
        else ""
    )
    return f"""---
base_model: {json.dumps(run["model"]["path"], ensure_ascii=False)}
library_name: peft
pipeline_tag: text-generation
tags:
- lora
- {run["trainer_type"]}
- {run["method"]}
datasets:
{datasets}
{results}---
"""


def told_method(report: Report) -> str:
    if report["method"] == "supervised":
        return "supervised"
    return f"DPO with beta {report['beta']}"


def told_start(report: Report) -> str:
    """The adapter's folder by its name: where it lies is nobody's business."""
    return f", further than the adapter `{Path(report['start_from']).name}`" if report["start_from"] else ""


def shown(number: float | None) -> str:
    return "-" if number is None else f"{number:.4f}"
