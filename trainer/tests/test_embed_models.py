"""Which models the embedding worker takes, where it finds them, and when it asks the hub."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from embed_client import TEXT, Client
from tiny_encoder import make_tiny_encoder, modules, write


def failed(*arguments: str, **more: str) -> tuple[dict[str, Any], float]:
    started = time.monotonic()
    client = Client(*arguments, **more)
    failure = next(message["failed"] for message in iter(client.hear, None) if "failed" in message)
    assert client.process.wait(timeout=10) == 3
    return failure, time.monotonic() - started


def test_a_model_that_is_missing_is_found_missing_in_time(tmp_path: Path) -> None:
    failure, seconds = failed("multilingual-e5-small", f"--root={tmp_path}", HF_HOME=str(tmp_path / "hub"))
    assert seconds < 2
    assert failure["code"] == "missing"
    assert "intfloat/multilingual-e5-small from the hub" in failure["message"]
    failure, seconds = failed(str(tmp_path / "gone"))
    assert seconds < 2
    assert failure["message"] == 'the embedding model is missing: its folder "gone" is not there'


def test_a_model_is_found_below_a_root_and_in_the_cache_of_the_hub(tmp_path: Path) -> None:
    from clara_trainer.embed.model_files import find_model

    make_tiny_encoder(tmp_path / "models" / "own")
    assert find_model("own", [tmp_path, tmp_path / "models"]) == tmp_path / "models" / "own"
    stored = tmp_path / "hub" / "models--intfloat--multilingual-e5-small"
    make_tiny_encoder(stored / "snapshots" / "abc")
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("abc")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        assert find_model("multilingual-e5-small", []) == stored / "snapshots" / "abc"
        (stored / "snapshots" / "abc" / "model.safetensors").unlink()
        assert find_model("multilingual-e5-small", []) is None


def with_dense(folder: Path) -> None:
    write(folder / "modules.json", modules("Transformer", "Pooling", "Dense"))


def with_max_pooling(folder: Path) -> None:
    write(folder / "1_Pooling" / "config.json", {"pooling_mode_max_tokens": True})


def without_pooling(folder: Path) -> None:
    (folder / "1_Pooling" / "config.json").unlink()


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def without_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (with_dense, "has the layer Dense, which is not supported"),
        (with_max_pooling, "wants the pooling pooling_mode_max_tokens; supported are mean, cls and lasttoken"),
        (without_pooling, "lacks the configuration of its pooling"),
        (without_weights, "has no weights"),
        (without_config, "has no config.json that can be read"),
    ],
)
def test_what_would_give_other_vectors_is_refused_at_once(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = make_tiny_encoder(tmp_path / "model")
    spoil(folder)
    failure, seconds = failed(str(folder))
    assert seconds < 2
    assert failure["code"] == "unusable"
    assert message in failure["message"]


def test_weights_that_are_cut_off_are_told(tmp_path: Path) -> None:
    folder = make_tiny_encoder(tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    failure, _ = failed(str(folder))
    assert failure["code"] == "unusable"
    assert '"model" cannot be loaded' in failure["message"]


def test_a_prefix_that_leaves_no_room_is_told(tmp_path: Path) -> None:
    client = Client(str(make_tiny_encoder(tmp_path / "model", max_seq_length=4)), "--query-prefix=die die die ")
    client.hear()
    client.send(**{"embed": [TEXT], "as": "query"})
    assert "leaves no room in the 4 tokens" in client.answer()["error"]
    assert client.embed([TEXT]).shape == (1, 16)
    client.close()


class Hub(http.server.BaseHTTPRequestHandler):
    """What huggingface_hub asks to fetch a model."""

    folder: Path
    asked: list[str]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        commit = "0" * 40
        names = [str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()]
        if "/revision/" in self.path:
            siblings = [{"rfilename": name} for name in names]
            body = json.dumps({"id": "o/tiny", "sha": commit, "siblings": siblings}).encode()
        elif "/tree/" in self.path:
            sizes = [(name, (self.folder / name).stat().st_size) for name in names]
            body = json.dumps([{"type": "file", "path": n, "size": size, "oid": n} for n, size in sizes]).encode()
        else:
            path = self.folder / self.path.split(f"/resolve/{commit}/", 1)[-1]
            body = path.read_bytes() if path.is_file() else b"{}"
        self.send_response(200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{len(body)}-{os.path.basename(self.path)}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_the_hub_is_asked_only_where_that_is_wanted(tmp_path: Path, folder: Path) -> None:
    Hub.folder, Hub.asked = folder, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    where = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    failure, _ = failed("o/tiny", **where)
    assert failure["code"] == "missing"
    assert Hub.asked == []
    client = Client("o/tiny", "--download", **where)
    assert client.hear() == {"state": "downloading"}
    assert client.hear()["ready"]["name"] == "o/tiny"
    client.close()
    Hub.asked.clear()
    client = Client("o/tiny", **where)
    assert client.hear()["ready"]["dimension"] == 16
    client.close()
    assert Hub.asked == []
    server.shutdown()
    server.server_close()
    failure, _ = failed(
        "o/other", "--download", **{**where, "HF_HOME": str(tmp_path / "other")}, HF_HUB_ETAG_TIMEOUT="1"
    )
    assert failure["message"].startswith("the embedding model o/other cannot be fetched from the hub: ")
