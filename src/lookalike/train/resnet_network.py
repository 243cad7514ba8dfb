"""ResNet in torch: the network of `embed.resnet`, with weights that can learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from lookalike.embed.models import IMAGENET_MEAN, IMAGENET_STD
from lookalike.embed.resnet import EPSILON, Block, Shape, blocks
from lookalike.train.backbone_network import Backbone, folded


class _Conv(nn.Conv2d):
    """A convolution whose output is normalised by statistics that are fixed."""

    def __init__(self, before: int, after: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__(before, after, kernel, stride, padding=kernel // 2, bias=False)

    def forward(self, x: torch.Tensor, norm: nn.BatchNorm2d) -> torch.Tensor:
        """Convolve and normalise (n, c, side, side)."""
        return nn.functional.conv2d(x, *folded(self, norm), self.stride, self.padding)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON)


class Bottleneck(nn.Module):
    """One block: narrow, filter, widen."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        inside, out = block.inside, block.channels_out
        self.conv1, self.bn1 = _Conv(block.channels_in, inside), _norm(inside)
        self.conv2, self.bn2 = _Conv(inside, inside, 3, block.stride), _norm(inside)
        self.conv3, self.bn3 = _Conv(inside, out), _norm(out)
        self.downsample: nn.ModuleList | None = None
        if block.projects:
            projection = _Conv(block.channels_in, out, 1, block.stride)
            self.downsample = nn.ModuleList([projection, _norm(out)])
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transform (n, channels_in, side, side)."""
        shortcut = x
        if self.downsample is not None:
            projection, norm = self.downsample
            shortcut = projection(x, norm)
        x = self.relu(self.conv1(x, self.bn1))
        x = self.relu(self.conv2(x, self.bn2))
        return self.relu(self.conv3(x, self.bn3) + shortcut)


class ResNet(Backbone):
    """From pixels to the pooled features.

    Parameters
    ----------
    shape : Shape
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.dimension = shape.dimension
        self.conv1, self.bn1 = _Conv(3, shape.width, 7, 2), _norm(shape.width)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self._stages = [f"layer{stage + 1}" for stage in range(len(shape.depths))]
        for stage, name in enumerate(self._stages):
            rows = [block for block in blocks(shape) if block.stage == stage]
            self.add_module(name, nn.ModuleList([Bottleneck(block) for block in rows]))
        # Not among the published weights, so not among those of the state either.
        self.register_buffer("mean", 255 * torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", 1 / (255 * torch.tensor(IMAGENET_STD).view(3, 1, 1)), persistent=False)

    @property
    def stem(self) -> Sequence[nn.Module]:
        """What comes before the first block."""
        return [self.conv1, self.bn1]

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """The blocks, first to last."""
        return [block for name in self._stages for block in self.get_submodule(name)]

    def begin(self, images: torch.Tensor) -> torch.Tensor:
        """See `Backbone`."""
        x = (images.permute(0, 3, 1, 2).float() - self.mean) * self.scale
        return self.pool(self.relu(self.conv1(x, self.bn1)))
