"""Images to vectors: the table of models, and loading one."""

from lookalike.embed.comparable import embed_each, incomparable, outputs_of
from lookalike.embed.embedder import Embedder, Outputs, TextEmbedder
from lookalike.embed.hub import fetch
from lookalike.embed.loading import is_installed, load_model, read_packaged
from lookalike.embed.local import LocalModel, TrainedNetwork
from lookalike.embed.models import (
    DEFAULT_MODEL,
    MODELS,
    PIXELS_PATTERN,
    RESNET50_WEIGHTS,
    HubFiles,
    Model,
    PackagedWeights,
    get_fetched,
    get_model,
)
from lookalike.embed.onnx import OnnxEmbedder, fit_image, unit_rows
from lookalike.embed.reduced import base_name, reduce_vectors
from lookalike.embed.registry import ModelRegistry
from lookalike.embed.runtime import AUTO, Compute, check_device
from lookalike.embed.text import knows_words

__all__ = [
    "AUTO",
    "DEFAULT_MODEL",
    "MODELS",
    "PIXELS_PATTERN",
    "RESNET50_WEIGHTS",
    "Compute",
    "Embedder",
    "HubFiles",
    "LocalModel",
    "Model",
    "ModelRegistry",
    "OnnxEmbedder",
    "Outputs",
    "PackagedWeights",
    "TextEmbedder",
    "TrainedNetwork",
    "base_name",
    "check_device",
    "embed_each",
    "fetch",
    "fit_image",
    "get_fetched",
    "get_model",
    "incomparable",
    "is_installed",
    "knows_words",
    "load_model",
    "outputs_of",
    "read_packaged",
    "reduce_vectors",
    "unit_rows",
]
