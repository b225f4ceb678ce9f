"""PEFT's own way: generate() with adapter_names, or row by row with set_adapter; one round a line of standard input.

usage: peft_batch.py BASE ADAPTERS.json PROMPTS.json THREADS TOKENS
Lines ``together`` and ``alone``; prints ``{"seconds"}`` for each.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

warnings.simplefilter("ignore")

import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

base, threads, tokens = sys.argv[1], int(sys.argv[4]), int(sys.argv[5])
folders = json.load(open(sys.argv[2]))
prompts = json.load(open(sys.argv[3]))
torch.set_num_threads(threads)
tokenizer = AutoTokenizer.from_pretrained(base, padding_side="left")
tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
model = PeftModel.from_pretrained(plain, folders[0], adapter_name="a0")
for index, folder in enumerate(folders[1:], 1):
    model.load_adapter(folder, adapter_name=f"a{index}")
model.eval()
names = [f"a{index % len(folders)}" for index in range(len(prompts))]


def generate(texts: list[str], **more: object) -> None:
    inputs = tokenizer(texts, return_tensors="pt", padding=True)
    inputs.pop("token_type_ids", None)
    settings = {"max_new_tokens": tokens, "min_new_tokens": tokens, "do_sample": False}
    with torch.inference_mode():
        model.generate(
            **inputs, **settings, pad_token_id=tokenizer.pad_token_id, **more
        )


def together() -> None:
    generate(prompts, adapter_names=names)


def alone() -> None:
    for prompt, name in zip(prompts, names, strict=True):
        model.set_adapter(name)
        generate([prompt])


print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    together() if line.strip() == "together" else alone()
    print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)
