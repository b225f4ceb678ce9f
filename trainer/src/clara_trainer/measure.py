"""Evaluation: the mean loss per learned token over all rows, the same for any batch size or number of processes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clara_trainer.data.encode import IGNORED, PairRow, TokenRow


@dataclass(frozen=True)
class Measure:
    """`likelihood_loss`: of dpo, the mean loss per token of the preferred answers; else the loss is that."""

    loss: float
    token_accuracy: float
    likelihood_loss: float | None = None
    reward_margin: float | None = None
    reward_accuracy: float | None = None

    @property
    def perplexity(self) -> float:
        loss = self.loss if self.likelihood_loss is None else self.likelihood_loss
        return math.exp(min(loss, 700.0))


def measure(trainer: Any, rows: Sequence[TokenRow], batch_size: int) -> Measure:
    """Rows of like length share a batch; every process takes its part. Draws no random numbers: a resumed
    training must meet the same ones whether or not it was evaluated in between."""
    import torch
    from accelerate.utils import send_to_device
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    accelerator = trainer.accelerator
    collate = DataCollatorForLanguageModeling(trainer.processing_class.pad_token_id, trainer.padding_free)
    ordered = sorted(rows, key=lambda row: len(row["input_ids"]))
    batches = [ordered[start : start + batch_size] for start in range(0, len(ordered), batch_size)]
    totals = torch.zeros(3, dtype=torch.float64, device=accelerator.device)
    model = accelerator.unwrap_model(trainer.model)
    was_training = model.training
    model.eval()
    try:
        for batch in batches[accelerator.process_index :: accelerator.num_processes]:
            inputs = send_to_device(collate(list(batch)), accelerator.device)
            with torch.no_grad(), trainer.compute_loss_context_manager():
                outputs = model(**inputs, use_cache=False, fused_lm_head=True)
            totals += torch.stack(
                [-outputs.log_probs.double().sum(), outputs.is_top1.double().sum(), outputs.label_mask.double().sum()]
            ).to(totals)
    finally:
        model.train(was_training)
    loss, correct, count = accelerator.reduce(totals, reduction="sum").tolist()
    return Measure(loss / max(count, 1), correct / max(count, 1))


def measure_pairs(trainer: Any, rows: Sequence[PairRow], batch_size: int) -> Measure:
    """The DPO loss, the reward margin and how often it is above 0, over all pairs. As `measure`, it draws no random
    numbers. Formula: Rafailov et al. 2023 (arXiv 2305.18290), equation 7."""
    import torch

    accelerator, beta = trainer.accelerator, trainer.args.beta
    ordered = sorted(rows, key=lambda row: len(row["chosen_ids"]) + len(row["rejected_ids"]))
    batches = [ordered[start : start + batch_size] for start in range(0, len(ordered), batch_size)]
    totals = torch.zeros(7, dtype=torch.float64, device=accelerator.device)
    model = accelerator.unwrap_model(trainer.model)
    was_training = model.training
    model.eval()
    try:
        for batch in batches[accelerator.process_index :: accelerator.num_processes]:
            inputs = {key: value.to(accelerator.device) for key, value in trainer.data_collator(list(batch)).items()}
            totals += pair_totals(trainer, model, inputs, beta).to(totals)
    finally:
        model.train(was_training)
    loss, margin, won, pairs, likelihood, correct, tokens = accelerator.reduce(totals, reduction="sum").tolist()
    return Measure(
        loss / max(pairs, 1), correct / max(tokens, 1), likelihood / max(tokens, 1), margin / max(pairs, 1),
        won / max(pairs, 1),
    )  # fmt: skip


def pair_totals(trainer: Any, model: Any, inputs: dict[str, Any], beta: float) -> Any:
    """Sums over the pairs of a batch: loss, margin, margins above 0, pairs; and over the tokens of the preferred
    answers: loss, tokens that came first, tokens."""
    import torch
    from torch.nn.functional import logsigmoid

    labels = inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, IGNORED)
    with torch.no_grad(), trainer.compute_loss_context_manager():
        outputs = model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], labels=labels, use_cache=False,
            fused_lm_head=True,
        )  # fmt: skip
    chosen, rejected = outputs.log_probs.double().sum(dim=1).chunk(2)
    known_chosen, known_rejected = trainer.compute_ref_log_probs(model, inputs)
    margins = beta * ((chosen - known_chosen.double()) - (rejected - known_rejected.double()))
    mask = inputs["completion_mask"][:, 1:].bool().chunk(2)[0]
    first = outputs.is_top1[:, -mask.size(1) :].chunk(2)[0] & mask
    return torch.stack(
        [
            -logsigmoid(margins).sum(), margins.sum(), (margins > 0).double().sum(),
            torch.tensor(float(len(margins)), dtype=torch.float64, device=margins.device),
            -chosen.sum(), first.double().sum(), mask.double().sum(),
        ]
    )  # fmt: skip
