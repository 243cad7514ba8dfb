"""Networks that learn from a collection's own images; they leave as ONNX, and run without torch."""

from lookalike.train.autoencoder import train_autoencoder
from lookalike.train.card import Card
from lookalike.train.finetuning import finetune
from lookalike.train.images import TrainingImages
from lookalike.train.progress import Epoch, TrainingProgress
from lookalike.train.run_folder import RunFolder
from lookalike.train.settings import BASES, LOSSES, AutoencoderSettings, FinetuneSettings, Running
from lookalike.train.trained import Trained

__all__ = [
    "BASES",
    "LOSSES",
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
