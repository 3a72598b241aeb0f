"""What a unit sees, measured: the pixels where the gradient of the unit with respect to the image is not zero.

A network's own gradient has less: a ReLU that is off, a maximum elsewhere and weights of opposite signs lose some.
So all that loses is replaced while it runs, in float64: weights become the same positive number, maxima averages,
activations and normalisations the identity. Then the support is all that the network's connections allow. Channels do
not matter to it, so that convolutions run on their mean, which costs a few thousandths of the network.

Nothing here knows what `core/field` knows: the two are held against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from segviz.core.errors import SegvizError
from segviz.core.field import Box, Status
from segviz.engine.comparison import outputs_seen
from segviz.engine.graph import Trace, first_tensor
from segviz.engine.in_steps import Pause

Answer = Callable[..., Any]
POOLED = (1, 1)
ATTENTION = {
    "scaled_dot_product_attention",
    "matmul",
    "bmm",
}  # over a whole map, beside a box: no gate to open


class Unit(NamedTuple):
    """Row and column of a layer's maps."""

    layer: str
    row: int
    column: int


class _Enough(BaseException):
    """All that was asked for is seen: no code of a stranger's may catch this as an error of its own."""


def _no_pause() -> None:
    """All of it at once."""


def supports(network: nn.Module, traced: Trace, units: Sequence[Unit], pause: Pause = _no_pause) -> list[Box | None]:
    """The smallest box around the pixels that each unit depends on, None where it depends on none.

    `traced` is the record of the network on the input to measure on. Its weights are not looked at, and may be without
    memory. What is spread from one unit over a whole map, as gates are, is left out for layers that have a grid.
    `pause` is called between layers, on both ways.
    """
    found: dict[Unit, Box | None] = {}
    for opens in (False, True):
        asked = [unit for unit in units if (traced.geometry.grid(unit.layer) != POOLED) == opens]
        if asked:
            image, maps = _maps(network, traced, {unit.layer for unit in asked}, opens, pause)
            found |= {unit: reach(maps[unit.layer], traced, unit, image) for unit in asked}
    return [found[unit] for unit in units]


def drawn(traced: Trace, count: int, chance: Random) -> list[Unit]:
    """`count` units of as many layers that make maps, or of all layers where there are fewer."""
    layers = sorted({call.name for call in traced.calls if call.leaf})
    found = []
    for layer in chance.sample(layers, min(count, len(layers))):
        rows, columns = traced.geometry.grid(layer)
        found.append(Unit(layer, chance.randrange(rows), chance.randrange(columns)))
    return found


def disagreement(traced: Trace, unit: Unit, seen: Box | None) -> str:
    """What is wrong with a unit's field, against the box `seen` that was measured; '' where nothing is.

    An exact field is what was measured, as far as it lies in the image. Any other whose box means something holds it.
    """
    geometry = traced.geometry
    field = geometry.field(*unit)
    box = field.box.clipped(geometry.width, geometry.height)
    if field.status is Status.EXACT:
        agrees = seen == box if min(box.width, box.height) > 0 else seen is None
    else:
        everything = field.status is Status.WHOLE and any(op.name in ATTENTION for op in traced.operations)
        agrees = seen is None or not field.status.holds or everything or _holds(box, seen)
    if agrees:
        return ""
    measured = "none" if seen is None else tuple(seen)
    return f"unit {unit.row},{unit.column} of '{unit.layer}': {field.status}, {tuple(box)}, but measured {measured}"


def _holds(box: Box, other: Box) -> bool:
    begins = box.left <= other.left and box.top <= other.top
    return begins and box.right >= other.right and box.bottom >= other.bottom


def _maps(
    network: nn.Module, traced: Trace, layers: set[str], opens: bool, pause: Pause
) -> tuple[Tensor, dict[str, Tensor]]:
    """The image and the outputs of some layers, with the operations replaced that would lose gradients."""
    image = _image(traced)
    with torch.enable_grad(), _filled(network), _Positive(opens):
        return image, seen_maps(network, traced, layers, image, pause)


