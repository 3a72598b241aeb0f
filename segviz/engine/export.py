"""A converted network as a file of its own: reshaped weights, or a program for images of any size.

The weights of a `.safetensors` file fit a network that has convolutions in place of the dense layers
(Long et al. 2015, section 3.1). A `.pt2` file is an exported program: torch runs it without segviz.
What is saved is read again and proven on another image size before it takes its place.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental import _config

from segviz.core import export as files
from segviz.core import file_notes
from segviz.core.errors import SegvizError
from segviz.core.field import pair, tidy
from segviz.engine import exported
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import Trace
from segviz.engine.kernels import Convolution
from segviz.engine.patches import Weight
from segviz.engine.prepare import check_multiple
from segviz.engine.replay import Replay, SizeError, Step, agreed
from segviz.engine.store import Loaded
from segviz.engine.surgery import LARGEST_DIFFERENCE

Size = tuple[int, int, int]  # channels, height, width
Answer = Callable[[Tensor], Tensor]  # (1, C, H, W) to logits (1, classes, rows, columns)

OFFSETS = ((0, 0), (1, 18), (11, 37), (29, 23))  # rows and columns more than the native input, in multiples
PROOF = (17, 6)  # the same, for the size that is proven on
EXAMPLE = (3, 4)  # units more than on the native input, for the size that is exported with: no side may be 1


@dataclass(frozen=True)
class Exported:
    """What was saved. `reloaded_difference` is the largest of logits, on `reloaded_sizes` (H, W), read from the file.

    `sizes` says which images the file takes; `stride` (y, x) and `start` (x, y) place the units of its answer.
    """

    out: Path
    reloaded_difference: float
    reloaded_sizes: tuple[tuple[int, int], ...]
    sizes: str
    stride: tuple[float, float]
    start: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Twin:
    """The form of a network that is saved: fully convolutional, and a trous where `grid_stride` says how fine."""

    loaded: Loaded
    grid_stride: int | None = None

    def traced(self, size: Size) -> Trace:
        """Raises SegvizError for a grid stride that the network's own strides do not come to."""
        coarse = self.loaded.traced(True, size)
        if self.grid_stride is None:
            return coarse
        fine = self.loaded.dilated(coarse, self.grid_stride)
        y, x = (law.stride for law in fine.geometry.laws("last"))
        if (y, x) != (self.grid_stride, self.grid_stride):
            nearest = f"{y:g}" if y == x else f"{y:g} x {x:g}"
            raise SegvizError(
                f"{self.loaded.entry.title} has no unit every {self.grid_stride} pixels, whichever of its strides "
                f"become dilation: {nearest} comes nearest"
            )
        return fine


def save_weights(loaded: Loaded, out: Path) -> Exported:
    """The network's tensors under their own names, those of dense layers as (out, C, h, w). Raises SegvizError."""
    import safetensors.torch

    _check_way(loaded)
    twin = Twin(loaded)
    tensors = _separate(reshaped(loaded) | dict(_others(loaded)))
    note = {"format": "pt", file_notes.NAME: json.dumps(_note(twin))}

    def write(part: Path) -> Answer:
        part.write_bytes(safetensors.torch.save(tensors, note))
        weights = NetworkWeights(loaded.network, others=safetensors.torch.load(part.read_bytes()))

        def answer(image: Tensor) -> Tensor:
            channels, height, width = image.shape[1:]
            return finished(run(loaded.traced(True, (channels, height, width)), weights, image)).output

        return answer

    steps = _Steps(loaded.entry.multiple, loaded.entry.remainder)
    return _saved(twin, out, write, _proof_sizes(loaded.entry.input_size, steps), "any")


def save_program(
    loaded: Loaded,
    out: Path,
    multiple: int | None = None,
    only: Size | None = None,
    grid_stride: int | None = None,
) -> Exported:
    """A program that answers (1, C, H, W) with logits (1, classes, rows, columns).

    H and W are those of `only`, or else at least the native ones and multiples of `multiple` (and of what
    the catalogue says, 1 for most). With a `grid_stride` it is a trous, with a unit every so many pixels.
    Raises SegvizError naming the layer that depends on the image size in a way that no program for all
    of them can have, and what to ask for instead.
    """
    _check_way(loaded)
    twin = Twin(loaded, grid_stride)
    steps = _Steps(math.lcm(multiple or 1, loaded.entry.multiple), loaded.entry.remainder)
    if only is not None:
        check_multiple(loaded.entry, *only[1:])
    least = only or _moved(loaded.entry.input_size, (0, 0), steps)
    sizes = [least] if only else [_moved(least, offset, steps) for offset in OFFSETS]
    try:
        agreement = _agreed(twin, sizes)
    except SizeError as error:
        raise SegvizError(f"{error}; {_remedy(twin)}") from error
    program = _program(twin, Replay(agreement, _tensors(loaded)), least, None if only else steps)

    def write(part: Path) -> Answer:
        buffer = io.BytesIO()  # a full disk is then told by the system, not by torch
        torch.export.save(program, buffer, extra_files={exported.NOTE: json.dumps(_note(twin))})
        part.write_bytes(buffer.getbuffer())
        module: Answer = torch.export.load(io.BytesIO(part.read_bytes())).module()  # torch minds the case of an ending
        return module

    if only is not None:
        return _saved(twin, out, write, (only,), _text(only))
    every = "" if steps.length == 1 else f", multiples of {steps.length}"
    every += f" plus {steps.rest}" if steps.rest else ""
    return _saved(twin, out, write, _proof_sizes(least, steps), f"{_text(least)} or more{every}")


