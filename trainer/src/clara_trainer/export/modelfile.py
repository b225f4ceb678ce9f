"""Modelfiles for Ollama (https://docs.ollama.com/modelfile). Of an adapter alone, the base is the user's to name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clara_trainer.data.chat_template import own_template, shipped_template
from clara_trainer.export.gguf_tokenizer import added_ends

# The shipped template in the template language of Ollama, which has no way to strip what is said.
TEMPLATE = '''TEMPLATE """%(begin)s{{- range .Messages }}
{{- if eq .Role "system" }}### System:
{{ .Content }}

{{ else if eq .Role "user" }}### User:
{{ .Content }}

{{ else }}### Assistant:
{{ .Content }}%(end)s

{{ end }}
{{- end }}### Assistant:
"""
PARAMETER stop "### User:"
'''


def is_shipped(adapter: Path) -> bool:
    own = own_template(adapter)
    return own is not None and own.strip() == shipped_template().strip()


def modelfile(base: str, adapter: Path, file: str, tokenizer: Any) -> str:
    """@param file the adapter as GGUF."""
    head = f"# FROM names the base model as GGUF: {base}\nFROM ./base.gguf\nADAPTER ./{file}\n"
    return head + answers(adapter, tokenizer)


def merged_modelfile(adapter: Path, file: str, tokenizer: Any) -> str:
    """@param file base and adapter in one."""
    return f"FROM ./{file}\n{answers(adapter, tokenizer)}"


def answers(adapter: Path, tokenizer: Any) -> str:
    # Without the second, Ollama takes rather tokens that were not there yet.
    parameters = "PARAMETER temperature 0\nPARAMETER repeat_penalty 1\n"
    if not is_shipped(adapter):
        return parameters
    begin, end = marks_of(tokenizer)
    return parameters + TEMPLATE % {"begin": begin, "end": end}


def marks_of(tokenizer: Any) -> tuple[str, str]:
    """What the template of transformers writes first, where llama.cpp does not itself, and behind each answer."""
    adds_bos, _ = added_ends(tokenizer)
    return "" if adds_bos else tokenizer.bos_token or "", tokenizer.eos_token or ""
