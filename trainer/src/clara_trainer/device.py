"""What this machine can do, and what follows from it for settings that say auto."""

from __future__ import annotations

import importlib.util
import platform
from dataclasses import dataclass, field
from typing import Any, Literal

from clara_trainer.contract.types import Run
from clara_trainer.failure import TrainingError

Precision = Literal["bf16", "fp16", "fp32"]
GPU_OPTIMIZERS = frozenset({"adamw_8bit", "paged_adamw_8bit", "paged_adamw_32bit"})
CHECKPOINTING_PARAMETERS = 1_000_000_000


@dataclass
class Device:
    """`warnings` collects every wish that the machine changed."""

    kind: Literal["cuda", "cpu"]
    name: str
    precision: Precision
    attention: str
    optimizer: str
    pin_memory: bool
    warnings: list[str] = field(default_factory=list)

    def weights_dtype(self, wish: str) -> Any:
        import torch

        if wish == "auto":
            return torch.bfloat16 if self.precision == "bf16" and self.kind == "cuda" else torch.float32
        return getattr(torch, wish)

    def compute_dtype(self, wish: str) -> Any:
        import torch

        if self.kind == "cpu" and wish == "float16":
            self.warnings.append("compute_dtype float16 needs a GPU: float32 is used.")
            return torch.float32
        return self.weights_dtype(wish)


def resolve_device(run: Run) -> Device:
    import torch

    gpus = run["hardware"]["gpus"]
    if gpus and not torch.cuda.is_available():
        raise TrainingError("internal", f"GPU {', '.join(map(str, gpus))} was given to this job, but torch sees none.")
    kind: Literal["cuda", "cpu"] = "cuda" if gpus else "cpu"
    warnings: list[str] = []
    device = Device(
        kind=kind,
        name=torch.cuda.get_device_name() if kind == "cuda" else platform.processor() or platform.machine(),
        precision=precision_of(run, kind, warnings),
        attention=attention_of(run, kind, warnings),
        optimizer=optimizer_of(run, kind, warnings),
        pin_memory=run["hardware"]["pin_memory"] is True
        or (run["hardware"]["pin_memory"] == "auto" and kind == "cuda"),
        warnings=warnings,
    )
    if kind == "cuda":
        limit_gpu(run)
    return device


def precision_of(run: Run, kind: str, warnings: list[str]) -> Precision:
    import torch

    wish = run["training"]["precision"]
    if wish == "auto":
        return "bf16" if kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if wish == "fp16" and kind == "cpu":
        warnings.append("Precision fp16 needs a GPU: fp32 is used.")
        return "fp32"
    return wish


def attention_of(run: Run, kind: str, warnings: list[str]) -> str:
    wish = run["model"]["attention"]
    has_flash = kind == "cuda" and importlib.util.find_spec("flash_attn") is not None
    if wish == "auto":
        return "sdpa"
    if wish == "flash_attention_2" and not has_flash:
        warnings.append("Attention flash_attention_2 needs a GPU and the package flash-attn: sdpa is used.")
        return "sdpa"
    return wish


def optimizer_of(run: Run, kind: str, warnings: list[str]) -> str:
    wish = run["training"]["optimizer"]
    if wish in GPU_OPTIMIZERS and kind == "cpu":
        warnings.append(f"Optimizer {wish} needs a GPU: adamw_torch is used.")
        return "adamw_torch"
    return wish


def limit_gpu(run: Run) -> None:
    import torch

    fraction = run["hardware"].get("max_memory_fraction")
    limit = run["hardware"]["max_memory_per_gpu"]
    if limit is not None:
        from accelerate.utils import convert_file_size_to_int

        total = torch.cuda.get_device_properties(0).total_memory
        fraction = min(fraction or 1.0, convert_file_size_to_int(limit) / total)
    if fraction is not None:
        torch.cuda.set_per_process_memory_fraction(min(1.0, fraction))
