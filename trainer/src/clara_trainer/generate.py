"""``python -m clara_trainer.generate --model DIR [--adapter DIR] --prompt …``: answers without and with an adapter.

Prints one JSON object ``{"without": text, "with": text|null}``. Greedy, so the same call gives the same answers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from clara_trainer.data.chat_template import give_template
from clara_trainer.threads import limit_threads


def answer(model: Any, tokenizer: Any, prompt: str, max_new_tokens: int) -> str:
    import torch

    messages = [{"role": "user", "content": prompt}]
    inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    inputs = {name: inputs[name].to(model.device) for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        output = model.generate(
            **inputs,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    return str(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)).strip()


def load(model: str, adapter: Path | None) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # The adapter's folder holds the tokenizer with the chat template that it was trained with.
    tokenizer = AutoTokenizer.from_pretrained(str(adapter or model))
    give_template(tokenizer)
    base = AutoModelForCausalLM.from_pretrained(model, use_safetensors=True, dtype="auto")
    if adapter is None:
        return base, tokenizer
    from peft import PeftModel

    return PeftModel.from_pretrained(base, str(adapter)), tokenizer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="hub id or folder")
    parser.add_argument("--adapter", type=Path, default=None, help="PEFT folder")
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--max-new-tokens", type=int, default=64)
    arguments = parser.parse_args()
    limit_threads(1)
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    warnings.simplefilter("ignore", FutureWarning)
    sys.modules["bitsandbytes"] = cast(ModuleType, None)
    from transformers.utils import logging

    logging.disable_progress_bar()
    model, tokenizer = load(arguments.model, arguments.adapter)
    model.eval()
    with_adapter = None
    if arguments.adapter:
        with_adapter = answer(model, tokenizer, arguments.prompt, arguments.max_new_tokens)
        with model.disable_adapter():
            without = answer(model, tokenizer, arguments.prompt, arguments.max_new_tokens)
    else:
        without = answer(model, tokenizer, arguments.prompt, arguments.max_new_tokens)
    print(json.dumps({"without": without, "with": with_adapter}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