def _check_way(loaded: Loaded) -> None:
    """Raise SegvizError for a network that does not take the same way through itself with every image."""
    decides = loaded.traced(False, loaded.entry.input_size).decides
    if decides:
        raise SegvizError(f"a file would hold the way of one image alone: {decides}")


# ------------------------------------------------------------------------------------------ tensors


def reshaped(loaded: Loaded) -> dict[str, Tensor]:
    """The weights of dense layers that became convolutions, by name, as (out, C, h, w).

    Raises SegvizError where one weight is two different convolutions.
    """
    before = loaded.traced(False, loaded.entry.input_size)
    now = loaded.traced(True, loaded.entry.input_size)
    weights, found = NetworkWeights(loaded.network), dict[str, Tensor]()
    for old, new in zip(before.operations, now.operations, strict=True):
        kernel = new.kernel
        if not isinstance(kernel, Convolution) or isinstance(old.kernel, Convolution):
            continue
        weight = kernel.weight
        if isinstance(weight, Weight) and isinstance(weight.key, str):
            shape = weights[weight].reshape(weights[weight].shape[0], -1, *kernel.kernel)
            if found.setdefault(weight.key, shape).shape != shape.shape:
                raise SegvizError(f"layer '{new.layer}' is called on maps of two sizes: its weight has no one shape")
    return found


def _others(loaded: Loaded) -> list[tuple[str, Tensor]]:
    """All other tensors that a checkpoint of the network holds."""
    dense = reshaped(loaded)
    return [(name, tensor) for name, tensor in loaded.network.state_dict().items() if name not in dense]


def _tensors(loaded: Loaded) -> dict[str, Tensor]:
    """Every tensor by every name, as a program keeps it."""
    network = loaded.network
    named = (*network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False))
    every = dict(named) | reshaped(loaded)
    return {name: _plain(tensor) for name, tensor in every.items()}


