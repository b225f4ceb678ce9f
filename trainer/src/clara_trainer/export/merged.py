"""The base model with the adapter added to its weights: a folder that every tool for transformers loads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clara_trainer.data.chat_template import give_template, own_template
from clara_trainer.export.problem import ExportProblem

Tell = Callable[[str, float], None]


def load_tokenizer(base: str, adapter: Path) -> Any:
    """The adapter's own, else the base's; with the chat template that the adapter was trained with."""
    from transformers import AutoTokenizer

    has_own = (adapter / "tokenizer_config.json").is_file()
    tokenizer = AutoTokenizer.from_pretrained(str(adapter) if has_own else base)
    tokenizer.chat_template = own_template(adapter) or tokenizer.chat_template
    give_template(tokenizer)
    return tokenizer


def changes_head(adapter: Path) -> bool:
    from safetensors import safe_open

    with safe_open(adapter / "adapter_model.safetensors", framework="pt") as file:
        names = file.keys()
        return any(".lm_head." in name for name in names)


def untie(model: Any) -> None:
    """An adapter of the head is added to the head alone, and not to the embedding that shares its weights."""
    import torch

    head = model.get_output_embeddings()
    if head.weight is model.get_input_embeddings().weight:
        head.weight = torch.nn.Parameter(head.weight.detach().clone())
        model.config.get_text_config().tie_word_embeddings = False


def merged_model(base: str, adapter: Path, tell: Tell) -> Any:
    """Weights in the base's own type; a quantised base is refused: its weights are only near those of the model."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    tell("loading the base model", 0.05)
    model = AutoModelForCausalLM.from_pretrained(base, use_safetensors=True, dtype="auto")
    if getattr(model.config, "quantization_config", None) is not None:
        raise ExportProblem(f"The base {Path(base).name} is quantised; merge with the model that it was made from")
    if changes_head(adapter):
        untie(model)
    tell("loading the adapter", 0.3)
    with_adapter = PeftModel.from_pretrained(model, str(adapter))
    tell("merging", 0.4)
    return with_adapter.merge_and_unload(safe_merge=True)


def write_merged(base: str, adapter: Path, out: Path, tell: Tell) -> None:
    merged = merged_model(base, adapter, tell)
    tell("writing the model", 0.6)
    merged.save_pretrained(out, safe_serialization=True, max_shard_size="2GB")
    load_tokenizer(base, adapter).save_pretrained(out)
