"""What is chosen in the convolution laboratory: a part of the State, free of arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from segviz.core.choices import Choice
from segviz.core.laboratory import kernel
from segviz.core.session_values import filled, flag, one_of

WIDTHS = (1, 2, 3, 4, 5)  # of a kernel
STRIDES = (1, 2, 3)
PADDINGS = (0, 1, 2)
DILATIONS = (1, 2, 3)
SIDES = (3, 4, 5, 6, 7, 8)  # of the image whose convolution is unrolled
WINDOWS = (2, 3, 4)  # of a pooling
STEPS = (1, 2, 3, 4)
SHIFTS = (-32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32)  # network pixels
FEEDS = (0, 64, 96, 128, 227, 256, 320, 384, 500, 512)  # sides of a square that is fed; 0: as large as the image
MOST_CHANNELS = 2**20


class Page(Choice):
    """The pages of the laboratory (lecture T02 to T08, T16, T17)."""

    PRODUCTS = "products", "Products", "patch times weights, term by term, and their sum"
    SLIDING = "sliding", "Sliding", "the kernel slides with its stride, padding and dilation, the map fills"
    MATRIX = "matrix", "Matrix", "the convolution as a dense layer with sparse, shared weights"
    RELU = "relu", "Activation", "the map before and after its activation"
    COLLAPSE = "collapse", "Two layers", "two linear convolutions are one; with a ReLU between them they are not"
    POOLING = "pooling", "Pooling", "which samples survive"
    PARAMETERS = "parameters", "Parameters", "where the weights are, and what dense layers would need"
    SHIFT = "shift", "Shift", "shift the image: maps shift along, dense outputs do not"
    HEAD = "head", "Dense head", "where a larger image stops, and the surgery that helps"


class Source(Choice):
    """What is convolved with what."""

    LAYER = "layer", "Layer", "a convolution of the network, at the pinned unit"
    IMAGE = "image", "Image", "the grey levels of the image, with a kernel of your choice"


class Preset(Choice):
    """Kernels to begin with."""

    IDENTITY = "identity", "Identity", "leaves the image as it is"
    BLUR = "blur", "Blur", "the mean of the neighbourhood"
    SHARPEN = "sharpen", "Sharpen", "the image plus its difference from its neighbours"
    SOBEL_X = "sobel-x", "Sobel x", "change along a row: upright edges"
    SOBEL_Y = "sobel-y", "Sobel y", "change along a column: level edges"
    LAPLACIAN = "laplacian", "Laplacian", "difference from the four neighbours: edges of any direction"
    EMBOSS = "emboss", "Emboss", "light from the left top"
    EDITED = "edited", "Edited", "your own numbers"


class Between(Choice):
    """What stands between two convolutions."""

    NOTHING = "nothing", "Nothing", "two linear layers"
    RELU = "relu", "ReLU", "max(0, x) between them"


class Rounding(Choice):
    """How a pooling rounds its number of windows."""

    FLOOR = "floor", "Floor", "windows that hang over the border are left out"
    CEIL = "ceil", "Ceil", "they are taken, as Caffe does"


@dataclass(frozen=True, slots=True)
class ConvolutionLab:
    """What the convolution tab shows.

    `channel` is the input map that is looked at, None: the one that adds most. `preset` and `edited` (rows; empty: not
    edited yet) name the kernel on the image, which slides with `stride`, `padding` and `dilation`; `second` is that
    of the layer behind it. `side` is that of the image that is unrolled. `lecture` counts the parameters of the
    lecture's LeNet-5 in place of the network's, `colour` those for RGB, None those for what the
    network takes. `dx`, `dy` are pixels of the network's input, `dx` None one stride of the layer, `feed` the side of
    an image that is fed, 0 for the image itself. `image` shows the photograph in place of the laboratory.
    """

    page: Page = Page.PRODUCTS
    source: Source = Source.LAYER
    channel: int | None = None
    preset: Preset = Preset.SOBEL_X
    edited: tuple[tuple[float, ...], ...] = ()
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    side: int = 5
    second: Preset = Preset.BLUR
    between: Between = Between.NOTHING
    window: int = 2
    step: int = 2
    lecture: bool = False
    colour: bool | None = None
    dx: int | None = None
    dy: int = 0
    feed: int = 0
    rounding: Rounding = Rounding.FLOOR
    image: bool = False


USUAL = ConvolutionLab()


def to_values(lab: ConvolutionLab) -> dict[str, Any]:
    """As it stands in a session file."""
    return asdict(lab)


def from_values(values: Any) -> ConvolutionLab:
    """Of a session file; what is not named keeps its default. Raises ValueError or TypeError for a bad value."""
    return filled(USUAL, _READERS, values, "a laboratory")


def _channel(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST_CHANNELS:
        raise ValueError(f"{value!r} is no channel")
    return value


def _kernel(value: Any) -> tuple[tuple[float, ...], ...]:
    rows = kernel(value)
    if len(rows) > max(WIDTHS):
        raise ValueError(f"a kernel is at most {max(WIDTHS)} wide here")
    return rows


_READERS: dict[str, Callable[[Any], Any]] = {
    "page": Page,
    "source": Source,
    "channel": _channel,
    "preset": Preset,
    "edited": _kernel,
    "stride": one_of(STRIDES),
    "padding": one_of(PADDINGS),
    "dilation": one_of(DILATIONS),
    "side": one_of(SIDES),
    "second": Preset,
    "between": Between,
    "window": one_of(WINDOWS),
    "step": one_of(STEPS),
    "lecture": flag,
    "colour": lambda value: None if value is None else flag(value),
    "dx": lambda value: None if value is None else one_of(SHIFTS)(value),
    "dy": one_of(SHIFTS),
    "feed": one_of(FEEDS),
    "rounding": Rounding,
    "image": flag,
}
