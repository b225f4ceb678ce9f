"""A random BERT of some thousand parameters in the folder layout of sentence-transformers, made in a moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = ["query", "passage", ":", "die", "behörde", "kann", "den", "bescheid", "zurück", "nehmen", "##nehmen", "frist"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
POOLING = {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": False, "pooling_mode_lasttoken": False}


def make_tiny_encoder(folder: Path, pooling: str = "pooling_mode_mean_tokens", **sentence: Any) -> Path:
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = {token: index for index, token in enumerate(SPECIAL + WORDS)}
    pieces = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    pieces.normalizer = normalizers.Lowercase()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    # Published models have a limit and a padding here, which the worker must not fall for.
    pieces.enable_truncation(4)
    pieces.enable_padding(length=4)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    write(folder / "modules.json", modules("Transformer", "Pooling", "Normalize"))
    write(folder / "1_Pooling" / "config.json", {**POOLING, pooling: True})
    write(folder / "sentence_bert_config.json", {"max_seq_length": 16, "do_lower_case": False, **sentence})
    return folder


def modules(*names: str) -> list[dict[str, Any]]:
    return [
        {"idx": index, "name": str(index), "path": f"{index}_{name}" if index else "", "type": f"x.models.{name}"}
        for index, name in enumerate(names)
    ]


def write(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
