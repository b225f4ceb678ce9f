"""What a sentence-transformers folder says of its model: pooling, longest input, prompts. Standard library only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from clara_trainer.embed.problem import ModelProblem

Pooling = Literal["mean", "cls", "lasttoken"]
POOLINGS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "lasttoken",
}
# Position ids of these begin behind the padding token's.
OFFSET_POSITIONS = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer"}
DEFAULT_MAX_TOKENS = 512


@dataclass(frozen=True)
class Layout:
    folder: Path
    """Of the transformer itself; older models keep it in 0_Transformer."""
    pooling: Pooling
    max_tokens: int
    lower_case: bool
    prompts: dict[str, str]


def read_layout(folder: Path) -> Layout:
    """@raises ModelProblem where a model of this kind would give other vectors here than with sentence-transformers"""
    kinds = {kind(module): module for module in modules_of(folder)}
    foreign = sorted(set(kinds) - {"Transformer", "Pooling", "Normalize"})
    if foreign:
        raise unusable(
            folder, f"has the layer {', '.join(foreign)}, which is not supported; take a model without it (such as e5)"
        )
    transformer = folder / str(kinds.get("Transformer", {}).get("path", ""))
    config = read(transformer / "config.json")
    if not config:
        raise unusable(folder, "has no config.json that can be read; name the folder of a transformers model")
    if config.get("is_encoder_decoder"):
        raise unusable(folder, "is an encoder-decoder model, which is not supported; take an encoder")
    if not any(transformer.glob("*.safetensors")):
        raise unusable(folder, "has no weights (*.safetensors); pickled weights are not loaded")
    sentence = read(transformer / "sentence_bert_config.json")
    return Layout(
        folder=transformer,
        pooling=pooling_of(folder, kinds),
        max_tokens=longest_input(config, sentence, read(transformer / "tokenizer_config.json")),
        lower_case=sentence.get("do_lower_case") is True,
        prompts=prompts_of(read(folder / "config_sentence_transformers.json")),
    )


def modules_of(folder: Path) -> list[dict[str, Any]]:
    found = read_any(folder / "modules.json")
    return [module for module in found if isinstance(module, dict)] if isinstance(found, list) else []


def kind(module: dict[str, Any]) -> str:
    return str(module.get("type", "")).rsplit(".", 1)[-1]


def pooling_of(folder: Path, kinds: dict[str, dict[str, Any]]) -> Pooling:
    if "Pooling" not in kinds:
        return "mean"
    config = read(folder / str(kinds["Pooling"].get("path", "")) / "config.json")
    if not config:
        raise unusable(folder, "lacks the configuration of its pooling; its folder is not complete")
    named = config.get("pooling_mode")
    modes = (
        [str(named)] if named else [key for key, value in config.items() if key.startswith("pooling_mode_") and value]
    )
    poolings = [mode if mode in POOLINGS.values() else POOLINGS.get(mode) for mode in modes]
    if len(poolings) != 1 or poolings[0] is None or config.get("include_prompt") is False:
        wish = ", ".join(modes) or "none"
        if config.get("include_prompt") is False:
            wish += " without the prompt"
        raise unusable(folder, f"wants the pooling {wish}; supported are mean, cls and lasttoken")
    return cast(Pooling, poolings[0])


def longest_input(config: dict[str, Any], sentence: dict[str, Any], tokenizer: dict[str, Any]) -> int:
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and config.get("model_type") in OFFSET_POSITIONS:
        positions -= int(config.get("pad_token_id") or 0) + 1
    limits = [sentence.get("max_seq_length"), positions, tokenizer.get("model_max_length")]
    return int(
        min((limit for limit in limits if isinstance(limit, (int, float)) and limit > 0), default=DEFAULT_MAX_TOKENS)
    )


def prompts_of(config: dict[str, Any]) -> dict[str, str]:
    prompts = config.get("prompts")
    return {str(name): str(text) for name, text in prompts.items()} if isinstance(prompts, dict) else {}


def read(path: Path) -> dict[str, Any]:
    found = read_any(path)
    return found if isinstance(found, dict) else {}


def read_any(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def unusable(folder: Path, what: str) -> ModelProblem:
    return ModelProblem("unusable", f'the embedding model "{folder.name}" {what}')
