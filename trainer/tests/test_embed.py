"""The embedding worker as the application starts it, on a tiny random BERT."""

from __future__ import annotations

import base64
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from runs import environment
from tiny_encoder import make_tiny_encoder, modules, write

TEXT = "die behörde kann den bescheid zurücknehmen"
LONG = " ".join([TEXT, "die frist", "den bescheid kann die behörde zurück nehmen"] * 4)
Vectors = np.ndarray[Any, np.dtype[np.float32]]


class Client:
    """Starts a worker and speaks with it."""

    def __init__(self, model: str, *arguments: str, **more: str) -> None:
        command = [sys.executable, "-m", "clara_trainer.embed", f"--model={model}", *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, env=environment(**more), stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        self.last = 0

    def send(self, **message: Any) -> int:
        assert self.process.stdin
        self.last += 1
        self.process.stdin.write(json.dumps({"id": self.last, **message}) + "\n")
        self.process.stdin.flush()
        return self.last

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        return cast(dict[str, Any], json.loads(self.process.stdout.readline()))

    def answer(self) -> dict[str, Any]:
        """The next that is no sign of life."""
        return next(message for message in iter(self.hear, None) if "alive" not in message)

    def embed(self, texts: list[str], use: str = "passage") -> Vectors:
        self.send(**{"embed": texts, "as": use})
        return vectors_of(self.answer(), len(texts))

    def count(self, texts: list[str]) -> list[int]:
        self.send(count=texts)
        return cast(list[int], self.answer()["counts"])

    def close(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(timeout=10)


def vectors_of(answer: dict[str, Any], count: int) -> Vectors:
    return np.frombuffer(base64.b64decode(answer["vectors"]), dtype="<f4").reshape(count, -1)


def by_hand(folder: Path, ids: list[int], pooling: str) -> Vectors:
    """Hidden states of transformers, pooled and normalised here."""
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(str(folder)).eval()
    with torch.inference_mode():
        hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()
    pooled = {"mean": hidden.mean(axis=0), "cls": hidden[0], "lasttoken": hidden[-1]}[pooling]
    return cast(Vectors, pooled / np.linalg.norm(pooled))


def ids_of(folder: Path, text: str) -> list[int]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer.encode(text).ids


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    client = Client(str(folder), "--query-prefix=query: ", "--passage-prefix=passage: ", "--batch=4", "--nice=5")
    ready = client.hear()["ready"]
    assert ready == {
        "name": "tiny",
        "dimension": 16,
        "max_tokens": 16,
        "pooling": "mean",
        "query_prefix": "query: ",
        "passage_prefix": "passage: ",
    }
    yield client
    assert client.close() == 0


def test_vectors_are_the_mean_of_the_hidden_states_with_the_prefix(client: Client, folder: Path) -> None:
    for use in ("query", "passage"):
        expected = by_hand(folder, ids_of(folder, f"{use}: {TEXT}"), "mean")
        np.testing.assert_allclose(client.embed([TEXT], use)[0], expected, atol=1e-6)


def test_the_prefix_and_the_neighbours_matter_only_where_they_should(client: Client) -> None:
    texts = [TEXT, "frist", "", LONG, "die frist die", *[TEXT] * 10]
    together = client.embed(texts)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    for index in range(5):
        np.testing.assert_allclose(client.embed([texts[index]])[0], together[index], atol=1e-5)
    assert float(client.embed(["frist"], "query")[0] @ together[1]) < 0.999


def test_a_long_text_is_the_mean_of_its_windows_by_their_tokens(client: Client, folder: Path) -> None:
    prefix = ids_of(folder, "passage: ")[1:-1]
    body = ids_of(folder, LONG)[1:-1]
    room = 16 - 2 - len(prefix)
    parts = -(-len(body) // room)
    assert parts > 3
    total = np.zeros(16)
    for part in range(parts):
        window = body[len(body) * part // parts : len(body) * (part + 1) // parts]
        total += len(window) * by_hand(folder, [2, *prefix, *window, 3], "mean")
    np.testing.assert_allclose(client.embed([LONG])[0], total / np.linalg.norm(total), atol=1e-5)


def test_tokens_are_counted_without_special_ones_and_without_a_limit(client: Client, folder: Path) -> None:
    assert client.count(["", "frist", TEXT, LONG]) == [0, 1, 7, len(ids_of(folder, LONG)) - 2]


def test_a_question_passes_by_passages_and_counting_by_both(client: Client) -> None:
    many = client.send(**{"embed": [TEXT] * 400, "as": "passage"})
    client.hear()
    question = client.send(**{"embed": [TEXT], "as": "query"})
    counted = client.send(count=[TEXT])
    order = [client.answer()["id"] for _ in range(3)]
    assert set(order[:2]) == {question, counted}
    assert order[2] == many


def test_what_is_cancelled_is_not_answered(client: Client) -> None:
    many = client.send(**{"embed": [LONG] * 400, "as": "passage"})
    client.hear()
    client.send(cancel=many)
    np.testing.assert_allclose(client.embed([TEXT], "query"), client.embed([TEXT], "query"), atol=1e-6)


def test_a_request_that_fails_is_answered_so(client: Client) -> None:
    client.send(**{"embed": [None], "as": "passage"})
    assert client.answer()["error"]
    assert client.embed([TEXT]).shape == (1, 16)


@pytest.mark.parametrize("pooling", ["cls", "lasttoken"])
def test_the_pooling_is_the_one_of_the_model(tmp_path: Path, pooling: str) -> None:
    key = "pooling_mode_cls_token" if pooling == "cls" else "pooling_mode_lasttoken"
    folder = make_tiny_encoder(tmp_path / "model", key)
    write(folder / "config_sentence_transformers.json", {"prompts": {"query": "die frist: ", "document": ""}})
    client = Client(str(folder))
    assert client.hear()["ready"]["query_prefix"] == "die frist: "
    # Of uneven length, so that one is padded.
    vectors = client.embed([TEXT, "frist"])
    for index, text in enumerate([TEXT, "frist"]):
        np.testing.assert_allclose(vectors[index], by_hand(folder, ids_of(folder, text), pooling), atol=1e-6)
    assert client.close() == 0


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


@pytest.mark.parametrize("delay", [0.0, 0.5, 6.0])
def test_it_ends_with_its_parent_whatever_it_does(folder: Path, delay: float) -> None:
    parent = (
        "import subprocess, sys, time; p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE); "
        "print(p.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", parent, sys.executable, "-m", "clara_trainer.embed", f"--model={folder}"]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    worker = int(process.stdout.readline())
    time.sleep(delay)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}/stat").exists() and " Z " not in Path(f"/proc/{worker}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


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
