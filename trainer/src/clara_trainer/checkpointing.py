"""Whether the inner values of the layers are kept for the backward pass, or computed again (Chen et al. 2016, arXiv
1604.06174): a third more work for a fraction of the memory."""

from __future__ import annotations

from typing import Any

from clara_trainer.contract.types import Run
from clara_trainer.device import CHECKPOINTING_PARAMETERS, Device
from clara_trainer.padding_free import NAME, autocast, flat

# Share of the free memory of the GPU; the rest is for the head, the gradients on their way and what is in pieces.
ROOMY_SHARE = 0.5


def computes_again(model: Any, run: Run, device: Device) -> bool:
    wish = run["training"]["gradient_checkpointing"]
    if wish != "auto":
        return wish is True
    if device.kind == "cpu" or sum(parameter.numel() for parameter in model.parameters()) <= CHECKPOINTING_PARAMETERS:
        return False
    rows = run["training"]["batch_size"] * (2 if run["method"] == "dpo" else 1)
    return kept_bytes(model, run["data"]["max_length"], device) * rows > ROOMY_SHARE * free_bytes()


def free_bytes() -> int:
    """Of the GPU, with what torch holds and does not use."""
    import torch

    return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated())


def kept_bytes(model: Any, tokens: int, device: Device) -> int:
    """What the layers keep of a row of so many tokens, measured."""
    import torch

    base = model.get_base_model()
    ids = torch.arange(tokens, device=base.device) % base.get_input_embeddings().weight.shape[0]
    batch = flat(ids, (tokens,)) if device.attention == NAME else {"input_ids": ids[None]}
    model.train()
    with torch.random.fork_rng(devices=[base.device]), autocast(device):
        before = int(torch.cuda.memory_allocated())
        try:
            kept = base.base_model(**batch, use_cache=False)
        except torch.cuda.OutOfMemoryError:
            return free_bytes()
        used = int(torch.cuda.memory_allocated()) - before
    del kept
    return used
