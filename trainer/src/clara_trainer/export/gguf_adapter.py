"""
A PEFT LoRA as a GGUF adapter for llama.cpp and Ollama.

Format as llama.cpp reads it (``src/llama-adapter.cpp``): ``general.type`` "adapter", ``adapter.type`` "lora",
``adapter.lora.alpha``, and for each weight ``<weight>.lora_a`` [rank, in] and ``<weight>.lora_b`` [out, rank].
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from clara_trainer.export.problem import ExportProblem
from clara_trainer.serve.adapter_files import scaling_of

# model_type of the base -> architecture of GGUF; those whose layers need no more than new names, and Llama's q and k.
ARCHITECTURES = {
    "llama": "LLAMA",
    "mistral": "LLAMA",
    "gemma": "GEMMA",
    "gemma2": "GEMMA2",
    "gemma3_text": "GEMMA3",
    "qwen2": "QWEN2",
    "qwen3": "QWEN3",
}
TENSOR = re.compile(r"^base_model\.model\.(.+)\.lora_(A|B)\.weight$")


def read_json(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def permuted(rows: Any, heads: int) -> Any:
    """Llama's rotary halves, from the order of transformers to the one of llama.cpp; rows are those of q or k."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(rows.shape)


def text_config(base: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = base.get("text_config") or base
    return inner


class Layers:
    """Names and order of a base's layers in GGUF."""

    def __init__(self, base: dict[str, Any]) -> None:
        import gguf

        base = text_config(base)
        kind = str(base.get("model_type"))
        if kind not in ARCHITECTURES:
            raise ExportProblem(f"A base of the kind {kind} is not written as GGUF; {', '.join(ARCHITECTURES)} are")
        self.arch = gguf.MODEL_ARCH[ARCHITECTURES[kind]]
        self.name = gguf.MODEL_ARCH_NAMES[self.arch]
        self.names = gguf.get_tensor_name_map(self.arch, int(base["num_hidden_layers"]))
        self.is_llama = self.arch == gguf.MODEL_ARCH.LLAMA
        self.heads = int(base["num_attention_heads"])
        self.kv_heads = int(base.get("num_key_value_heads") or self.heads)

    def name_of(self, module: str) -> str:
        found = self.names.get_name(module.replace("language_model.", ""))
        if found is None:
            raise ExportProblem(f"The layer {module} has no name in GGUF for {self.name}")
        return f"{found}.weight"

    def rows_of(self, module: str, b: Any) -> Any:
        if self.is_llama and module.endswith(".q_proj"):
            return permuted(b, self.heads)
        if self.is_llama and module.endswith(".k_proj"):
            return permuted(b, self.kv_heads)
        return b


def pairs_of(adapter: Path) -> dict[str, dict[str, Any]]:
    from safetensors import safe_open

    pairs: dict[str, dict[str, Any]] = {}
    # As torch tensors: NumPy has no bfloat16.
    with safe_open(adapter / "adapter_model.safetensors", framework="pt") as file:
        names = file.keys()
        for name in names:
            found = TENSOR.match(name)
            if found is None:
                raise ExportProblem(f"The tensor {name} has no counterpart in a GGUF adapter")
            pairs.setdefault(found[1], {})[found[2]] = file.get_tensor(name).float().numpy()
    return pairs


def write_gguf_adapter(base: Path, adapter: Path, out: Path, name: str) -> None:
    """Scales that differ from layer to layer go into B: llama.cpp knows one alpha, which is the rank here."""
    import gguf
    import numpy as np

    config = read_json(adapter / "adapter_config.json")
    if config.get("use_dora"):
        raise ExportProblem("A DoRA adapter has no form in GGUF; export it merged")
    layers = Layers(read_json(base / "config.json"))
    writer = gguf.GGUFWriter(str(out), layers.name)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    alpha = float(config["lora_alpha"])
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    writer.add_name(name)
    for module, pair in sorted(pairs_of(adapter).items()):
        a, b, weight = pair["A"], pair["B"], layers.name_of(module)
        factor = scaling_of(config, module, a.shape[0]) / (alpha / a.shape[0])
        # Rounded once, as the engines' own conversion does (src/adapters/engines/gguf).
        rows = layers.rows_of(module, (b * np.float64(factor)).astype(np.float32))
        writer.add_tensor(f"{weight}.lora_a", np.ascontiguousarray(a))
        writer.add_tensor(f"{weight}.lora_b", np.ascontiguousarray(rows))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