def seen_maps(
    network: nn.Module, traced: Trace, layers: set[str], image: Tensor, pause: Pause = _no_pause
) -> dict[str, Tensor]:
    """The outputs of some layers on an image, for gradients; the network stops where it has made all of them.

    `pause` is called behind each layer, there and on the way back.
    """
    maps: dict[str, Tensor] = {}
    names = {traced.call(layer).name: layer for layer in layers}

    def see(name: str, out: Tensor) -> None:
        pause()
        if out.grad_fn is not None:  # a parameter that a layer gives away would keep the hook
            out.register_hook(lambda _: pause())  # type: ignore[no-untyped-call]
        if name in names:
            maps[names[name]] = out * 1.0  # the module after it may write over it
            if len(maps) == len(names):
                raise _Enough

    with outputs_seen(network, see), suppress(_Enough):
        logits = first_tensor(network(image * 1.0))
        return {layer: maps.get(layer, logits) for layer in layers}  # what ends in a function has no module
    return maps


def reach(out: Tensor, traced: Trace, unit: Unit, image: Tensor) -> Box | None:
    """The smallest box around the pixels of `image` where a unit of `out` has a gradient; None where it has none.

    Raises SegvizError where `out` are not the maps of the trace: those of a convolutional form no module makes.
    """
    y, x = traced.axes[int(traced.call(unit.layer).output or 0)]
    has = (int(out.shape[y]), int(out.shape[x])) if out.dim() > max(y, x) else POOLED
    grid = traced.geometry.grid(unit.layer)
    if grid not in (has, POOLED):
        raise SegvizError(
            f"layer '{unit.layer}' has {grid[0]}x{grid[1]} units as a convolution, and {has[0]}x{has[1]} as published, "
            "where gradients measure: take a unit of the native input"
        )
    if out.dim() > max(y, x):
        out = out.narrow(y, unit.row, 1).narrow(x, unit.column, 1)
    if not out.requires_grad:
        return None
    (gradient,) = torch.autograd.grad(out.sum(), image, retain_graph=True, allow_unused=True)
    if gradient is None or not bool(gradient.any()):
        return None
    changed = (gradient[0] != 0).any(0)
    rows, columns = changed.any(1).nonzero().flatten(), changed.any(0).nonzero().flatten()
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _image(traced: Trace) -> Tensor:
    """Without two pixels alike, so that no normalisation meets a constant."""
    channels = traced.operations[0].elements // (traced.geometry.height * traced.geometry.width)
    size = 1, channels, traced.geometry.height, traced.geometry.width
    noise = torch.rand(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (0.5 + 0.1 * noise).requires_grad_()


@contextmanager
def _filled(network: nn.Module) -> Iterator[None]:
    """Parameters that no replaced operation takes (scales, positions, tokens) as small positive numbers in float64."""
    changed: list[tuple[Any, str, Any]] = []
    store: Any
    try:
        for module in network.modules():
            stores: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
            for store in stores:
                for name, tensor in store.items():
                    if tensor is None or isinstance(module, REPLACED):
                        continue
                    changed.append((store, name, tensor))
                    if tensor.is_floating_point():
                        filled = torch.full(tensor.shape, 0.5, dtype=torch.float64)
                        store[name] = nn.Parameter(filled, False) if store is module._parameters else filled
        yield
    finally:
        for store, name, tensor in changed:
            store[name] = tensor


REPLACED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)


