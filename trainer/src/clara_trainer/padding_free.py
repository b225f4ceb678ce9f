"""Training without padding: the rows of a batch stand one after another, and attention keeps them apart.

The same arithmetic as with padding, without computing what nobody reads. On a GPU the flash kernel that comes with
torch takes all rows at once (16 bit numbers, compute capability 8.0 and up: ``torch.nn.attention.varlen``); on a CPU
each row is attended by itself. Registered with transformers as the attention ``clara_rows``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from clara_trainer.contract.types import Run
from clara_trainer.device import Device

NAME = "clara_rows"
FLASH_CAPABILITY = (8, 0)
# What these ask of attention, it does not do here.
UNKNOWN = ("softcap", "s_aux", "position_bias")
PROBE_ROWS = (24, 17)
# Greatest relative differences of the logits. Of 4 bit weights .031 was seen, as kernels are chosen by the number of
# tokens; of rows that saw each other .43 and more.
TOLERANCE = {"fp32": 1e-3, "fp16": 0.1, "bf16": 0.1}
# Of a row, when another stands before it: the kernels are the same.
SEEN_TOLERANCE = 0.01


def lay_out(model: Any, run: Run, device: Device) -> bool:
    """Whether the rows go without padding; then the model's attention is switched. A model that says anything else
    with it than one row at a time keeps its padding."""
    if run["method"] != "supervised" or run["model"]["attention"] != "auto" or rows_of_step(run) == 1:
        return False
    if not takes_rows(device):
        return False
    problem = problem_of(model, device)
    if problem is None:
        device.attention = NAME
        return True
    model.get_base_model().set_attn_implementation(device.attention)
    device.warnings.append(f"Rows are padded to the longest of their batch: {problem}.")
    return False


def rows_of_step(run: Run) -> int:
    """Of one process."""
    return run["training"]["batch_size"] * run["training"]["gradient_accumulation_steps"]


def takes_rows(device: Device) -> bool:
    import torch

    if device.kind == "cpu":
        return True
    return device.precision != "fp32" and torch.cuda.get_device_capability() >= FLASH_CAPABILITY


def problem_of(model: Any, device: Device) -> str | None:
    """Compares one row at a time with both together, and the last row behind one row and behind another, on the model
    itself; leaves the attention switched."""
    import torch
    from transformers import AttentionInterface

    base = model.get_base_model()
    vocabulary = base.get_input_embeddings().weight.shape[0]
    ids = torch.arange(sum(PROBE_ROWS), device=base.device) * 7919 % vocabulary
    last = ids[PROBE_ROWS[0] :]
    others = torch.cat([(ids[: PROBE_ROWS[0]] + 311) % vocabulary, last])
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), autocast(device):
            alone = torch.cat([base(input_ids=row[None], use_cache=False).logits[0] for row in ids.split(PROBE_ROWS)])
            AttentionInterface.register(NAME, attend)
            base.set_attn_implementation(NAME)
            together, behind = (base(**flat(row, PROBE_ROWS), use_cache=False).logits[0] for row in (ids, others))
    except Exception as error:
        return f"{type(base).__name__} takes no other attention ({str(error).strip() or type(error).__name__})"
    finally:
        model.train(was_training)
    seen = difference(behind[-len(last) :], together[-len(last) :])
    # What is no number is no agreement either.
    if not seen <= SEEN_TOLERANCE:
        return f"{type(base).__name__} does not keep rows apart that stand one after another (by {seen:.2g})"
    changed = difference(together, alone)
    if not changed <= TOLERANCE[device.precision]:
        return f"{type(base).__name__} answers differently where rows stand one after another (by {changed:.2g})"
    return None


def difference(found: Any, expected: Any) -> float:
    expected = expected.float()
    return float((found.float() - expected).norm() / expected.norm())


def autocast(device: Device) -> Any:
    import torch

    kind = torch.float16 if device.precision == "fp16" else torch.bfloat16
    return torch.autocast(device.kind, dtype=kind, enabled=device.precision != "fp32")


def flat(ids: Any, lengths: tuple[int, ...]) -> dict[str, Any]:
    """Rows as TRL's collator lays them out without padding."""
    import torch

    bounds = torch.tensor([0, *torch.tensor(lengths).cumsum(0)], dtype=torch.int32, device=ids.device)
    positions = torch.cat([torch.arange(length, device=ids.device) for length in lengths])
    return {"input_ids": ids[None], "position_ids": positions[None], **bounded(bounds, max(lengths))}


