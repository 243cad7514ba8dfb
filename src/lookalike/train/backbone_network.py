"""What the networks that are fine-tuned have in common.

Their parameters have the names of the published weights, so that they go in as they were read and come out
as the builder of their ONNX graph wants them. The statistics of the batch normalisations stay those of
ImageNet: a few thousand images in small batches give worse ones. Their scales and shifts learn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from lookalike.errors import ModelDamagedError


class Backbone(nn.Module):
    """From pixels, (n, side, side, 3) uint8, to features, (n, dimension)."""

    dimension: int
    n_frozen = 0
    """How many of the first blocks rest."""

    @property
    def stem(self) -> Sequence[nn.Module]:
        """What comes before the first block."""
        raise NotImplementedError

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """The blocks, first to last."""
        raise NotImplementedError

    def begin(self, images: torch.Tensor) -> torch.Tensor:
        """Turn the pixels into what the first block takes."""
        raise NotImplementedError

    def end(self, x: torch.Tensor) -> torch.Tensor:
        """Transform what the last block gives."""
        return x

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, side, side, 3) uint8 into features, (n, dimension); nothing is kept of what rests."""
        every = self.blocks
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.n_frozen):
            x = self.begin(images)
            for block in every[: self.n_frozen]:
                x = block(x)
        for block in every[self.n_frozen :]:
            x = block(x)
        return self.end(x).mean(dim=(2, 3))

    def freeze(self, n_blocks: int) -> None:
        """Let the first blocks, and with them the stem, rest; 0 lets all learn."""
        self.n_frozen = n_blocks
        for parameter in self.parameters():
            parameter.requires_grad = True
        for module in [*self.stem, *self.blocks[:n_blocks]] if n_blocks else []:
            for parameter in module.parameters():
                parameter.requires_grad = False

    def take(self, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take up published weights; those of the classifier are left out.

        Raises
        ------
        ModelError
            If they are another network's.
        """
        own = self.state_dict()
        try:
            state = {
                name: torch.from_numpy(np.array(weights[name]))
                for name in own
                if not name.endswith("num_batches_tracked")
            }
            self.load_state_dict(state | {n: v for n, v in own.items() if n not in state})
        except (KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelDamagedError(f"the weights are not those of this network: {reason}") from error

    def give(self) -> dict[str, npt.NDArray[Any]]:
        """Return the weights by their published names."""
        return {name: value.detach().cpu().numpy() for name, value in self.state_dict().items()}


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weight and bias that convolve and normalise, by statistics that are fixed, in one pass."""
    variance, mean = norm.running_var, norm.running_mean
    assert variance is not None and mean is not None
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return conv.weight * scale[:, None, None, None], norm.bias - mean * scale
