"""Words to vectors: the text tower of a model that knows both."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lookalike.embed.graph import EMBEDDING_OUTPUTS
from lookalike.embed.models import TextUse
from lookalike.embed.onnx import unit_rows
from lookalike.embed.runtime import ONE_THREAD, Compute, open_session
from lookalike.errors import ModelDamagedError, ModelExtraError, ModelInputError
from lookalike.system.installing import install_command
from lookalike.types import Vectors

_OUTPUTS = ("text_embeds", *EMBEDDING_OUTPUTS)


def knows_words() -> bool:
    """Tell whether the tokenizers library is installed, which text needs."""
    return importlib.util.find_spec("tokenizers") is not None


class TextTower:
    """A text tower, loaded.

    Parameters
    ----------
    name : str
        Of the model, for errors.
    graph, tokenizer : Path
        The ONNX file and ``tokenizer.json``; content already checked.
    use : TextUse
    dimension : int
        Of its vectors.
    compute : Compute
        Where it is to run.

    Raises
    ------
    ModelError
        If the tokenizers library is not installed, or one of the files is none of its kind.
    """

    def __init__(
        self,
        name: str,
        graph: Path,
        tokenizer: Path,
        use: TextUse,
        dimension: int,
        compute: Compute = ONE_THREAD,
    ) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ModelExtraError(
                f"the model {name} needs the tokenizers library for text",
                extra="hub",
                hint=f"install it: {install_command('hub')}",
            ) from error
        self._name, self._use, self._dimension = name, use, dimension
        self._lock = threading.Lock()
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # the library raises plain Exceptions
            raise ModelDamagedError(f"the tokenizer {tokenizer} cannot be read: {error}") from error
        # What the file says of these is for training, or for another length.
        self._tokenizer.enable_truncation(max_length=use.length)
        length = use.length if use.pad_to_length else None
        self._tokenizer.enable_padding(pad_id=use.pad_id, pad_token=use.pad_token, length=length)

        # By path: a text tower can be a gigabyte, which the runtime then need not be handed as bytes.
        self._session, _ = open_session(graph, f"{name} (its text tower)", compute)
        self._inputs = [value.name for value in self._session.get_inputs()]
        unknown = sorted(set(self._inputs) - {"input_ids", "attention_mask"})
        if unknown or "input_ids" not in self._inputs:
            raise ModelInputError(
                f"the text tower {graph} takes {', '.join(self._inputs)}; expected input_ids"
                " and perhaps attention_mask"
            )
        self._output = self._choose_output(graph)

    def _choose_output(self, graph: Path) -> str:
        outputs = [value.name for value in self._session.get_outputs()]
        wanted = [self._use.output] if self._use.output else list(_OUTPUTS) + outputs[: len(outputs) == 1]
        for name in wanted:
            if name in outputs:
                return name
        raise ModelInputError(
            f"the text tower {graph} has no output {wanted[0]!r}; there are: {', '.join(outputs)}"
        )

    def embed(self, words: Sequence[str]) -> Vectors:
        """Embed texts.

        Parameters
        ----------
        words : sequence of str

        Returns
        -------
        (n, dimension) float32
            Unit rows.
        """
        texts = [text.lower() if self._use.lowercase else text for text in words]
        with self._lock:  # the tokenizer borrows itself mutably
            tokens = self._tokenizer.encode_batch(texts)
        ids = np.array([row.ids for row in tokens], np.int64)
        mask = np.array([row.attention_mask for row in tokens], np.int64)
        given = {"input_ids": ids, "attention_mask": mask}
        try:
            vectors = self._session.run([self._output], {name: given[name] for name in self._inputs})[0]
        except Exception as error:
            raise ModelInputError(f"the model {self._name} cannot embed text: {error}") from error
        if vectors.shape != (len(texts), self._dimension):
            raise ModelInputError(
                f"the text tower of {self._name} gives the shape {vectors.shape} for {len(texts)} texts;"
                f" expected ({len(texts)}, {self._dimension}) numbers"
            )
        for text, vector in zip(words, vectors, strict=True):
            if not np.isfinite(vector).all():
                raise ModelInputError(
                    f"the text tower of {self._name} gives numbers for {text!r} that are not finite"
                )
        with np.errstate(all="ignore"):  # a float64 beyond float32
            return unit_rows(vectors.astype(np.float32))
