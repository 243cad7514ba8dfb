"""Images to vectors: the table of models, and loading one."""

from lookalike.embed.embedder import Embedder
from lookalike.embed.loading import is_installed, load_model
from lookalike.embed.models import DEFAULT_MODEL, MODELS, PIXELS_PATTERN, Model, get_model
from lookalike.embed.onnx import OnnxEmbedder, unit_rows
from lookalike.embed.reduced import base_name, reduce_vectors
from lookalike.embed.shelf import ModelShelf

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "PIXELS_PATTERN",
    "Embedder",
    "Model",
    "ModelShelf",
    "OnnxEmbedder",
    "base_name",
    "get_model",
    "is_installed",
    "load_model",
    "reduce_vectors",
    "unit_rows",
]
