"""Patch times weights, term by term, and the kernel that slides over its map (T02, T03, T24)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, QSizeF
from PySide6.QtGui import QImage, QPainter, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from segviz.core.convolution_lab import Source
from segviz.core.errors import SegvizError
from segviz.gui import gestures, theme, words
from segviz.gui.panels.convolution_page import (
    BoardPage,
    KernelChoice,
    missing_work,
    resizing,
    source_choice,
    work_key,
)
from segviz.gui.panels.convolution_table import ShareTable, Terms
from segviz.gui.panels.lab_page import Change, Rows, stand
from segviz.gui.widgets.matrix import drawn
from segviz.gui.widgets.matrix_board import Matrix, MatrixBoard, MatrixTile, Spot
from segviz.gui.widgets.player import Player

if TYPE_CHECKING:
    import numpy as np

    from segviz.gui.filming import Frames
    from segviz.gui.panels.base import Commands
    from segviz.gui.panels.convolution_maps import Work
    from segviz.gui.scene import Scene

WIDE = 64  # pixels along each side of the image whose outputs are all shown
NARROWEST = 140  # of the maps beside the table, before `theme.px`
TABLE, WIDEST = 288, 560  # of the table, of one of terms, before `theme.px`
FEW = 10  # along each side where the kernel slides: more positions than these make are no lesson any more
FILMED = 128  # frames of the animation at most
FILM = QSize(1100, 460)  # of a frame, in pixels
ROUNDING = 1e-5  # of the largest of the numbers: what two orders of summing may differ by

Update = Callable[..., None]  # changes fields of the State


class _WorkPage(BoardPage):
    """A page about one convolution at work: of a layer, or of a kernel on the image."""

    def __init__(
        self, name: str, explanation: str, change: Change, update: Update, commands: Commands, slides: bool
    ) -> None:
        super().__init__(name, explanation, change, commands)
        self._update = update
        self._scene: Scene | None = None
        self._work: Work | None = None
        self._refused = ""
        self._slides = slides
        self.source = source_choice(change)
        self.kernel = KernelChoice(change, resizing(change, self._lab), slides)
        self.board.hovered.connect(self._hovered)
        self.board.left.connect(lambda: commands.point_at(None))
        self.board.clicked.connect(self._clicked)

    def _lab(self) -> Any:
        assert self._scene is not None
        return self._scene.state.convolution_lab

    def show(self, scene: Scene) -> None:
        self._scene = scene
        lab = scene.state.convolution_lab
        self.source.set_value(lab.source)
        self.kernel.show(lab, lab.source is Source.IMAGE)
        if not self._is_new(work_key(scene)):
            return
        self._refused = ""
        try:
            work = self._found(scene)
        except SegvizError as error:
            work, self._refused = None, str(error)
        if work is None:
            self._work = None
            self._clear()
            self._emptied()
        else:
            self._work = work
            self._filled(work)

    def _found(self, scene: Scene) -> Work | None:
        if missing_work(scene, ""):
            return None
        from segviz.gui.panels import convolution_maps

        return convolution_maps.work_of(scene, FEW if self._slides else WIDE, self._slides)

    def _filled(self, work: Work) -> None:
        """Another convolution is to be shown: said by each page, as this class alone is none."""
        raise NotImplementedError(f"{type(self).__name__} shows no convolution")

    def _emptied(self) -> None:
        """There is none any more; said by each page."""
        raise NotImplementedError(f"{type(self).__name__} does not say that there is none")

    def missing(self, scene: Scene) -> str:
        return missing_work(scene, self._refused)

    def what(self, scene: Scene) -> str:
        if self._work is None:
            return ""
        from segviz.gui.panels import convolution_maps

        return convolution_maps.describe(self._work, not self._slides)  # where it slides, the output says its place

    # --------------------------------------------------------------------------------- cursor

    def _pixel(self, spot: Spot) -> tuple[float, float] | None:
        """Where a cell of the output sits in the image."""
        work, scene = self._work, self._scene
        if work is None or scene is None or spot.part or spot.tile != len(self.board.tiles) - 1:
            return None
        from segviz.gui.panels import convolution_maps

        return convolution_maps.pixel_of(scene, work, spot.row, spot.column)

    def _hovered(self, spot: Spot, fy: float, fx: float) -> None:
        self._commands.point_at(self._pixel(spot))

    def _clicked(self, spot: Spot, fy: float, fx: float) -> None:
        """A cell of the output was clicked: pin what sits there."""
        pixel = self._pixel(spot)
        if pixel is not None and self._scene is not None:
            self._update(**gestures.pin(self._scene, *pixel))


class ProductsPage(_WorkPage):
    """Input, patch, weights, products and output; beside them what each input map adds."""

    def __init__(self, change: Change, update: Update, commands: Commands) -> None:
        super().__init__("Products", EXPLAINED, change, update, commands, slides=False)
        self.settings = self._lay_out((self.source, *self.kernel.parts), kernel=self.kernel)
        self.table = ShareTable()
        self.table.chosen.connect(lambda channel: change(channel=channel))
        self.stage = self._pair = _ProductsStage(self.board, self.table)

    def _filled(self, work: Work) -> None:
        tiles = _tiles(work, work.place, work.outputs)
        terms = _terms(work)
        self.board.set_tiles(tiles)
        self.board.setVisible(not terms or any(tile.main.values.size > 1 for tile in tiles))
        self.table.setVisible(work.layer is not None)
        self.table.show_shares(work.shares, work.first_map, work.channel, terms)
        self._pair.arrange()
        self.said.setText(_equation(work))
        self.note.say(_explained(WEIGHED if terms else EXPLAINED, work))

    def picture(self) -> QImage:
        """Maps and table, as they are shown."""
        image = QImage(self.stage.size() * 2, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(2)
        self.stage.render(image)
        return image

    def svg(self) -> bytes:
        return drawn(self.stage.rect(), "Products", self.board.colours(), lambda painter, _: self._pair.draw(painter))

    def _emptied(self) -> None:
        self.table.show_shares((), 0, 0)

    def rows(self) -> Rows:
        """Each product with what it is made of, the largest map first, then the sums."""
        work = self._work
        if work is None:
            return []
        patch, products = work.sliding.patch(*work.place), work.sliding.products(*work.place)
        rows: Rows = [["map", "row", "column", "input", "weight", "product"]]
        for share in work.shares:
            for row, column in _places(products.shape[1:]):
                at = (share.channel, row, column)
                numbers = (patch[at], work.sliding.kernel[at], products[at])
                rows.append([share.channel + work.first_map, row, column, *(float(number) for number in numbers)])
        bias, own = work.sliding.bias, float(work.outputs[work.place])
        return [*rows, ["bias", "", "", "", "", bias], ["sum", "", "", "", "", work.sliding.sum(*work.place)],
                ["layer", "", "", "", "", own]]  # fmt: skip


class _ProductsStage(QWidget):
    """Maps beside their table; above it where that would leave them no room."""

    def __init__(self, board: MatrixBoard, table: ShareTable) -> None:
        super().__init__()
        self._board, self._table = board, table
        self.setAccessibleName("Products")
        theme.set_surface(self, "panel")
        self._box = QHBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        self._box.addWidget(board)
        self._box.addWidget(table)
        board.setMinimumWidth(theme.px(NARROWEST))

    def arrange(self) -> None:
        """Divide the room between both; the table takes more where it has more columns."""
        beside = stand(self._box, self.width())
        has_terms = self._table.has_terms
        widest = theme.px(WIDEST) if not self._board.isHidden() else self.width()
        self._table.setMaximumWidth(widest if beside and has_terms else theme.px(TABLE) if beside else self.width())
        self._table.setMaximumHeight(self.height() if beside else self._table.wanted_height)
        for part, share in ((self._board, 3), (self._table, 5 if has_terms and beside else 2)):
            self._box.setStretchFactor(part, share)

    def draw(self, painter: QPainter) -> None:
        """Both as a drawing: every cell a rectangle of its own."""
        if not self._board.isHidden():
            painter.save()
            painter.translate(self._board.pos())
            painter.fillRect(self._board.rect(), self._board.colours().color("surround"))
            self._board.paint(painter, QSizeF(self._board.size()), True)
            painter.restore()
        if not self._table.isHidden():
            self._table.render(painter, self._table.pos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()


class SlidingPage(_WorkPage):
    """The kernel walks over its map by a player, the output fills."""

    def __init__(self, change: Change, update: Update, commands: Commands) -> None:
        super().__init__("Sliding", SLID, change, update, commands, slides=True)
        self.player = Player("positions")
        self.player.moved.connect(lambda _: self._paint())
        self.zeros = QPushButton("Zero insertion…")
        self.zeros.setToolTip("A transposed convolution as a convolution over inserted zeros, in the Upsampling tab")
        self.zeros.clicked.connect(self._show_zeros)
        self.settings = self._lay_out(
            (self.source, self.kernel.preset, self.kernel.width, self.zeros),
            tuple(self.kernel.sliding.values()),
            self.player,
            kernel=self.kernel,
        )

    def _show_zeros(self) -> None:
        if self._scene is not None:
            self._update(**gestures.show_zero_insertion(self._scene))

    def _filled(self, work: Work) -> None:
        self.player.set_count(work.sliding.positions)
        self.note.say(_explained(SLID, work))
        self._paint()

    def _emptied(self) -> None:
        self.player.set_count(1)

    def _paint(self) -> None:
        work = self._work
        if work is None:
            return
        place = work.sliding.place(self.player.position)
        self.board.set_tiles(_tiles(work, place, _so_far(work, self.player.position)))
        self.said.setText(_equation(work, place))

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        return ("sliding-kernel.gif", self._frames) if self._work is not None else None

    def _frames(self) -> Frames:
        """On a board of its own, which nobody sees: the person may go on using that one."""
        work = self._work
        if work is None:
            return
        last = work.sliding.positions - 1
        board = MatrixBoard("Sliding")
        try:
            board.resize(FILM)
            for position in [*range(0, last, -(-(last + 1) // FILMED)), last]:
                if self._work is not work:
                    return  # another one has come meanwhile
                board.set_tiles(_tiles(work, work.sliding.place(position), _so_far(work, position)))
                yield board.picture(1.0)
        finally:
            board.deleteLater()


EXPLAINED = (
    "Each weight meets the input under it; the products of all maps and the bias are the output. The table has the "
    "maps that add most first: click one to see it. Click the output to go elsewhere."
)
WEIGHED = (
    "The filter has one weight for each map: it takes one number of every map, and their weighted sum, with the bias, "
    "is the output. The terms that add most come first; walk down, and the sum grows to the output."
)
SLID = "The same weights at every position."
PADDED = "Hatched cells are padding: zeros outside the map."


def _explained(text: str, work: Work) -> str:
    """What a page explains, and what its hatched cells are, where it has such."""
    return text if work.sliding.real.all() else f"{text} {PADDED}"


def _so_far(work: Work, position: int) -> np.ndarray:
    """The outputs until a position, nothing behind it."""
    import numpy as np

    numbers = np.arange(work.outputs.size).reshape(work.outputs.shape)
    return np.where(numbers <= position, work.outputs, np.nan)


def _is_weighing(work: Work) -> bool:
    """Whether the filter of a layer has one weight a map: maps of a single number would be all of one colour."""
    return work.layer is not None and work.sliding.kernel.shape[1:] == (1, 1)


def _terms(work: Work) -> Terms:
    """What each map says at this place, and its weight, where that is all; else nothing."""
    if not _is_weighing(work):
        return {}
    patch, weights = work.sliding.patch(*work.place)[:, 0, 0].tolist(), work.sliding.kernel[:, 0, 0].tolist()
    return dict(enumerate(zip(patch, weights, strict=True)))


def _tiles(work: Work, place: tuple[int, int], outputs: np.ndarray) -> tuple[MatrixTile, ...]:
    """Input, patch, weights, products and output at one position; of a single weight a map input and output."""
    from segviz.gui.widgets import cell_images

    sliding, channel = work.sliding, work.channel
    top, left, tall, wide = sliding.span(*place)
    down, across = sliding.dilation
    plane = work.plane()
    taps = sliding.taps(*place) if (down, across) != (1, 1) else ()
    reach = float(abs(work.outputs).max()) or 1.0
    colours = cell_images.coloured(outputs, -reach, reach, cell_images.SIGNED)
    of_all = f"map {channel + work.first_map}" if work.layer is not None else "grey levels"
    row, column = place[0] + work.first[0], place[1] + work.first[1]
    first = Matrix("input", plane, work.input_image(plane), taps, (top, left, tall, wide), padding=~sliding.real)
    last = Matrix("output", outputs, colours, (), (*place, 1, 1))
    value = words.whole(float(work.outputs[place]))
    end = ("Output", last, f"row {row}, column {column}: {value}")
    short = {
        "Input": of_all, "Output": f"y {row}, x {column}: {value}", "Patch": _corners(work, top, left, tall, wide),
    }  # fmt: skip
    between = () if _is_weighing(work) else _factors(work, place)
    parts = (("Input", first, f"{of_all}{_cut_out(work)}"), *between, end)
    return tuple(
        MatrixTile(title, main, (), note, linked=False, short=short.get(title, "")) for title, main, note in parts
    )


def _cut_out(work: Work) -> str:
    """Which part of its whole maps a layer's input is; '' where it is all of them."""
    shown, layer = work.sliding.maps.shape[1:], work.layer
    if layer is None or layer.input_shape[1:] == shown:
        return ""
    return f", {_range(work, 0, 0, *shown)} of {words.shape(layer.input_shape[1:])}"


