"""Where the units of a network's answer sit in its input, for networks that are a chain of windows.

Training needs this to give every unit of a heatmap the label in the middle of its field (lecture T28), and to
cut the patch of every unit out of the image (T27). The geometry itself is that of `core/field`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError
from segviz.core.field import Geometry, Node
from segviz.core.steps import IDENTITY, Law, Window

ALONE = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.Identity, nn.BatchNorm2d, nn.Dropout, nn.Dropout2d)  # unit by unit
TOLERANCE = 1e-3  # of the largest logit, by which a patch and the whole image may differ


@dataclass(frozen=True, slots=True)
class Grid:
    """The units of an answer: `height` and `width` of a patch in pixels, `y` and `x` say where units sit."""

    height: int
    width: int
    y: Law
    x: Law

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of units on an image of that size."""
        spare_y, spare_x = height - self.height, width - self.width
        return spare_y // int(self.y.stride) + 1, spare_x // int(self.x.stride) + 1

    def rows(self, count: int) -> list[int]:
        """The pixel row in the middle of each of `count` units' fields; between two pixels, the second of them."""
        return [int(self.y.at(unit) + 0.5) for unit in range(count)]

    def columns(self, count: int) -> list[int]:
        return [int(self.x.at(unit) + 0.5) for unit in range(count)]


def grid_of(network: nn.Module, images: Tensor) -> Grid:
    """The grid of the answer to `images` (N, C, H, W).

    Raises SegvizError where the network is no chain of windows without padding: then no patch sees what the whole
    image sees. That is measured, on one unit.
    """
    geometry, logits = _followed(network, images[:1])
    rows, columns = geometry.grid("last")
    if tuple(logits.shape[2:]) != (rows, columns):
        raise _not_a_chain("its answer has another size than its layers say")
    left, top, right, bottom = (int(edge) for edge in geometry.field("last", 0, 0).box)
    last = geometry.field("last", rows - 1, columns - 1).box
    if min(left, top) < 0 or last.right > images.shape[3] or last.bottom > images.shape[2]:
        raise _not_a_chain("it pads its maps")
    patch = _evaluated(network, images[:1, :, top:bottom, left:right])
    limit = TOLERANCE * float(logits.abs().max())
    if patch[0, 0].numel() != 1 or not torch.allclose(patch.flatten(1), logits[:, :, 0, 0], atol=limit):
        raise _not_a_chain("the patch of a unit gives another answer than the whole image")
    y, x = geometry.laws("last")
    return Grid(bottom - top, right - left, y, x)


def _not_a_chain(why: str) -> SegvizError:
    return SegvizError(f"this network cannot learn patch by patch, since {why}; train it on whole images")


def _followed(network: nn.Module, image: Tensor) -> tuple[Geometry, Tensor]:
    """The layers in the order in which they compute, as nodes; and the logits."""
    nodes = [Node((), IDENTITY, IDENTITY, image.shape[2], image.shape[3])]

    def behind(module: nn.Module, _: object, made: object) -> None:
        if not isinstance(made, Tensor):
            raise _not_a_chain("a layer of it has more than one output")
        if made.dim() != 4:
            raise _not_a_chain("it ends in no map")
        y, x = _steps(module)
        nodes.append(Node((len(nodes) - 1,), y, x, made.shape[2], made.shape[3]))

    leaves = [module for module in network.modules() if not any(True for _ in module.children())]
    hooks = [module.register_forward_hook(behind) for module in leaves]
    try:
        logits = _evaluated(network, image)
    finally:
        for hook in hooks:
            hook.remove()
    return Geometry(image.shape[2], image.shape[3], tuple(nodes), (("logits", len(nodes) - 1),), "logits"), logits


def _evaluated(network: nn.Module, image: Tensor) -> Tensor:
    """The answer in eval mode; every module's own mode is as before afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad():
            logits: Tensor = network(image)
    finally:
        for module, mode in modes:
            module.training = mode
    return logits


def _steps(module: nn.Module) -> tuple[Window, Window]:
    if isinstance(module, ALONE):
        return IDENTITY, IDENTITY
    if isinstance(module, nn.Conv2d) and not isinstance(module.padding, str):
        layers = [(_pair(n)) for n in (module.kernel_size, module.stride, module.dilation, module.padding)]
    elif isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)) and not module.ceil_mode:
        dilation = getattr(module, "dilation", 1)
        layers = [_pair(n) for n in (module.kernel_size, module.stride, dilation, module.padding)]
    else:
        raise _not_a_chain(f"its layer {type(module).__name__} is no window that slides")
    kernel, stride, dilation_, padding = layers
    y, x = (Window(kernel[axis], stride[axis], dilation_[axis], padding[axis]) for axis in (0, 1))
    return y, x


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
