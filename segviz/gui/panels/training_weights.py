"""U-Net's w(x) (lecture T30): cells drawn by hand or a mask file, distances d1 and d2, the weight of each pixel.

w(x) = w_c(x) + w_0 exp(-(d_1(x) + d_2(x))^2 / (2 sigma^2)): Ronneberger, Fischer and Brox 2015, equation 2.
numpy and scipy are loaded when the view is first looked at; masks are read, and maps computed and coloured, beside
the window's thread.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from segviz.core.errors import named
from segviz.core.formats import IMAGE_SUFFIXES
from segviz.core.session import LEAST_SIGMA, MOST_SIGMA, MOST_W_0
from segviz.gui import theme, words
from segviz.gui.background import Background
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.figure import Figure
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.image_view import ImageView
from segviz.gui.widgets.ink import Ink
from segviz.gui.widgets.pen import Pen
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.slider import LabelledSlider

if TYPE_CHECKING:
    from segviz.gui.panels.training_maps import Instances, Maps

PAPER = (288, 160)  # width and height of the drawing: about the shape of a quarter of the stage
DISCS = ((66, 58, 36), (136, 48, 28), (112, 112, 32), (196, 92, 38))  # x, y, radius: the cells drawn to begin with
AROUND = 4  # around a map, before `theme.px`: there are four of them
SOON = 60  # ms between a stroke and its map
UNDONE = 50
TITLES = {
    "cells": ("Cells", "Draw here: ink is cell, parts that touch are one cell. With a mask: its instances"),
    "nearest": ("d1", "Distance to the nearest cell, in pixels"),
    "second": ("d2", "Distance to the second nearest cell, in pixels"),
    "weights": ("w(x)", "What the loss of each pixel is multiplied with: class balance and the gap between cells"),
}
KINDS = f"Masks ({' '.join(f'*{suffix}' for suffix in IMAGE_SUFFIXES)});;All files (*)"


class MapView(QWidget):
    """One map: title, picture, and its scale."""

    def __init__(self, name: str) -> None:
        super().__init__()
        title, tip = TITLES[name]
        self.title = QLabel(title)
        self.title.setToolTip(tip)
        theme.set_role(self.title, "title")
        self.title.setMinimumHeight(theme.px(theme.CONTROL))  # of the scale beside the others: all maps are one size
        self.view = ImageView(f"{title}: {tip}", AROUND)
        self.bar = ColourBar()
        self.bar.setVisible(name != "cells")
        head = QHBoxLayout()
        head.setSpacing(theme.S)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.bar)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addLayout(head)
        column.addWidget(self.view, 1)


class WeightMapView(QWidget):
    """The cells and three maps of them, with one zoom and one place under the mouse."""

    weighting = Signal(float, float)  # w_0 and sigma that a person wants
    computed = Signal()  # the maps that are shown are those of the cells

    def __init__(self) -> None:
        super().__init__()
        self.views = {name: MapView(name) for name in TITLES}
        self.w_0 = LabelledSlider(
            "w₀", high=MOST_W_0, steps=60, write=lambda v: f"{v:.1f}",
            tooltip="How much a pixel in the narrowest gap counts besides its class; 10 in the paper",
        )  # fmt: skip
        self.sigma = LabelledSlider(
            "σ", low=LEAST_SIGMA, high=MOST_SIGMA, steps=39, write=lambda v: f"{v:.1f} px",
            tooltip="How wide gaps are that count, in pixels; about 5 in the paper",
        )  # fmt: skip
        self.tool = Segmented(
            ((False, "Pen", "Draw cells with the mouse"), (True, "Eraser", "Take ink off")), "Pen or eraser"
        )
        self.undo_button = flat_button("arrow-back-up", "Take back the last stroke")
        self.clear_button = flat_button("trash", "Empty paper")
        self.fit_button = flat_button("maximize", "Show the whole maps (F in a map)")
        self.open_button = QPushButton("Open a mask…")
        self.draw_button = QPushButton("Draw again")
        self.where = ElidedLabel()
        self.value = Figure("w 12.345 · d1 123.4 px · d2 123.4 px · 1234, 1234", align=Qt.AlignmentFlag.AlignLeft)
        self.pen = Pen(self)
        self.ink: Ink | None = None
        self.maps: Maps | None = None
        self._mask: Instances | None = None  # an instance map from a file, in the place of the drawing
        self._undo: list[QImage] = []
        self._background = Background()
        self._busy = self._dirty = self._seen = False
        self._moved = False  # whether the cells are others than those of the maps
        self._wanted: str | None = None  # the mask that is being read
        self._weighting = (0.0, LEAST_SIGMA)  # until `show_weighting` says
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._compute)
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        self.open_button.setToolTip("A mask from a file: an instance map, or one whose connected parts are the cells")
        self.draw_button.setToolTip("Back to the cells that are drawn here")
        theme.set_role(self.where, "caption")
        tools = QHBoxLayout()
        tools.setSpacing(theme.S)
        buttons = self.undo_button, self.clear_button, self.fit_button, self.open_button, self.draw_button
        for part in (self.tool, *buttons):
            tools.addWidget(part)
        tools.addWidget(self.where, 1)
        sliders = QHBoxLayout()
        sliders.setSpacing(theme.L)
        sliders.addWidget(self.w_0, 1)
        sliders.addWidget(self.sigma, 1)
        grid = QGridLayout()
        grid.setSpacing(theme.S)
        for at, name in enumerate(TITLES):
            grid.addWidget(self.views[name], at // 2, at % 2)
            grid.setRowStretch(at // 2, 1)
            grid.setColumnStretch(at % 2, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addLayout(tools)
        column.addLayout(sliders)
        column.addLayout(grid, 1)
        column.addWidget(self.value)

    def _connect(self) -> None:
        for slider in (self.w_0, self.sigma):
            slider.moved.connect(lambda _: self.weighting.emit(self.w_0.value, self.sigma.value))
        self.tool.changed.connect(lambda erases: setattr(self.pen, "erases", bool(erases)))
        self.undo_button.clicked.connect(self._take_back)
        self.clear_button.clicked.connect(self._clear)
        self.fit_button.clicked.connect(self.views["cells"].view.fit)
        self.open_button.clicked.connect(self._ask_mask)
        self.draw_button.clicked.connect(self._draw_again)
        self.pen.painted.connect(self._painted)
        self.pen.lifted.connect(lambda before, area, erased: self._remember(before))
        self.views["cells"].view.tools = (self.pen,)
        for part in self.views.values():
            part.view.hovered.connect(self._hover)
            part.view.left.connect(lambda: self.value.set_text(""))
            part.view.view_changed.connect(lambda v=part.view: self._follow(v))
        self.destroyed.connect(self._background.close_at_once)

    # ------------------------------------------------------------------------------- showing

    def set_seen(self, seen: bool) -> None:
        """Whether anybody looks: the first time loads what it needs."""
        self._seen = seen
        if seen and self.ink is None:
            self._draw_again()

    def show_weighting(self, w_0: float, sigma: float) -> None:
        """Weigh by these numbers; silent."""
        if (w_0, sigma) != self._weighting:
            self._weighting = w_0, sigma
            self.w_0.set_value(w_0)
            self.sigma.set_value(sigma)
            if self.ink is not None:
                self._work()

    def _draw_again(self) -> None:
        if self.ink is None:
            self.ink = Ink.blank(*PAPER)
            for x, y, radius in DISCS:
                self.ink.line(QPointF(x, y), QPointF(x, y), 2.0 * radius)
        self._mask = self._wanted = None
        self.pen.drop(self.ink)
        self.pen.width = 14.0
        self.where.setText("Each part of the ink is a cell; drag beside the paper, or with Alt, to move it")
        self.views["cells"].view.set_content(self.ink.size, (self.ink,))
        self._show_tools()
        self._compute()

    def _show_tools(self) -> None:
        drawn = self._mask is None
        for part in (self.tool, self.undo_button, self.clear_button):
            part.setVisible(drawn)
        self.undo_button.setEnabled(bool(self._undo))
        self.draw_button.setVisible(not drawn)

    def _compute(self) -> None:
        """The cells are others: find them, their distances and weights."""
        self._moved = True
        self._work()

    def _work(self) -> None:
        """Bring the maps up to cells and sliders beside this thread; the newest of both win."""
        if self._busy:
            self._dirty = True
            return
        from segviz.gui.panels import training_maps

        known = None if self._moved else self.maps
        self._busy, self._dirty, self._moved = True, False, False
        found: list[Maps] = []
        if known is not None:
            work = partial(known.weighed, *self._weighting)
        else:
            source = self._mask if self._mask is not None else training_maps.ink_of(self.ink)
            work = partial(training_maps.Maps.of, source, *self._weighting)
        self._background.run(lambda: found.append(work()), lambda error: self._computed(found, error))

    def _computed(self, found: list[Maps], error: Exception | None) -> None:
        self._busy = False
        if error is not None:
            self._moved = True  # the maps are not of these cells
            self.where.setText(str(error))
        if found and not self._moved:  # else they are of cells that are gone
            self.maps = found[0]
            self._show_maps(found[0])
        if self._dirty:
            self._work()
        elif found:
            self.computed.emit()

    def _show_maps(self, maps: Maps) -> None:
        names = [name for name in TITLES if name != "cells" or self._mask is not None]
        for name in names:
            self.views[name].view.set_content(maps.size, (maps.layers[name],))
        longest = words.count(round(maps.longest)) if maps.longest else "0"
        for name, unit, end in (
            *((name, "px", longest) for name in ("nearest", "second")),
            ("weights", "weight", f"{maps.top:.2f}"),
        ):
            bar = self.views[name].bar
            bar.set_colours(maps.colours)
            bar.set_title(unit)
            bar.set_range("0", end)

    def _hover(self, x: float, y: float) -> None:
        self.value.set_text(self.maps.said_at(round(x), round(y)) if self.maps is not None else "")

    def _follow(self, moved: ImageView) -> None:
        for part in self.views.values():
            if part.view is not moved:
                if moved.fitted:
                    part.view._fit()
                else:
                    part.view.view_transform = moved.view_transform

    # ------------------------------------------------------------------------------- gestures

    def _painted(self, box: object) -> None:
        self.views["cells"].view.update()
        if not self._soon.isActive():
            self._soon.start(SOON)

    def _remember(self, before: QImage) -> None:
        self._undo = [*self._undo[1 - UNDONE :], before]
        self._show_tools()

    def _take_back(self) -> None:
        if self._undo and self.ink is not None:
            self.ink.image = self._undo.pop()
            self._show_tools()
            self._painted(None)

    def _clear(self) -> None:
        if self.ink is not None:
            self._remember(self.ink.image.copy())
            self.ink.clear()
            self._painted(None)

    def _ask_mask(self) -> None:
        dialog = QFileDialog(self, "A mask of cells", "", KINDS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.open_mask)
        dialog.open()

    def open_mask(self, path: str) -> None:
        """Show the weight map of a mask file; one that cannot be read changes nothing but the words below."""
        self._wanted = path
        self.where.setText(f"Reading {named(Path(path))}…")
        read: list[Instances] = []

        def work() -> None:
            from segviz.gui.panels import training_maps

            read.append(training_maps.mask_of(path))

        self._background.run(work, lambda error: self._opened(path, read, error))

    def _opened(self, path: str, read: list[Instances], error: Exception | None) -> None:
        if path != self._wanted:  # another was asked for meanwhile, or the drawing
            return
        self._wanted = None
        if error is not None:
            self.where.setText(str(error))
            return
        self._mask = read[0]
        self.pen.drop(None)
        self.where.setText(named(Path(path)))
        self._show_tools()
        self._compute()