def bounded(bounds: Any, longest: int) -> dict[str, Any]:
    return {"cu_seq_lens_q": bounds, "cu_seq_lens_k": bounds, "max_length_q": longest, "max_length_k": longest}


def groups_of(bounds: list[int], tokens: int) -> list[tuple[int, int]]:
    """Rows [first, end) that together have at most so many tokens, or are one."""
    groups = [(0, 1)]
    for row in range(1, len(bounds) - 1):
        first, end = groups[-1]
        if bounds[row + 1] - bounds[first] <= tokens:
            groups[-1] = (first, end + 1)
        else:
            groups.append((row, row + 1))
    return groups


def halved(groups: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """So many groups, where there are as many rows: the one with the most rows becomes two."""
    while len(groups) < count:
        at = max(range(len(groups)), key=lambda index: groups[index][1] - groups[index][0])
        first, end = groups[at]
        middle = (first + end) // 2
        groups[at : at + 1] = [(first, middle), (middle, end)]
    return groups


def pieces(batch: dict[str, Any], tokens: int, agreed: Callable[[int], int]) -> Iterator[dict[str, Any]]:
    """The rows of a step in as few batches as hold at most so many tokens each, or one row.

    `agreed`: from how many batches a process needs to how many all of them take, as they meet after each."""
    bounds = batch["cu_seq_lens_q"].tolist()
    groups = groups_of(bounds, tokens)
    for first, end in halved(groups, agreed(len(groups))):
        longest = max(bounds[row + 1] - bounds[row] for row in range(first, end))
        cut = {name: batch[name][:, bounds[first] : bounds[end]] for name in ("input_ids", "labels", "position_ids")}
        yield {**cut, **bounded(batch["cu_seq_lens_q"][first : end + 1] - bounds[first], longest)}


def attend(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **more: Any) -> tuple[Any, None]:
    """query (1, heads, tokens, width), key and value (1, kv heads, tokens, width) -> (1, tokens, heads, width).

    `cu_seq_lens_q`: where the rows begin, and the end (rows + 1, int32); `max_length_q`: of the longest."""
    odd = [name for name in UNKNOWN if more.get(name) is not None]
    if odd or not getattr(module, "is_causal", True):
        raise ValueError(f"its attention has {', '.join(odd) or 'no order'}")
    if more.get("cu_seq_lens_q") is None or query.shape[0] != 1:
        raise ValueError("nothing says where its rows begin")
    if query.is_cuda and not more.get("dropout"):
        return by_flash(query, key, value, more)[None], None
    return row_by_row(query, key, value, more)[None], None


def by_flash(query: Any, key: Any, value: Any, more: dict[str, Any]) -> Any:
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.attention.varlen import varlen_attn

    kind = value.dtype if value.dtype != torch.float32 else torch.get_autocast_dtype("cuda")
    parts = [part[0].transpose(0, 1).to(kind) for part in (query, key, value)]
    bounds, longest, window = more["cu_seq_lens_q"], more["max_length_q"], more.get("sliding_window")
    # The kernel that was measured; torch prefers the one of cuDNN where there is one.
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return varlen_attn(
            *parts, bounds, bounds, longest, longest, scale=more.get("scaling"),
            window_size=(-1 if window is None else window - 1, 0), enable_gqa=True,
        )  # fmt: skip


def row_by_row(query: Any, key: Any, value: Any, more: dict[str, Any]) -> Any:
    import torch

    groups = query.shape[1] // key.shape[1]
    keys, values = (part.repeat_interleave(groups, dim=1) for part in (key, value))
    lengths = more["cu_seq_lens_q"].diff().tolist()
    rows = [
        torch.nn.functional.scaled_dot_product_attention(
            *parts, scale=more.get("scaling"), dropout_p=more.get("dropout") or 0.0,
            **order(parts[0].shape[2], more.get("sliding_window"), query.device),
        )
        for parts in zip(*(part.split(lengths, dim=2) for part in (query, keys, values)), strict=True)
    ]  # fmt: skip
    return torch.cat(rows, dim=2)[0].transpose(0, 1)


def order(tokens: int, window: int | None, device: Any) -> dict[str, Any]:
    """Each token sees those before it, within the window."""
    import torch

    if window is None or tokens <= window:
        return {"is_causal": True}
    places = torch.arange(tokens, device=device)
    distance = places[:, None] - places
    return {"attn_mask": (distance >= 0) & (distance < window)}
