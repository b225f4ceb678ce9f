"""Reads an adapter's PEFT folder: only LoRA, only safetensors, only shapes that fit, nothing from outside."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
TENSOR = re.compile(r"(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<side>[AB])(?:\.default)?\.weight")
# Their training has changed the base's own weights.
CHANGED_BASE = ("pissa", "olora", "corda", "loftq")
# What an adapter could ask for besides plain LoRA; falsy values ask for nothing.
REFUSED = {
    "modules_to_save": "it replaces whole modules of the base (modules_to_save)",
    "use_dora": "it is a DoRA adapter",
    "lora_bias": "its LoRA layers have a bias",
    "use_qalora": "it is a QALoRA adapter",
    "layer_replication": "it replicates layers of the base",
    "trainable_token_indices": "it trains tokens of its own (trainable_token_indices)",
    "target_parameters": "it targets bare parameters (target_parameters)",
    "alora_invocation_tokens": "it is an activated LoRA (alora_invocation_tokens)",
}


class AdapterProblem(Exception):
    """`missing`: there is no such folder; otherwise it is there and cannot be served."""

    def __init__(self, message: str, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass
class Pair:
    """a (rank, in), b (rank, out) with the scaling in it."""

    a: Any
    b: Any


@dataclass
class Weights:
    """By the name of the linear layer; every pair is padded to `rank`."""

    rank: int
    pairs: dict[str, Pair]
    config: dict[str, Any]


def check_folder(folder: Path) -> Path:
    if not folder.is_absolute():
        raise AdapterProblem(f"lora_path {folder} must be absolute")
    if not folder.is_dir():
        raise AdapterProblem(f"No adapter found for {folder}", missing=True)
    inside = folder.resolve()
    for path in inside.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            raise AdapterProblem(f"{path.name} is a link that leads out of the adapter's folder; copy the file there")
    if not (inside / CONFIG).is_file():
        raise AdapterProblem(f"No adapter found for {folder}: it has no {CONFIG}", missing=True)
    check_weights(inside)
    return inside


def check_weights(folder: Path) -> None:
    pickles = [path.name for path in folder.glob("adapter_model*") if path.suffix in (".bin", ".pt", ".pth", ".ckpt")]
    if pickles:
        raise AdapterProblem(f"{pickles[0]} is a pickle file, which can run code when read; only safetensors are taken")
    if not (folder / WEIGHTS).is_file():
        raise AdapterProblem(f"No adapter found for {folder}: it has no {WEIGHTS}", missing=True)


def read_config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterProblem(f"{CONFIG} cannot be read: {error}") from error
    if not isinstance(found, dict) or found.get("peft_type") != "LORA":
        kind = found.get("peft_type") if isinstance(found, dict) else None
        raise AdapterProblem(f"peft_type is {kind!r}; only LORA is served")
    for name, reason in REFUSED.items():
        if found.get(name):
            raise AdapterProblem(f"{reason}, which cannot be switched per request; merge it into its base")
    if found.get("bias", "none") != "none":
        raise AdapterProblem(f"bias is {found['bias']!r}: it changes the base's own biases; train with bias none")
    start = found.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(CHANGED_BASE):
        raise AdapterProblem(f"init_lora_weights {start!r} changed its base; convert it to plain LoRA")
    return found


def scaling_of(config: dict[str, Any], module: str, rank: int) -> float:
    alpha = by_pattern(config.get("alpha_pattern") or {}, module, config.get("lora_alpha", 8))
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not math.isfinite(alpha):
        raise AdapterProblem(f"lora_alpha of {module} is {alpha!r}, not a number")
    return alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank


def by_pattern(patterns: object, module: str, default: object) -> object:
    """As PEFT does it: the first pattern that is the end of the module's name."""
    if not isinstance(patterns, dict):
        raise AdapterProblem("alpha_pattern is no object")
    for pattern, value in patterns.items():
        try:
            if re.match(rf"(.*\.)?({pattern})$", module):
                return value
        except re.error as error:
            raise AdapterProblem(f"alpha_pattern {pattern!r} is no pattern: {error}") from error
    return default


def read_weights(folder: Path, linears: Mapping[str, Any], max_rank: int) -> Weights:
    """`linears`: the base's linear layers by name. Tensors come in the layers' type and on their device."""
    from safetensors import SafetensorError, safe_open

    config = read_config(folder)
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            names = file.keys()
            shapes = pairs_of({name: tuple(file.get_slice(name).get_shape()) for name in names})
            ranks = {module: checked_rank(module, shapes[module], linears, max_rank) for module in shapes}
            rank = max(ranks.values())
            pairs = {}
            for module, (a, b) in shapes.items():
                scaling = scaling_of(config, module, ranks[module])
                pairs[module] = pair_of(file.get_tensor(a[0]), file.get_tensor(b[0]), scaling)
    except (SafetensorError, OSError, ValueError) as error:
        raise AdapterProblem(f"{WEIGHTS} cannot be read: {error}") from error
    return Weights(rank, {module: placed(pair, rank, linears[module]) for module, pair in pairs.items()}, config)


Stored = tuple[str, tuple[int, ...]]


def pairs_of(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[Stored, Stored]]:
    sides: dict[str, dict[str, Stored]] = {}
    for name, shape in shapes.items():
        match = TENSOR.fullmatch(name)
        if match is None:
            raise AdapterProblem(f"the tensor {name} is no LoRA weight of a linear layer")
        sides.setdefault(match["module"], {})[match["side"]] = (name, shape)
    for module, found in sides.items():
        if len(found) != 2:
            raise AdapterProblem(f"{module} has only its lora_{next(iter(found))}")
    if not sides:
        raise AdapterProblem(f"{WEIGHTS} holds no tensors")
    return {module: (found["A"], found["B"]) for module, found in sides.items()}


def checked_rank(module: str, stored: tuple[Stored, Stored], linears: Mapping[str, Any], max_rank: int) -> int:
    linear = linears.get(module)
    if linear is None:
        raise AdapterProblem(f"the base model has no linear layer {module}; the adapter is of another base")
    a, b = stored[0][1], stored[1][1]
    rank = a[0] if a else 0
    wanted = (rank, linear.in_features), (linear.out_features, rank)
    if (a, b) != wanted:
        raise AdapterProblem(
            f"{module} has the shapes {a} and {b}, the base needs (rank, {linear.in_features}) and "
            f"({linear.out_features}, rank); the adapter is of another base"
        )
    if not 1 <= rank <= max_rank:
        raise AdapterProblem(f"{module} has rank {rank}, the engine takes 1 to {max_rank} (--max-rank)")
    return rank


def pair_of(a: Any, b: Any, scaling: float) -> Pair:
    pair = Pair(a.float(), (b.float() * scaling).T)
    if not (bool(pair.a.isfinite().all()) and bool(pair.b.isfinite().all())):
        raise AdapterProblem(f"{WEIGHTS} holds values that are no numbers (NaN or infinite)")
    return pair


def placed(pair: Pair, rank: int, linear: Any) -> Pair:
    import torch

    missing = rank - pair.a.shape[0]
    a, b = (torch.nn.functional.pad(part, (0, 0, 0, missing)) for part in (pair.a, pair.b))
    like = linear.lora_like
    return Pair(*(part.to(like.device, like.dtype).contiguous() for part in (a, b)))
