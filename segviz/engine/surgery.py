"""A classifier made fully convolutional: dense layers become convolutions with the same weights.

Long, Shelhamer and Darrell 2015, section 3.1 (lecture T17 to T19). The dense layer behind a flatten
of (C, H, W) units is a convolution of H x W, those after it are convolutions of 1 x 1. A global
average pooling goes away, which leaves the class activation map (Zhou et al. 2016), or is kept as a
sliding average of its native size. An adaptive pooling that makes the map fit the dense layers goes
away too, since it does nothing on the native input and would squeeze larger maps. What comes out is
proven on the native input before it is used.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segviz.core.choices import Pooling
from segviz.core.errors import SegvizError
from segviz.core.requests import ConvertedLayer
from segviz.engine.graph import Call, Trace, first_tensor, trace

LARGEST_DIFFERENCE = 1e-3  # relative to the largest logit, in float32


@dataclass(frozen=True)
class Conversion:
    """A fully convolutional twin of a classifier.

    `max_abs_difference` compares logits on a random native input; `dense` says whether a dense layer
    spans a map, so that the native input is the least the twin can take, and `pools` whether the
    network ends in global pooling, so that there is a choice of what becomes of it.
    """

    network: nn.Module
    steps: tuple[ConvertedLayer, ...]
    max_abs_difference: float
    dense: bool
    pools: bool = False


def convert(network: nn.Module, native: tuple[int, int, int], pooling: Pooling = Pooling.AUTO) -> Conversion:
    """The fully convolutional twin of `network`, whose native input is (C, H, W).

    `network` stays as it is; the twin owns copies of the weights. A network without dense layers
    comes back as an equal copy with no steps. Raises SegvizError naming the layer that cannot be
    converted, and why.
    """
    traced = trace(network, native)
    dense = [c.module for c in traced.calls if c.leaf and isinstance(c.module, nn.Linear)]
    twin = copy.deepcopy(network, {id(layer): layer for layer in dense})  # not copied, since each is replaced below
    steps: list[ConvertedLayer] = []
    spans = pools = False
    seen: set[nn.Module] = set()
    for call in traced.calls:
        if not call.leaf or call.module in seen:  # one module called twice is one layer to replace
            continue
        seen.add(call.module)
        made = _twin_of(call, traced, pooling)
        if made is None:
            continue
        _replace(twin, call.name, made)
        steps.append(ConvertedLayer(call.name, describe(call.module), describe(made)))
        spans = spans or (isinstance(made, (nn.Conv2d, nn.AvgPool2d)) and made.kernel_size not in (1, (1, 1)))
        pools = pools or (isinstance(call.module, nn.AdaptiveAvgPool2d) and call.output_shape[1:] == (1, 1))
    difference = _prove(network, twin, native, pooling if steps else Pooling.WINDOW)
    return Conversion(twin, tuple(steps), difference, spans, pools)


def _twin_of(call: Call, traced: Trace, pooling: Pooling) -> nn.Module | None:
    """What takes the place of one layer, None where it stays."""
    module = call.module
    if isinstance(module, nn.AdaptiveAvgPool2d) and _ends_in_flatten(call, traced):
        return _pooling_twin(call, traced, pooling)
    if isinstance(module, nn.Flatten):
        return nn.Identity()
    if isinstance(module, nn.Linear):
        return _dense_twin(call, module, traced)
    if isinstance(module, nn.BatchNorm1d):
        return _norm_twin(module)
    return None


def _ends_in_flatten(call: Call, traced: Trace) -> bool:
    """Whether a pooling is the end of the network's maps, not a gate's beginning."""
    return any(isinstance(other.module, nn.Flatten) and other.source == call.output for other in traced.calls)


def _pooling_twin(call: Call, traced: Trace, pooling: Pooling) -> nn.Module:
    source = traced.geometry.nodes[call.source or 0]
    before, after = (source.height, source.width), call.output_shape[1:]
    if before != after != (1, 1):
        raise SegvizError(
            f"layer '{call.name}' cannot slide: it makes maps of {after[0]}x{after[1]} from {before[0]}x{before[1]}, "
            "whatever their size, for the dense layers behind it"
        )
    return nn.Identity() if before == after or pooling is not Pooling.WINDOW else nn.AvgPool2d(before, stride=1)


def _dense_twin(call: Call, module: nn.Linear, traced: Trace) -> nn.Conv2d:
    rows, columns = _flattened_map(call, traced)
    channels = module.in_features // (rows * columns)
    if channels * rows * columns != module.in_features:
        raise SegvizError(
            f"layer '{call.name}' cannot become a convolution: {module.in_features} inputs do not "
            f"divide into maps of {rows}x{columns}"
        )
    twin = nn.Conv2d(
        channels, module.out_features, (rows, columns), bias=module.bias is not None, device="meta"
    )  # without memory: its own weights would be drawn at random only to be thrown away
    weight = module.weight.detach().view(module.out_features, channels, rows, columns)
    twin.weight = nn.Parameter(weight.clone(), module.weight.requires_grad)
    if module.bias is not None:
        twin.bias = nn.Parameter(module.bias.detach().clone(), module.bias.requires_grad)
    return twin


def _flattened_map(call: Call, traced: Trace) -> tuple[int, int]:
    """Rows and columns of the map that a dense layer was given flat; (1, 1) behind another dense layer.

    Raises SegvizError when what feeds the layer is neither.
    """
    index = call.source
    while index is not None:
        node, operation = traced.geometry.nodes[index], traced.operations[index]
        if operation.mixes and operation.macs:
            return 1, 1
        if operation.mixes:
            source = traced.geometry.nodes[node.inputs[0]]
            return source.height, source.width
        if len(node.inputs) != 1 or (node.height, node.width) != (1, 1):
            break
        index = node.inputs[0]
    raise SegvizError(f"layer '{call.name}' cannot become a convolution: what feeds it is not a flattened map")


def _norm_twin(module: nn.BatchNorm1d) -> nn.BatchNorm2d:
    twin = nn.BatchNorm2d(module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats)
    twin.load_state_dict(module.state_dict())
    return twin.train(module.training)


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module.train(network.training))


def describe(module: nn.Module) -> str:
    """A layer in a few words: 'dense 400 to 120', 'convolution 5x5, 16 to 120'."""
    if isinstance(module, nn.Linear):
        return f"dense {module.in_features} to {module.out_features}"
    if isinstance(module, nn.Conv2d):
        rows, columns = module.kernel_size
        return f"convolution {rows}x{columns}, {module.in_channels} to {module.out_channels}"
    if isinstance(module, nn.AvgPool2d):
        rows, columns = module.kernel_size if isinstance(module.kernel_size, tuple) else (module.kernel_size,) * 2
        return f"average of {rows}x{columns}, stride 1"
    if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size not in (1, (1, 1)):
        size = module.output_size
        rows, columns = size if isinstance(size, tuple) else (size, size)
        return f"average pooling to {rows}x{columns}"
    names = {nn.Identity: "nothing", nn.AdaptiveAvgPool2d: "global average pooling", nn.Flatten: "flatten"}
    return names.get(type(module), type(module).__name__)


def _prove(network: nn.Module, twin: nn.Module, native: tuple[int, int, int], pooling: Pooling) -> float:
    """Largest difference of logits on the native input; the class activation map is averaged first."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand((1, *native), generator=generator) * 2 - 1
    with torch.inference_mode():
        wanted: Tensor = first_tensor(network(image))
        found: Tensor = first_tensor(twin(image))
    if wanted.dim() == 2:
        found = found.mean((2, 3)) if pooling is not Pooling.WINDOW else found.flatten(1)
    if wanted.shape != found.shape:
        raise SegvizError(
            f"the converted network answers with {tuple(found.shape)} on its native input, not {tuple(wanted.shape)}"
        )
    difference = float((wanted - found).abs().max())
    if difference > LARGEST_DIFFERENCE * max(1.0, float(wanted.abs().max())):
        raise SegvizError(f"the converted network is not the same: its logits differ by {difference:.2g}")
    return difference
