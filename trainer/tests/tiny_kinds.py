"""Small random models of the kinds and tokenizers that are written as GGUF, and what transformers says with them.

``python tiny_kinds.py OUT KIND/TOKENIZER …``: makes ``base``, ``adapter`` and the export ``out`` of each in a folder,
and prints a line for each: the tokens of ``TEXT``, and the five likeliest tokens behind each position with the
logarithms of their probabilities, of the base and of both.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny import WORDS
from tiny_adapter import make_tiny_adapter

# Digits, capitals, blanks, line ends, umlauts, a sign outside of the vocabulary and one of four bytes.
TEXT = (
    "Gemäß § 70 Absatz 1 der VwGO beträgt die Frist  EINEN Monat;\n\n\tsie beginnt am 12.03.2024 (Zugang).\n"
    "Die Größe: 1234567 m² – „über“ it's I'LL 🏛 Straße   Ende  "
)
SIZES = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 8, "num_attention_heads": 4}
COMMON = {**SIZES, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 256}
# Window shorter than the text, so that the layers which see it all differ from the others.
WINDOWS = {"sliding_window": 24, "query_pre_attn_scalar": 16}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
LINEAR_ROPE = {
    "full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "llama3": ("llama", {"rope_parameters": LLAMA3_ROPE}),
    "mistral": ("mistral", {"sliding_window": 128, "head_dim": 32}),
    "qwen2": ("qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("qwen3", {"head_dim": 32}),
    "gemma": ("gemma", {}),
    "gemma2": ("gemma2", {**WINDOWS, "final_logit_softcapping": 3.0, "attn_logit_softcapping": 5.0}),
    "gemma3": ("gemma3_text", WINDOWS),
    "gemma3-linear": ("gemma3_text", {**WINDOWS, "rope_parameters": LINEAR_ROPE}),
}
TOKENIZERS: dict[str, Callable[[], Any]] = {}


def bpe(*, size: int = 600, **splits: Any) -> Any:
    from tokenizers import Tokenizer, decoders, models, trainers

    made = Tokenizer(models.BPE(ignore_merges=bool(splits.get("ignore_merges"))))
    made.normalizer, made.pre_tokenizer = splits.get("normalizer"), splits["pre_tokenizer"]
    made.decoder = decoders.ByteLevel()
    alphabet = splits["pre_tokenizer"].alphabet() if hasattr(splits["pre_tokenizer"], "alphabet") else None
    from tokenizers import pre_tokenizers

    alphabet = alphabet or pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator([WORDS, TEXT], trainer)
    return made


def gpt2() -> Any:
    from tokenizers import pre_tokenizers

    return bpe(pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False))


def split_by(pattern: str) -> Any:
    from tokenizers import Regex, pre_tokenizers

    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


# As the tokenizer.json of Llama 3 and of Qwen 2 have them.
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def llama3() -> Any:
    from tokenizers import processors

    made = bpe(pre_tokenizer=split_by(LLAMA3), ignore_merges=True)
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return made


def qwen2() -> Any:
    from tokenizers import normalizers

    return bpe(pre_tokenizer=split_by(LLAMA3.replace("{1,3}", "")), normalizer=normalizers.NFC())


def sentence_pieces(has_prefix: bool) -> Any:
    """Pieces as SentencePiece makes them: a score each, every pair that makes a piece a merge, the best first."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

    words = f"▁{WORDS} {TEXT}".replace(" ", "▁").replace("🏛", "")
    letters = sorted(set(words))
    counts: dict[str, int] = {}
    for length in range(2, 9):
        for at in range(len(words) - length):
            piece = words[at : at + length]
            if "▁" not in piece[1:]:
                counts[piece] = counts.get(piece, 0) + 1
    known = set(letters)
    pieces = []
    for piece, _ in sorted(counts.items(), key=lambda each: (len(each[0]), -each[1], each[0])):
        if counts[piece] > 1 and any(piece[:at] in known and piece[at:] in known for at in range(1, len(piece))):
            known.add(piece)
            pieces.append(piece)
    pieces.sort(key=lambda piece: (-counts[piece] * len(piece), piece))
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *pieces, *letters]
    vocabulary = {name: number for number, name in enumerate(names)}
    merges = [
        (piece[:at], piece[at:])
        for piece in pieces
        for at in range(1, len(piece))
        if piece[:at] in known and piece[at:] in known
    ]
    made = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    replaced = normalizers.Replace(" ", "▁")
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replaced]) if has_prefix else replaced
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    made.add_special_tokens(["<unk>", "<s>", "</s>"])
    made.add_tokens([AddedToken("\n\n", normalized=False)])
    return made


TOKENIZERS.update(
    gpt2=gpt2,
    llama3=llama3,
    qwen2=qwen2,
    gemma=lambda: sentence_pieces(False),
    llama=lambda: sentence_pieces(True),
)


def make_tokenizer(kind: str, folder: Path) -> Any:
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(tokenizer_object=TOKENIZERS[kind](), bos_token="<s>", eos_token="</s>")
    made.save_pretrained(folder)
    return made


def make_model(kind: str, vocabulary: int, folder: Path) -> None:
    """Weights far enough from their starting values that none of them may be left out, and none stand elsewhere."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    name, more = KINDS[kind]
    # More rows than tokens, as bases have.
    config = AutoConfig.for_model(name, **{**COMMON, "vocab_size": vocabulary + 5, "bos_token_id": 0, **more})
    model = AutoModelForCausalLM.from_config(config)
    torch.manual_seed(7)
    with torch.no_grad():
        for weight in model.parameters():
            scale = 0.3 if weight.ndim == 1 else 1.2 / weight.shape[1] ** 0.5
            # What 16 bits hold: the file has no more.
            weight.copy_((weight * (weight.ndim == 1) + torch.randn_like(weight) * scale).half().float())
    model.save_pretrained(folder, safe_serialization=True)


def likeliest(model: Any, tokens: list[int]) -> list[dict[str, float]]:
    import torch

    with torch.no_grad():
        chances = model(torch.tensor([tokens])).logits[0].log_softmax(-1)
    return [{str(token): float(row[token]) for token in row.topk(5).indices.tolist()} for row in chances]


def facts(kind: str, tokenizer: str, out: Path) -> dict[str, Any]:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from clara_trainer.export.__main__ import parse, write_one_file

    made = make_tokenizer(tokenizer, out / "base")
    make_model(kind, len(made), out / "base")
    adapter = make_tiny_adapter(out / "base", out / "adapter", seed=3, strength=0.2)
    model = AutoModelForCausalLM.from_pretrained(str(out / "base"))
    tokens = made(TEXT)["input_ids"]
    base = likeliest(model, tokens)
    both = likeliest(PeftModel.from_pretrained(model, str(adapter)), tokens)
    places = ["--base", str(out / "base"), "--adapter", str(adapter), "--out", str(out / "out")]
    (out / "out").mkdir()
    write_one_file(parse([*places, "--name", "amt", "--format", "merged-gguf"]), lambda *_: None)
    return {"text": TEXT, "tokens": tokens, "base": base, "both": both}


def main(out: Path, pairs: list[str]) -> None:
    for pair in pairs:
        kind, tokenizer = pair.split("/")
        print(json.dumps(facts(kind, tokenizer, out / f"{kind}-{tokenizer}")), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
