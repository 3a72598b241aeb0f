"""What a record of a network computes, held against what the network's own code computes, on noise.

A record is made of single operations. Should one of them mean something else than it does in the author's code,
labels would be wrong without a word: so a network that nobody has tried is compared once, when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError
from segviz.core.regions import whole
from segviz.engine import devices
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import Trace, first_tensor
from segviz.engine.patches import Patch

TOLERANCE = 1e-3  # of the largest value
FEW = 1e-3  # of all values, which may be others: those on an edge, as a rounding or a comparison has


def compared(network: nn.Module, traced: Trace) -> str:
    """Compare on the size of `traced`; a note where it cannot be told, '' where all values are the same.

    Raises SegvizError, naming the first layer that is another, where the record is wrong.
    """
    try:
        devices.check_memory(2 * traced.peak_bytes, "a comparison")
    except SegvizError:
        return "not compared with what its own code computes: there is too little memory"
    channels = traced.operations[0].elements // (traced.geometry.height * traced.geometry.width)
    image = noise(network, (channels, traced.geometry.height, traced.geometry.width))
    weights = NetworkWeights(network)
    try:
        wanted = _own(network, image)
        found = finished(run(traced, weights, image)).output
        if agrees(found, wanted):
            return ""
        if not agrees(_own(network, image), wanted):
            return "its own code gives another answer each time, so that nobody can tell whether this one is right"
        layer = _first_other(network, traced, weights, image)
    except Exception as error:  # noqa: BLE001  the edge: a stranger's code; it is told again where it is run
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        return f"not compared with what its own code computes: it breaks on noise ({reason})"
    raise SegvizError(
        f"its operations as segviz records them do not give what its own code gives, first at layer '{layer}': "
        "its labels would be wrong; export the network to ONNX or as a .pt2 and open that"
    )


def noise(network: nn.Module, size: tuple[int, int, int]) -> Tensor:
    """A random image (1, C, H, W), always the same, that stands in for one; where the network is, and of its kind."""
    like = next((p for p in network.parameters() if p.is_floating_point()), torch.empty(0))
    return (torch.rand((1, *size), generator=torch.Generator().manual_seed(0)) * 2 - 1).to(like)


def _own(network: nn.Module, image: Tensor) -> Tensor:
    with torch.inference_mode():
        return first_tensor(network(image.clone()))  # it may write over what it is given


def agrees(found: Tensor, wanted: Tensor) -> bool:
    """Whether all values are the same, but for rounding and a few that lie on an edge."""
    if found.numel() != wanted.numel():
        return False
    mine, its = (torch.nan_to_num(tensor.detach().reshape(-1).double()) for tensor in (found, wanted))
    if not its.numel():
        return True
    near = TOLERANCE * float(its.abs().max())
    return float(((mine - its).abs() > near).double().mean()) <= FEW


def _first_other(network: nn.Module, traced: Trace, weights: NetworkWeights, image: Tensor) -> str:
    """The first layer whose maps are others than those that its module makes; the last one where none is."""
    own: dict[str, Tensor] = {}

    def see(name: str, out: Tensor) -> None:
        own[name] = out.clone()

    with outputs_seen(network, see):
        _own(network, image)
    layers: dict[int, list[str]] = {}
    for call in traced.calls:
        layers.setdefault(int(call.output or 0), []).append(call.name)
    for index, maps in recorded_maps(traced, weights, image):
        for name in layers.get(index, ()):
            if name in own and not agrees(maps, own[name]):
                return name
    return traced.calls[-1].name


def recorded_maps(traced: Trace, weights: NetworkWeights, image: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Every node with its whole maps, computed in order and let go after their last use."""
    traced.check(image)
    nodes, own = traced.geometry.nodes, weights.of(traced)
    last_use = {source: index for index, op in enumerate(traced.operations) for source in op.sources}
    have = {0: Patch(image, whole(nodes[0]))}
    for index, operation in enumerate(traced.operations):
        if index:
            with torch.inference_mode():  # not around the yield: the mode would stay on in the caller
                made = operation.kernel.run([have[s] for s in operation.sources], whole(nodes[index]), own)
            have[index] = Patch(made, whole(nodes[index]), traced.axes[index])
        yield index, have[index].tensor
        for source in {*operation.sources, index}:
            if last_use.get(source, index) == index:
                del have[source]


@contextmanager
def outputs_seen(network: nn.Module, see: Callable[[str, Tensor], Any]) -> Iterator[None]:
    """`see` is told of the output of every submodule, by the name that a trace gives it, while the block runs."""
    seen: dict[str, int] = {}

    def hook_of(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            seen[name] = seen.get(name, 0) + 1
            tensor = next((t for t in _tensors(output)), None)
            if tensor is not None:
                see(name if seen[name] == 1 else f"{name}#{seen[name]}", tensor)

        return hook

    handles = [module.register_forward_hook(hook_of(name)) for name, module in network.named_modules() if name]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, (tuple, list)):
        for part in output:
            yield from _tensors(part)
    elif isinstance(output, dict):
        yield from _tensors(list(output.values()))
