"""A Llama-shaped model of a given size with random weights, a byte tokenizer, and rows of chat of uneven length.

usage: make_model.py FOLDER tiny|1b|3b|8b ROWS
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

# hidden, feed-forward, layers, heads, key-value heads, vocabulary: the last three as Llama 3 has them.
SIZES = {
    "tiny": (64, 128, 2, 4, 2, 320),
    "1b": (2048, 8192, 16, 32, 8, 128_256),
    "3b": (3072, 8192, 28, 24, 8, 128_256),
    "8b": (4096, 14_336, 32, 32, 8, 128_256),
}
TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'assistant' %}{% generation %}{{ message.content }}</s>"
    "{% endgeneration %}{% else %}<s>{{ message.content }}\n{% endif %}{% endfor %}"
)
WORDS = "der Bescheid ist ein Verwaltungsakt und die Frist beträgt einen Monat nach der Bekanntgabe".split()


def make_tokenizer(folder: Path) -> None:
    alphabet = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bytes_only = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(alphabet)}, merges=[]))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    bytes_only.add_special_tokens(["<s>", "</s>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_only, bos_token="<s>", eos_token="</s>", pad_token="</s>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)


def make_model(folder: Path, size: str) -> None:
    hidden, feed_forward, layers, heads, key_value_heads, vocabulary = SIZES[size]
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=feed_forward,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=key_value_heads,
        max_position_embeddings=8192,
        tie_word_embeddings=size == "1b",
        bos_token_id=0,
        eos_token_id=1,
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float32 if size == "tiny" else torch.bfloat16)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)


def make_rows(path: Path, count: int) -> None:
    draw = random.Random(0)

    def text(words: int) -> str:
        return " ".join(draw.choice(WORDS) for _ in range(words))

    with path.open("w") as file:
        for _ in range(count):
            length = max(4, min(150, round(draw.lognormvariate(3.2, 0.8))))
            turns = [("user", text(max(4, length // 3))), ("assistant", text(length))]
            row = {"messages": [{"role": role, "content": content} for role, content in turns]}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    make_tokenizer(target)
    make_model(target, sys.argv[2])
    make_rows(target / "rows.jsonl", int(sys.argv[3]))
