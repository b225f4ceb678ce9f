"""Linear layers on the CPU with weights in oneDNN's own layout: 2 to 4 times as fast as the plain product.

The same float32 arithmetic in another order. `switch_attention` compares the result with the plain layers.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

# The layout is chosen for so many rows; others are computed as well.
ROWS = 8


def pack_linears(model: Any) -> int:
    """Layers that were packed; none where torch has no oneDNN. The plain weights go, but those that others share."""
    import torch

    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return 0
    weights = [getattr(module, "weight", None) for module in model.modules()]
    owners = Counter(weight.data_ptr() for weight in weights if isinstance(weight, torch.Tensor))
    linears = [module for module in model.modules() if type(module) is torch.nn.Linear]
    found = [linear for linear in linears if linear.weight.dtype == torch.float32]
    for linear in found:
        weight = linear.weight.detach()
        linear.forward = packed_forward(torch.ops.mkldnn._reorder_linear_weight(weight, ROWS), linear.bias)
        if owners[weight.data_ptr()] == 1:
            linear.weight = torch.nn.Parameter(weight.new_empty(0), requires_grad=False)
    return len(found)


def packed_forward(weight: Any, bias: Any) -> Any:
    import torch

    linear = torch.ops.mkldnn._linear_pointwise.default

    def forward(x: Any) -> Any:
        return linear(x, weight, bias, "none", [], "")

    return forward
