"""Loads the base model, checked and quantised, and puts the adapter on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clara_trainer.contract.types import Quantization, Run
from clara_trainer.device import Device
from clara_trainer.failure import TrainingError

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt")


def loading_arguments(run: Run) -> dict[str, Any]:
    return {"revision": run["model"]["revision"], "trust_remote_code": run["model"]["trust_remote_code"]}


def load_tokenizer(run: Run) -> Any:
    from transformers import AutoTokenizer

    check_folder(run)
    try:
        return AutoTokenizer.from_pretrained(run["model"]["path"], **loading_arguments(run))
    except (OSError, ValueError) as error:
        raise refusal(run, error) from error


def load_base(run: Run, device: Device) -> Any:
    from transformers import AutoModelForCausalLM

    quantization = run["quantization"]
    more: dict[str, Any] = {} if run["model"]["allow_pickle"] else {"use_safetensors": True}
    if quantization is not None:
        more["quantization_config"] = quantization_config(quantization, device)
    if device.kind == "cuda":
        more["device_map"] = {"": local_gpu()}
    elif quantization is not None:
        more["device_map"] = {"": "cpu"}
    try:
        model = AutoModelForCausalLM.from_pretrained(
            run["model"]["path"],
            dtype=device.weights_dtype(run["model"]["dtype"]),
            # auto: what the model can, for some cannot have the quickest.
            attn_implementation=None if run["model"]["attention"] == "auto" else device.attention,
            **loading_arguments(run),
            **more,
        )
    except (OSError, ValueError) as error:
        raise refusal(run, error) from error
    device.attention = model.config.get_text_config()._attn_implementation
    keep_gradients(model)
    return model


def keep_gradients(model: Any) -> None:
    """bitsandbytes lays 4 bit weights out anew for a CPU with AVX512-BF16 when they are first evaluated, and from then
    on no gradient goes through them (0.50, Linear4bit.forward): what is trained after an evaluation is wrong."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def local_gpu() -> int:
    import os

    return int(os.environ.get("LOCAL_RANK", "0"))


def quantization_config(quantization: Quantization, device: Device) -> Any:
    from transformers import BitsAndBytesConfig

    compute = device.compute_dtype(quantization["compute_dtype"])
    if quantization["bits"] == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantization["type"],
        bnb_4bit_use_double_quant=quantization["double"],
        bnb_4bit_compute_dtype=compute,
    )


def check_folder(run: Run) -> None:
    """A folder is checked before anything of it is read; a hub id is checked by the loading itself."""
    path = Path(run["model"]["path"])
    if not path.is_absolute():
        return
    if not (path / "config.json").is_file():
        raise TrainingError("invalid_model", f"{path} is no model folder: it has no config.json")
    files = [file.name for file in path.iterdir()]
    if any(name.endswith(".safetensors") for name in files) or run["model"]["allow_pickle"]:
        return
    pickles = sorted(name for name in files if name.endswith(PICKLE_SUFFIXES))
    if pickles:
        raise TrainingError(
            "not_allowed",
            f"{path} holds its weights as pickle ({', '.join(pickles)}), which can run code when read. "
            "Convert them to safetensors, or set model.allow_pickle if you trust their source.",
        )
    raise TrainingError("invalid_model", f"{path} holds no weights (*.safetensors)")


def refusal(run: Run, error: Exception) -> Exception:
    """The library's error in our words; what is no question of the model (a full disk) stays as it is."""
    text, path = str(error), run["model"]["path"]
    if isinstance(error, OSError) and error.errno is not None:
        return error
    if "trust_remote_code" in text:
        return TrainingError(
            "not_allowed",
            f"{path} brings Python code of its own. Set model.trust_remote_code if you trust its source.",
        )
    if "safetensors" in text and not run["model"]["allow_pickle"]:
        return TrainingError(
            "not_allowed",
            f"{path} has no weights in safetensors format, and pickle files can run code. "
            "Convert them, or set model.allow_pickle if you trust their source.",
        )
    return TrainingError("invalid_model", f"{path} cannot be loaded: {text.splitlines()[0] if text else error!r}")


