"""Where the files of an embedding model are. Standard library only: what is missing is told before torch comes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from clara_trainer.embed.problem import ModelProblem

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# Names that people use without their owner.
OWNERS = {
    "multilingual-e5-small": "intfloat",
    "multilingual-e5-base": "intfloat",
    "multilingual-e5-large": "intfloat",
    "bge-m3": "BAAI",
    "all-MiniLM-L6-v2": "sentence-transformers",
    "paraphrase-multilingual-MiniLM-L12-v2": "sentence-transformers",
}
# The weights come last: where they are, an interrupted download has left nothing out.
WANTED_FILES = [["*.json", "*.txt", "*.model"], ["*.safetensors"]]
OTHER_FORMATS = ["onnx/*", "openvino/*"]


def hub_id(name: str) -> str | None:
    if name in OWNERS:
        return f"{OWNERS[name]}/{name}"
    return name if HUB_ID.fullmatch(name) else None


def hub_cache() -> Path:
    """As huggingface_hub finds it."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return Path(named).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "huggingface" / "hub"


def cached_snapshot(repository: str) -> Path | None:
    """The snapshot of the main branch in the hub's cache, where it holds a configuration and weights."""
    stored = hub_cache() / f"models--{repository.replace('/', '--')}"
    try:
        revision = (stored / "refs" / "main").read_text().strip()
    except OSError:
        return None
    snapshot = stored / "snapshots" / revision
    has_weights = any(snapshot.glob("*.safetensors")) or any(snapshot.glob("*/*.safetensors"))
    return snapshot if has_weights and (snapshot / "config.json").is_file() else None


def find_model(name: str, roots: Sequence[Path]) -> Path | None:
    """The folder of a model on this machine: a folder, one below the roots, or one of the hub's cache."""
    given = Path(name).expanduser()
    candidates = [given] if given.is_absolute() else [root / given for root in roots]
    for folder in candidates:
        if folder.is_dir():
            return folder.resolve()
    repository = hub_id(name)
    return None if repository is None else cached_snapshot(repository)


def missing(name: str) -> ModelProblem:
    """The folders above the last name are nobody's business: the message is shown to clients."""
    if Path(name).expanduser().is_absolute():
        return ModelProblem("missing", f'the embedding model is missing: its folder "{Path(name).name}" is not there')
    repository = hub_id(name)
    download = (
        f"or set CLARA_EMBEDDING_DOWNLOAD=true to fetch {repository} from the hub once"
        if repository
        else "or name a folder or a hub id (owner/name) in CLARA_EMBEDDING_MODEL"
    )
    return ModelProblem(
        "missing",
        f'the embedding model "{name}" is missing: it is neither below the folders for models (CLARA_MODEL_DIRS, and '
        f"models in CLARA_CACHE_DIR) nor in the cache of the hub. Put its folder there, {download}",
    )


def download(repository: str) -> Path:
    """Asks the hub; what is in its cache already is not fetched again."""
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import snapshot_download

    try:
        found = [
            snapshot_download(repository, allow_patterns=wanted, ignore_patterns=OTHER_FORMATS)
            for wanted in WANTED_FILES
        ]
        return Path(found[-1])
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelProblem(
            "missing", f"the embedding model {repository} cannot be fetched from the hub: {first}"
        ) from error
