"""What makes features of one class alike.

Each takes the pooled features of a batch, (b, d), and its classes, (b,), and returns the mean loss. They are
compared on the same data in the documentation; what search needs is features whose *cosine* says who belongs
together, which the first two learn directly.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from lookalike.system.on_demand import load
from lookalike.train.loss_functions import get_loss_function


class NormalisedSoftmax(nn.Module):
    """Cross-entropy of the cosines between an image and one learned direction a class.

    A. Zhai, H.-Y. Wu, *Classification is a Strong Baseline for Deep Metric Learning*, BMVC 2019.
    """

    temperature = 0.05

    def __init__(self, dimension: int, n_classes: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(n_classes, dimension) / math.sqrt(dimension))

    def forward(self, features: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Return the mean loss."""
        cosines = nn.functional.normalize(features) @ nn.functional.normalize(self.directions).T
        return nn.functional.cross_entropy(cosines / self.temperature, classes)


class SupervisedContrastive(nn.Module):
    """Each image against the others of its batch: nearer to its class than to the rest.

    P. Khosla et al., *Supervised Contrastive Learning*, NeurIPS 2020, equation 2. Images without another of
    their class in the batch do not count.
    """

    temperature = 0.1

    def __init__(self, dimension: int, n_classes: int) -> None:
        super().__init__()

    def forward(self, features: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Return the mean loss; 0 where no two images are of one class."""
        rows = nn.functional.normalize(features)
        similarities = rows @ rows.T / self.temperature
        own = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
        log_shares = similarities - torch.logsumexp(
            similarities.masked_fill(own, -torch.inf), dim=1, keepdim=True
        )
        alike = (classes[:, None] == classes[None, :]) & ~own
        n_alike = alike.sum(dim=1)
        losses = -(log_shares * alike).sum(dim=1) / n_alike.clamp(min=1)
        counts = n_alike > 0
        return losses[counts].mean() if bool(counts.any()) else rows.sum() * 0


class CrossEntropy(nn.Module):
    """A linear classifier upon the features, as networks are usually trained; labels smoothed by a tenth."""

    def __init__(self, dimension: int, n_classes: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(dimension, n_classes)

    def forward(self, features: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Return the mean loss."""
        scores = self.classifier(self.dropout(features))
        return nn.functional.cross_entropy(scores, classes, label_smoothing=0.1 if self.training else 0.0)


def make_loss(name: str, dimension: int, n_classes: int) -> nn.Module:
    """Return a loss of the table, with weights of its own where it has some."""
    loss: nn.Module = load(get_loss_function(name).implementation)(dimension, n_classes)
    return loss
