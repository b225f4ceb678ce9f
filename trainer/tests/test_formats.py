from __future__ import annotations

from typing import Any

import pytest

from clara_trainer.data.example import Example, RowError, RowSkipped
from clara_trainer.data.formats import convert

TURNS = [{"role": "user", "content": "Frage"}, {"role": "assistant", "content": "Antwort"}]
SHAREGPT = [{"from": "human", "value": "Frage"}, {"from": "gpt", "value": "Antwort"}]
WRONG = {"role": "assistant", "content": "falsch"}
PROMPT = [{"role": "user", "content": "Frage"}]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"messages": TURNS}, "messages"),
        ({"conversations": SHAREGPT}, "sharegpt"),
        ({"instruction": "Frage", "input": "", "output": "Antwort"}, "alpaca"),
        ({"prompt": "Frage", "completion": "Antwort"}, "prompt-completion"),
        ({"prompt": "Frage", "chosen": "Antwort", "rejected": "falsch"}, "preference"),
        ({"prompt": PROMPT, "chosen": TURNS[1:], "rejected": [WRONG]}, "preference"),
        ({"chosen": TURNS, "rejected": TURNS}, "preference"),
        ({"conversations": SHAREGPT[:1], "chosen": SHAREGPT[1], "rejected": WRONG}, "preference"),
        ({"instruction": "Frage", "input": "", "chosen": "Antwort", "rejected": "falsch"}, "preference"),
        ({"input": {"messages": PROMPT}, "preferred_output": TURNS[1:]}, "openai-preference"),
        ({"messages": TURNS, "kto_tag": True}, "kto"),
        ({"prompt": "Frage", "completion": "Antwort", "label": True}, "kto"),
    ],
)
def test_every_format_gives_the_same_conversation(row: dict[str, Any], name: str) -> None:
    found, example = convert(row)
    assert found == name
    assert [(turn.role, turn.content, turn.learned) for turn in example.turns] == [
        ("user", "Frage", False),
        ("assistant", "Antwort", True),
    ]


def test_plain_text_keeps_its_text_and_ignores_metadata() -> None:
    assert convert({"text": "Absatz", "metadata": {"quelle": "x"}, "id": 7}) == ("text", Example(text="Absatz"))


def test_alpaca_joins_instruction_and_input_and_keeps_the_system_text() -> None:
    _, example = convert({"system": "Sei kurz.", "instruction": "Kürze", "input": "Langer Text", "output": "Kurz"})
    assert [turn.content for turn in example.turns] == ["Sei kurz.", "Kürze\n\nLanger Text", "Kurz"]


def test_weight_0_keeps_an_answer_from_being_learned() -> None:
    _, example = convert({"messages": [*TURNS[:1], {**TURNS[1], "weight": 0}, *TURNS]})
    assert [turn.learned for turn in example.turns] == [False, False, False, True]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": TURNS, "kto_tag": False}, "kto_tag is false"),
        ({"messages": [TURNS[0], {**TURNS[1], "weight": 0}]}, "weight 0"),
    ],
)
def test_rows_with_nothing_to_learn_are_skipped(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowSkipped, match=reason):
        convert(row)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ([1], "is not an object but list"),
        ({"question": "?"}, "its keys are question"),
        ({"messages": []}, "at least one entry"),
        ({"messages": ["hallo"]}, r"messages\[0\] must be an object"),
        ({"messages": [{"role": "chef", "content": "x"}]}, r"messages\[0\].role is 'chef'"),
        ({"messages": [{"role": "user", "content": 7}, TURNS[1]]}, r"messages\[0\].content must be text, not int"),
        ({"messages": [{"role": "user", "content": " "}, TURNS[1]]}, r"messages\[0\].content is empty"),
        ({"messages": PROMPT}, "no assistant message"),
        ({"messages": [*PROMPT, {"role": "assistant", "content": ""}]}, "the assistant messages are empty"),
        ({"messages": [*PROMPT, {**TURNS[1], "weight": 2}]}, "weight is 2"),
        ({"text": "  "}, "text is empty"),
        ({"text": ["a"]}, "text must be text"),
        ({"chosen": "a", "rejected": "b"}, "no prompt"),
        ({"messages": TURNS, "kto_tag": "ja"}, "kto_tag is 'ja'"),
        ({"instruction": "", "output": "x"}, "instruction is empty"),
    ],
)
def test_a_bad_row_is_told_what_is_wrong(row: Any, problem: str) -> None:
    with pytest.raises(RowError, match=problem):
        convert(row)
