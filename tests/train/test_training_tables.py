"""The tables of trainings, base networks and losses: light, whole, and all that a new row takes."""

import dataclasses
import inspect
import subprocess
import sys

import numpy as np
import pytest

import lookalike.train
from lookalike.embed import get_model
from lookalike.errors import InvalidInputError
from lookalike.system.on_demand import load
from lookalike.system.progress import UNWATCHED
from lookalike.train import base_networks, loss_functions, trainings
from lookalike.train.base_networks import BASE_NETWORKS, BaseNetwork, base_names
from lookalike.train.bases import EfficientNetLiteBase, ResNetBase, get_base
from lookalike.train.loss_functions import LOSS_FUNCTIONS, LossFunction, loss_names
from lookalike.train.settings import AutoencoderSettings, FinetuneSettings, Running, defaults
from lookalike.train.trainings import TRAININGS, Training, training_of


def test_tables_and_defaults_are_at_hand_without_numpy_or_torch():
    code = (
        "from lookalike.train.settings import *\nfrom lookalike.train.trainings import *\n"
        "import sys; defaults(FinetuneSettings); print('numpy' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("row", TRAININGS, ids=lambda row: row.name)
def test_training_takes_its_settings_and_function_from_where_the_row_says(row):
    settings = load(row.settings)
    assert dataclasses.is_dataclass(settings)
    assert list(inspect.signature(load(row.function)).parameters) == [
        *("images", "settings", "run", "running", "watch")
    ]
    assert training_of(settings(name="x")) is row
    assert settings(name="x").model_name.endswith("-x")


@pytest.mark.parametrize("row", BASE_NETWORKS, ids=lambda row: row.name)
def test_base_network_is_a_model_that_its_class_can_read(row):
    base = get_base(row.name)
    assert isinstance(base, EfficientNetLiteBase | ResNetBase)
    assert base.model == get_model(row.name)
    if row.reads_files:
        FinetuneSettings(name="x", base=row.name, weights="some.safetensors")
    else:
        with pytest.raises(InvalidInputError, match=f"weights are given for {row.name}, which has its own"):
            FinetuneSettings(name="x", base=row.name, weights="some.safetensors")


@pytest.mark.parametrize("row", LOSS_FUNCTIONS, ids=lambda row: row.name)
def test_loss_is_a_module_of_torch_made_from_dimension_and_classes(row):
    torch = pytest.importorskip("torch")
    from lookalike.train.losses import make_loss

    loss = make_loss(row.name, 4, 3)
    assert isinstance(loss, load(row.implementation))
    features, classes = torch.randn(6, 4), torch.tensor([0, 0, 1, 1, 2, 2])
    assert np.isfinite(float(loss(features, classes).detach()))


def test_names_are_those_of_the_rows_the_usual_one_first():
    settings = FinetuneSettings(name="x")
    assert (settings.base, settings.loss) == (base_names()[0], loss_names()[0])
    for former, names in (("BASES", base_names()), ("LOSSES", loss_names())):
        with pytest.warns(DeprecationWarning, match=f"lookalike.train.{former} is lookalike.train.* now"):
            assert getattr(lookalike.train, former) == names


def test_row_is_all_that_a_base_network_takes(monkeypatch):
    row = BaseNetwork("pixels-8-grey", "lookalike.train.bases:EfficientNetLiteBase")
    monkeypatch.setattr(base_networks, "BASE_NETWORKS", (*BASE_NETWORKS, row))
    assert FinetuneSettings(name="x", base="pixels-8-grey").model_name == "pixels-8-grey-x"
    assert get_base("pixels-8-grey").model.name == "pixels-8-grey"
    with pytest.raises(InvalidInputError, match=r"the base is 'lite9'; expected one of .*, pixels-8-grey"):
        FinetuneSettings(name="x", base="lite9")


def test_row_is_all_that_a_loss_takes(monkeypatch):
    row = LossFunction("ranked", "lookalike.train.losses:CrossEntropy")
    monkeypatch.setattr(loss_functions, "LOSS_FUNCTIONS", (*LOSS_FUNCTIONS, row))
    assert FinetuneSettings(name="x", loss="ranked").loss == "ranked"
    with pytest.raises(InvalidInputError, match=r"the loss is 'mean'; expected one of .*, ranked"):
        FinetuneSettings(name="x", loss="mean")


@dataclasses.dataclass(frozen=True)
class DistilSettings:
    name: str


def distil(images, settings, run, running, watch):
    return images, settings.name


def test_row_is_all_that_a_training_takes(monkeypatch):
    row = Training("distil", f"{__name__}:DistilSettings", f"{__name__}:distil", takes_labels=False)
    monkeypatch.setattr(trainings, "TRAININGS", (*TRAININGS, row))
    assert training_of(DistilSettings("x")) is row
    assert row.train("images", DistilSettings("x"), None, Running(), UNWATCHED) == ("images", "x")
    with pytest.raises(
        InvalidInputError, match="expected AutoencoderSettings or FinetuneSettings or DistilSettings"
    ):
        training_of(None)


def test_fewer_epochs_than_are_frozen_by_default_are_no_fault():
    # Raised once: the default was two, whatever the epochs.
    assert FinetuneSettings(name="x", epochs=1).n_frozen_epochs == 1
    settings = FinetuneSettings(name="x")
    assert settings.n_frozen_epochs == 2
    assert dataclasses.replace(settings, epochs=1).n_frozen_epochs == 1
    with pytest.raises(InvalidInputError, match="frozen for 2 epochs; expected 0 to 1"):
        FinetuneSettings(name="x", epochs=1, frozen_epochs=2)


@pytest.mark.parametrize("settings", [AutoencoderSettings, FinetuneSettings])
def test_defaults_are_those_of_the_settings(settings):
    found, made = defaults(settings), settings(name="x")
    assert set(found) == {field.name for field in dataclasses.fields(settings)} - {"name"}
    assert all(getattr(made, name) == value for name, value in found.items())
