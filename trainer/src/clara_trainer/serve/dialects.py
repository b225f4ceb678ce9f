"""The dialects of a base and its adapters. A tokenizer is read once: large ones take seconds."""

from __future__ import annotations

import hashlib
import json
import tempfile
import weakref
from pathlib import Path
from typing import Any

from clara_trainer.data.chat_template import own_template, shipped_template
from clara_trainer.serve.dialect import Dialect, dialect_of

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
# Of tokenizer_config.json: what changes no token of a prompt.
WITHOUT_EFFECT = ("chat_template", "pad_token", "padding_side", "name_or_path", "model_max_length", "is_local")


class Dialects:
    """@throws ValueError where the base has no tokenizer that can be used"""

    def __init__(self, folder: Path, eos: frozenset[int]) -> None:
        tokenizer = load_tokenizer(folder)
        self.eos = eos
        self.known: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self.known[key_of(folder)] = tokenizer
        with tempfile.TemporaryDirectory() as saved:
            # As an adapter's training has saved it.
            tokenizer.save_pretrained(saved)
            self.known[key_of(Path(saved))] = tokenizer
        template = tokenizer.chat_template or shipped_template()
        self.base = dialect_of(tokenizer, str(template), eos)

    def of(self, folder: Path) -> Dialect:
        """Of an adapter's folder; what it brings not of its own is its base's. @throws ValueError, OSError"""
        tokenizer = self.tokenizer(folder)
        template = template_of(folder) or self.base.templated.template
        if (tokenizer, template) == (self.base.tokenizer, self.base.templated.template):
            return self.base
        return dialect_of(tokenizer, template, self.eos)

    def tokenizer(self, folder: Path) -> Any:
        if not any((folder / name).is_file() for name in TOKENIZER_FILES):
            return self.base.tokenizer
        key = key_of(folder)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = load_tokenizer(folder)
        return found


def key_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*token*")):
        if path.name == "tokenizer_config.json":
            kept = {name: value for name, value in config_of(path).items() if name not in WITHOUT_EFFECT}
            digest.update(json.dumps(kept, sort_keys=True).encode())
        else:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def config_of(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} is no object")
    return found


def template_of(folder: Path) -> str | None:
    own = own_template(folder)
    if own is not None:
        return own
    config = folder / "tokenizer_config.json"
    found = config_of(config).get("chat_template") if config.is_file() else None
    return found if isinstance(found, str) else None


def load_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"the tokenizer cannot be loaded: {first}") from error
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError("there is no fast tokenizer (tokenizer.json); save one with transformers")
    return tokenizer
