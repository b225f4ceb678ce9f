"""``python random_adapters.py BASE OUT COUNT``: LoRA folders of rank 16 on all linear layers, with random weights."""

from __future__ import annotations

import sys
from pathlib import Path

STRENGTH = 0.05


def main(base: str, out: Path, count: int) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    config = LoraConfig(
        r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config
    )
    for index in range(count):
        torch.manual_seed(index)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_" in name:
                    weight.copy_(torch.randn_like(weight) * STRENGTH)
        model.save_pretrained(str(out / f"a{index}"), safe_serialization=True)
        AutoTokenizer.from_pretrained(base).save_pretrained(str(out / f"a{index}"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
