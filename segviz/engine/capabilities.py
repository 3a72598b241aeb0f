"""What a network can do, found out by trying it once on its native input: the answer to `ExamineRequest`.

Nothing is taken for granted that can be measured: feature maps are compared with what the modules
themselves make, receptive fields with the pixels that a gradient reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from math import ceil
from typing import NamedTuple

import torch
from torch import Tensor

from segviz.core.capabilities import Ability, Capability, Verdict
from segviz.core.errors import SegvizError
from segviz.core.field import Field, Status
from segviz.core.refusals import lacks_memory
from segviz.core.requests import Progress
from segviz.engine import devices
from segviz.engine.comparison import noise, outputs_seen, recorded_maps
from segviz.engine.graph import Trace, first_tensor
from segviz.engine.recorder import Call
from segviz.engine.recording import record
from segviz.engine.store import Loaded

Found = tuple[Verdict, str]

MULTIPLES = (2, 4, 8, 16, 32, 64, 128)  # that height and width may have to be divisible by
LARGER = (64, 32)  # rows and columns more than the native input
TOLERANCE = 1e-3  # between a layer's maps and the module's own, relative to their mean size
FLOAT = 4  # bytes
SHOWN = 3  # layers that a reason names


def examine(loaded: Loaded) -> Generator[Progress, None, tuple[Capability, ...]]:
    """Try everything, one ability after the other. A failure is an answer: nothing is raised for it."""
    found: list[Capability] = []
    for ability, attempt in ATTEMPTS.items():
        yield Progress(len(found), len(ATTEMPTS), "abilities")
        verdict, reason = _tried(attempt, loaded)
        found.append(Capability(ability, verdict, reason))
    return tuple(found)


def _tried(attempt: Callable[[Loaded], Found], loaded: Loaded) -> Found:
    try:
        return attempt(loaded)
    except SegvizError as error:
        return Verdict.NO, str(error)
    except Exception as error:  # noqa: BLE001  the edge: the network is a stranger's code, and this is the answer
        if lacks_memory(error):
            return Verdict.NO, "there is not enough memory to try it"
        reason = str(error).strip().partition("\n")[0]
        return Verdict.NO, f"it breaks: {reason or type(error).__name__}"


# ------------------------------------------------------------------------------------ runs, sizes


def _runs(loaded: Loaded) -> Found:
    entry = loaded.entry
    with torch.inference_mode():
        logits = first_tensor(loaded.network(noise(loaded.network, entry.input_size)))
    if not bool(torch.isfinite(logits).all()):
        return Verdict.PARTLY, "its answer on noise is not finite"
    if logits.dim() not in (2, 4):
        shape = "x".join(str(side) for side in logits.shape)
        return Verdict.PARTLY, f"its answer is {shape}, neither a vector of classes nor maps of them"
    named = 1 if entry.sigmoid else entry.class_count
    if logits.shape[1] != named:
        return Verdict.PARTLY, f"it answers with {logits.shape[1]:,} numbers, and {named:,} classes are known"
    return Verdict.YES, ""


def _sizes(loaded: Loaded) -> Found:
    channels, height, width = loaded.entry.input_size
    multiple = loaded.entry.multiple
    other = channels, _next(height, multiple, LARGER[0]), _next(width, multiple, LARGER[1])
    refusal = _refusal(loaded, other)
    odd = channels, height + 1, width + 3
    if not refusal and (multiple > 1 or not _refusal(loaded, odd)):
        _run_smaller(loaded, multiple)
        return (Verdict.YES, "") if multiple == 1 else (Verdict.PARTLY, _padded(multiple))
    for step in MULTIPLES:
        if not _refusal(loaded, (channels, _next(height, step, 1), _next(width, step, step + 1))):
            _run_smaller(loaded, step)
            return Verdict.PARTLY, f"multiples of {step} alone: 'multiple={step}' in its spec pads images to them"
    if loaded.convertible and loaded.conversion.steps:
        record(loaded.network, other, loaded.conversion.head)
        return Verdict.PARTLY, f"made fully convolutional alone; as published {refusal}"
    return Verdict.NO, refusal


def _padded(multiple: int) -> str:
    return f"multiples of {multiple}: others are padded to the next, and the margin is cut off again"


def _next(side: int, multiple: int, more: int) -> int:
    """The first multiple that is at least `more` larger than `side`."""
    return ceil((side + more) / multiple) * multiple


def _refusal(loaded: Loaded, shape: tuple[int, int, int]) -> str:
    """Why the network as published does not run on `shape`; '' where it does."""
    try:
        record(loaded.network, shape)
    except SegvizError as error:
        return str(error)
    return ""


def _run_smaller(loaded: Loaded, multiple: int) -> None:
    """Run for once on a size of its own, with numbers: about half the native one, where that is not too small."""
    channels, height, width = loaded.entry.input_size
    small = channels, _next(height // 2, multiple, 1), _next(width // 2, multiple, multiple + 1)
    if not _refusal(loaded, small):
        with torch.inference_mode():
            loaded.network(noise(loaded.network, small))


# --------------------------------------------------------------------------------------- features


class Measure(NamedTuple):
    """What tells one layer's output from another's, value by value, without keeping them."""

    elements: int
    mean: float
    size: float  # mean of absolute values
    signed: float  # sum of the values with signs drawn at random, over the root of their number

    @classmethod
    def of(cls, tensor: Tensor) -> Measure:
        values = tensor.detach().double().reshape(-1).cpu()
        count = values.numel()
        signs = torch.randint(0, 2, (count,), generator=torch.Generator().manual_seed(0)) * 2 - 1
        signed = float((values * signs).sum()) / max(1, count) ** 0.5
        return cls(count, float(values.mean()), float(values.abs().mean()), signed)

    def fits(self, other: Measure) -> bool:
        if self.elements != other.elements:
            return False
        close = TOLERANCE * max(self.size, other.size)
        pairs = ((self.size, other.size), (self.mean, other.mean), (self.signed, other.signed))
        return all(abs(mine - its) <= close for mine, its in pairs)


def _features(loaded: Loaded) -> Found:
    """The graph's maps of every layer against the modules' own, on the native input as published."""
    shape = loaded.entry.input_size
    traced = loaded.traced(False, shape)
    devices.check_memory(traced.peak_bytes, f"{loaded.entry.title} at work")
    image = noise(loaded.network, shape)
    wanted: dict[str, Measure] = {}

    def see(name: str, out: Tensor) -> None:
        wanted[name] = Measure.of(out)

    with torch.inference_mode(), outputs_seen(loaded.network, see):
        loaded.network(image)
    found = _measured(traced, loaded, image)
    calls = [call for call in traced.calls if call.name in wanted]
    wrong = [call.name for call in calls if not found[int(call.output or 0)].fits(wanted[call.name])]
    if wrong:
        others = f"{len(wrong)} of {len(calls)} layers computed from the graph are not what the module makes"
        return Verdict.PARTLY, f"{others}: {', '.join(wrong[:SHOWN])}"
    leaves = sum(call.leaf for call in calls)
    blocks = len(calls) - leaves
    more = f", and {'the block' if blocks == 1 else f'all {blocks} blocks'} that they form" if blocks else ""
    return Verdict.YES, f"all {leaves} layers{more}"


def _measured(traced: Trace, loaded: Loaded, image: Tensor) -> dict[int, Measure]:
    """Every node's whole maps, measured where a layer ends."""
    ends = {call.output for call in traced.calls}
    maps = recorded_maps(traced, loaded.weights, image)
    return {index: Measure.of(tensor) for index, tensor in maps if index in ends}


