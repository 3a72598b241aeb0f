"""A small map through every way of upsampling, side by side, with its kernels, overlaps and differences (T24)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from segviz.core.choices import ColourMap
from segviz.core.laboratory import FACTORS, LARGEST_KERNEL, LARGEST_NUMBER, SIDES, Kernel, Source, Way
from segviz.gui import theme, words
from segviz.gui.identity import Same
from segviz.gui.panels.lab_page import Change, NumberPill, Rows, choice_pill
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.figure import Figure
from segviz.gui.widgets.kernel_table import KernelTable, Refusal, captioned
from segviz.gui.widgets.matrix_board import Matrix, MatrixBoard, MatrixTile, Spot

if TYPE_CHECKING:
    from segviz.gui.filming import Frames
    from segviz.gui.panels.base import Commands
    from segviz.gui.panels.upsampling_maps import Result, Results
    from segviz.gui.scene import Scene

Pin = Callable[[int, int, int], None]  # channel, row and column of the map


class WaysPage:
    """Tiles of all ways. A click on one compares it with the one that was chosen before."""

    drawn = True

    def __init__(self, change: Change, pin: Pin, commands: Commands) -> None:
        self._change, self._pin, self._commands = change, pin, commands
        self._scene: Scene | None = None
        self._key: object = None
        self._results: Results | None = None
        self._titles: list[Way | None] = []  # the way of each tile
        self.source = choice_pill("Map", "The map that the units are taken from", Source, "source", change)
        self.side = NumberPill("Units", "Units along each side", SIDES, lambda n: change(side=n), "{0} × {0}")
        self.factor = NumberPill("Factor", "How many times as large", FACTORS, lambda n: change(factor=n), "× {}")
        self.kernel = choice_pill("Kernel", "Kernel of the transposed convolution", Kernel, "kernel", change)
        self.width = NumberPill("Width", "Width of your kernel", (2,), self._resize, "{0} × {0}")
        self.first = choice_pill("Compare", "The first way of the difference", Way, "first", change)
        self.second = choice_pill("with", "The second way of the difference", Way, "second", change)
        self.apart = ElidedLabel()
        self.table = KernelTable("Kernel", LARGEST_NUMBER)
        self.table.edited.connect(lambda rows: change(edited=rows))
        self.beside, self.refusal = captioned(self.table), Refusal(self.table)
        self.refusal.stand_for(self.apart)
        self.values: dict[Way | None, Figure] = {}
        self.settings = self._make_settings()
        self.board = MatrixBoard("Ways of upsampling")
        self.scale_bar = ColourBar()
        self.said = ElidedLabel()
        self.stage = self._make_stage()
        self.board.hovered.connect(self._hovered)
        self.board.left.connect(self._left)
        self.board.clicked.connect(self._clicked)

    # --------------------------------------------------------------------------------- making

    def _make_settings(self) -> QWidget:
        first, second = QHBoxLayout(), QHBoxLayout()
        for row, parts in ((first, (self.source, self.side, self.factor, self.kernel, self.width)),
                           (second, (self.first, self.second))):  # fmt: skip
            row.setSpacing(theme.S)
            for part in parts:
                row.addWidget(part)
        second.addWidget(self.apart, 1)
        second.addWidget(self.refusal, 1)
        first.addStretch(1)
        theme.set_role(self.apart, "caption")
        column = QVBoxLayout()
        column.setSpacing(theme.S)
        column.addLayout(first)
        column.addLayout(second)
        column.addLayout(self._make_values())
        column.addStretch(1)
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.M)
        row.addLayout(column, 1)
        row.addWidget(self.beside)
        return whole

    def _make_values(self) -> QGridLayout:
        """The value under the mouse, of the map and of each way: a caption and a number each."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.M)
        grid.setVerticalSpacing(0)
        for column, way in enumerate((None, *Way)):
            name = QLabel("Map" if way is None else way.title)
            theme.set_role(name, "caption")
            figure = Figure("−00.000", align=Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(name, 0, column)
            grid.addWidget(figure, 1, column)
            self.values[way] = figure
        grid.setColumnStretch(len(self.values), 1)
        return grid

    def _make_stage(self) -> QWidget:
        stage = QWidget()
        stage.setAccessibleName("Ways of upsampling")
        theme.set_surface(stage, "panel")
        line = QHBoxLayout()
        line.setContentsMargins(theme.M, theme.XS, theme.M, theme.XS)
        theme.set_role(self.said, "caption")
        line.addWidget(self.said, 1)
        line.addWidget(self.scale_bar)
        column = QVBoxLayout(stage)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.board, 1)
        column.addLayout(line)
        return stage

    # -------------------------------------------------------------------------------- showing

    def show(self, scene: Scene) -> None:
        self._scene = scene
        laboratory = scene.state.upsampling_lab
        self.source.show_choice(laboratory.source)
        self.side.show_number(laboratory.side)
        self.factor.show_number(laboratory.factor)
        self.kernel.show_choice(laboratory.kernel)
        self.first.show_choice(laboratory.first)
        self.second.show_choice(laboratory.second)
        edited = laboratory.kernel is Kernel.EDITED
        self.beside.setVisible(edited)
        if not edited:
            self.refusal.say("")
        self.width.setVisible(edited)
        if self.missing(scene):
            self._key, self._results = None, None
            self.board.set_tiles(())
            self.apart.setText("")
            self._tell_values(None)
            return
        from segviz.gui.panels import upsampling_maps

        if edited:
            rows = upsampling_maps.edited_rows(laboratory)
            self.table.set_rows(rows)
            self.width.offer(tuple(range(laboratory.factor, LARGEST_KERNEL + 1)))
            self.width.show_number(len(rows))
        near = upsampling_maps.neighbourhood(scene)
        depths = scene.shown_depths
        key = (near.key if near is not None else None, laboratory, Same(depths), scene.state.colour_map)
        if near is not None and key != self._key:
            self._key = key
            self._results = upsampling_maps.results(near, laboratory, depths.kernels if depths is not None else ())
            self._fill(self._results, scene)
            self._left()

    def _fill(self, results: Results, scene: Scene) -> None:
        from segviz.core import palettes
        from segviz.gui.widgets.plane import rgb

        laboratory, how = scene.state.upsampling_lab, scene.state.colour_map
        low, high = results.range
        tiles: list[MatrixTile] = [_map_tile(results, how)]
        self._titles = [None]
        for way, result in results.by_way.items():
            chosen = way in (laboratory.first, laboratory.second)
            tiles.append(_tile(way, result, results, how, chosen))
            self._titles.append(way)
        if results.difference is not None:
            tiles.append(_difference_tile(results, laboratory.first, laboratory.second))
            self._titles.append(None)
        self.board.set_tiles(tiles)
        self.scale_bar.set_colours(rgb(palettes.colour_map(how)))
        self.scale_bar.set_title("value")
        self.scale_bar.set_range(words.value(low), words.value(high))
        self.apart.setText(_apart(results))
        why = next(iter(results.missing.items()), None)
        self.said.setText(f"No {why[0].title.lower()} convolution: {why[1]}" if why else EXPLANATION)

    def missing(self, scene: Scene) -> str:
        laboratory = scene.state.upsampling_lab
        if scene.picture is None or not scene.state.model:
            return "Open an image and a network: a few units of its maps are upsampled here in every way."
        if laboratory.source is Source.CLASS and (scene.prediction is None or scene.before is not None):
            return scene.unanswered or "The logits of the class come with the network's answer: wait for the run."
        if laboratory.source is Source.FEATURE and (scene.shown_features is None or scene.known is None):
            if scene.state.layer is None:
                return "Choose a layer in the Network panel, and click on the image to pin a unit."
            return f"The feature maps of {scene.state.layer} are on their way."
        return ""

    def what(self, scene: Scene) -> str:
        results = self._results
        if results is None:
            return ""
        near, (rows, columns) = results.near, results.near.values.shape
        place = f"rows {near.top} to {near.top + rows - 1}, columns {near.left} to {near.left + columns - 1}"
        return f"{near.name} · {place}"

    # --------------------------------------------------------------------------------- cursor

    def hover(self, point: tuple[float, float] | None) -> None:
        near = self._results.near if self._results is not None else None
        share = near.share(*point) if near is not None and point is not None else None
        self.board.set_mark(share)
        self._tell_values(share)

    def _hovered(self, spot: Spot, fy: float, fx: float) -> None:
        results = self._results
        if results is None or spot.part or not self.board.tiles[spot.tile].linked:
            return
        self._commands.point_at(results.near.pixel(fy, fx))
        self.board.set_mark((fy, fx))  # also where the unit lies outside the image
        self._tell_values((fy, fx))

    def _left(self) -> None:
        self._commands.point_at(None)
        self.board.set_mark(None)
        self._tell_values(None)

    def _tell_values(self, share: tuple[float, float] | None) -> None:
        results = self._results
        for way, figure in self.values.items():
            values = None
            if results is not None:
                result = results.by_way.get(way) if way is not None else None
                values = results.near.values if way is None else (result.values if result is not None else None)
            if values is None or share is None:
                figure.set_text("–", "dim")
                continue
            rows, columns = values.shape
            row, column = min(rows - 1, int(share[0] * rows)), min(columns - 1, int(share[1] * columns))
            figure.set_text(words.value(float(values[row, column])))

    # -------------------------------------------------------------------------------- gestures

    def _clicked(self, spot: Spot, fy: float, fx: float) -> None:
        results, scene = self._results, self._scene
        if results is None or scene is None:
            return
        way = self._titles[spot.tile]
        if spot.tile == 0 and spot.part == 1:  # the whole map: go there
            self._pin(results.near.channel, spot.row, spot.column)
        elif way is not None and spot.part == 0 and way is not scene.state.upsampling_lab.second:
            self._change(first=scene.state.upsampling_lab.second, second=way)

    def _resize(self, width: int) -> None:
        if self._scene is not None:
            from segviz.gui.panels import upsampling_maps

            factor = self._scene.state.upsampling_lab.factor
            self._change(edited=upsampling_maps.starting_rows(factor, width))

    # --------------------------------------------------------------------------------- leaving

    def picture(self) -> QImage:
        return self.board.picture()

    def svg(self) -> bytes:
        return self.board.svg() if self._results is not None else b""

    def rows(self) -> Rows:
        """Every value of every way: way, row, column, value; the map and the kernels too."""
        rows: Rows = [["what", "row", "column", "value"]]
        results = self._results
        if results is None:
            return []
        maps = {"map": results.near.values, **{way.value: one.values for way, one in results.by_way.items()}}
        kernels = {f"kernel {way.value}": one.kernel for way, one in results.by_way.items() if one.kernel is not None}
        for name, values in {**maps, **kernels}.items():
            for (row, column), value in _entries(values):
                rows.append([name, row, column, value])
        return rows

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        return None


