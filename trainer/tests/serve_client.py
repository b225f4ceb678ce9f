"""The engine as the application starts it, and requests to it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from runs import environment

KEY = "a key of the tests"
DEADLINE = 120
PROMPT = "Der Bescheid ist"
LONG = {"prompt": PROMPT, "temperature": 0, "max_tokens": 450, "ignore_eos": True}


class Server:
    def __init__(self, model: Path | str, *arguments: str, **more: str) -> None:
        command = [sys.executable, "-m", "clara_trainer.serve", f"--model={model}", "--name=tiny", *arguments]
        pipe = subprocess.PIPE
        self.log: list[str] = []
        self.process = subprocess.Popen(
            command, env=environment(CLARA_ENGINE_KEY=KEY, **more), stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        threading.Thread(target=self.keep_log, daemon=True).start()
        assert self.process.stdout
        line = self.process.stdout.readline()
        self.said = cast(dict[str, Any], json.loads(line or "{}"))
        self.port = int(self.said.get("ready", {}).get("port", 0))

    def keep_log(self) -> None:
        assert self.process.stderr
        self.log.extend(self.process.stderr)

    def open(self, path: str, body: object = None, key: str | None = KEY) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        connection.request("GET" if body is None else "POST", path, data, headers)
        return connection.getresponse()

    def open_unread(self, path: str, body: object) -> http.client.HTTPConnection:
        """A request whose answer is not waited for."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        connection.request("POST", path, json.dumps(body).encode(), {"authorization": f"Bearer {KEY}"})
        return connection

    def ask(self, path: str, body: object = None, key: str | None = KEY) -> tuple[int, Any]:
        response = self.open(path, body, key)
        text = response.read().decode()
        is_json = (response.getheader("content-type") or "").startswith("application/json")
        return response.status, json.loads(text) if is_json else text

    def complete(self, prompt: object, **body: Any) -> dict[str, Any]:
        """A greedy completion of the base that does not end early, unless the body says otherwise."""
        whole = {"model": "tiny", "prompt": prompt, "temperature": 0, "max_tokens": 12, "ignore_eos": True, **body}
        status, answer = self.ask("/v1/completions", whole)
        assert status == 200, answer
        return cast(dict[str, Any], answer)

    def text(self, prompt: object, **body: Any) -> str:
        return cast(str, self.complete(prompt, **body)["choices"][0]["text"])

    def at_once(self, requests: list[dict[str, Any]]) -> list[str]:
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(lambda body: self.text(**body), requests))

    def stream(self, path: str, body: dict[str, Any]) -> Iterator[Any]:
        """The events, parsed; [DONE] as it is."""
        response = self.open(path, {**body, "stream": True})
        assert response.status == 200, response.read()
        assert response.getheader("content-type") == "text/event-stream"
        for line in response:
            if line.strip():
                data = line.decode().removeprefix("data: ").strip()
                yield data if data == "[DONE]" else json.loads(data)

    def load(self, name: str, folder: Path) -> tuple[int, Any]:
        return self.ask("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)})

    def unload(self, name: str) -> tuple[int, Any]:
        return self.ask("/v1/unload_lora_adapter", {"lora_name": name})

    def metric(self, name: str) -> float:
        _, text = self.ask("/metrics")
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(f"{name}{{"))

    def close(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(timeout=30)
