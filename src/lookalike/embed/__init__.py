"""Images to vectors: the table of models, and loading one."""

from lookalike.embed.loading import load_model
from lookalike.embed.models import DEFAULT_MODEL, MODELS, Model, get_model
from lookalike.embed.onnx import OnnxEmbedder, unit_rows

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "Model",
    "OnnxEmbedder",
    "get_model",
    "load_model",
    "unit_rows",
]
