"""A Modelfile for Ollama (https://docs.ollama.com/modelfile): the base as GGUF is the user's to name."""

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
    head = f"# FROM names the base model as GGUF: {base}\nFROM ./base.gguf\nADAPTER ./{file}\nPARAMETER temperature 0\n"
    return head + (TEMPLATE if is_shipped(adapter) else "")
