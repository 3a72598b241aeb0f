"""One class's activation map as a plane of indices over the image, and its colours. Loads numpy."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from segviz.core import export, palettes, resample
from segviz.core.cams import CamAnswer, levels
from segviz.core.choices import Heat
from segviz.core.session import State
from segviz.gui import words
from segviz.gui.heat_planes import HEAT_PIXELS
from segviz.gui.scene import Scene
from segviz.gui.widgets.plane import Place, PlaneLayer, argb, rgb

Floats = npt.NDArray[np.float32]


def spread(answer: CamAnswer, place: int, state: State, size: tuple[int, int], zoom: tuple[float, float]) -> Floats:
    """A map in shares of its colours, 0 to 1, at every pixel of (height, width): the image's size times `zoom` (y, x).

    Its units lie where the layer has them: it is not stretched over the image.
    """
    wide = resample.upsample(
        answer.shown(place, state.cams.signed), answer.lattice.resized(zoom), state.upsampling, *size
    )
    found: Floats = levels(wide, answer.reach(place, state.cams.signed), state.cams.signed)
    return found


def table(state: State, minimum: float = 0.0) -> npt.NDArray[np.uint8]:
    """RGBA (256, 4) of the shares that `spread` makes."""
    if state.cams.signed:
        return palettes.signed_table(minimum)
    return palettes.heat_table(state.colour_map, minimum)


def scale(state: State) -> list[int]:
    """The colours 0xRRGGBB of these shares, as they are seen: zero of a signed map is the grey below it."""
    return rgb(export.signed_scale() if state.cams.signed else palettes.colour_map(state.colour_map))


def ends(answer: CamAnswer | None, place: int | None, signed: bool) -> tuple[str, str]:
    """What the first and the last of the colours stand for; nothing where there is no map."""
    if answer is None or place is None:
        return "", ""
    most = words.value(answer.reach(place, signed))
    return (f"−{most}", most) if signed else ("0", most)


class CamLayer(PlaneLayer):
    """The map of the class that is shown, painted where its units are."""

    def __init__(self) -> None:
        super().__init__()
        self.signed = False  # whether a map is there whose colours have two sides
        self._shown: tuple[object, ...] = ()

    def show(self, new: Scene) -> None:
        """Bring the plane up to a scene; computes nothing where it is the same map."""
        state, answer, index, picture = new.state, new.shown_cams, new.shown_class, new.picture
        place = answer.place(index) if answer is not None and index is not None else None
        there = answer is not None and place is not None and picture is not None
        self.signed = there and state.cams.signed
        if answer is None or place is None or picture is None:
            self._shown = ()
            self.set_plane(None)
            return
        self.set_table(argb(table(state, state.heat_minimum)))
        shown = (answer, place, picture, state.cams, state.upsampling)
        if shown == self._shown:
            return
        self._shown = shown
        step = max(1, ceil(sqrt(picture.width * picture.height / HEAT_PIXELS)))
        size = ceil(picture.height / step), ceil(picture.width / step)
        shares = spread(answer, place, state, size, (1 / step, 1 / step))
        self.set_plane(np.rint(shares * 255).astype(np.uint8), Place(0, 0, step, step))


def is_shown(scene: Scene) -> bool:
    """Whether heatmaps show what speaks for a class instead of its probability."""
    return scene.state.cams.heat is not Heat.PROBABILITY
