"""``python -m clara_trainer.base_model --out CACHE/models``: makes the default base model on the spot.

A small Llama, pretrained on the shipped text, so that everything can be tried without a hub. The same
recipe and text give the same model: the number of steps is fixed, not the time. Prints JSON lines
``{"phase", "message", "done", …}``; the last one holds ``model`` (absolute folder).
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clara_trainer.threads import limit_threads

TEXT = Path(__file__).resolve().parents[3] / "data-samples" / "verwaltung.txt"
BOS, EOS = "<s>", "</s>"


@dataclass(frozen=True)
class Recipe:
    """A change of any value is a new model, in a new folder."""

    version: int = 3
    vocabulary: int = 2048
    hidden: int = 256
    intermediate: int = 704
    layers: int = 4
    heads: int = 8
    context: int = 512
    row_tokens: int = 64
    batch: int = 8
    steps: int = 240
    learning_rate: float = 2e-3
    warmup_steps: int = 10
    decay_share: float = 0.3
    weight_decay: float = 0.1
    seed: int = 42


def say(phase: str, message: str, done: bool = False, **more: object) -> None:
    print(json.dumps({"phase": phase, "message": message, "done": done, **more}, ensure_ascii=False), flush=True)


def model_folder(models: Path, recipe: Recipe, text: str) -> Path:
    key = hashlib.sha256(f"{json.dumps(asdict(recipe))}\0{text}".encode()).hexdigest()[:12]
    return models / f"default-{key}"


def ensure_model(models: Path, recipe: Recipe, text: str) -> Path:
    """The finished folder; made once, however many processes ask at the same time."""
    folder = model_folder(models, recipe, text)
    if folder.is_dir():
        return folder
    models.mkdir(parents=True, exist_ok=True)
    lock = os.open(models / "default.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting", "Another process is making the default base model")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            make_model(folder, recipe, text)
    finally:
        os.close(lock)
    return folder


def make_model(folder: Path, recipe: Recipe, text: str) -> None:
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    limit_threads(1)
    say("importing", "Loading PyTorch")
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(recipe.seed)
    say("tokenizer", "Training the tokenizer")
    tokenizer = make_tokenizer(recipe, text)
    model = new_model(recipe, len(tokenizer))
    pretrain(model, token_rows(tokenizer, recipe, text), recipe)
    model.save_pretrained(partial, safe_serialization=True)
    tokenizer.save_pretrained(partial)
    (partial / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2))
    os.rename(partial, folder)


def make_tokenizer(recipe: Recipe, text: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=[BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(text.split("\n\n"), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS)


def new_model(recipe: Recipe, vocabulary: int) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=recipe.hidden,
            intermediate_size=recipe.intermediate,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            max_position_embeddings=recipe.context,
            bos_token_id=0,
            eos_token_id=1,
            tie_word_embeddings=True,
        )
    )


def token_rows(tokenizer: Any, recipe: Recipe, text: str) -> Any:
    """One long row of tokens, the paragraphs parted by the end token."""
    import torch

    tokens: list[int] = []
    for paragraph in text.strip().split("\n\n"):
        tokens += [tokenizer.bos_token_id, *tokenizer(paragraph)["input_ids"], tokenizer.eos_token_id]
    return torch.tensor(tokens)


def rate_factor(step: int, recipe: Recipe) -> float:
    """Rises, stays, and falls to a tenth: most of the few steps are taken at full rate."""
    left = (recipe.steps - step) / (recipe.steps * recipe.decay_share)
    return min(1.0, (step + 1) / recipe.warmup_steps, max(0.1, left))


def pretrain(model: Any, tokens: Any, recipe: Recipe) -> None:
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.95)
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_factor(step, recipe))
    # Rows begin where paragraphs do, so that a question and its answer stand in one row.
    starts = (tokens[: -recipe.row_tokens] == model.config.bos_token_id).nonzero().flatten()
    generator = torch.Generator().manual_seed(recipe.seed)
    started = time.monotonic()
    model.train()
    for step in range(1, recipe.steps + 1):
        chosen = starts[torch.randint(len(starts), (recipe.batch,), generator=generator)]
        batch = torch.stack([tokens[start : start + recipe.row_tokens] for start in chosen])
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 10 == 0 or step == recipe.steps:
            left = (time.monotonic() - started) / step * (recipe.steps - step)
            message = f"Pretraining the default base model: step {step}/{recipe.steps}, loss {loss.item():.2f}"
            say("pretraining", message, step=step, steps=recipe.steps, loss=loss.item(), seconds_left=round(left, 1))
    model.eval()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of models; default-<hash> is made in it")
    parser.add_argument("--text", type=Path, default=TEXT, help="plain text, paragraphs parted by empty lines")
    parser.add_argument("--steps", type=int, default=Recipe.steps, help="pretraining steps")
    arguments = parser.parse_args()
    try:
        text = arguments.text.read_text(encoding="utf-8")
        folder = ensure_model(arguments.out.absolute(), Recipe(steps=arguments.steps), text)
    except OSError as error:
        code = "disk" if error.errno == errno.ENOSPC else "files"
        say("failed", f"The default base model could not be made: {error}", error=code)
        return 1
    say("ready", "The default base model is ready", done=True, model=str(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