def with_adapter(base: Any, run: Run, warnings: list[str]) -> Any:
    if run["adapter"]["start_from"] is not None:
        return with_existing_adapter(base, run, Path(run["adapter"]["start_from"]), warnings)
    from peft import LoraConfig, get_peft_model

    adapter = run["adapter"]
    targets = adapter["target_modules"]
    if targets != "all-linear":
        targets = existing_targets(base, list(targets), warnings)
    config = LoraConfig(
        r=adapter["r"],
        lora_alpha=adapter["alpha"],
        lora_dropout=adapter["dropout"],
        target_modules=targets,
        bias=adapter["bias"],
        task_type="CAUSAL_LM",
        base_model_name_or_path=run["model"]["path"],
        revision=run["model"]["revision"],
    )
    return get_peft_model(base, config)


def existing_targets(base: Any, wanted: list[str], warnings: list[str]) -> list[str]:
    names = {name.rsplit(".", 1)[-1] for name, _ in base.named_modules()} | {name for name, _ in base.named_modules()}
    found = [name for name in wanted if name in names or any(full.endswith(f".{name}") for full in names)]
    missing = [name for name in wanted if name not in found]
    if not found:
        raise TrainingError(
            "invalid_model",
            f"None of lora.target_modules ({', '.join(wanted)}) exists in the model. Set it to all-linear.",
        )
    if missing:
        warnings.append(f"The model has no modules named {', '.join(missing)}: they get no adapter.")
    return found


def with_existing_adapter(base: Any, run: Run, folder: Path, warnings: list[str]) -> Any:
    from peft import PeftModel

    found = check_adapter(folder, run)
    adapter = run["adapter"]
    if (found.get("r"), found.get("lora_alpha")) != (adapter["r"], adapter["alpha"]):
        warnings.append(
            f"The adapter trained further has r {found['r']} and alpha {found['lora_alpha']}; these count, "
            f"not r {adapter['r']} and alpha {adapter['alpha']}."
        )
    try:
        model = PeftModel.from_pretrained(base, str(folder), is_trainable=True)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(
            "invalid_model", f"The adapter {folder} does not fit {run['model']['path']}: {str(error).splitlines()[0]}"
        ) from error
    check_tensors(model, folder)
    # What is saved from now on names the base as this run does.
    model.peft_config["default"].base_model_name_or_path = run["model"]["path"]
    return model


def check_adapter(folder: Path, run: Run) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text())
    except (OSError, ValueError) as error:
        raise TrainingError("invalid_model", f"{folder} is no adapter folder: adapter_config.json: {error}") from error
    if not (folder / "adapter_model.safetensors").is_file():
        raise TrainingError("invalid_model", f"{folder} has no adapter_model.safetensors")
    if found.get("peft_type") != "LORA" or found.get("modules_to_save"):
        raise TrainingError("invalid_model", f"{folder} is no plain LoRA adapter, so it cannot be trained further")
    base, wanted = str(found.get("base_model_name_or_path")), run["model"]["path"]
    if Path(base).name != Path(wanted).name:
        raise TrainingError("invalid_model", f"The adapter {folder} was made for {base}, not for {wanted}")
    return found


def check_method(model: Any, run: Run) -> None:
    """DPO computes likelihoods from the head's own weights: an adapter there would change nothing."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    if run["method"] == "dpo" and isinstance(model.get_output_embeddings(), BaseTunerLayer):
        raise TrainingError("invalid_model", "The adapter has a part on lm_head, which dpo cannot train. Leave it out.")


def check_tensors(model: Any, folder: Path) -> None:
    """PEFT loads what fits and only warns about the rest; an adapter that fits in part is refused."""
    from peft import get_peft_model_state_dict
    from safetensors import safe_open

    with safe_open(folder / "adapter_model.safetensors", framework="pt") as file:
        stored = set(file.keys())
    wanted = set(get_peft_model_state_dict(model))
    if stored != wanted:
        odd = sorted(stored ^ wanted)
        raise TrainingError(
            "invalid_model",
            f"The adapter {folder} does not fit the model: {len(odd)} tensors are not on both sides, e.g. {odd[0]}",
        )