def _separate(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous, and no two in the same memory, as safetensors wants them."""
    seen: set[int] = set()
    own = {}
    for name, tensor in tensors.items():
        plain = _plain(tensor)
        memory = plain.untyped_storage().data_ptr()
        own[name] = plain.clone() if memory in seen else plain
        seen.add(memory)
    return own


def _plain(tensor: Tensor) -> Tensor:
    """With the strides of (N, C, H, W), those of sides of 1 too, which say in which layout torch computes."""
    rows = torch.empty(tensor.shape, device="meta").stride()
    tensor = tensor.detach()
    return tensor if tensor.stride() == rows else tensor.clone(memory_format=torch.contiguous_format)


# ------------------------------------------------------------------------------------------ program


def _program(twin: Twin, module: Replay, least: Size, steps: _Steps | None) -> torch.export.ExportedProgram:
    """Export with height and width free, from `least` in `steps`; as they are where there are none."""
    sides: dict[int, Any] = {}
    size = least
    if steps is not None:
        sides = {axis: steps.free(name, least[axis - 1]) for axis, name in ((2, "rows"), (3, "columns"))}
        units = zip(_laws(twin.traced(least))[0], EXAMPLE, strict=True)
        more = [math.ceil(stride * count / steps.length) for stride, count in units]
        size = _moved(least, (more[0], more[1]), steps)
    image = torch.zeros((1, *size), dtype=_like(twin.loaded).dtype)
    oblivious = _config.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]  # made when torch is imported
    with torch.no_grad(), oblivious:  # or a map of one unit would be a case of its own
        try:
            return torch.export.export(module.eval(), (image,), dynamic_shapes=(sides or None,), strict=False)
        except Exception as error:  # the edge: what the exporter raises is not documented
            reason = str(error).strip().split("\n")[0]
            alone = f"; '--input {_text(least)}' exports for that size alone" if steps else ""
            message = f"torch cannot export {twin.loaded.entry.title} for these sizes ({reason}){alone}"
            raise SegvizError(message, repr(error)) from error


def _remedy(twin: Twin) -> str:
    """What can be exported instead: multiples of the stride, if padding is the same on all of them, or one size."""
    native = twin.loaded.entry.input_size
    alone = f"'--input {_text(native)}' exports for that size alone"
    step = int(_laws(twin.traced(native))[0][0])
    try:
        _agreed(twin, [_moved(native, offset, _Steps(step)) for offset in OFFSETS])
    except SegvizError:
        return alone
    return f"'--multiple {step}' exports for all sizes that are multiples of {step}, {alone}"


def _agreed(twin: Twin, sizes: Sequence[Size]) -> tuple[Step, ...]:
    return agreed([twin.traced(size) for size in sizes], NetworkWeights(twin.loaded.network))


@dataclass(frozen=True, slots=True)
class _Steps:
    """Heights and widths that are a multiple of `length` and `rest` more."""

    length: int
    rest: int = 0

    def free(self, name: str, least: int) -> Any:
        """A side of that kind, from `least` on, as torch names one that is free."""
        sides = torch.export.Dim(name, min=(least - self.rest) // self.length) * self.length
        return sides + self.rest if self.rest else sides

    def from_(self, side: int) -> int:
        """The smallest that is not less than `side`."""
        return side + (self.rest - side) % self.length


def _moved(size: Size, offset: tuple[int, int], steps: _Steps) -> Size:
    """`size` rounded up to a step, and `offset` steps more."""
    height, width = (steps.from_(side) + more * steps.length for side, more in zip(size[1:], offset, strict=True))
    return size[0], height, width


# -------------------------------------------------------------------------------------------- proof


def _proof_sizes(least: Size, steps: _Steps) -> tuple[Size, ...]:
    return _moved(least, (0, 0), steps), _moved(least, PROOF, steps)


def _proven(twin: Twin, size: Size, answer: Answer) -> float:
    """Largest difference of `answer` from the twin's logits on random pixels of `size`. Raises SegvizError."""
    generator = torch.Generator().manual_seed(1)
    image = (torch.rand((1, *size), generator=generator) * 2 - 1).to(_like(twin.loaded))
    wanted = finished(run(twin.traced(size), twin.loaded.weights, image)).output
    with torch.no_grad():
        found = answer(image)
    if found.shape != wanted.shape:
        raise SegvizError(f"the file answers with {tuple(found.shape)} on {_text(size)}, not {tuple(wanted.shape)}")
    difference = float((found - wanted).abs().max())
    if not difference <= LARGEST_DIFFERENCE * float(wanted.abs().max()):
        raise SegvizError(f"the file is not the network: logits on {_text(size)} differ by {difference:.2g}")
    return difference


def _like(loaded: Loaded) -> Tensor:
    return next(loaded.network.parameters(), torch.zeros(1))


def _saved(twin: Twin, out: Path, write: Callable[[Path], Answer], proven_on: tuple[Size, ...], sizes: str) -> Exported:
    """Let `write` make the file and read it again; it takes its place once its answers are proven."""
    found: list[float] = []

    def proven(part: Path) -> None:
        answer = write(part)
        found.extend(_proven(twin, size, answer) for size in proven_on)

    place = files.replace_file(out, proven)
    stride, start = _laws(twin.traced(twin.loaded.entry.input_size))
    return Exported(place, max(found), tuple(size[1:] for size in proven_on), sizes, stride, start)


def _laws(traced: Trace) -> tuple[tuple[float, float], tuple[float, float]]:
    y, x = traced.geometry.laws("last")
    return (y.stride, x.stride), traced.geometry.field("last", 0, 0).center


def _note(twin: Twin) -> dict[str, Any]:
    """What a file says of itself."""
    loaded = twin.loaded
    entry, (stride, start) = loaded.entry, _laws(twin.traced(twin.loaded.entry.input_size))
    return {
        "what": f"{entry.title} made fully convolutional",
        "model": loaded.spec,
        "converted": [{"layer": s.layer, "from": s.before, "to": s.after} for s in loaded.conversion.steps],
        "pooling": loaded.conversion.head.pooling.value,
        "input_size": list(entry.input_size),
        "stride": pair(*stride),
        "start": tidy(start),
        **file_notes.of_entry(entry),
        "weights": entry.weights_text,
        "licence": entry.licence,
    }


def _text(size: Sequence[int]) -> str:
    return "x".join(map(str, size))