def _factors(work: Work, place: tuple[int, int]) -> tuple[tuple[str, Matrix, str], ...]:
    """Patch, weights and products of the map that is shown."""
    from segviz.gui.widgets import cell_images

    sliding, channel = work.sliding, work.channel
    top, left, tall, wide = sliding.span(*place)
    down, across = sliding.dilation
    patch, weights = sliding.patch(*place)[channel], sliding.kernel[channel]
    products = sliding.products(*place)[channel]
    real = sliding.real[top : top + tall : down, left : left + wide : across]
    return (
        ("Patch", Matrix("patch", patch, work.input_image(patch), padding=~real), _range(work, top, left, tall, wide)),
        ("× Weights", Matrix("weights", weights, cell_images.about_zero(weights)), work.kernel),
        ("= Products", Matrix("products", products, cell_images.about_zero(products)),
         f"their sum: {words.whole(float(products.sum()))}"),
    )  # fmt: skip


def _range(work: Work, top: int, left: int, tall: int, wide: int) -> str:
    """The rows and columns of the input that the patch is."""
    row, column = top + work.corner[0], left + work.corner[1]
    return f"{_span('row', row, tall)}, {_span('column', column, wide)}"


def _corners(work: Work, top: int, left: int, tall: int, wide: int) -> str:
    """The same as short as can be: 'y 10–14, x 18–22'."""
    row, column = top + work.corner[0], left + work.corner[1]
    return f"{_span('y', row, tall, '')}, {_span('x', column, wide, '')}"


