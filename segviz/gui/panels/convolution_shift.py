"""The image shifted: maps shift along, dense outputs do not (T08)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segviz.core import planning
from segviz.core.convolution_lab import SHIFTS
from segviz.core.field import Status
from segviz.gui import words
from segviz.gui.identity import Same
from segviz.gui.panels.convolution_page import BoardPage
from segviz.gui.panels.lab_page import Change, NumberPill
from segviz.gui.widgets.matrix_board import Matrix, MatrixTile

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.shifting import ShiftAnswer
    from segviz.gui.panels.base import Commands
    from segviz.gui.scene import Scene

EXPLAINED = (
    "All units of a map share their weights, so that what is found here is found there, too. A dense layer has other "
    "weights for each place. The image is made as large as the network's own input."
)
FEW = 6  # values of a dense layer that are shown
ROUNDING = 1e-4  # of the largest value of a map: what two orders of summing may differ by through a whole network
STRIDE = "one stride"
NOTHING = "Open an image and a network, and choose a layer: the image is shifted here."


class ShiftPage(BoardPage):
    """Image and map, both shifted, what is left when the map is moved back, and the dense outputs."""

    def __init__(self, change: Change, commands: Commands) -> None:
        super().__init__("Shift", EXPLAINED, change, commands)
        self.dx = NumberPill("Right", "Pixels of the network's input", SHIFTS, lambda n: change(dx=n), "{} px")
        follow = self.dx.menu().addAction(STRIDE.capitalize())
        follow.triggered.connect(lambda: change(dx=None))
        self.dy = NumberPill("Down", "Pixels of the network's input", SHIFTS, lambda n: change(dy=n), "{} px")
        self.settings = self._lay_out((self.dx, self.dy))

    def show(self, scene: Scene) -> None:
        lab, answer = scene.state.convolution_lab, scene.shown_shift
        self._show_dx(lab.dx, answer)
        self.dy.show_number(lab.dy)
        if answer is None or answer.maps is None or answer.seen is None:
            self._clear()
        elif self._is_new(Same(answer)):
            self.board.set_tiles(_tiles(answer))
            self.said.setText(_said(answer))
            self.note.say(f"{_elsewhere(answer)}{_doubt(answer)}{_remedy(answer)}{_dense(answer)}{EXPLAINED}")

    def _show_dx(self, dx: int | None, answer: ShiftAnswer | None) -> None:
        if dx is not None:
            self.dx.show_number(dx)
            return
        size = f", {answer.by[0]} px" if answer is not None and answer.maps is not None else ""
        self.dx.set_value(f"{STRIDE}{size}")

    def missing(self, scene: Scene) -> str:
        state, answer = scene.state, scene.shown_shift
        if scene.picture is None or not state.model or state.layer is None:
            return NOTHING
        if answer is not None:
            return f"{answer.refusal[:1].upper()}{answer.refusal[1:]}." if answer.refusal else ""
        waits = scene.waits_for(planning.plan_shift(state))
        return "Shifting the image…" if waits else "The shift has not been computed: Run > Run again (F9)."

    def what(self, scene: Scene) -> str:
        answer = scene.shown_shift
        if answer is None or answer.maps is None:
            return ""
        shift = _way(*answer.by, "pixel")
        return f"{answer.layer}, map {answer.channel} · shifted {shift} · stride {words.per_axis(answer.stride)}"


def _tiles(answer: ShiftAnswer) -> tuple[MatrixTile, ...]:
    from segviz.core.choices import ColourMap
    from segviz.gui.widgets import cell_images

    assert answer.seen is not None
    assert answer.maps is not None
    (first, second), reach = answer.maps, answer.scale or 1.0

    def tile(title: str, values: np.ndarray, note: str, grey: bool = False) -> MatrixTile:
        low, how = (0.0, ColourMap.GREY) if grey else (-reach, cell_images.SIGNED)
        image = cell_images.coloured(values, low, 1.0 if grey else reach, how)
        return MatrixTile(title, Matrix(title, values, image), (), note, linked=False)

    units = _way(answer.moved[1], answer.moved[0], "unit")
    apart = _apart(answer)
    tiles = [
        tile("Image", answer.seen[0], "the network's input in grey levels", True),
        tile("Map", first, f"{words.shape(first.shape)} units"),
        tile("Moved back and subtracted", apart, f"largest {words.value(answer.overall)}"),
        tile("Image, shifted", answer.seen[1], "its border repeated", True),
        tile("Map of it", second, f"moved {units}"),
    ]
    if answer.dense:
        tiles.append(_dense_tile(answer))
    return tuple(tiles)


def _apart(answer: ShiftAnswer) -> np.ndarray:
    """The map of the shifted image, moved back by whole units, less the map; nothing where one of them ends."""
    import numpy as np

    assert answer.maps is not None
    first, second = answer.maps
    down, across = (round(units) for units in answer.moved)
    out = np.full(first.shape, np.nan, np.float32)
    rows, columns = first.shape
    y, x = slice(max(0, -down), rows - max(0, down)), slice(max(0, -across), columns - max(0, across))
    back = second[max(0, down) : rows + min(0, down), max(0, across) : columns + min(0, across)]
    if back.size:
        out[y, x] = back - first[y, x]
    return out


def _dense_tile(answer: ShiftAnswer) -> MatrixTile:
    """The first values of the last dense layer, before and after, one below the other."""
    import numpy as np

    from segviz.gui.widgets import cell_images

    last = answer.dense[-1]
    few = min(FEW, len(last.first))
    values = np.stack([last.first[:few], last.second[:few], last.second[:few] - last.first[:few]]).T
    note = f"before, after, change: {few} of {words.many(last.size, 'value')}"
    return MatrixTile(f"Dense: {last.layer}", Matrix("dense", values, cell_images.about_zero(values)), (), note,
                      linked=False)  # fmt: skip


def _said(answer: ShiftAnswer) -> str:
    """How far the map moved, what is left, and how much the dense outputs changed."""
    units = _way(answer.moved[1], answer.moved[0], "unit")
    if not answer.exact:
        return f"The map would have to move {units}: between two units it cannot follow, and changes"
    if not answer.inside:
        if answer.status is Status.WHOLE:
            return f"The map moved {units}, but each unit sees the whole image: none can follow exactly"
        if answer.status is not Status.EXACT:
            return f"The map moved {units}, but no unit's field is known exactly"
        return f"The map moved {units}, but every field reaches over the border, where padding does not move along"
    inside = f"the {words.many(answer.inside, 'unit')} whose fields lie inside the image"
    if answer.difference > ROUNDING * answer.scale:
        apart = words.value(answer.difference)
        return f"Moved {units}, {inside} differ by up to {apart}: larger strides before this layer see other pixels"
    same = "equal" if answer.difference == 0 else f"equal to {words.exponent(answer.difference)}"
    return f"The map moved {units}: {inside} are {same}"


def _elsewhere(answer: ShiftAnswer) -> str:
    """That another layer is shown than the one that is chosen, and why."""
    asked = answer.request.layer
    if answer.layer == asked or asked == "last":
        return ""
    return f"{asked} answers with a vector, which has no place to shift to: {answer.layer} before it is shown. "


def _doubt(answer: ShiftAnswer) -> str:
    """Why no unit of the map has a field that could be held against the border."""
    if answer.status is Status.WHOLE:
        return f"Each unit {answer.reason}. "
    return f"Fields are not exact: {answer.reason}. " if answer.reason else ""


def _remedy(answer: ShiftAnswer) -> str:
    """What shows units that are equal, where no field of this layer lies inside the image."""
    border = answer.exact and not answer.inside and answer.status is Status.EXACT
    return "Choose an earlier layer: its fields are smaller. " if border else ""


def _dense(answer: ShiftAnswer) -> str:
    """How much the dense outputs changed, which have no place to move to."""
    changes = (f"{one.layer} by up to {words.value(one.largest)}" for one in answer.dense)
    return f"Dense outputs stay where they are and change: {', '.join(changes)}. " if answer.dense else ""


def _way(x: float, y: float, noun: str) -> str:
    """'1 unit right', '2.5 units left, 1 unit up'; 'not at all' where nothing moves."""
    ways = ((x, "right", "left"), (y, "down", "up"))
    parts = (
        f"{abs(by):.4g} {noun}{'' if abs(by) == 1 else 's'} {forth if by > 0 else back}"
        for by, forth, back in ways
        if by
    )
    return ", ".join(parts) or "not at all"
