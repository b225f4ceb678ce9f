"""Modelfiles for Ollama (https://docs.ollama.com/modelfile). Of an adapter alone, the base is the user's to name."""

from __future__ import annotations

from pathlib import Path

from clara_trainer.data.chat_template import own_template, shipped_template

# The shipped template in the template language of Ollama.
TEMPLATE = '''TEMPLATE """{{- range .Messages }}
{{- if eq .Role "system" }}### System:
{{ .Content }}

{{ else if eq .Role "user" }}### User:
{{ .Content }}

{{ else }}### Assistant:
{{ .Content }}

{{ end }}
{{- end }}### Assistant:
"""
PARAMETER stop "### User:"
'''


def is_shipped(adapter: Path) -> bool:
    own = own_template(adapter)
    return own is not None and own.strip() == shipped_template().strip()


def modelfile(base: str, adapter: Path, file: str) -> str:
    """@param file the adapter as GGUF."""
    return f"# FROM names the base model as GGUF: {base}\nFROM ./base.gguf\nADAPTER ./{file}\n{answers(adapter)}"


def merged_modelfile(adapter: Path, file: str) -> str:
    """@param file base and adapter in one."""
    return f"FROM ./{file}\n{answers(adapter)}"


def answers(adapter: Path) -> str:
    return "PARAMETER temperature 0\n" + (TEMPLATE if is_shipped(adapter) else "")
