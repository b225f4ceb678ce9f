"""Random LoRA adapters of a tiny model, saved by PEFT as a training would."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def make_tiny_adapter(base: Path, folder: Path, seed: int, strength: float = 0.3, **config: Any) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **config}
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(str(base)), LoraConfig(**settings))
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.copy_(torch.randn_like(weight) * strength)
    # Else a LoRA of the head brings a copy of the whole head along.
    model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
    AutoTokenizer.from_pretrained(str(base)).save_pretrained(str(folder))
    return folder
