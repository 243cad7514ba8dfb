import dataclasses

import numpy as np
import pytest

from lookalike.embed import OnnxEmbedder, load_model, runtime
from lookalike.embed.runtime import DEVICES, Compute, check_device, import_runtime, open_session
from lookalike.errors import InvalidInputError, ModelError

CPU = DEVICES[0]


class FakeSession:
    """Gives each image's first byte as its vector; refuses more than `limit` images."""

    def __init__(self, limit):
        self.limit = limit
        self.sizes = []

    def run(self, outputs, inputs):
        (images,) = inputs.values()
        self.sizes.append(len(images))
        if len(images) > self.limit:
            raise RuntimeError("BFCArena: Failed to allocate memory for requested buffer of size 1073741824")
        return [np.stack([images.reshape(len(images), -1)[:, 0] + 1, np.ones(len(images))], 1, dtype="f4")]


def embedder_of(session, batch_size):
    embedder = object.__new__(OnnxEmbedder)
    embedder.model = dataclasses.replace(load_model("pixels-1-grey").model, metric="euclidean", dimension=2)
    embedder._session, embedder._input, embedder.batch_size = session, "images", batch_size
    embedder._outputs = ["features"]
    return embedder


def images(count):
    return np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)


def test_batches_are_no_larger_than_the_device_takes():
    session = FakeSession(limit=64)
    vectors = embedder_of(session, batch_size=4).embed(images(10))
    assert session.sizes == [4, 4, 2]
    assert vectors[:, 0].tolist() == list(range(1, 11))


def test_a_batch_that_does_not_fit_the_memory_is_halved_until_it_does_and_no_image_is_lost():
    session = FakeSession(limit=3)
    embedder = embedder_of(session, batch_size=16)
    assert embedder.embed(images(10))[:, 0].tolist() == list(range(1, 11))
    assert embedder.batch_size == 3  # 10 did not fit, nor 5
    assert embedder.embed(images(4))[:, 0].tolist() == [1, 2, 3, 4]
    assert session.sizes == [10, 5, 3, 3, 3, 1, 3, 1]


def test_one_image_that_does_not_fit_is_a_clear_error():
    with pytest.raises(ModelError, match="not enough memory to embed an image with pixels-1-grey"):
        embedder_of(FakeSession(limit=0), batch_size=8).embed(images(2))


def test_no_images_give_no_rows():
    assert embedder_of(FakeSession(limit=1), batch_size=8).embed(images(0)).shape == (0, 2)


def test_unknown_device_is_refused_with_those_there_are():
    with pytest.raises(InvalidInputError, match="'gpu'; expected one of auto, cpu, cuda, openvino, coreml"):
        check_device("gpu")


def test_device_that_this_build_does_not_have_says_what_to_install(monkeypatch):
    monkeypatch.setattr(import_runtime(), "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ModelError, match=r"cuda is not available: .*\ninstall onnxruntime-gpu in place"):
        open_session(b"", "any", Compute(device="cuda"))


class OpenedOnProcessor:
    """What ONNX Runtime gives where a device's driver is missing: a session that runs on the processor."""

    def get_providers(self):
        return ["CPUExecutionProvider"]


@pytest.fixture
def gpu_without_driver(monkeypatch):
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(import_runtime(), "get_available_providers", lambda: providers)
    monkeypatch.setattr(runtime, "_open", lambda *args: OpenedOnProcessor())


def test_device_that_cannot_be_used_after_all_is_an_error_where_it_was_asked_for(gpu_without_driver):
    with pytest.raises(ModelError, match="cuda is not available: it is known, but cannot be used"):
        open_session(b"", "any", Compute(device="cuda"))


def test_auto_takes_the_processor_where_the_gpu_cannot_be_used(gpu_without_driver):
    assert open_session(b"", "any", Compute())[1] == CPU


def test_providers_of_the_table_are_known_to_onnx_runtime():
    assert {row.provider for row in DEVICES} <= set(import_runtime().get_all_providers())