def _span(name: str, first: int, count: int, plural: str = "s") -> str:
    """'row 3', 'rows −1–3'."""
    text = f"{name} {first}" if count == 1 else f"{name}{plural} {first}–{first + count - 1}"
    return text.replace("-", "−")


def _equation(work: Work, place: tuple[int, int] | None = None) -> str:
    """The sum in one line: the shown map, all maps, the bias, what the layer says."""
    at = place or work.place
    products = work.sliding.products(*at)
    total, own = work.sliding.sum(*at), float(work.outputs[at])
    if work.layer is None:
        return f"{words.many(products.size, 'product')} sum to {words.whole(total)}"
    bias = work.sliding.bias
    sign = "−" if bias < 0 else "+"
    maps = words.many(len(products), "map")
    sums = f"{maps}, {words.many(products.size, 'product')}: {words.whole(float(products.sum()))}"
    differs = abs(total - own)
    equal = "the same" if differs == 0 else f"the same to {words.exponent(differs)}"
    if differs > ROUNDING * max(1.0, float(abs(products).sum())):
        equal = f"differs by {words.exponent(differs)}"
    return (
        f"{sums} {sign} bias {words.whole(abs(bias))} = {words.whole(total)} · the layer: {words.whole(own)}, {equal}"
    )


def _places(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(row, column) for row in range(shape[0]) for column in range(shape[1])]
