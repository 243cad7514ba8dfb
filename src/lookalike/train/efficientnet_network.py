"""EfficientNet-Lite in torch: the network of `embed.efficientnet_lite`, with weights that can learn.

Its parameters have the names of the published weights, so that they go in as they were read and come out as
`efficientnet_lite.build` wants them. The statistics of the batch normalisations stay those of ImageNet: a few
thousand images in small batches give worse ones. Their scales and shifts learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from lookalike.embed.efficientnet_lite import DIMENSION, EPSILON, Block, Variant, blocks
from lookalike.errors import ModelError

_STEM = 32


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow does: the odd pixel goes to the right and the bottom."""

    def forward(self, x: torch.Tensor, norm: nn.BatchNorm2d) -> torch.Tensor:
        """Convolve (n, c, side, side), and normalise by statistics that are fixed: in one pass over the pixels."""
        variance, mean = norm.running_var, norm.running_mean
        assert variance is not None and mean is not None
        scale = norm.weight * torch.rsqrt(variance + norm.eps)
        weight, bias = self.weight * scale[:, None, None, None], norm.bias - mean * scale
        size, stride = self.kernel_size[0], self.stride[0]
        side = x.shape[-1]
        missing = max((-(-side // stride) - 1) * stride + size - side, 0)
        before, after = missing // 2, missing - missing // 2
        if before == after:
            return nn.functional.conv2d(x, weight, bias, self.stride, before, 1, self.groups)
        x = nn.functional.pad(x, (before, after, before, after))
        return nn.functional.conv2d(x, weight, bias, self.stride, 0, 1, self.groups)


def _conv(before: int, after: int, kernel: int = 1, stride: int = 1, depthwise: bool = False) -> SameConv:
    return SameConv(before, after, kernel, stride, bias=False, groups=before if depthwise else 1)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=0.01)


class InvertedResidual(nn.Module):
    """One block: expand, filter each channel, project."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block
        self._relu = nn.ReLU6()
        inside = block.channels_in * block.expansion
        if block.expansion != 1:
            self._expand_conv, self._bn0 = _conv(block.channels_in, inside), _norm(inside)
        self._depthwise_conv = _conv(inside, inside, block.kernel, block.stride, depthwise=True)
        self._bn1 = _norm(inside)
        self._project_conv, self._bn2 = _conv(inside, block.channels_out), _norm(block.channels_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transform (n, channels_in, side, side)."""
        shortcut = x
        if self.block.expansion != 1:
            x = self._relu(self._expand_conv(x, self._bn0))
        x = self._relu(self._depthwise_conv(x, self._bn1))
        x = self._project_conv(x, self._bn2)
        return x + shortcut if self.block.has_shortcut else x


class EfficientNetLite(nn.Module):
    """From pixels to the pooled features.

    Parameters
    ----------
    variant : Variant
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        rows = blocks(variant)
        self.variant = variant
        self._relu = nn.ReLU6()
        self._conv_stem, self._bn0 = _conv(3, _STEM, 3, 2), _norm(_STEM)
        self._blocks = nn.ModuleList([InvertedResidual(block) for block in rows])
        self._conv_head, self._bn1 = _conv(rows[-1].channels_out, DIMENSION), _norm(DIMENSION)
        self.n_frozen = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, side, side, 3) uint8 into features, (n, 1280)."""
        x = (images.permute(0, 3, 1, 2).float() - 127) / 128
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.n_frozen):
            x = self._relu(self._conv_stem(x, self._bn0))
            for block in self._blocks[: self.n_frozen]:
                x = block(x)
        for block in self._blocks[self.n_frozen :]:
            x = block(x)
        x = self._relu(self._conv_head(x, self._bn1))
        return x.mean(dim=(2, 3))

    def freeze(self, n_blocks: int) -> None:
        """Let the first blocks, and with them the stem, rest; 0 lets all learn."""
        self.n_frozen = n_blocks
        for parameter in self.parameters():
            parameter.requires_grad = True
        resting = [self._conv_stem, self._bn0, *self._blocks[:n_blocks]] if n_blocks else []
        for module in resting:
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
            raise ModelError(f"the weights are not those of this network: {error}") from error

    def give(self) -> dict[str, npt.NDArray[Any]]:
        """Return the weights as `efficientnet_lite.build` wants them."""
        return {name: value.detach().cpu().numpy() for name, value in self.state_dict().items()}
