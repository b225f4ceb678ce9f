"""``python -m clara_trainer.embed --model NAME --root DIR…``: answers requests until its input ends; see worker.py.

NAME is a folder, one below a root, or a hub id; only with --download is the hub asked. Exit status 3: no such model.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from clara_trainer.child import Output, Say, leave
from clara_trainer.embed.desk import Job, Sizes, Use
from clara_trainer.embed.layout import Layout, read_layout
from clara_trainer.embed.model_files import download, find_model, hub_id, missing
from clara_trainer.embed.problem import ModelProblem
from clara_trainer.embed.worker import Worker, read_requests
from clara_trainer.threads import available_cores, limit_threads

NO_MODEL = 3
PROMPTS: dict[Use, tuple[str, ...]] = {"query": ("query",), "passage": ("passage", "document")}


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--root", type=Path, action="append", default=[], help="folder that may hold the model")
    parser.add_argument("--query-prefix", help="default: the prompt of the model's own configuration, else none")
    parser.add_argument("--passage-prefix", help="likewise")
    parser.add_argument("--download", action="store_true", help="ask the hub for a model that is missing")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--nice", type=int, default=0, help="how much other processes go before")
    parser.add_argument("--batch", type=int, help="windows computed together; default: 8, on a GPU 64")
    return parser.parse_args(arguments)


def prefixes_of(arguments: argparse.Namespace, layout: Layout) -> dict[Use, str]:
    given = {"query": arguments.query_prefix, "passage": arguments.passage_prefix}
    prompts = layout.prompts
    own = {use: next((prompts[name] for name in names if name in prompts), "") for use, names in PROMPTS.items()}
    return {use: own[use] if given[use] is None else given[use] for use in PROMPTS}


def model_folder(arguments: argparse.Namespace, say: Say) -> Path:
    found = find_model(arguments.model, arguments.root)
    repository = hub_id(arguments.model)
    if found is not None:
        return found
    if not arguments.download or repository is None:
        raise missing(arguments.model)
    say({"state": "downloading"})
    return download(repository)


def start(arguments: argparse.Namespace, say: Say) -> None:
    if not arguments.download:
        os.environ["HF_HUB_OFFLINE"] = "1"
    layout = read_layout(model_folder(arguments, say))
    sizes = Sizes.on(arguments.device)
    sizes.windows = arguments.batch or sizes.windows
    worker = Worker(say, prefixes_of(arguments, layout), sizes)
    read_requests(worker)
    os.environ["CLARA_THREADS"] = str(arguments.threads)
    limit_threads(1)
    from clara_trainer.embed.encoder import load_encoder

    encoder = load_encoder(layout, arguments.device)
    say({"ready": facts(arguments, worker, layout, first_vector(encoder))})
    worker.serve(encoder)


def first_vector(encoder: Any) -> Any:
    """It works only when it has worked once; the first call is also the slowest."""
    job = Job(0, "passage", ["Probe"])
    job.step(encoder, "", Sizes())
    return job.vectors()[0]


def facts(arguments: argparse.Namespace, worker: Worker, layout: Layout, vector: Any) -> dict[str, Any]:
    return {
        "name": Path(arguments.model).name if Path(arguments.model).expanduser().is_absolute() else arguments.model,
        "dimension": len(vector),
        "max_tokens": layout.max_tokens,
        "pooling": layout.pooling,
        "query_prefix": worker.prefixes["query"],
        "passage_prefix": worker.prefixes["passage"],
    }


def main(given: list[str]) -> int:
    arguments = parse(given)
    # Ctrl-C is for the application, which then closes the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(arguments.nice)
    say = Output().say
    try:
        start(arguments, say)
    except ModelProblem as problem:
        say({"failed": {"code": problem.code, "message": str(problem)}})
        return NO_MODEL
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
