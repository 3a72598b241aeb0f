"""What a unit really looks at in its receptive field: asked for and answered.

The effective receptive field is the gradient of one unit with respect to the pixels (Luo et al. 2016, "Understanding
the effective receptive field in deep convolutional neural networks"). Its energy is taken as they do: the gradient's
magnitude, here summed over the channels of the input. With another rule for ReLU the way back is a picture of what
the unit has found: deconvnet, guided backpropagation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, degrees, sqrt
from typing import TYPE_CHECKING

from segviz.core.choices import BackRule, Glow
from segviz.core.field import Box
from segviz.core.frames import Frame

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import Setup

SHARES = (0.5, 0.95)  # of the energy, that the ellipses hold; the last is also told as a part of the field
COUNTS = (1, 8, 32)  # images that the window offers to average over
MOST_IMAGES = 1000
RULES = {Glow.EFFECTIVE: BackRule.GRADIENT, Glow.DECONVNET: BackRule.DECONVNET, Glow.GUIDED: BackRule.GUIDED}


@dataclass(frozen=True, slots=True)
class EffectiveRequest:
    """The way back from one unit of a layer to the pixels of its field.

    `channel` None takes the one that answers most strongly there. With more than one of `images` the energy is
    averaged over the setup's image and others of its folder, each cut to the same size.
    """

    setup: Setup
    layer: str
    channel: int | None
    row: int
    column: int
    rule: BackRule = BackRule.GRADIENT
    images: int = 1


@dataclass(frozen=True, slots=True)
class Ellipse:
    """The ellipse about the mean of the energy, in the shape of its second moments, that holds `share` of it.

    `center` is (x, y) in pixels whose centres are integers. A point p on it has (p - center)^T M^-1 (p - center) = 1
    with M = ((xx, xy), (xy, yy)), in pixels squared: `moments` is (xx, xy, yy).
    """

    share: float
    center: tuple[float, float]
    moments: tuple[float, float, float]

    @property
    def half_axes(self) -> tuple[float, float]:
        """The longer and the shorter one, in pixels."""
        xx, xy, yy = self.moments
        middle, apart = (xx + yy) / 2, sqrt(((xx - yy) / 2) ** 2 + xy**2)
        return sqrt(middle + apart), sqrt(max(0.0, middle - apart))

    @property
    def angle(self) -> float:
        """From the x axis to the longer half axis in degrees, -90 to 90, clockwise as rows count downwards."""
        xx, xy, yy = self.moments
        return degrees(atan2(2 * xy, xx - yy) / 2)

    def on_image(self, frame: Frame) -> Ellipse:
        """The same in image pixels."""
        (y, x), (xx, xy, yy) = frame.zoom, self.moments
        return replace(self, center=frame.to_image(*self.center), moments=(xx / x**2, xy / (x * y), yy / y**2))


@dataclass(frozen=True, eq=False)
class EffectiveField:
    """Answer to EffectiveRequest.

    `crop` is the part of the image in the network's input (H x W pixels of it) that the unit can see, `whole` why that
    is all of it where its field alone would not say so. `values` is the energy at each of its pixels, `projection`
    what came back to them, in the order red, green, blue, or of one grey channel; None where several images were
    averaged. `glow` and `picture` are the same to be looked at. `ellipses` are those of `SHARES`, and `spread` is the
    least part of the crop's area that holds the last of these shares; () and None where the gradient is zero
    everywhere.
    """

    request: EffectiveRequest
    layer: str
    channel: int
    value: float  # of the unit, on the setup's image
    frame: Frame
    crop: Box
    values: np.ndarray  # float32 (H, W)
    projection: np.ndarray | None  # float32 (3 or 1, H, W)
    glow: np.ndarray  # uint8 (H, W): smoothed, 255 where it is strongest
    picture: np.ndarray | None  # uint8 (H, W, 3): zero is grey
    ellipses: tuple[Ellipse, ...]
    spread: float | None
    images: int  # that were averaged
    seconds: float
    whole: str = ""
    notes: tuple[str, ...] = ()

    @property
    def box(self) -> Box:
        """The crop in image pixels."""
        return self.frame.box_to_image(self.crop)
