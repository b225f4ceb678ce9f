"""Evaluation: the mean loss per learned token over all rows, the same for any batch size or number of processes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clara_trainer.data.encode import TokenRow


@dataclass(frozen=True)
class Measure:
    loss: float
    token_accuracy: float

    @property
    def perplexity(self) -> float:
        return math.exp(min(self.loss, 700.0))


def measure(trainer: Any, rows: Sequence[TokenRow], batch_size: int) -> Measure:
    """Rows of like length share a batch; every process takes its part. Draws no random numbers: a resumed
    training must meet the same ones whether or not it was evaluated in between."""
    import torch
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    accelerator = trainer.accelerator
    collate = DataCollatorForLanguageModeling(pad_token_id=trainer.processing_class.pad_token_id)
    ordered = sorted(rows, key=lambda row: len(row["input_ids"]))
    batches = [ordered[start : start + batch_size] for start in range(0, len(ordered), batch_size)]
    totals = torch.zeros(3, dtype=torch.float64, device=accelerator.device)
    model = accelerator.unwrap_model(trainer.model)
    was_training = model.training
    model.eval()
    try:
        for batch in batches[accelerator.process_index :: accelerator.num_processes]:
            inputs = {key: value.to(accelerator.device) for key, value in collate(list(batch)).items()}
            with torch.no_grad(), trainer.compute_loss_context_manager():
                outputs = model(**inputs, use_cache=False, fused_lm_head=True)
            totals += torch.stack(
                [-outputs.log_probs.double().sum(), outputs.is_top1.double().sum(), outputs.label_mask.double().sum()]
            ).to(totals)
    finally:
        model.train(was_training)
    loss, correct, count = accelerator.reduce(totals, reduction="sum").tolist()
    return Measure(loss / max(count, 1), correct / max(count, 1))
