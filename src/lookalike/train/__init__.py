"""Networks that learn from a collection's own images; they leave as ONNX, and run without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.system.on_demand import public_names

if TYPE_CHECKING:
    from lookalike.train.autoencoder import train_autoencoder
    from lookalike.train.card import Card
    from lookalike.train.finetuning import finetune
    from lookalike.train.images import TrainingImages
    from lookalike.train.progress import Epoch, TrainingProgress
    from lookalike.train.run_folder import RunFolder
    from lookalike.train.settings import AutoencoderSettings, FinetuneSettings, Running
    from lookalike.train.trained import Trained

__all__ = [
    "AutoencoderSettings",
    "Card",
    "Epoch",
    "FinetuneSettings",
    "RunFolder",
    "Running",
    "Trained",
    "TrainingImages",
    "TrainingProgress",
    "finetune",
    "train_autoencoder",
]

__getattr__, __dir__ = public_names(
    __name__,
    {
        "AutoencoderSettings": "settings",
        "Card": "card",
        "Epoch": "progress",
        "FinetuneSettings": "settings",
        "RunFolder": "run_folder",
        "Running": "settings",
        "Trained": "trained",
        "TrainingImages": "images",
        "TrainingProgress": "progress",
        "finetune": "finetuning",
        "train_autoencoder": "autoencoder",
    },
    former={
        "BASES": "lookalike.train.base_networks:base_names()",
        "LOSSES": "lookalike.train.loss_functions:loss_names()",
    },
)
