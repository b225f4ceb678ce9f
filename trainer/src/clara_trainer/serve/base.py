"""The base model: loaded with our attention, and checked against transformers' own before it serves."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clara_trainer.serve.attention import ARGUMENT, NAME, FlatBatch, Span, register
from clara_trainer.serve.kv_cache import BLOCK, KvCache
from clara_trainer.serve.packed import pack_linears
from clara_trainer.serve.problem import StartProblem

PROBE_TOKENS = 12
# Largest difference of a log probability that rounding explains.
TOLERANCE = {"float32": 1e-2, "bfloat16": 1.0, "float16": 0.5}
UNKNOWN_CONTEXT = 4096


@dataclass
class Base:
    """`context`: most tokens of a row, question and answer together."""

    model: Any
    device: str
    context: int
    vocabulary: int
    folder: Path
    defaults: dict[str, Any]
    eos: frozenset[int]
    kv_sizes: dict[int, int] = field(default_factory=dict)

    @property
    def like(self) -> Any:
        """An empty tensor of the model's type, on its device."""
        return self.model.get_input_embeddings().weight[:0]

    def limit_context(self, kv_bytes: int) -> None:
        """To what fits into the memory for keys and values."""
        tokens = kv_bytes // sum(self.kv_sizes.values()) // BLOCK * BLOCK
        self.context = min(self.context, tokens)
        if tokens < BLOCK:
            raise StartProblem(f"{kv_bytes} bytes for keys and values hold {tokens} tokens; that is too few.")

    def logits(self, ids: Any, batch: FlatBatch, wanted: Any) -> Any:
        """Float32 (wanted places, vocabulary) of the flat tokens `ids` (1, tokens)."""
        batch.prepare(ids.device)
        more = {ARGUMENT: batch}
        out = self.model(
            input_ids=ids, position_ids=batch.positions[None], use_cache=False, logits_to_keep=wanted, **more
        )
        return out.logits[0].float()


def load_base(folder: Path, wish: str) -> Base:
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    device = chosen_device(wish)
    check_folder(folder)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    try:
        model = AutoModelForCausalLM.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=dtype,
            attn_implementation="sdpa",
        )
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise StartProblem(f"The base model {folder.name} cannot be loaded: {first}") from error
    model = model.eval().to(device)
    model.requires_grad_(False)
    return base_of(model, device, folder)


def base_of(model: Any, device: str, folder: Path) -> Base:
    config = model.config.get_text_config()
    generation = read_json(folder / "generation_config.json")
    base = Base(
        model=model,
        device=device,
        context=int(getattr(config, "max_position_embeddings", None) or UNKNOWN_CONTEXT),
        vocabulary=int(model.get_input_embeddings().weight.shape[0]),
        folder=folder,
        defaults={name: generation[name] for name in ("temperature", "top_p", "top_k") if name in generation},
        eos=frozenset(as_ids(generation.get("eos_token_id")) + as_ids(getattr(config, "eos_token_id", None))),
    )
    switch_attention(base)
    return base


def switch_attention(base: Base) -> None:
    """From transformers' attention to ours; refuses a model that then says anything else."""
    import torch

    probe = min(PROBE_TOKENS, base.context - 1)
    ids = torch.arange(probe, device=base.device)[None] * 7 % base.vocabulary
    with torch.inference_mode():
        expected = base.model(input_ids=ids, use_cache=False).logits[0].float().log_softmax(-1)
        register()
        if base.device == "cpu":
            pack_linears(base.model)
        try:
            base.model.set_attn_implementation(NAME)
            found = probe_logits(base, ids).log_softmax(-1)
        except Exception as error:
            raise StartProblem(
                f"The base model {base.folder.name} ({type(base.model).__name__}) cannot be served by the embedded "
                f"engine: its attention takes no other implementation ({error}). Use vLLM for it."
            ) from error
    tolerance = TOLERANCE[str(base.model.dtype).removeprefix("torch.")]
    difference = float((expected - found).abs().max())
    if not difference <= tolerance:
        raise StartProblem(
            f"The base model {base.folder.name} ({type(base.model).__name__}) cannot be served by the embedded engine: "
            f"its answers would differ from transformers' (log probabilities by {difference:.3g}). Use vLLM for it."
        )


def probe_logits(base: Base, ids: Any) -> Any:
    """The same in a piece of several tokens, then one by one: both ways of the cache."""
    import torch

    cache = KvCache()
    cache.reserve(1, ids.shape[1])
    cut = max(1, ids.shape[1] - 3)
    pieces = [(0, cut), *((at, at + 1) for at in range(cut, ids.shape[1]))]
    found = []
    for begin, end in pieces:
        batch = FlatBatch(cache, [Span(0, begin, 0, end - begin)], 0)
        found.append(base.logits(ids[:, begin:end], batch, 0))
    base.kv_sizes = cache.sizes
    return torch.cat(found)


def chosen_device(wish: str) -> str:
    import torch

    there = torch.cuda.is_available()
    if wish == "cuda" and not there:
        raise StartProblem("The engine is to run on a GPU, but torch sees none; take --device cpu.")
    return "cuda" if there and wish != "cpu" else "cpu"


def check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise StartProblem(f"{folder} is no model folder: it has no config.json.")
    if not any(folder.glob("*.safetensors")):
        raise StartProblem(f"{folder} holds no weights as safetensors; pickle files can run code and are not read.")


def as_ids(value: object) -> list[int]:
    if isinstance(value, int):
        return [value]
    return [int(one) for one in value] if isinstance(value, list) else []


def read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
