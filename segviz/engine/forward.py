"""One forward pass that can be watched and stopped: between any two layers, from outside.

PyTorch calls a network as one function. Here it runs in a thread of its own whose hooks report
every finished layer and give up when told to, so that a caller sees a generator of progress.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from segviz.core.requests import Progress
from segviz.engine import devices
from segviz.engine.graph import first_tensor


@dataclass
class Pass:
    """What a forward pass answers: the logits, or the output of the layer that was asked for.

    `layer_seconds` runs from the end of the leaf before to the end of this one, so that what a network
    does between its modules (activations written as functions, sums) counts for the leaf after it.
    """

    output: Tensor
    layer_seconds: dict[str, float] = field(default_factory=dict)


class _Stopped(BaseException):
    """Leaves a forward pass early; no handler inside a network may catch it."""


def forward(network: nn.Module, image: Tensor, layer: str | None = None) -> Generator[Progress, None, Pass]:
    """Run `network` on `image` (N, C, H, W), yielding after every layer; closing the generator stops it.

    With `layer` (a name of the trace, 'block.act#2' for a second call) the pass ends at that layer
    and answers with its output. The network is left as it was found, also after an error.
    """
    events: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    stop = threading.Event()
    outcome: list[Pass] = []
    failures: list[Exception] = []

    def work() -> None:
        try:
            outcome.append(_run(network, image, layer, events.put, stop))
        except _Stopped:
            pass
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread and raised there
            failures.append(error)
        finally:
            events.put(None)

    thread = threading.Thread(target=work, name="forward pass")
    thread.start()
    try:
        while (event := events.get()) is not None:
            yield event
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]
    return outcome[0]


def _run(
    network: nn.Module,
    image: Tensor,
    layer: str | None,
    report: Callable[[Progress], None],
    stop: threading.Event,
) -> Pass:
    leaves = sum(1 for module in network.modules() if next(module.children(), None) is None)
    seconds: dict[str, float] = {}
    captured: list[Tensor] = []
    counts: dict[str, int] = {}
    last = time.perf_counter()

    def after(name: str, leaf: bool, output: Any) -> None:
        nonlocal last
        if stop.is_set():
            raise _Stopped
        counts[name] = counts.get(name, 0) + 1
        shown = name if counts[name] == 1 else f"{name}#{counts[name]}"
        if leaf:
            devices.synchronise(image.device)
            now = time.perf_counter()
            seconds[shown] = now - last
            last = now
            report(Progress(min(len(seconds), leaves), leaves, "layers"))
        if shown == layer:
            captured.append(first_tensor(output))
            raise _Stopped

    with _after_each(network, after), torch.inference_mode():
        try:
            output = first_tensor(network(image))
        except _Stopped:
            if not captured:
                raise
            output = captured[0]
    return Pass(output, seconds)


@contextmanager
def _after_each(network: nn.Module, after: Callable[[str, bool, Any], None]) -> Iterator[None]:
    def hook(name: str, leaf: bool) -> Callable[..., None]:
        return lambda module, args, output: after(name, leaf, output)

    handles = [
        module.register_forward_hook(hook(name, next(module.children(), None) is None))
        for name, module in network.named_modules()
        if name
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
