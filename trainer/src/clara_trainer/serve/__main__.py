"""``python -m clara_trainer.serve --model DIR --name SLUG …``: serves a base model and its adapters on loopback.

Says on standard output, in one JSON line, ``{"ready": {port, model, device, context}}`` or ``{"failed": {message}}``.
The API key comes in CLARA_ENGINE_KEY. It ends when its standard input does, and on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from clara_trainer.child import Output, Say, end_with_input, leave
from clara_trainer.embed.model_files import HUB_ID, cached_snapshot
from clara_trainer.serve.problem import STOPPED, StartProblem
from clara_trainer.threads import available_cores, limit_threads

# Running answers are told of the end in this time.
GRACE_SECONDS = 5.0


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(f"{value} is less than 1")
    return value


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of the base, or hub id of one in the cache")
    parser.add_argument("--name", required=True, help="what the base is called in requests")
    parser.add_argument("--max-loras", type=positive, default=8, help="adapters that can be loaded at once")
    parser.add_argument("--max-rank", type=positive, default=64)
    parser.add_argument("--max-rows", type=positive, default=16, help="answers that are written at once; others wait")
    parser.add_argument("--threads", type=positive, default=available_cores())
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--kv-bytes", type=positive, help="for keys and values; default: half of the memory")
    return parser.parse_args(arguments)


def base_folder(model: str) -> Path:
    """No hub is asked."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder.resolve()
    cached = cached_snapshot(model) if HUB_ID.fullmatch(model) else None
    if cached is None:
        raise StartProblem(f"The base model {model} is neither a folder nor in the cache of the hub.")
    return cached


def is_quantised(folder: Path) -> bool:
    try:
        return "quantization_config" in (folder / "config.json").read_text(encoding="utf-8")
    except OSError:
        return False


def build(arguments: argparse.Namespace, folder: Path, key: str) -> Any:
    from clara_trainer.serve.base import load_base
    from clara_trainer.serve.engine import Engine, Slots
    from clara_trainer.serve.loop import Limits, Loop
    from clara_trainer.serve.lora import patch
    from clara_trainer.serve.memory import kv_budget
    from clara_trainer.serve.metrics import Metrics
    from clara_trainer.serve.server import Server

    base = load_base(folder, arguments.device)
    budget = arguments.kv_bytes or kv_budget(base.device)
    base.limit_context(budget)
    state, linears = patch(base.model)
    try:
        engine = Engine(base, arguments.name, linears, Slots(arguments.max_loras, arguments.max_rank))
    except ValueError as error:
        raise StartProblem(f"The base model {folder.name} cannot be served: {error}") from error
    metrics = Metrics(arguments.name)
    loop = Loop(base, state, Limits(arguments.max_rows, budget, arguments.threads), metrics)
    return Server(engine, loop, metrics, key)


async def serve(server: Any, say: Say) -> None:
    from aiohttp import web

    runner = web.AppRunner(server.app(), handler_cancellation=True, access_log=None, shutdown_timeout=GRACE_SECONDS)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ended = asyncio.Event()
    events = asyncio.get_running_loop()
    events.add_signal_handler(signal.SIGTERM, ended.set)
    server.loop.start()
    base, engine = server.engine.base, server.engine
    port = runner.addresses[0][1]
    say({"ready": {"port": port, "model": engine.name, "device": base.device, "context": base.context}})
    await ended.wait()
    server.loop.stop(STOPPED)
    await runner.cleanup()


def main(given: list[str]) -> int:
    arguments = parse(given)
    # Ctrl-C is for the application, which then closes the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    say = Output().say
    end_with_input(0)
    key = os.environ.pop("CLARA_ENGINE_KEY", "")
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    os.environ["CLARA_THREADS"] = str(arguments.threads)
    limit_threads(1)
    try:
        if not key:
            raise StartProblem("CLARA_ENGINE_KEY is not set: the engine is not opened without a key.")
        folder = base_folder(arguments.model)
        # Nothing of it is needed unless the base is quantised, and importing it takes over a second.
        if not is_quantised(folder):
            sys.modules["bitsandbytes"] = cast(ModuleType, None)
        asyncio.run(serve(build(arguments, folder, key), say))
    except StartProblem as problem:
        say({"failed": {"message": str(problem)}})
        return 1
    except Exception as error:
        traceback.print_exc()
        say({"failed": {"message": f"The engine could not start: {str(error).strip() or type(error).__name__}"}})
        return 1
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
