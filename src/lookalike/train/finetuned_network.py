"""A network with the loss that it is fine-tuned by, for the training loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from lookalike.train.backbone_network import Backbone
from lookalike.train.losses import make_loss
from lookalike.train.split import Rows

_RESTING = 2 / 3
"""Which share of the blocks rests at first: they see edges and textures, the same in most pictures."""
_FACTOR = 10.0  # on the learning rate of the loss's own weights, which start from nothing


class FinetunedNetwork(nn.Module):
    """A backbone whose features are the embedding, and a loss."""

    def __init__(self, backbone: Backbone, loss: str, n_classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.loss = make_loss(loss, backbone.dimension, n_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, side, side, 3) uint8 into features, (n, dimension)."""
        features: torch.Tensor = self.backbone(images)
        return features


class FinetuneLearner:
    """A network that is to tell classes apart.

    Parameters
    ----------
    network : FinetunedNetwork
    classes : (n,) int64
        Of each row.
    frozen_epochs : int
        In how many epochs the first blocks rest.
    """

    def __init__(self, network: FinetunedNetwork, classes: npt.NDArray[np.int64], frozen_epochs: int) -> None:
        self.network: FinetunedNetwork = network
        self._classes = classes
        self._frozen_epochs = frozen_epochs

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return filters; scales and shifts, which must not decay; and the loss's own weights."""
        weights = list(self.network.backbone.parameters())
        groups: list[dict[str, Any]] = [
            {"params": [weight for weight in weights if weight.ndim > 1]},
            {"params": [weight for weight in weights if weight.ndim == 1], "weight_decay": 0.0},
        ]
        own = list(self.network.loss.parameters())
        return [*groups, {"params": own, "factor": _FACTOR}] if own else groups

    def begin_epoch(self, epoch: int) -> None:
        """Let the first blocks rest in the first epochs; then let all learn."""
        self.network.train()
        n_resting = round(len(self.network.backbone.blocks) * _RESTING)
        self.network.backbone.freeze(n_resting if epoch < self._frozen_epochs else 0)

    def loss(self, pixels: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Return the mean loss of a batch."""
        features = self.network(pixels)
        classes = torch.from_numpy(self._classes[rows]).to(features.device)
        with torch.autocast(features.device.type, enabled=False):  # cosines near 1 need all their digits
            loss: torch.Tensor = self.network.loss(features.float(), classes)
        return loss