EXPLANATION = "Click two tiles to compare them; click the whole map beside the small one to go elsewhere in it."


def _entries(values: object) -> list[tuple[tuple[int, int], float]]:
    import numpy as np

    return [((at[0], at[1]), float(value)) for at, value in np.ndenumerate(np.asarray(values))]


def _map_tile(results: Results, how: ColourMap) -> MatrixTile:
    from segviz.gui.widgets import cell_images

    near, (low, high) = results.near, results.range
    rows, columns = near.values.shape
    whole = Matrix(
        "whole map", near.whole,
        cell_images.coloured(near.whole, float(near.whole.min()), float(near.whole.max()), how),
        frame=(near.top, near.left, rows, columns),
    )  # fmt: skip
    pooled = results.pooled
    small = Matrix("pooled", pooled.values, cell_images.coloured(pooled.values, low, high, how))
    main = Matrix("map", near.values, cell_images.coloured(near.values, low, high, how), _cells(pooled.survivors))
    return MatrixTile("Map", main, (whole, small), f"{columns} × {rows} · dots survive pooling")


def _tile(way: Way, result: Result, results: Results, how: ColourMap, chosen: bool) -> MatrixTile:
    from segviz.gui.widgets import cell_images

    low, high = results.range
    marks = _cells(results.pooled.survivors) if way is Way.UNPOOLED else ()
    main = Matrix(way.title, result.values, cell_images.coloured(result.values, low, high, how), marks)
    beside: tuple[Matrix, ...] = ()
    if result.kernel is not None and result.overlap is not None:
        counts = result.overlap.astype(float)
        beside = (
            Matrix("kernel", result.kernel, cell_images.kernel_image(result.kernel, how)),
            Matrix("overlap", result.overlap, cell_images.coloured(counts, 0, float(counts.max()), ColourMap.GREY),
                   whole=True),
        )  # fmt: skip
    elif way is Way.UNPOOLED:
        pooled = results.pooled.values
        beside = (Matrix("pooled", pooled, cell_images.coloured(pooled, low, high, how)),)
    return MatrixTile(way.title, main, beside, result.note, chosen)


def _difference_tile(results: Results, first: Way, second: Way) -> MatrixTile:
    from segviz.gui.widgets import cell_images

    found = results.difference
    assert found is not None
    main = Matrix("difference", found.values, cell_images.about_zero(found.values))
    return MatrixTile(f"{first.title} − {second.title}", main, (), _apart(results))


def _apart(results: Results) -> str:
    found = results.difference
    if found is None:
        return ""
    return f"largest {words.exponent(found.maximum)}, mean {words.exponent(found.mean)}"


def _cells(marked: object) -> tuple[tuple[int, int], ...]:
    import numpy as np

    return tuple((int(row), int(column)) for row, column in np.argwhere(np.asarray(marked)))
