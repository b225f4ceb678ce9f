"""A Modelfile for Ollama (https://docs.ollama.com/modelfile): the base as GGUF is the user's to name."""

from __future__ import annotations

from pathlib import Path

from clara_trainer.data.encode import SHIPPED_TEMPLATE

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
    try:
        own = (adapter / "chat_template.jinja").read_text(encoding="utf-8")
    except OSError:
        return False
    return own.strip() == SHIPPED_TEMPLATE.read_text(encoding="utf-8").strip()


def modelfile(base: str, adapter: Path, file: str) -> str:
    head = f"# FROM names the base model as GGUF: {base}\nFROM ./base.gguf\nADAPTER ./{file}\nPARAMETER temperature 0\n"
    return head + (TEMPLATE if is_shipped(adapter) else "")
