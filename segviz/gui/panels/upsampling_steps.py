"""A transposed convolution as a convolution over inserted zeros, one position of the kernel after another (T24)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from segviz.core.choices import ColourMap
from segviz.core.laboratory import FACTORS, Kernel, Source
from segviz.gui import theme, words
from segviz.gui.identity import Same
from segviz.gui.panels.lab_page import Change, NumberPill, Rows, choice_pill
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.matrix_board import Matrix, MatrixBoard, MatrixTile
from segviz.gui.widgets.player import Player
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.upsamplers import Insertion
    from segviz.gui.filming import Frames
    from segviz.gui.panels.base import Commands
    from segviz.gui.scene import Scene

FEW = 4  # units along each side: more positions than these make are no lesson any more
FILMED = 128  # frames of the animation at most
FILM = QSize(1100, 460)  # of a frame, in pixels
EXPLANATION = (
    "Zeros are put between the units and around them; then a common convolution slides the turned kernel over the "
    "result, one pixel at a time."
)


class InsertionPage:
    """Map, map with zeros, kernel, products, output; the kernel's position is walked by a player."""

    drawn = True

    def __init__(self, change: Change, commands: Commands) -> None:
        self._commands = commands
        self._key: object = None
        self._insertion: Insertion | None = None
        self._plane: np.ndarray | None = None
        self._output: np.ndarray | None = None
        self._factor, self._said = 2, ""
        self._colours = ColourMap.MAGMA
        self._differs = 0.0
        self.source = choice_pill("Map", "The map that the units are taken from", Source, "source", change)
        self.factor = NumberPill("Factor", "How many times as large", FACTORS, lambda n: change(factor=n), "× {}")
        self.kernel = choice_pill("Kernel", "Kernel of the transposed convolution", Kernel, "kernel", change)
        self.player = Player("positions")
        self.player.moved.connect(lambda _: self._paint())
        self.sum = ElidedLabel()
        self.note = WrappedLabel(EXPLANATION)
        theme.set_role(self.note, "caption")
        self.settings = self._make_settings()
        self.board = MatrixBoard("Zero insertion")
        self.stage: QWidget = self.board

    def _make_settings(self) -> QWidget:
        whole = QWidget()
        pills = QHBoxLayout()
        pills.setSpacing(theme.S)
        for part in (self.source, self.factor, self.kernel):
            pills.addWidget(part)
        pills.addStretch(1)
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addLayout(pills)
        column.addWidget(self.player)
        column.addWidget(self.sum)
        column.addWidget(self.note)
        column.addStretch(1)
        self.sum.setFont(theme.numbers())
        return whole

    # -------------------------------------------------------------------------------- showing

    def show(self, scene: Scene) -> None:
        laboratory = scene.state.upsampling_lab
        self.source.show_choice(laboratory.source)
        self.factor.show_number(laboratory.factor)
        self.kernel.show_choice(laboratory.kernel)
        self._colours = scene.state.colour_map
        if scene.picture is None:
            self._key = None
            self._take(None, laboratory, (), None)
            self._paint()
            return
        from segviz.gui.panels import upsampling_maps

        near = upsampling_maps.neighbourhood(scene)
        kernels = scene.shown_depths.kernels if scene.shown_depths is not None else ()
        key = (near.key if near is not None else None, laboratory, Same(scene.shown_depths))
        if key != self._key:
            self._key = key
            self._take(near.values[:FEW, :FEW] if near is not None else None, laboratory, kernels, near)
        self._paint()

    def _take(self, plane: np.ndarray | None, laboratory: object, kernels: object, near: object) -> None:
        self._insertion = self._plane = self._output = None
        self._said = ""
        self.player.set_count(1)
        if plane is None:
            return
        from segviz.core import upsamplers
        from segviz.core.errors import SegvizError
        from segviz.gui.panels import upsampling_maps

        kernel, said = upsampling_maps.kernel_of(laboratory, kernels, near.channel)  # type: ignore[arg-type,attr-defined]
        self._factor, self._said = laboratory.factor, said  # type: ignore[attr-defined]
        if kernel is None:
            return
        try:
            self._insertion = upsamplers.Insertion.of(plane, kernel, self._factor)
        except SegvizError as error:
            self._said = str(error)
            return
        self._plane, self._output = plane, self._insertion.output()
        direct = upsamplers.transposed(plane, kernel, self._factor)
        self._differs = float(abs(direct - self._output).max())
        self.player.set_count(self._insertion.positions)

    def _paint(self) -> None:
        insertion = self._insertion
        if insertion is None:
            self.board.set_tiles(())
            self.sum.setText(f"No kernel: {self._said}" if self._said else "")
            return
        self.board.set_tiles(self._tiles(self.player.position))
        row, column = insertion.place(self.player.position)
        total = float(insertion.products(self.player.position).sum())
        number = words.value(total)
        equal = (
            f"equal to the direct way to {words.exponent(self._differs)}"
            if self._differs
            else "equal to the direct way"
        )
        self.sum.setText(f"output row {row}, column {column}: the products sum to {number} · {equal}")

    def _tiles(self, position: int) -> tuple[MatrixTile, ...]:
        import numpy as np

        from segviz.gui.widgets import cell_images

        insertion, plane, output = self._insertion, self._plane, self._output
        assert insertion is not None
        assert plane is not None
        assert output is not None
        how = self._colours
        low = min(0.0, float(plane.min()), float(output.min()))
        high = max(0.0, float(plane.max()), float(output.max())) or 1.0
        row, column = insertion.place(position)
        tall, wide = insertion.turned.shape
        so_far = np.where(np.arange(output.size).reshape(output.shape) <= position, output, np.nan)
        products = insertion.products(position)
        turned, padded = insertion.turned, insertion.padded
        rows, columns = plane.shape
        zeros = f"{self._factor - 1} between neighbours, {insertion.border[0]} around"
        small = Matrix("products", products, cell_images.about_zero(products))
        parts: tuple[tuple[str, Matrix, tuple[Matrix, ...], str], ...] = (
            ("Map", Matrix("map", plane, cell_images.coloured(plane, low, high, how)), (), f"{columns} × {rows} units"),
            (
                "With zeros",
                Matrix("zeros", padded, cell_images.coloured(padded, low, high, how), (), (row, column, tall, wide)),
                (),
                zeros,
            ),
            ("Kernel, turned", Matrix("kernel", turned, cell_images.kernel_image(turned, how)), (small,), self._said),
            (
                "Output",
                Matrix("output", so_far, cell_images.coloured(so_far, low, high, how), (), (row, column, 1, 1)),
                (),
                f"position {position + 1} of {insertion.positions}",
            ),
        )
        return tuple(MatrixTile(title, main, beside, note, linked=False) for title, main, beside, note in parts)

    def missing(self, scene: Scene) -> str:
        if self._insertion is not None:
            return ""
        if self._said:
            return f"There is no kernel of that kind: {self._said}. Choose another kernel or factor."
        return "Open an image and a network, and wait for its answer: a few units of its maps are taken here."

    def what(self, scene: Scene) -> str:
        if self._insertion is None:
            return ""
        return f"{self._said} · × {self._factor} · {self._insertion.positions} positions"

    def hover(self, point: tuple[float, float] | None) -> None:
        """Nothing: the cursor of this page is the kernel."""

    # --------------------------------------------------------------------------------- leaving

    def picture(self) -> QImage:
        return self.board.picture()

    def svg(self) -> bytes:
        return self.board.svg() if self._insertion is not None else b""

    def rows(self) -> Rows:
        """Each position with its output."""
        insertion = self._insertion
        if insertion is None:
            return []
        places = (insertion.place(position) for position in range(insertion.positions))
        found: Rows = [[*place, value] for place, value in zip(places, insertion.outputs(), strict=True)]
        return [["row", "column", "output"], *found]

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        return ("zero-insertion.gif", self._frames) if self._insertion is not None else None

    def _frames(self) -> Frames:
        """On a board of its own, which nobody sees: the person may go on using that one."""
        insertion = self._insertion
        if insertion is None:
            return
        step = -(-insertion.positions // FILMED)
        board = MatrixBoard("Zero insertion")
        try:
            board.resize(FILM)
            for position in [*range(0, insertion.positions - 1, step), insertion.positions - 1]:
                if self._insertion is not insertion:
                    return  # another map has come meanwhile
                board.set_tiles(self._tiles(position))
                yield board.picture(1.0)
        finally:
            board.deleteLater()
