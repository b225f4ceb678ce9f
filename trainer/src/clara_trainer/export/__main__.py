"""``python -m clara_trainer.export --base DIR --adapter DIR --out DIR --name NAME --format FORMAT``

Formats: ``merged``, a folder for transformers; ``gguf``, the adapter; ``merged-gguf``, one file for llama.cpp.

Writes the export into the folder ``--out``, which must not be there. Says on standard output, in JSON lines,
``{"phase": text, "progress": 0..1}``, and at the end ``{"done": true}`` or ``{"failed": {"message": text}}``.
It ends when its standard input does: with the process that started it.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import cast

from clara_trainer.child import Output, end_with_input, leave
from clara_trainer.export.merged import Tell, load_tokenizer
from clara_trainer.export.problem import ExportProblem
from clara_trainer.serve.adapter_files import AdapterProblem
from clara_trainer.threads import limit_threads


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="folder of the base model")
    parser.add_argument("--adapter", type=Path, required=True, help="PEFT folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", required=True, help="what the export is called")
    parser.add_argument("--format", choices=list(WRITERS), required=True)
    return parser.parse_args(given)


def write_folder(arguments: argparse.Namespace, tell: Tell) -> None:
    from clara_trainer.export.merged import write_merged

    write_merged(arguments.base, arguments.adapter, arguments.out, tell)


def write_adapter(arguments: argparse.Namespace, tell: Tell) -> None:
    from clara_trainer.export.gguf_adapter import write_gguf_adapter
    from clara_trainer.export.modelfile import modelfile

    tell("converting the adapter", 0.1)
    file = f"{arguments.name}.gguf"
    write_gguf_adapter(Path(arguments.base), arguments.adapter, arguments.out / file, arguments.name)
    tokenizer = load_tokenizer(arguments.base, arguments.adapter)
    text = modelfile(Path(arguments.base).name, arguments.adapter, file, tokenizer)
    (arguments.out / "Modelfile").write_text(text, encoding="utf-8")


def write_one_file(arguments: argparse.Namespace, tell: Tell) -> None:
    from clara_trainer.export.gguf_model import write_merged_gguf
    from clara_trainer.export.modelfile import merged_modelfile

    tokenizer = write_merged_gguf(arguments.base, arguments.adapter, arguments.out, arguments.name, tell)
    text = merged_modelfile(arguments.adapter, f"{arguments.name}.gguf", tokenizer)
    (arguments.out / "Modelfile").write_text(text, encoding="utf-8")


WRITERS = {"merged": write_folder, "gguf": write_adapter, "merged-gguf": write_one_file}


def export(arguments: argparse.Namespace, output: Output) -> None:
    def tell(phase: str, progress: float) -> None:
        output.say({"phase": phase, "progress": progress})

    arguments.out.mkdir(parents=True)
    WRITERS[arguments.format](arguments, tell)
    tell("written", 1.0)


def main(given: list[str]) -> int:
    arguments = parse(given)
    output = Output()
    end_with_input(1)
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    # Nothing of it is needed, and importing it takes over a second.
    sys.modules["bitsandbytes"] = cast(ModuleType, None)
    limit_threads(1)
    try:
        export(arguments, output)
    except (ExportProblem, AdapterProblem) as problem:
        output.say({"failed": {"message": str(problem)}})
        return 1
    except Exception as error:
        traceback.print_exc()
        output.say({"failed": {"message": f"The export failed: {str(error).strip() or type(error).__name__}"}})
        return 1
    output.say({"done": True})
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
