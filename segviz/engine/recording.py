"""A network's record by whichever way there is: on tensors without values, and where its code asks for values, on some.

Most networks do the same with every image of one size, and are recorded once for all (`graph.trace`). One whose code
branches on pixels, counts with numpy, or has operations that nothing is known of without values is run on an image
(`live_recorder`). What is written down then is what it does with that image: the trace says so, and holds for no
other. It is computed once more from the record, whole, before anybody relies on it. What cannot be recorded so, or is
not what the network answered, is left to its own code (`opaque`).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError
from segviz.engine.comparison import agrees, noise
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import Trace, finish, first_tensor, recorded, trace
from segviz.engine.heads import Head
from segviz.engine.live_recorder import Arrays, LiveRecorder
from segviz.engine.opaque import opaque
from segviz.engine.writes import Unrecorded

Size = tuple[int, int, int]  # channels, height, width


def record(network: nn.Module, shape: Size, head: Head | None = None, image: Tensor | None = None) -> Trace:
    """The trace of `network` on an input of `shape`; with `head` that of its convolutional form.

    Where values are needed these are those of `image` (1, C, H, W), or of noise without one. Raises SegvizError where
    the network does not run on that size, cannot be recorded, or would have to be converted without knowing its way.
    """
    try:
        return trace(network, shape, head)
    except SegvizError as error:
        if not _asks_for_values(error.__cause__):
            raise
        if head is not None and any(head.places):
            raise SegvizError(f"it becomes no convolution: it can only be recorded on an image ({error})") from error
    given = noise(network, shape) if image is None else image
    try:
        return _live(network, given)
    except SegvizError as error:
        if not isinstance(error.__cause__, Unrecorded):
            raise
        return opaque(network, given, f"segviz cannot record what it does ({error.__cause__})")


def suits(traced: Trace, network: nn.Module, shape: Size, image: Tensor | None) -> bool:
    """Whether a trace is that of `image`, or of the noise that stands in for none; one without values is of any."""
    if traced.seen is None:
        return True
    return torch.equal(traced.seen, noise(network, shape) if image is None else image)


def note(traced: Trace, image: bool) -> str:
    """What people must know of a trace that holds for one image alone; '' where it holds for all."""
    if traced.seen is None:
        return f"{traced.decides}: its layers are computed by running all of it" if traced.decides else ""
    where = "this image" if image else "noise, as there is no image"
    return f"recorded on {where}: {traced.decides}, so that another image may take another way"


def _asks_for_values(error: BaseException | None) -> bool:
    """Whether torch refused for want of values: operations without shapes of their own, numbers, arrays.

    It says so by NotImplementedError, or by a RuntimeError that only its words tell from others.
    """
    said = str(error).lower()
    return isinstance(error, NotImplementedError | Unrecorded) or "meta" in said or "fake impl" in said


def _live(network: nn.Module, image: Tensor) -> Trace:
    with torch.inference_mode():
        parameters = dict(network.named_parameters())
        buffers = {name: tensor.clone() for name, tensor in network.named_buffers()}  # which it may write to
        recorder = LiveRecorder(image.clone(), parameters | buffers, parameters.values())
        logits = first_tensor(
            recorded(network, parameters | buffers, recorder.values[0].tensor, recorder, Arrays(recorder))
        )
        recorder.refresh(logits)
        traced = finish(recorder, logits, int(image.shape[2]), int(image.shape[3]))
        wanted = logits.clone()
    if recorder.decides:
        traced = replace(traced, decides=recorder.decides, seen=image)
    found = finished(run(traced, NetworkWeights(network), image)).output
    if not agrees(found, wanted):
        raise SegvizError("") from Unrecorded("what was recorded does not compute what it computed")
    return traced
