"""Whether a training fits into memory, found out before it begins: a system that runs out only kills."""

from __future__ import annotations

from typing import Any

import torch

from lookalike.errors import ModelResourceError
from lookalike.hints import Hint
from lookalike.system.memory import free_memory

_SHARE = 0.9  # of what is free
_KEPT = 1.5
"""Activations are kept for the way back, on which some have a gradient beside them."""


def bytes_an_image(network: torch.nn.Module, side: int) -> int:
    """Return about how much memory a network takes for each image of a batch while it learns.

    The outputs of its layers are added up, on torch's `meta` device, where nothing is computed.
    """
    from copy import deepcopy

    total = 0

    def add(_module: torch.nn.Module, inputs: Any, output: Any) -> None:
        nonlocal total
        if (
            isinstance(output, torch.Tensor) and output is not inputs[0]
        ):  # what is done in place takes nothing
            total += output.numel() * output.element_size()

    shadow = deepcopy(network).to("meta")
    for module in shadow.modules():
        if not list(module.children()):
            module.register_forward_hook(add)
    with torch.no_grad():
        shadow.eval()(torch.empty((1, side, side, 3), dtype=torch.uint8, device="meta"))
    return int(total * _KEPT)


def free_memory_of(device: torch.device) -> int:
    """Return how many bytes can still be had on a device."""
    return int(torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else free_memory()


def check_memory(network: torch.nn.Module, side: int, batch_size: int, free: int) -> None:
    """Raise ModelError unless batches of so many images are likely to fit into `free` bytes."""
    each = bytes_an_image(network, side)
    weights = 4 * sum(p.numel() * p.element_size() for p in network.parameters())  # gradients and two moments
    room = int(free * _SHARE) - weights
    if batch_size * each <= room:
        return
    needed = (batch_size * each + weights) / 1e9
    fitting = room // each
    advice = Hint("fit_batches", n=fitting) if fitting >= 1 else Hint("smaller_size")
    raise ModelResourceError(
        f"batches of {batch_size} images of {side} × {side} pixels take about {needed:.1f} GB of memory, and"
        f" {free / 1e9:.1f} GB are free",
        hint=advice,
    )
