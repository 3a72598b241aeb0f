"""The three face classifiers of MTCNN: P-Net, R-Net and O-Net.

Zhang, Zhang, Li and Qiao, "Joint Face Detection and Alignment using Multitask Cascaded
Convolutional Networks", 2016, figure 2. P-Net is fully convolutional from the start; R-Net and
O-Net end in dense layers and so fit one size of window.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from segviz.core.errors import UsageError

LAST_SIDE = 3  # rows and columns of the map that the dense layers of R-Net and O-Net flatten
POOLINGS = {"ceil": True, "floor": False}


class Stage(NamedTuple):
    """A convolution with PReLU, and max pooling of stride 2 over `pool` x `pool` units unless that is 0."""

    maps: int
    kernel: int
    pool: int = 0


class FaceNet(nn.Module):
    """What the three networks share: stages, a hidden dense layer unless `hidden` is 0, and heads.

    Takes (N, 3, H, W), scaled to -1..1, and returns one tensor a head, in the order of `heads`, which
    are pairs of a name and its number of outputs: (N, outputs) after dense layers and
    (N, outputs, rows, columns) without. `pooling` is 'ceil' as published, or 'floor', whose windows
    are one pixel wider and which equals its own sliding window. Raises UsageError for another word.
    """

    def __init__(
        self, stages: tuple[Stage, ...], hidden: int, heads: tuple[tuple[str, int], ...], pooling: str = "ceil"
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise UsageError(f"pooling cannot be '{pooling}': it is ceil or floor")
        self.stages = stages
        self.heads = tuple(name for name, _ in heads)
        self.hidden = len(stages) + 1 if hidden else 0  # the number in the hidden layer's name
        maps = 3
        for number, stage in enumerate(stages, start=1):
            self.add_module(f"conv{number}", nn.Conv2d(maps, stage.maps, stage.kernel))
            self.add_module(f"prelu{number}", nn.PReLU(stage.maps))
            if stage.pool:
                self.add_module(f"pool{number}", nn.MaxPool2d(stage.pool, 2, ceil_mode=POOLINGS[pooling]))
            maps = stage.maps
        if hidden:
            self.flatten = nn.Flatten()
            self.add_module(f"fc{self.hidden}", nn.Linear(maps * LAST_SIDE**2, hidden))
            self.add_module(f"prelu{self.hidden}", nn.PReLU(hidden))
        for name, outputs in heads:
            self.add_module(name, nn.Linear(hidden, outputs) if hidden else nn.Conv2d(maps, outputs, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        for number, stage in enumerate(self.stages, start=1):
            x = self.get_submodule(f"prelu{number}")(self.get_submodule(f"conv{number}")(x))
            if stage.pool:
                x = self.get_submodule(f"pool{number}")(x)
        if self.hidden:
            x = self.get_submodule(f"fc{self.hidden}")(self.flatten(x))
            x = self.get_submodule(f"prelu{self.hidden}")(x)
        return tuple(self.get_submodule(name)(x) for name in self.heads)


FACE_AND_BOX = (("cls", 2), ("box", 4))  # logits of (background, face); offsets of the face's edges


class PNet(FaceNet):
    """Faces of 12 pixels, stride 2: logits (N, 2, rows, columns) and box offsets (N, 4, rows, columns)."""

    def __init__(self) -> None:
        super().__init__((Stage(10, 3, 2), Stage(16, 3), Stage(32, 3)), 0, FACE_AND_BOX)


class RNet(FaceNet):
    """Faces of 24 pixels (25 with floor pooling): logits (N, 2) and box offsets (N, 4)."""

    def __init__(self, pooling: str = "ceil") -> None:
        super().__init__((Stage(28, 3, 3), Stage(48, 3, 3), Stage(64, 2)), 128, FACE_AND_BOX, pooling)


class ONet(FaceNet):
    """Faces of 48 pixels (49 with floor pooling): logits (N, 2), box offsets (N, 4), five landmarks (N, 10)."""

    def __init__(self, pooling: str = "ceil") -> None:
        stages = (Stage(32, 3, 3), Stage(64, 3, 3), Stage(64, 3, 2), Stage(128, 2))
        super().__init__(stages, 256, (*FACE_AND_BOX, ("landmarks", 10)), pooling)