# ------------------------------------------------------------------------------ gradients, fields


def _gradients(loaded: Loaded) -> Found:
    with _backward_room(loaded):
        image = noise(loaded.network, loaded.entry.input_size).requires_grad_()
        logits = first_tensor(loaded.network(image * 1.0))  # a copy: the network may write over what it is given
        best = logits.amax(1).sum() if logits.dim() in (2, 4) else logits.sum()
        if not best.requires_grad:
            return Verdict.NO, "its answer is cut off from its input: it computes without gradients"
        (gradient,) = torch.autograd.grad(best, image)
    if not bool(torch.isfinite(gradient).all()):
        return Verdict.PARTLY, "the gradient on noise is not finite"
    if not bool(gradient.any()):
        return Verdict.NO, "the gradient of its answer is zero at every pixel of noise"
    return Verdict.YES, ""


def _field(loaded: Loaded) -> Found:
    """How far the graph knows what units see, and whether a gradient agrees."""
    traced = loaded.traced(False, loaded.entry.input_size)
    known: list[Call] = []
    unknown = ""
    for call in (call for call in traced.calls if call.leaf):
        field = _middle(traced, call)
        if field.status in (Status.UNKNOWN, Status.DATA):
            unknown = field.reason
            break
        known.append(call)
    wrong = _misjudged(loaded, traced, known)
    if wrong:
        return Verdict.NO, wrong
    if unknown and not known:
        return Verdict.NO, f"unknown from the first layer on: {unknown}"
    if unknown:
        return Verdict.PARTLY, f"exact up to layer '{known[-1].name}': {unknown}"
    return Verdict.YES, ""


