"""Recognises the format of a row and turns it into an example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clara_trainer.data.example import Example, Role, RowError, RowSkipped, Turn

Row = Mapping[str, Any]
ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "function_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
}
KNOWN = (
    "messages, conversations, instruction/output, prompt/completion, chosen/rejected, "
    "input/preferred_output, kto_tag, text"
)


def content_of(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, Mapping) and part.get("type") == "text" for part in value):
        return "".join(content_of(part.get("text"), where) for part in value)
    raise RowError(f"{where} must be text, not {type(value).__name__}")


def turn_of(message: Any, where: str) -> Turn:
    """A message in OpenAI's words (role, content, weight) or ShareGPT's (from, value)."""
    if not isinstance(message, Mapping):
        raise RowError(f"{where} must be an object with role and content, not {type(message).__name__}")
    name = message.get("role", message.get("from"))
    role = ROLES.get(name) if isinstance(name, str) else None
    if role is None:
        raise RowError(f"{where}.role is {name!r}; known are {', '.join(sorted(ROLES))}")
    content = content_of(message.get("content", message.get("value")), f"{where}.content")
    weight = message.get("weight", 1)
    if weight not in (0, 1):
        raise RowError(f"{where}.weight is {weight!r}; it must be 0 or 1")
    if role != "assistant" and not content.strip():
        raise RowError(f"{where}.content is empty")
    return Turn(role, content, learned=role == "assistant" and weight == 1 and bool(content.strip()))


def turns_of(value: Any, where: str) -> tuple[Turn, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise RowError(f"{where} must be a list of messages with at least one entry")
    return tuple(turn_of(message, f"{where}[{index}]") for index, message in enumerate(value))


def conversation(turns: tuple[Turn, ...]) -> Example:
    answers = [turn for turn in turns if turn.role == "assistant"]
    if not answers:
        raise RowError("has no answer: there is no assistant message")
    if not any(turn.content.strip() for turn in answers):
        raise RowError("has no answer: the assistant messages are empty")
    if not any(turn.learned for turn in turns):
        raise RowSkipped("every answer has weight 0")
    return Example(turns=turns)


def prompt_of(row: Row) -> tuple[Turn, ...]:
    """What stands before the answer, in any of the formats that name it apart."""
    system = (Turn("system", content_of(row["system"], "system")),) if row.get("system") else ()
    for key in ("prompt", "conversations", "messages"):
        value = row.get(key)
        if isinstance(value, (list, tuple)):
            return system + tuple(Turn(turn.role, turn.content) for turn in turns_of(value, key))
        if isinstance(value, str):
            return (*system, user(value, key))
    if "instruction" in row:
        return (*system, user(instruction_of(row), "instruction"))
    raise RowError("has an answer but no prompt, conversations or instruction before it")


def user(text: str, where: str) -> Turn:
    if not text.strip():
        raise RowError(f"{where} is empty")
    return Turn("user", text)


def instruction_of(row: Row) -> str:
    instruction = content_of(row["instruction"], "instruction")
    addition = content_of(row.get("input") or "", "input")
    return f"{instruction}\n\n{addition}" if addition.strip() else instruction


def answer_of(value: Any, where: str) -> tuple[Turn, ...]:
    if isinstance(value, str):
        return (Turn("assistant", value, learned=bool(value.strip())),)
    if isinstance(value, Mapping):
        return (turn_of(value, where),)
    return turns_of(value, where)


def from_messages(row: Row) -> Example:
    return conversation(turns_of(row["messages"], "messages"))


def from_sharegpt(row: Row) -> Example:
    turns = turns_of(row["conversations"], "conversations")
    if row.get("system") and turns[0].role != "system":
        turns = (Turn("system", content_of(row["system"], "system")), *turns)
    return conversation(turns)


def from_alpaca(row: Row) -> Example:
    history: list[Turn] = []
    for index, pair in enumerate(row.get("history") or ()):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise RowError(f"history[{index}] must be a pair of question and answer")
        history += [
            Turn("user", content_of(pair[0], f"history[{index}][0]")),
            Turn("assistant", content_of(pair[1], f"history[{index}][1]"), learned=True),
        ]
    *system, question = prompt_of({key: row[key] for key in ("system", "instruction", "input") if key in row})
    return conversation((*system, *history, question, *answer_of(row["output"], "output")))


def from_completion(row: Row) -> Example:
    return conversation(prompt_of(row) + answer_of(row["completion"], "completion"))


def from_preference(row: Row) -> Example:
    chosen = answer_of(row["chosen"], "chosen")
    if any(turn.role != "assistant" for turn in chosen):
        # The prompt stands inside: both conversations begin with it, and only the last answer differs.
        return conversation((*(Turn(turn.role, turn.content) for turn in chosen[:-1]), chosen[-1]))
    return conversation(prompt_of(row) + chosen)


def from_openai_preference(row: Row) -> Example:
    source = row["input"]
    if not isinstance(source, Mapping) or "messages" not in source:
        raise RowError("input must be an object with messages")
    prompt = tuple(Turn(turn.role, turn.content) for turn in turns_of(source["messages"], "input.messages"))
    return conversation(prompt + answer_of(row["preferred_output"], "preferred_output"))


def from_kto(row: Row) -> Example:
    tag = row["kto_tag"] if "kto_tag" in row else row["label"]
    if tag not in (True, False, 0, 1, "true", "false", "True", "False"):
        raise RowError(f"kto_tag is {tag!r}; it must be true or false")
    if tag in (False, "false", "False"):
        raise RowSkipped("kto_tag is false: the answer is not one to learn")
    return convert({key: value for key, value in row.items() if key not in ("kto_tag", "label")})[1]


def from_text(row: Row) -> Example:
    text = content_of(row["text"], "text")
    if not text.strip():
        raise RowError("text is empty")
    return Example(text=text)


# The first that fits counts: the more particular formats stand first.
FORMATS: tuple[tuple[str, frozenset[str], Callable[[Row], Example]], ...] = (
    ("kto", frozenset({"kto_tag"}), from_kto),
    ("kto", frozenset({"label", "prompt", "completion"}), from_kto),
    ("openai-preference", frozenset({"input", "preferred_output"}), from_openai_preference),
    ("preference", frozenset({"chosen", "rejected"}), from_preference),
    ("messages", frozenset({"messages"}), from_messages),
    ("sharegpt", frozenset({"conversations"}), from_sharegpt),
    ("alpaca", frozenset({"instruction", "output"}), from_alpaca),
    ("prompt-completion", frozenset({"prompt", "completion"}), from_completion),
    ("text", frozenset({"text"}), from_text),
)


def convert(row: Any) -> tuple[str, Example]:
    """The format's name and the example; RowError says what is wrong, RowSkipped why it is left out."""
    if not isinstance(row, Mapping):
        raise RowError(f"is not an object but {type(row).__name__}")
    # A table (CSV, Parquet) has every column in every row; the empty ones are as good as missing.
    present = {key: value for key, value in row.items() if value is not None}
    for name, keys, build in FORMATS:
        if keys <= present.keys():
            return name, build(present)
    raise RowError(f"has none of the known formats ({KNOWN}); its keys are {', '.join(map(str, row)) or 'none'}")
