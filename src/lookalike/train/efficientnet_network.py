"""EfficientNet-Lite in torch: the network of `embed.efficientnet_lite`, with weights that can learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from lookalike.embed.efficientnet_lite import DIMENSION, EPSILON, Block, Variant, blocks
from lookalike.train.backbone_network import Backbone, folded

_STEM = 32


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow does: the odd pixel goes to the right and the bottom."""

    def forward(self, x: torch.Tensor, norm: nn.BatchNorm2d) -> torch.Tensor:
        """Convolve (n, c, side, side), and normalise by statistics that are fixed."""
        weight, bias = folded(self, norm)
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


class EfficientNetLite(Backbone):
    """From pixels to the pooled features.

    Parameters
    ----------
    variant : Variant
    """

    dimension = DIMENSION

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        rows = blocks(variant)
        self.variant = variant
        self._relu = nn.ReLU6()
        self._conv_stem, self._bn0 = _conv(3, _STEM, 3, 2), _norm(_STEM)
        self._blocks = nn.ModuleList([InvertedResidual(block) for block in rows])
        self._conv_head, self._bn1 = _conv(rows[-1].channels_out, DIMENSION), _norm(DIMENSION)

    @property
    def stem(self) -> Sequence[nn.Module]:
        """What comes before the first block."""
        return [self._conv_stem, self._bn0]

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """The blocks, first to last."""
        return list(self._blocks)

    def begin(self, images: torch.Tensor) -> torch.Tensor:
        """See `Backbone`."""
        x = (images.permute(0, 3, 1, 2).float() - 127) / 128
        return self._relu(self._conv_stem(x, self._bn0))

    def end(self, x: torch.Tensor) -> torch.Tensor:
        """See `Backbone`."""
        return self._relu(self._conv_head(x, self._bn1))