def _middle(traced: Trace, call: Call) -> Field:
    """The field of a layer's unit in the middle of its maps."""
    rows, columns = traced.geometry.grid(call.name)
    return traced.geometry.field(call.name, rows // 2, columns // 2)


def _misjudged(loaded: Loaded, traced: Trace, known: list[Call]) -> str:
    """That pixels outside its field change a unit of the last layer with an exact one; '' where none do."""
    maps = (call for call in reversed(known) if min(traced.geometry.grid(call.name)) > 1)
    last = next((call for call in maps if _middle(traced, call).status is Status.EXACT), None)
    if last is None:
        return ""
    seen: dict[str, Tensor] = {}

    def see(name: str, out: Tensor) -> None:
        if name == last.name:
            seen[name] = out * 1.0  # the module after it may write over it

    with _backward_room(loaded), outputs_seen(loaded.network, see):
        image = noise(loaded.network, loaded.entry.input_size).requires_grad_()
        loaded.network(image * 1.0)
        if last.name not in seen or not seen[last.name].requires_grad:
            return ""
        (y, x), (rows, columns) = traced.axes[int(last.output or 0)], traced.geometry.grid(last.name)
        unit = seen[last.name].narrow(y, rows // 2, 1).narrow(x, columns // 2, 1)
        (gradient,) = torch.autograd.grad(unit.sum(), image)
    changed = gradient[0].abs().amax(0)
    height, width = changed.shape
    left, top, right, bottom = (int(edge) for edge in _middle(traced, last).box.clipped(width, height))
    changed[top:bottom, left:right] = 0
    if not bool(changed.any()):
        return ""
    return f"measured: a unit of '{last.name}' sees pixels outside the field that the graph gives"


@contextmanager
def _backward_room(loaded: Loaded) -> Iterator[None]:
    """Memory for every map of a forward pass, since a backward pass needs them all. Raises SegvizError without it."""
    traced = loaded.traced(False, loaded.entry.input_size)
    needed = 2 * FLOAT * sum(operation.elements for operation in traced.operations)
    devices.check_memory(needed, f"{loaded.entry.title} backwards", "close other programs or name a smaller 'input'")
    with torch.enable_grad():
        yield


# --------------------------------------------------------------------------------------- converts


def _converts(loaded: Loaded) -> Found:
    if not loaded.convertible:
        return Verdict.NO, loaded.refusal
    conversion = loaded.conversion
    if not conversion.steps:
        return Verdict.YES, "there is nothing to convert: it answers with maps already"
    layers = ", ".join(step.layer for step in conversion.steps[:SHOWN])
    more = f" and {len(conversion.steps) - SHOWN} more" if len(conversion.steps) > SHOWN else ""
    return Verdict.YES, f"{layers}{more}; logits differ by {conversion.max_abs_difference:.1g} at most"


ATTEMPTS: dict[Ability, Callable[[Loaded], Found]] = {
    Ability.RUNS: _runs,
    Ability.SIZES: _sizes,
    Ability.FEATURES: _features,
    Ability.GRADIENTS: _gradients,
    Ability.FIELD: _field,
    Ability.CONVERTS: _converts,
}
