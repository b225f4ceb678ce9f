"""TRL's trainers, with an evaluation that does not depend on batches, and a stop agreed by all processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from trl import DPOTrainer, SFTTrainer

from clara_trainer.data.encode import IGNORED, PairRow, TokenRow
from clara_trainer.measure import Measure, measure, measure_pairs
from clara_trainer.padding_free import pieces
from clara_trainer.progress import Reporter

FROZEN_COPY = "ref"


class Watched:
    """What both methods have in common; stands before TRL's trainer among the bases."""

    evaluation_rows: Sequence[Any]
    reporter: Reporter
    control: Any
    # Of transformers' Trainer.
    args: Any
    state: Any
    model: Any
    accelerator: Any
    callback_handler: Any
    train_dataset: Any

    def measured(self) -> Measure:
        raise NotImplementedError

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        found = self.reporter.measured("during", self.state.global_step)
        metrics = {"eval_loss": found.loss, "eval_token_accuracy": found.token_accuracy}
        if found.reward_margin is not None and found.reward_accuracy is not None:
            metrics |= {"eval_rewards/margins": found.reward_margin, "eval_rewards/accuracies": found.reward_accuracy}
        self.log(dict(metrics))  # type: ignore[attr-defined]
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def most(self, number: int) -> int:
        """Of all processes."""
        if self.accelerator.num_processes == 1:
            return number
        return int(self.accelerator.gather(torch.tensor([number], device=self.accelerator.device)).max())

    def agreed(self, wish: bool) -> bool:
        if self.accelerator.num_processes == 1:
            return wish
        wishes = torch.tensor(int(wish), device=self.accelerator.device)
        return bool(self.accelerator.reduce(wishes, reduction="sum").item())

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """The adapter has one card, written at the end."""


class SupervisedTrainer(Watched, SFTTrainer):  # type: ignore[misc]
    evaluation_rows: list[TokenRow]
    # As many as fit into the memory at once.
    piece_tokens: int

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """Without padding, the rows of the whole step come in `inputs`. Each piece adds its part of the mean over all
        tokens; other processes hear of the gradients with the last."""
        if not self.padding_free:
            return super().training_step(model, inputs, num_items_in_batch)
        *others, last = pieces(inputs, self.piece_tokens, self.most)
        with self.accelerator.no_sync(model):
            losses = [super(SupervisedTrainer, self).training_step(model, part, num_items_in_batch) for part in others]
        return sum(losses, super().training_step(model, last, num_items_in_batch))

    def measured(self) -> Measure:
        return measure(self, self.evaluation_rows, self.args.per_device_eval_batch_size)


class PreferenceTrainer(Watched, DPOTrainer):  # type: ignore[misc]
    """DPO. The reference is the base with the adapter off, or a frozen copy of the adapter that training began with."""

    evaluation_rows: list[PairRow]

    def measured(self) -> Measure:
        return measure_pairs(self, self.evaluation_rows, self.args.per_device_eval_batch_size)

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        """The rows are token ids already."""
        return dataset

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """The frozen copy is nothing to save: a checkpoint is an adapter that can be served."""
        copies = self.model.peft_config.pop(FROZEN_COPY, None)
        try:
            super()._save(output_dir, state_dict)
        finally:
            if copies is not None:
                self.model.peft_config[FROZEN_COPY] = copies


class PairCollator:
    """Batches as DPOTrainer wants them: the preferred conversations, then the others, padded on the right."""

    def __init__(self, pad_token_id: int) -> None:
        self._pad = pad_token_id

    def __call__(self, rows: list[PairRow]) -> dict[str, torch.Tensor]:
        ids = [row["chosen_ids"] for row in rows] + [row["rejected_ids"] for row in rows]
        labels = [row["chosen_labels"] for row in rows] + [row["rejected_labels"] for row in rows]
        return {
            "input_ids": padded(ids, self._pad),
            "attention_mask": padded([[1] * len(row) for row in ids], 0),
            "completion_mask": padded([[int(label != IGNORED) for label in row] for row in labels], 0),
        }


def padded(rows: list[list[int]], value: int) -> torch.Tensor:
    length = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows])
