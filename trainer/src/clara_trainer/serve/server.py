"""vLLM's HTTP API over the engine."""

from __future__ import annotations

import asyncio
import hmac
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web

from clara_trainer.serve.answers import Answer
from clara_trainer.serve.asked import Asked, asked_chat, asked_completion
from clara_trainer.serve.engine import Engine, refused, set_threads
from clara_trainer.serve.fields import Body, shown, text, whole
from clara_trainer.serve.loop import Loop
from clara_trainer.serve.metrics import Metrics
from clara_trainer.serve.problem import Problem, bad, internal
from clara_trainer.serve.replies import Rows, reply_stream, reply_whole
from clara_trainer.serve.wishes import Order, Speaker, order_of

BODY_BYTES = 32 << 20
MOST_THREADS = 1024
MOST_ROWS = 1024
# A step between two calls is shorter, unless the decode loop has ended.
CALL_SECONDS = 120.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Parse = Callable[[Body, Body], Asked]


class Server:
    def __init__(self, engine: Engine, loop: Loop, metrics: Metrics, key: str) -> None:
        self.engine = engine
        self.loop = loop
        self.metrics = metrics
        self.key = key
        self.threads = loop.limits.threads

    def app(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES, middlewares=[self.guarding()])
        app.router.add_get("/health", self.health)
        app.router.add_get("/metrics", self.show_metrics)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/v1/models/{name:.+}", self.model)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_post("/v1/completions", self.completion)
        app.router.add_post("/v1/load_lora_adapter", self.load)
        app.router.add_post("/v1/unload_lora_adapter", self.unload)
        app.router.add_post("/engine/threads", self.change_threads)
        return app

    def guarding(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.guard(request, handler)

        return guard

    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The key, and every error in OpenAI's shape."""
        try:
            self.check_key(request)
            return await handler(request)
        except Problem as problem:
            return web.json_response(problem.body(), status=problem.status)
        except web.HTTPException as error:
            known = Problem(error.status, error.text or error.reason, "invalid_request_error")
            return web.json_response(known.body(), status=error.status)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return web.json_response(internal("The engine failed; its log says why.").body(), status=500)

    def check_key(self, request: web.Request) -> None:
        given = request.headers.get("authorization", "")
        if request.path == "/health" or hmac.compare_digest(given.encode(), f"Bearer {self.key}".encode()):
            return
        raise Problem(401, "The API key is missing or wrong.", "authentication_error", code="invalid_api_key")

    async def health(self, _request: web.Request) -> web.Response:
        if not self.loop.thread.is_alive():
            raise internal("The decode loop has ended.")
        return web.Response()

    async def show_metrics(self, _request: web.Request) -> web.Response:
        rows = len(self.loop.running), len(self.loop.waiting)
        facts = self.loop.cache.bytes, len(self.engine.adapters), self.threads
        return web.Response(body=self.metrics.text(rows, facts), content_type="text/plain", charset="utf-8")

    async def models(self, _request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": self.engine.cards()})

    async def model(self, request: web.Request) -> web.Response:
        return web.json_response(self.engine.card(request.match_info["name"]))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        return await self.answer(request, asked_chat)

    async def completion(self, request: web.Request) -> web.StreamResponse:
        return await self.answer(request, asked_completion)

    async def answer(self, request: web.Request, parse: Parse) -> web.StreamResponse:
        asked = parse(await body_of(request), self.engine.base.defaults)
        speaker = self.engine.speaker(asked.model)
        # Long prompts take the tokenizer a while.
        order = await asyncio.to_thread(self.order, asked, speaker)
        if len(order.wishes) + len(self.loop.waiting) > MOST_ROWS:
            raise Problem(429, f"More than {MOST_ROWS} answers would wait; try again later.", "rate_limit_error")
        answer = Answer(order, asked.model, speaker.dialect.vocabulary)
        rows = Rows(self.loop, answer)
        return await (reply_stream(request, rows, answer) if asked.stream else reply_whole(rows, answer))

    def order(self, asked: Asked, speaker: Speaker) -> Order:
        return order_of(asked, speaker, self.engine.base.context, self.engine.base.vocabulary)

    async def load(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if not body.get("lora_name") or not body.get("lora_path"):
            raise refused(400, "Both 'lora_name' and 'lora_path' must be provided.")
        name, path = text(body, "lora_name"), text(body, "lora_path")
        await asyncio.to_thread(self.engine.load, name, path)
        return web.Response(text=f"Success: LoRA adapter '{name}' added successfully.")

    async def unload(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if not body.get("lora_name"):
            raise refused(400, "'lora_name' needs to be provided to unload a LoRA adapter.")
        name = text(body, "lora_name")
        await asyncio.to_thread(self.engine.unload, name)
        self.metrics.forget(name)
        return web.Response(text=f"Success: LoRA adapter '{name}' removed successfully.")

    async def change_threads(self, request: web.Request) -> web.Response:
        threads = whole(await body_of(request), "threads", 1, MOST_THREADS)
        if threads is None:
            raise bad("threads", "threads is missing")
        done = asyncio.Event()
        events = asyncio.get_running_loop()
        set_threads(self.loop, threads, partial(events.call_soon_threadsafe, done.set))
        try:
            await asyncio.wait_for(done.wait(), CALL_SECONDS)
        except TimeoutError as error:
            raise internal("The decode loop does not take the threads; its log says why.") from error
        self.threads = threads
        return web.json_response({"threads": threads})


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise bad(None, f"The body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise bad(None, f"The body must be a JSON object, not {shown(found)}")
    return found