class _Positive(TorchFunctionMode):
    """Replaces operations by such as lose no gradient. `opens`: nothing is passed back through a global pooling."""

    def __init__(self, opens: bool) -> None:
        super().__init__()
        self.opens = opens

    def __torch_function__(
        self, func: Answer, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        name = getattr(func, "__name__", "").rstrip("_")
        if name in IDENTITIES:
            return args[0] * 1.0
        found = OTHERS.get(name, func)(*args, **given)
        if self.opens and name in GLOBAL and isinstance(found, Tensor) and _is_one_unit(args[0], found):
            return torch.ones_like(found)
        return found


IDENTITIES = {
    *("relu", "relu6", "hardtanh", "hardswish", "hardsigmoid", "silu", "gelu", "elu", "selu", "leaky_relu", "prelu"),
    *("batch_norm", "layer_norm", "group_norm", "instance_norm", "local_response_norm", "softmax", "log_softmax"),
    *("dropout", "feature_dropout", "tanh", "sigmoid"),
}
GLOBAL = {"adaptive_avg_pool2d", "adaptive_max_pool2d", "mean", "amax"}


def _is_one_unit(below: Any, found: Tensor) -> bool:
    """Whether a map of several units has become one: (N, C, H, W) to (N, C, 1, 1) or (N, C)."""
    if not isinstance(below, Tensor) or below.dim() != 4 or below.shape[2:].numel() == 1:
        return False
    return found.shape[2:].numel() == 1 and found.shape[:2] == below.shape[:2]


def _kernel(size: tuple[int, ...]) -> Tensor:
    kernel = torch.ones((1, 1, *size), dtype=torch.float64)
    return kernel / kernel.numel()


def _spread(mean: Tensor, channels: int) -> Tensor:
    return mean.expand(-1, channels, -1, -1) * 1.0


def _attended(query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, None]:
    """Attention of every position to all, as an average; positions come first."""
    return value.mean(0, keepdim=True).expand_as(query) * 1.0, None


def _convolved(
    x: Tensor, weight: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    kernel = _kernel(tuple(weight.shape[2:]))
    return _spread(F.conv2d(x.mean(1, keepdim=True), kernel, None, stride, padding, dilation), int(weight.shape[0]))


def _transposed(
    x: Tensor, weight: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    mean, kernel = x.mean(1, keepdim=True), _kernel(tuple(weight.shape[2:]))
    found = F.conv_transpose2d(mean, kernel, None, stride, padding, output_padding, 1, dilation)
    return _spread(found, int(weight.shape[1]) * groups)


def _dense(x: Tensor, weight: Tensor, bias: Any = None) -> Tensor:
    return x.mean(-1, keepdim=True).expand(*x.shape[:-1], int(weight.shape[0])) * 1.0


def _averaged(
    x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The average of the windows that a maximum is taken of: their places are counted by taking the maximum's."""
    size = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
    step = stride or size
    maxima, places = _MAXIMA(x, size, step, padding, dilation, ceil_mode)
    rows, columns = maxima.shape[2:]
    ahead, apart, steps = ((value, value) if isinstance(value, int) else value for value in (padding, dilation, step))
    after = [
        max(0, (units - 1) * s + d * (k - 1) + 1 - side - p)
        for units, s, d, k, side, p in zip((rows, columns), steps, apart, size, x.shape[2:], ahead, strict=True)
    ]
    padded = F.pad(x, (ahead[1], after[1], ahead[0], after[0])).flatten(0, 1)[:, None]
    flat = F.conv2d(padded, _kernel(size), None, tuple(steps), 0, tuple(apart))[:, 0]
    found = flat.reshape(*x.shape[:2], *flat.shape[1:])
    found = found[:, :, :rows, :columns]
    return (found, places) if return_indices else found


def _averaged_with_places(*args: Any, **kwargs: Any) -> Any:
    return _averaged(*args, **{**kwargs, "return_indices": True})


def _unpooled(
    x: Tensor, places: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Every place of a window gets the value that only one would get: any of them may be the one."""
    kernel = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
    flat = F.conv_transpose2d(x.flatten(0, 1)[:, None], _kernel(kernel), None, stride or kernel, padding)[:, 0]
    found = flat.reshape(*x.shape[:2], *flat.shape[1:])
    if output_size is None:
        return found
    rows, columns = output_size[-2:]
    found = F.pad(found, (0, max(0, columns - found.shape[3]), 0, max(0, rows - found.shape[2])))
    cut: Tensor = found[:, :, :rows, :columns]
    return cut


_MAXIMA = torch.ops.aten.max_pool2d_with_indices.default

OTHERS: dict[str, Answer] = {
    "conv2d": _convolved,
    "conv_transpose2d": _transposed,
    "linear": _dense,
    "multi_head_attention_forward": _attended,
    "max_pool2d": _averaged,
    "max_pool2d_with_indices": _averaged_with_places,
    "max_unpool2d": _unpooled,
    "adaptive_max_pool2d": lambda x, size, return_indices=False: F.adaptive_avg_pool2d(x, size),
}
