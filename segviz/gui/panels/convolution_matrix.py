"""A small convolution unrolled to a matrix: a dense layer with sparse, shared weights (T04)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QWidget

from segviz.core.convolution_lab import SIDES
from segviz.core.errors import SegvizError
from segviz.gui import words
from segviz.gui.identity import Same
from segviz.gui.panels.convolution_page import PICTURE, BoardPage, KernelChoice, resizing
from segviz.gui.panels.lab_page import Change, NumberPill, Rows
from segviz.gui.widgets.matrix_board import Matrix, MatrixBoard, MatrixTile, Spot, drawing_of, picture_of

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.convolution_lab import ConvolutionLab
    from segviz.core.convolutions import Unrolled
    from segviz.gui.panels.base import Commands
    from segviz.gui.scene import Scene

MATRIX, MAPS = 2, 1  # shares of the stage
EXPLAINED = (
    "A row makes one output, a column belongs to one pixel. Equal colours are the same position of the kernel: one "
    "weight, shared; entries without a colour are always 0. Move over the matrix: the row's patch and output are "
    "framed. A dense layer would have a weight of its own at every entry."
)


class MatrixPage(BoardPage):
    """Matrix, kernel, image and output. The row under the mouse is the output that is looked at."""

    def __init__(self, change: Change, commands: Commands) -> None:
        super().__init__("Unrolled convolution", EXPLAINED, change, commands)
        self._lab: ConvolutionLab | None = None
        self._matrix: Unrolled | None = None
        self._plane: np.ndarray | None = None
        self._differs = 0.0
        self._refused = ""
        self.row = 0
        self.side = NumberPill("Image", "Pixels along each side", SIDES, lambda n: change(side=n), "{0} × {0}")
        self.kernel = KernelChoice(change, resizing(change, lambda: self._lab))
        self.settings = self._lay_out(
            (self.side, self.kernel.preset, self.kernel.width),
            tuple(self.kernel.sliding.values()),
            kernel=self.kernel,
        )
        self.maps = MatrixBoard("Kernel, image and output")
        self.stage = QWidget()
        self.stage.setAccessibleName("Unrolled convolution")
        row = QHBoxLayout(self.stage)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.board, MATRIX)
        row.addWidget(self.maps, MAPS)
        self.board.hovered.connect(self._hovered)
        self.maps.hovered.connect(self._output_hovered)

    # -------------------------------------------------------------------------------- showing

    def show(self, scene: Scene) -> None:
        lab = self._lab = scene.state.convolution_lab
        self.side.show_number(lab.side)
        self.kernel.show(lab)
        if scene.picture is None:
            self._matrix = None
            self._clear()
            return
        if self._is_new((Same(scene.picture), lab, scene.state.cursor)):
            self._take(scene, lab)
            self._paint()

    def _take(self, scene: Scene, lab: ConvolutionLab) -> None:
        import numpy as np

        from segviz.core import convolutions
        from segviz.gui.panels import convolution_maps

        plane = convolution_maps.crop(scene, lab.side)[0]
        side = min(plane.shape)
        plane = plane[:side, :side]
        kernel = np.asarray(convolutions.kernel_rows(lab.preset, lab.edited))
        self._matrix, self._refused = None, ""
        try:
            found = convolutions.unrolled(side, kernel, lab.stride, lab.padding, lab.dilation)
        except SegvizError as error:
            self._refused = str(error)
            return
        slid = convolutions.Sliding.over(plane, kernel, lab.stride, lab.padding, lab.dilation).output()
        self._differs = float(abs(found.output(plane) - slid).max())
        self._matrix, self._plane = found, plane
        self.row = min(self.row, len(found.values) - 1)

    def _paint(self) -> None:
        matrix, plane, lab = self._matrix, self._plane, self._lab
        if matrix is None or plane is None or lab is None:
            self._clear()
            return
        whole, *others = _tiles(matrix, plane, self.row, lab)
        self.board.set_tiles((whole,))
        self.maps.set_tiles(others)
        self.said.setText(_figures(matrix, self._differs))

    def missing(self, scene: Scene) -> str:
        return PICTURE if scene.picture is None else self._refused

    def what(self, scene: Scene) -> str:
        matrix = self._matrix
        if matrix is None or self._lab is None:
            return ""
        return f"{self._lab.preset.title} on {words.size(*matrix.inputs[::-1])} grey levels"

    def _hovered(self, spot: Spot, fy: float, fx: float) -> None:
        """A row of the matrix is looked at; arrow keys go from there."""
        self.board.set_mark((fy, fx))
        self._look_at(spot.row)

    def _output_hovered(self, spot: Spot, fy: float, fx: float) -> None:
        """An output is looked at: the row that makes it."""
        if self._matrix is not None and spot.tile == len(self.maps.tiles) - 1:
            self._look_at(spot.row * self._matrix.outputs[1] + spot.column)

    def _look_at(self, row: int) -> None:
        if row != self.row:
            self.row = row
            self._paint()

    def _clear(self, said: str = "") -> None:
        super()._clear(said)
        self.maps.set_tiles(())

    def picture(self) -> QImage:
        return picture_of((self.board, self.maps))

    def svg(self) -> bytes:
        return drawing_of((self.board, self.maps)) if self._matrix is not None else b""

    def rows(self) -> Rows:
        """The matrix, a row a row."""
        return [list(row) for row in self._matrix.values.tolist()] if self._matrix is not None else []


def _tiles(matrix: Unrolled, plane: np.ndarray, row: int, lab: ConvolutionLab) -> tuple[MatrixTile, ...]:
    import numpy as np

    from segviz.core import convolutions
    from segviz.core.choices import ColourMap
    from segviz.gui.panels.convolution_maps import WHITE
    from segviz.gui.widgets import cell_images

    kernel = np.asarray(convolutions.kernel_rows(lab.preset, lab.edited))
    numbers = np.arange(1, kernel.size + 1).reshape(kernel.shape)
    output = matrix.output(plane)
    grey = cell_images.coloured(plane, 0, WHITE, ColourMap.GREY)
    place = matrix.place(row)
    outputs, inputs = matrix.values.shape
    whole = Matrix("matrix", matrix.values, _shared(matrix.weights, kernel.size), frame=(row, 0, 1, inputs))
    weights = Matrix("kernel", kernel, _shared(numbers, kernel.size))
    dots, frame = _seen(matrix.patch(row), lab.dilation)
    column, value = place[::-1], words.whole(float(output[place]))
    return (
        MatrixTile("Matrix", whole, (), f"{outputs} outputs × {inputs} pixels"),
        MatrixTile("Kernel", weights, (), "a colour for each position", linked=False),
        MatrixTile("Image", Matrix("image", plane, grey, dots, frame), (), "the pixels of the row", linked=False),
        MatrixTile("Output", Matrix("output", output, cell_images.about_zero(output), (), (*place, 1, 1)), (),
                   f"row {place[0]}, column {column[0]}: {value}", linked=False),
    )  # fmt: skip


def _seen(
    patch: tuple[tuple[int, int], ...], dilation: int
) -> tuple[tuple[tuple[int, int], ...], tuple[int, int, int, int] | None]:
    """The pixels of a row as dots where dilation scatters them, else as one box (row, column, rows, columns)."""
    if dilation > 1 or not patch:
        return patch, None
    rows, columns = ({place[axis] for place in patch} for axis in (0, 1))
    return (), (min(rows), min(columns), len(rows), len(columns))


def _shared(weights: np.ndarray, count: int) -> QImage:
    """Entries in the colour of their position in the kernel, those without one transparent."""
    import numpy as np

    from segviz.core import palettes
    from segviz.core.choices import Palette

    table = np.zeros((count + 1, 4), np.uint8)
    table[1:, :3] = palettes.class_colours(Palette.GLASBEY, count)
    table[1:, 3] = 255
    pixels = np.ascontiguousarray(table[weights])
    rows, columns = weights.shape
    return QImage(pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()


def _figures(matrix: Unrolled, differs: float) -> str:
    """Entries, those that the kernel falls on, the positions that it has: some of its weights may be equal, or zero."""
    share = words.share(matrix.used / matrix.entries)
    equal = "equal to the convolution" if differs == 0 else f"equal to the convolution to {words.exponent(differs)}"
    used, count = words.count(matrix.used), matrix.distinct
    kernel = f"the kernel's {count} positions ({share}), each its own colour" if count > 1 else f"the kernel ({share})"
    return f"{words.count(matrix.entries)} entries · {used} from {kernel} · {equal}"
