"""Chat templates: whose counts, and turns rendered with it; the same in training, in exports and in serving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clara_trainer.data.example import Turn

# As transformers names it in the folder of a tokenizer.
TEMPLATE_FILE = "chat_template.jinja"
SHIPPED_TEMPLATE = Path(__file__).parent.parent / TEMPLATE_FILE


def shipped_template() -> str:
    return SHIPPED_TEMPLATE.read_text(encoding="utf-8")


def own_template(folder: Path) -> str | None:
    """The one that lies in an adapter's or a model's folder."""
    file = folder / TEMPLATE_FILE
    return file.read_text(encoding="utf-8") if file.is_file() else None


def give_template(tokenizer: Any) -> bool:
    """The shipped one for a tokenizer that has none; whether it had none."""
    if tokenizer.chat_template is not None:
        return False
    tokenizer.chat_template = shipped_template()
    return True


def render(tokenizer: Any, turns: tuple[Turn, ...], ask: bool = False) -> str:
    messages = [{"role": turn.role, "content": turn.content} for turn in turns]
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=ask))


def rendered(tokenizer: Any, turns: tuple[Turn, ...], ask: bool = False) -> tuple[str, tuple[Turn, ...]]:
    """The text, and the turns that it is of: some templates know no system role, whose text then goes before the
    first question. @throws the template's own error when it refuses the roles"""
    try:
        return render(tokenizer, turns, ask), turns
    except Exception:
        changed = without_system(turns)
        if changed == turns:
            raise
        return render(tokenizer, changed, ask), changed


def without_system(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    system = "\n\n".join(turn.content for turn in turns if turn.role == "system")
    rest = [turn for turn in turns if turn.role != "system"]
    if not system or not rest or rest[0].role != "user":
        return turns
    return (Turn("user", f"{system}\n\n{rest[0].content}"), *rest[1:])
