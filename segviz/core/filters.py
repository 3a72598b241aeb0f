"""The weights that make a layer's feature maps: asked for and answered, one map's at a time.

A convolution makes map c by one filter: a slice of weights for every map that it reads, whose responses are
added (lecture T04, T07). A dense layer is a convolution as wide as the map in front of it, and read as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segviz.core.choices import Choice

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import Setup


class FilterKind(Choice):
    CONVOLUTION = "convolution", "Convolution", "each unit is a sum over a window of the maps below"
    TRANSPOSED = "transposed", "Transposed convolution", "each unit below adds the slice, times its value"
    DENSE = "dense", "Dense layer", "a convolution as wide as the map in front of it"


@dataclass(frozen=True, slots=True)
class FilterRequest:
    """The filter that makes map `channel` of a layer; of a map that there is not, the last one's.

    `setup` names no image: weights are the same for all of them.
    """

    setup: Setup
    layer: str
    channel: int = 0


@dataclass(frozen=True, eq=False)
class Filter:
    """The weights of one map, and how all filters of its layer are applied.

    `slices` (n, rows, columns) are those for the maps `first`, `first` + 1, ... of the layer below; n is less than
    `inputs` where not all were sent. `reach` is the largest magnitude of a weight of the layer. `pictures`
    (channels, planes, rows, columns) are all filters of a layer where each is one picture: of three planes where it
    reads the colours of the image, of one where it reads a single map. Strides and such are (y, x).
    """

    kind: FilterKind
    channels: int
    channel: int
    inputs: int
    first: int
    groups: int
    stride: tuple[int, int]
    dilation: tuple[int, int]
    bias: float | None
    reach: float
    slices: np.ndarray  # float32
    pictures: np.ndarray | None = None  # float32

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        return self.slices.shape[1], self.slices.shape[2]

    @property
    def depthwise(self) -> bool:
        """Whether each filter reads one map alone of several."""
        return self.groups > 1 and self.inputs == 1


@dataclass(frozen=True, eq=False)
class FilterAnswer:
    """Answer to FilterRequest. `filter` is None where `refusal` says why the layer has none.

    `maker` is then the last layer with filters inside it, else the one whose filters made what it was given; '' where
    there is none.
    """

    request: FilterRequest
    layer: str
    filter: Filter | None
    seconds: float
    refusal: str = ""
    maker: str = ""
    notes: tuple[str, ...] = ()
