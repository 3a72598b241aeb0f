"""Other people's ways to do the same, where they are installed; a line says so where they are not."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measure import SkippedError

PACKAGES = ("monai", "onnxruntime", "openvino", "onnx", "onnxscript", "torchcam", "grad-cam")


def versions() -> dict[str, str]:
    """Of the peers that are here."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def needed(name: str, package: str = "") -> ModuleType:
    """The module `name`. Raises SkippedError, naming the package, where it cannot be imported."""
    package = package or name.partition(".")[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a peer has to say at its import is no matter of ours
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise SkippedError(f"{package} is not installed here ({error}): pip install {package}") from error


def monai(image: Tensor, window: tuple[int, int], overlap: float, batch: int, predictor: Any) -> Callable[[], Tensor]:
    """MONAI's `sliding_window_inference` over `image`."""
    slide = needed("monai.inferers").sliding_window_inference

    def run() -> Tensor:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer: Tensor = slide(image, window, batch, predictor, overlap=overlap)
            return answer

    return run


def onnxruntime(module: nn.Module, image: Tensor) -> Callable[[], Tensor]:
    """`module` exported to ONNX, run by onnxruntime with as many threads as torch has."""
    library = needed("onnxruntime")
    needed("onnxscript")  # which torch's exporter asks for
    options = library.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = library.InferenceSession(exported(module, image), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    array = image.contiguous().numpy()
    return lambda: torch.from_numpy(session.run(None, {name: array})[0])


def exported(module: nn.Module, image: Tensor) -> bytes:
    """`module` as an ONNX file."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(module, (image.contiguous(),), dynamo=True, verbose=False)
    assert program is not None
    contents: bytes = program.model_proto.SerializeToString()
    return contents


def openvino(module: nn.Module, image: Tensor) -> Callable[[], Tensor]:
    """`module` compiled by OpenVINO for the processor, in float32, with as many threads as torch has."""
    library = needed("openvino")
    array = image.contiguous()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        model = library.convert_model(module, example_input=array, input=list(array.shape))
    wishes = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    compiled = library.compile_model(model, "CPU", wishes)
    return lambda: torch.from_numpy(compiled(array.numpy())[0])
