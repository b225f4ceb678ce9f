"""From examples to token rows: input_ids, and labels that leave out what is not to be learned (-100)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from clara_trainer.data.chat_template import give_template, own_template, render, rendered
from clara_trainer.data.example import Example, Turn
from clara_trainer.failure import TrainingError

IGNORED = -100
Span = tuple[int, int]


class TokenRow(TypedDict):
    input_ids: list[int]
    labels: list[int]


class PairRow(TypedDict):
    """Two rows that begin alike; the labels leave the prompt out of both."""

    chosen_ids: list[int]
    chosen_labels: list[int]
    rejected_ids: list[int]
    rejected_labels: list[int]


@dataclass
class Encoded:
    rows: list[TokenRow]
    warnings: list[str]


@dataclass
class EncodedPairs:
    rows: list[PairRow]
    warnings: list[str]


def prepare_tokenizer(tokenizer: Any, start_from: str | None = None) -> list[str]:
    """Gives a base without a chat template the shipped one; it is saved with the adapter. An adapter that is trained
    further keeps its own."""
    if not getattr(tokenizer, "is_fast", False):
        raise TrainingError(
            "invalid_model", "The model has no fast tokenizer (tokenizer.json), which the trainer needs."
        )
    if tokenizer.eos_token is None:
        raise TrainingError(
            "invalid_model", "The model's tokenizer names no end token (eos_token), so no answer could end."
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    own = own_template(Path(start_from)) if start_from else None
    if own is not None:
        tokenizer.chat_template = own
        return []
    if not give_template(tokenizer):
        return []
    return ["The base model has no chat template: the shipped one is used and saved with the adapter."]


def encode(examples: list[Example], tokenizer: Any, max_length: int, kind: str) -> Encoded:
    notes: Counter[str] = Counter()
    rows: list[TokenRow] = []
    for example in examples:
        row = encode_text(example, tokenizer) if example.text else encode_turns(example, tokenizer, notes)
        row = cut(row, max_length, notes)
        if teaches(row):
            rows.append(row)
        else:
            notes["left out: nothing to learn is within max_length"] += 1
    return Encoded(rows, told(notes, kind))


def encode_pairs(examples: list[Example], tokenizer: Any, max_length: int, kind: str) -> EncodedPairs:
    """Both answers as `encode` renders and cuts them; a pair needs something of each."""
    notes: Counter[str] = Counter()
    rows: list[PairRow] = []
    for example in examples:
        chosen = cut(encode_turns(example, tokenizer, notes), max_length, notes)
        rejected = cut(encode_turns(replace(example, turns=example.rejected), tokenizer, notes), max_length, notes)
        if teaches(chosen) and teaches(rejected) and chosen != rejected:
            rows.append(
                {
                    "chosen_ids": chosen["input_ids"],
                    "chosen_labels": chosen["labels"],
                    "rejected_ids": rejected["input_ids"],
                    "rejected_labels": rejected["labels"],
                }
            )
        else:
            notes["left out: nothing that differs is within max_length"] += 1
    return EncodedPairs(rows, told(notes, kind))


def cut(row: TokenRow, max_length: int, notes: Counter[str]) -> TokenRow:
    if len(row["input_ids"]) <= max_length:
        return row
    notes[f"longer than max_length ({max_length} tokens) and cut"] += 1
    return {"input_ids": row["input_ids"][:max_length], "labels": row["labels"][:max_length]}


def teaches(row: TokenRow) -> bool:
    """The first token is never predicted, so a label there teaches nothing."""
    return any(label != IGNORED for label in row["labels"][1:])


def told(notes: Counter[str], kind: str) -> list[str]:
    return [f"{count} {kind} rows are {note}." for note, count in sorted(notes.items())]


def encode_text(example: Example, tokenizer: Any) -> TokenRow:
    tokens = tokenizer(example.text)["input_ids"]
    if tokens[-1:] != [tokenizer.eos_token_id]:
        tokens = [*tokens, tokenizer.eos_token_id]
    return {"input_ids": tokens, "labels": list(tokens)}


def encode_turns(example: Example, tokenizer: Any, notes: Counter[str]) -> TokenRow:
    text, turns = rendered_or_refused(tokenizer, example)
    if turns != example.turns:
        notes["rendered with the system text inside the first question, as the chat template has no such role"] += 1
    spans = learned_spans(tokenizer, turns, text)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    labels = [
        token if any(start < end and begin <= start and end <= stop for begin, stop in spans) else IGNORED
        for token, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
    ]
    return {"input_ids": encoded["input_ids"], "labels": labels}


def rendered_or_refused(tokenizer: Any, example: Example) -> tuple[str, tuple[Turn, ...]]:
    try:
        return rendered(tokenizer, example.turns)
    except Exception as error:
        roles = ", ".join(turn.role for turn in example.turns)
        raise TrainingError(
            "invalid_data", f"{example.place}: the model's chat template refuses the roles {roles}: {error}"
        ) from error


def learned_spans(tokenizer: Any, turns: tuple[Turn, ...], text: str) -> list[Span]:
    """Character spans of the answers, with the token that ends them."""
    spans: list[Span] = []
    cursor = 0
    for index, turn in enumerate(turns):
        if turn.role != "assistant":
            continue
        begin, stop = answer_span(tokenizer, turns, index, text, cursor)
        cursor = stop
        if turn.learned:
            spans.append((begin, stop))
    return spans


def answer_span(tokenizer: Any, turns: tuple[Turn, ...], index: int, text: str, cursor: int) -> Span:
    before = render(tokenizer, turns[:index], ask=True) if index else ""
    upto = render(tokenizer, turns[: index + 1])
    if text.startswith(before) and text.startswith(upto) and len(before) < len(upto):
        return len(before), len(upto.rstrip())
    # A template that renders a turn by what follows it: look for the answer's own words.
    content = turns[index].content.strip()
    begin = text.find(content, cursor)
    if begin < 0:
        raise TrainingError(
            "invalid_data", "The model's chat template changes the answers; their place cannot be found."
        )
    stop = begin + len(content)
    end_token = tokenizer.eos_token
    return (begin, stop + len(end_token)) if text.startswith(end_token, stop) else (begin, stop)
