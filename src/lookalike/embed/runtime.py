"""ONNX Runtime: where a network runs, and opening one there.

On a processor one image at a time through a single-threaded session is the fastest way (measured: 9.0 ms an
image alone, 10.0 ms in batches of 16, whose activations outgrow the cache), with as many sessions' calls
side by side as there are cores. A GPU wants many images a call. To add a kind of device, add a row.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from lookalike.errors import (
    InvalidInputError,
    ModelDamagedError,
    ModelError,
    ModelMemoryError,
    ModelResourceError,
)
from lookalike.hints import Hint
from lookalike.system.checked_calls import shown


@dataclass(frozen=True, slots=True)
class Device:
    """A kind of device that networks run on.

    Attributes
    ----------
    name : str
        What users type.
    provider : str
        ONNX Runtime's name for it.
    package : str
        The build of ONNX Runtime that has it. The builds overwrite each other: one at a time is installed.
    batch_size : int
        Images a call, where they fit its memory.
    options : tuple of (str, str)
        Of the provider; ``{threads}`` stands for the threads of a call.
    """

    name: str
    provider: str
    package: str
    batch_size: int
    options: tuple[tuple[str, str], ...] = ()


DEVICES: tuple[Device, ...] = (
    Device("cpu", "CPUExecutionProvider", "onnxruntime", batch_size=1),
    Device(
        "cuda",
        "CUDAExecutionProvider",
        "onnxruntime-gpu",
        batch_size=64,
        # The exhaustive search would be done again for each size of a last, smaller batch.
        options=(("cudnn_conv_algo_search", "HEURISTIC"),),
    ),
    Device(
        "openvino",
        "OpenVINOExecutionProvider",
        "onnxruntime-openvino",
        batch_size=1,
        options=(("device_type", "CPU"), ("num_of_threads", "{threads}")),
    ),
    Device("coreml", "CoreMLExecutionProvider", "onnxruntime", batch_size=16),
)

AUTO = "auto"
"""A GPU of Nvidia's where ONNX Runtime can use one, else the processor: what was measured to be faster."""

_AUTO_ORDER = ("cuda", "cpu")


@dataclass(frozen=True, slots=True)
class Compute:
    """Where a network is to run.

    Attributes
    ----------
    threads : int
        How many cores one call may use. Many calls at once want 1.
    device : str
        ``auto``, or the name of a row of `DEVICES`.
    """

    threads: int = 1
    device: str = AUTO


ONE_THREAD = Compute()


def check_device(name: str) -> None:
    """Make sure that networks can be asked to run there.

    Raises
    ------
    InvalidInputError
        If there is no such device.
    ModelError
        If the ONNX Runtime that is installed does not know it.
    """
    names = (AUTO, *(row.name for row in DEVICES))
    if name not in names:
        raise InvalidInputError(f"the device is {shown(name)}; expected one of {', '.join(names)}")
    if name != AUTO:
        row = next(row for row in DEVICES if row.name == name)
        if row.provider not in import_runtime().get_available_providers():
            raise _unavailable(row, "this build of ONNX Runtime does not have it")


def open_session(graph: bytes | Path, name: str, compute: Compute) -> tuple[Any, Device]:
    """Open a network.

    Parameters
    ----------
    graph : bytes or Path
        An ONNX file.
    name : str
        What to call it in errors.
    compute : Compute

    Returns
    -------
    session : onnxruntime.InferenceSession
    device : Device
        Where it runs.

    Raises
    ------
    ModelError
        If it cannot be loaded, or not on that device.
    """
    check_device(compute.device)
    available = import_runtime().get_available_providers()
    wanted = _AUTO_ORDER if compute.device == AUTO else (compute.device,)
    rows = [row for each in wanted for row in DEVICES if row.name == each and row.provider in available]
    for row in rows:
        session = _open(graph, name, compute.threads, row)
        # Where a device cannot be used after all, for want of a driver, say, the runtime takes the processor.
        if row.provider in session.get_providers():
            return session, row
    raise _unavailable(rows[-1], "it is known, but cannot be used: is its driver installed?")


def _open(graph: bytes | Path, name: str, threads: int, device: Device) -> Any:
    onnxruntime = import_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised; the log would only repeat it
    # Threads that spin while they wait would take the cores from those that decode.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings = {key: value.format(threads=threads) for key, value in device.options}
    try:
        return onnxruntime.InferenceSession(
            graph if isinstance(graph, bytes) else str(graph),
            options,
            providers=[(device.provider, settings)],
        )
    except Exception as error:  # the runtime raises its own classes, all plain Exceptions
        if is_out_of_memory(error):
            raise ModelMemoryError(f"there is not enough memory to load the model {name}") from error
        raise ModelDamagedError(
            f"the model {name} cannot be loaded: {' '.join(str(error).split())}"
        ) from error


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether the runtime says that there is not enough memory, on this machine or on a GPU."""
    text = str(error).lower()
    signs = ("out of memory", "failed to allocate", "bad_alloc", "bad allocation")
    return isinstance(error, MemoryError) or any(sign in text for sign in signs)


def _unavailable(device: Device, reason: str) -> ModelError:
    return ModelResourceError(
        f"the device {device.name} is not available: {reason}",
        hint=Hint("take_cpu", first=f"install {device.package} in place of the onnxruntime that is there"),
    )


def import_runtime() -> ModuleType:
    """Import ONNX Runtime with its telemetry off.

    Since 1.29 it sends facts about the machine and the models to its makers, and keeps an identifier of the
    machine on the disk, unless told not to before it starts. Whoever wants that sets the variable to 0.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    if os.environ["ORT_DISABLE_TELEMETRY"] != "0":
        onnxruntime.disable_telemetry_events()
    module: ModuleType = onnxruntime
    return module
