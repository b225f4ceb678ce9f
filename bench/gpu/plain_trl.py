"""The training as a TRL user writes it: SFTTrainer with its defaults and the settings of a run.json.

usage: plain_trl.py RUN.JSON OUT; the last line of the output is a JSON object
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset
from peft import LoraConfig, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, TrainerCallback
from trl import SFTConfig, SFTTrainer

run = json.loads(Path(sys.argv[1]).read_text())
gpu = torch.cuda.is_available()
dtype = torch.bfloat16 if gpu else torch.float32


class Curve(TrainerCallback):
    def __init__(self) -> None:
        self.points: list[dict[str, Any]] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            point = {"time": time.time(), "step": state.global_step, "tokens": logs["num_tokens"], "loss": logs["loss"]}
            self.points.append(point)


def load_model() -> Any:
    quantization = None
    if run["quantization"]:
        quantization = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
    model = AutoModelForCausalLM.from_pretrained(
        run["model"]["path"], dtype=dtype, quantization_config=quantization, device_map={"": 0} if gpu else None
    )
    return prepare_model_for_kbit_training(model) if quantization else model


def arguments() -> SFTConfig:
    training = run["training"]
    return SFTConfig(
        output_dir=sys.argv[2],
        max_steps=training["max_steps"],
        per_device_train_batch_size=training["batch_size"],
        gradient_accumulation_steps=training["gradient_accumulation_steps"],
        learning_rate=training["learning_rate"],
        weight_decay=training["weight_decay"],
        warmup_steps=training["warmup_steps"],
        lr_scheduler_type=training["lr_scheduler"],
        optim=training["optimizer"],
        max_grad_norm=training["max_grad_norm"],
        seed=training["seed"],
        max_length=run["data"]["max_length"],
        assistant_only_loss=True,
        bf16=gpu,
        use_cpu=not gpu,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
    )


def main() -> None:
    adapter = run["adapter"]
    modules = adapter["target_modules"]
    curve = Curve()
    trainer = SFTTrainer(
        model=load_model(),
        args=arguments(),
        train_dataset=load_dataset("json", data_files=run["data"]["train"][0]["path"], split="train"),
        processing_class=AutoTokenizer.from_pretrained(run["model"]["path"]),
        peft_config=LoraConfig(
            r=adapter["r"],
            lora_alpha=adapter["alpha"],
            lora_dropout=adapter["dropout"],
            target_modules=modules,
            task_type="CAUSAL_LM",
        ),
        callbacks=[curve],
    )
    trainer.train()
    peak = torch.cuda.max_memory_allocated() if gpu else None
    print(json.dumps({"points": curve.points, "peak_gpu_bytes": peak}))


main()
