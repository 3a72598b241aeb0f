"""What the small heatmaps show: probabilities of a prediction, or what speaks for classes in a layer. Loads numpy."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtGui import QImage

from segviz.core import palettes, resample
from segviz.core.cams import CamAnswer
from segviz.core.choices import Area, Heat
from segviz.core.images import Picture
from segviz.core.requests import Prediction
from segviz.core.scores import Normaliser
from segviz.core.session import State
from segviz.gui import cam_planes, words
from segviz.gui.panels import tiles
from segviz.gui.panels.pixels import to_image
from segviz.gui.widgets.plane import rgb

SHOWN = 12  # classes
LONGEST = 288  # longer side of a tile's picture, in pixels: enough for a screen of twice the density
AREAS = {
    Area.IMAGE: "the whole answer",
    Area.LABEL: "each class's label",
    Area.BOX: "a box",
    Area.UNIT: "the pinned unit",
}


class HeatTiles(Protocol):
    """One heatmap for each of some classes. `size` is (height, width) of the image."""

    classes: list[int]
    size: tuple[int, int]

    def name(self, index: int) -> str:
        """The class of a tile."""

    def caption(self, index: int) -> str: ...

    def tile(self, index: int, state: State) -> QImage: ...

    def colours(self, state: State) -> tuple[list[int], str, str]:
        """The colours 0xRRGGBB, and what the first and the last of them stand for."""

    @property
    def title(self) -> str:
        """What the colours measure."""

    @property
    def text(self) -> str:
        """What is shown, in a line."""


class ProbabilityTiles:
    """The most probable classes of a prediction, over the photograph that it is of, if any."""

    title = "probability"

    def __init__(self, prediction: Prediction, picture: Picture | None) -> None:
        self.prediction = prediction
        self.size = (prediction.labels.shape[0], prediction.labels.shape[1])
        self._ground = _ground(picture, self.size)
        self._normaliser = Normaliser.of(prediction.logits)
        peak = self._normaliser.peaks(prediction.logits)
        self.classes = tiles.top_classes(prediction, peak, SHOWN)
        self.peaks = [float(peak[index]) for index in self.classes]

    def name(self, index: int) -> str:
        return self.prediction.classes[self.classes[index]]

    def caption(self, index: int) -> str:
        return f"{self.name(index)}  {words.probability(self.peaks[index])}"

    def tile(self, index: int, state: State) -> QImage:
        """One class, upsampled to the size of the shrunk photograph."""
        prediction, ground = self.prediction, self._ground
        lattice = prediction.lattice.resized(_zoom(ground, self.size))
        grid = self._normaliser.probability(prediction.logits[self.classes[index]])
        wide = resample.upsample(grid, lattice, prediction.upsampling, *ground.shape[:2])
        return to_image(tiles.over_grey(ground, wide, palettes.heat_table(state.colour_map)))

    def colours(self, state: State) -> tuple[list[int], str, str]:
        return rgb(palettes.colour_map(state.colour_map)), "0", "1"

    @property
    def text(self) -> str:
        classes, rows, columns = self.prediction.logits.shape
        shown = f"{len(self.classes)} of {words.count(classes)} classes, the most probable first"
        return f"{shown} · grid of {words.shape((rows, columns))}"


class CamTiles:
    """What speaks for some classes in a layer, each map with colours up to its own largest value."""

    def __init__(self, answer: CamAnswer, picture: Picture | None, size: tuple[int, int]) -> None:
        self.answer, self.size = answer, size
        self._ground = _ground(picture, size)
        self.classes = list(answer.classes)
        self.title = ""  # each map goes up to a largest value of its own, which its caption gives

    def name(self, index: int) -> str:
        return self.answer.names[index]

    def caption(self, index: int) -> str:
        remark = self.answer.remarks[index]
        return f"{self.name(index)}  {remark or words.value(float(self.answer.maps[index].max()))}"

    def tile(self, index: int, state: State) -> QImage:
        ground = self._ground
        shares = cam_planes.spread(self.answer, index, state, ground.shape[:2], _zoom(ground, self.size))
        return to_image(tiles.over_grey(ground, shares, cam_planes.table(state)))

    def colours(self, state: State) -> tuple[list[int], str, str]:
        low, high = ("−", "+") if state.cams.signed else ("0", "+")
        return cam_planes.scale(state), low, high

    @property
    def text(self) -> str:
        answer, (_, rows, columns) = self.answer, self.answer.maps.shape
        asked = (f"score of {AREAS[answer.area]}",) if answer.request.heat is Heat.GRAD_CAM else ()
        return " · ".join((answer.layer, *asked, f"grid of {words.shape((rows, columns))}"))


def _ground(picture: Picture | None, size: tuple[int, int]) -> tiles.Bytes:
    """The photograph, small, or a dark ground where there is none of that size."""
    if picture is None or picture.pixels.shape[:2] != size:
        return tiles.blank(*size, LONGEST)
    return tiles.shrunk(picture.pixels, LONGEST)


def _zoom(ground: tiles.Bytes, size: tuple[int, int]) -> tuple[float, float]:
    return ground.shape[0] / size[0], ground.shape[1] / size[1]
