from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clara_trainer.data.encode import IGNORED, encode, prepare_tokenizer
from clara_trainer.data.example import Example, Turn
from clara_trainer.data.formats import convert
from clara_trainer.failure import TrainingError

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As some do: what was thought is only shown in the last answer, so earlier turns change when more follow.
CHANGING = (
    "{% for m in messages %}[{{ m.role }}{% if loop.last %}!{% endif %}]{{ m.content }}"
    "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
)
TALK = convert(
    {
        "messages": [
            {"role": "user", "content": "Frage eins"},
            {"role": "assistant", "content": "Antwort eins"},
            {"role": "user", "content": "Frage zwei"},
            {"role": "assistant", "content": "Antwort zwei"},
        ]
    }
)[1]


@pytest.fixture
def tokenizer(tiny: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny)


def learned(tokenizer: Any, example: Example, max_length: int = 512) -> str:
    (row,) = encode([example], tokenizer, max_length, "training").rows
    return str(tokenizer.decode([label for label in row["labels"] if label != IGNORED]))


def test_a_base_without_a_template_gets_the_shipped_one(tokenizer: Any) -> None:
    assert "shipped" in prepare_tokenizer(tokenizer)[0]
    assert learned(tokenizer, TALK) == "Antwort eins</s>Antwort zwei</s>"
    assert prepare_tokenizer(tokenizer) == []


def test_the_shipped_template_marks_what_is_learned(tokenizer: Any) -> None:
    prepare_tokenizer(tokenizer)
    messages = [{"role": turn.role, "content": turn.content} for turn in TALK.turns]
    marked = tokenizer.apply_chat_template(
        messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True, add_special_tokens=False
    )
    (row,) = encode([TALK], tokenizer, 512, "training").rows
    assert row["input_ids"] == marked["input_ids"]
    assert [int(label != IGNORED) for label in row["labels"]] == marked["assistant_masks"]
    asked = tokenizer.apply_chat_template(messages[:1], tokenize=False, add_generation_prompt=True)
    assert asked == "<s>### User:\nFrage eins\n\n### Assistant:\n"


def test_an_adapter_that_is_trained_further_keeps_its_own_template(tokenizer: Any, tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_text(CHATML)
    assert prepare_tokenizer(tokenizer, str(tmp_path)) == []
    assert tokenizer.chat_template == CHATML


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (CHATML, "Antwort eins<|im_end|>Antwort zwei<|im_end|>"),
        (CHANGING, "Antwort eins</s>Antwort zwei</s>"),
    ],
)
def test_only_answers_are_learned_whatever_the_template(tokenizer: Any, template: str, expected: str) -> None:
    tokenizer.chat_template = template
    assert learned(tokenizer, TALK) == expected


def test_an_answer_with_weight_0_is_context_only(tokenizer: Any) -> None:
    prepare_tokenizer(tokenizer)
    first = Turn("assistant", "Antwort eins", learned=False)
    assert learned(tokenizer, Example(turns=(TALK.turns[0], first, *TALK.turns[2:]))) == "Antwort zwei</s>"


def test_a_template_without_system_role_gets_the_text_in_the_question(tokenizer: Any) -> None:
    tokenizer.chat_template = NO_SYSTEM
    example = Example(turns=(Turn("system", "Sei kurz."), *TALK.turns[:2]))
    encoded = encode([example], tokenizer, 512, "training")
    assert "<user>Sei kurz.\n\nFrage eins" in tokenizer.decode(encoded.rows[0]["input_ids"])
    assert "system text" in encoded.warnings[0]


def test_plain_text_is_learned_whole_with_its_end(tokenizer: Any) -> None:
    assert learned(tokenizer, Example(text="Der Bescheid")) == "Der Bescheid</s>"


def test_long_rows_are_cut_and_rows_cut_to_nothing_are_left_out(tokenizer: Any) -> None:
    prepare_tokenizer(tokenizer)
    long = Example(turns=(Turn("user", "Frist " * 50), Turn("assistant", "ja", learned=True)))
    encoded = encode([Example(text="Frist " * 50), long], tokenizer, 20, "training")
    assert [len(row["input_ids"]) for row in encoded.rows] == [20]
    assert [warning.split(" ", 1)[0] for warning in encoded.warnings] == ["1", "2"]


def test_a_tokenizer_without_end_token_is_refused(tokenizer: Any) -> None:
    tokenizer.eos_token = None
    with pytest.raises(TrainingError, match="eos_token"):
        prepare_tokenizer(tokenizer)
