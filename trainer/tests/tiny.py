"""A random Llama of 0.2 million parameters with a tokenizer of its own, made in a second."""

from __future__ import annotations

import sys
from pathlib import Path

WORDS = (
    "Der Bescheid ist ein Verwaltungsakt der Behörde. Die Frist für den Widerspruch beträgt einen Monat nach der "
    "Bekanntgabe. Gegen den Bescheid kann Klage vor dem Verwaltungsgericht erhoben werden. Die Anhörung geht dem "
    "belastenden Verwaltungsakt voraus. Das Ermessen der Behörde hat Grenzen, die das Gesetz zieht."
)


def make_tiny_model(folder: Path, hidden: int = 64, seed: int = 0) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<s>", "</s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    bpe.train_from_iterator([WORDS], trainer)
    PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="</s>").save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=bpe.get_vocab_size(),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=0,
        eos_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder, safe_serialization=True)
    return folder


if __name__ == "__main__":
    print(make_tiny_model(Path(sys.argv[1])))
