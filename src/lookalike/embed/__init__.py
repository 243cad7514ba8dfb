"""Images to vectors: the table of models, and loading one."""

from lookalike.embed.embedder import Embedder
from lookalike.embed.loading import is_installed, load_model
from lookalike.embed.models import DEFAULT_MODEL, MODELS, PIXELS_PATTERN, Model, get_model
from lookalike.embed.onnx import OnnxEmbedder, unit_rows

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "PIXELS_PATTERN",
    "Embedder",
    "Model",
    "OnnxEmbedder",
    "get_model",
    "is_installed",
    "load_model",
    "unit_rows",
]
