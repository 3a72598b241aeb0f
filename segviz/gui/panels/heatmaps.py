"""Where the most probable classes are: one small heatmap for each, over the dimmed photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from segviz.core.choices import ColourMap, View
from segviz.core.field import from_shares, to_shares
from segviz.gui import theme, words
from segviz.gui.names import title_of
from segviz.gui.panels.base import Area
from segviz.gui.panels.header import ChoicePill, HeaderLine
from segviz.gui.panels.sheet import Sheet, contact_sheet
from segviz.gui.scene import Kind, Scene, Tab
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.thumb_grid import ThumbGrid

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from segviz.core.requests import Prediction
    from segviz.core.scores import Normaliser
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

SHOWN = 12  # classes
LONGEST = 288  # longer side of a tile's picture, in pixels: enough for a screen of twice the density


class HeatmapsPanel:
    """Small multiples of the top classes; a click shows that class on the canvas."""

    id = Tab.HEATMAPS.value
    title = "Heatmaps"
    area = Area.WORKBENCH
    stage: QWidget | None = None

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self._prediction: Prediction | None = None
        self._classes: list[int] = []
        self._peaks: list[float] = []
        self._normaliser: Normaliser | None = None
        self._photograph: npt.NDArray[np.uint8] | None = None
        self.widget = QWidget()
        self.widget.setObjectName("panel-heatmaps")
        theme.set_surface(self.widget, "panel")
        self.grid = ThumbGrid("Heatmaps of the most probable classes")
        self.grid.set_smooth(True)
        self.grid.set_filling(True)
        self.grid.clicked.connect(lambda index, fx, fy: self._clicked(index))
        self.grid.walked.connect(self._clicked)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.note.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        theme.set_role(self.note, "dim")
        self.what = ElidedLabel()
        theme.set_role(self.what, "caption")
        self.scale_bar = ColourBar()
        self.scale_bar.set_title("probability")
        self.grid.hovered.connect(self._hovered)
        self.grid.menu_wanted.connect(lambda index, at: self.menu_of(index).popup(at))
        self.grid.left.connect(lambda: self._commands.point_at(None))
        self.colours = ChoicePill(
            "Colours", "Colours of probabilities", ColourMap, lambda v: session.update(colour_map=v)
        )
        self.header: QWidget | None = self._make_header()
        layout = QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.note, 1)
        layout.addWidget(self.grid, 1)

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        line.add(self.what, 1)
        line.add(self.scale_bar)
        line.add(self.colours)
        self.copy = line.button("copy", "Copy all heatmaps as one picture", self._copy)
        self.save = line.button("download", "Save all heatmaps as one PNG", self._save)
        return line

    # ------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene, new = new, new.seen
        old = old.seen if old is not None else None
        fresh = old is None or self._prediction is not new.prediction or old.picture is not new.picture
        another = new.prediction is not None and _names(new.prediction) != _names(self._prediction)
        if fresh:
            self._take(new)
        recoloured = old is None or old.state.colour_map is not new.state.colour_map
        if (fresh or recoloured) and new.prediction is not None:
            self._show_scale(new)
        if fresh:
            self._fill()
            if another:
                self.grid.verticalScrollBar().setValue(0)
        elif recoloured:
            self.grid.refresh()
        current = new.shown_class if new.state.view is View.HEATMAP else None
        self.grid.set_selected(self._classes.index(current) if current in self._classes else None)
        self.grid.setEnabled(self._scene.before is None)
        self._show_mark(new.state.cursor)
        self._show_words(new)

    def _take(self, scene: Scene) -> None:
        self._prediction = prediction = scene.prediction
        self._classes, self._peaks, self._normaliser, self._photograph = [], [], None, None
        if prediction is None:
            return
        from segviz.core.scores import Normaliser
        from segviz.gui.panels import tiles

        self._normaliser = Normaliser.of(prediction.logits)
        peak = self._normaliser.peaks(prediction.logits)
        self._classes = tiles.top_classes(prediction, peak, SHOWN)
        self._peaks = [float(peak[index]) for index in self._classes]
        if scene.picture is not None and scene.shown_prediction is prediction:
            self._photograph = tiles.shrunk(scene.picture.pixels, LONGEST)

    def _fill(self) -> None:
        if self._prediction is None:
            self.grid.set_tiles(0, 1.0, lambda index: QImage())
            return
        height, width = self._prediction.labels.shape
        self.grid.set_tiles(len(self._classes), width / height, self._tile, self._caption)

    def _tile(self, index: int) -> QImage:
        """One class, upsampled to the size of the shrunk photograph."""
        prediction, normaliser, scene = self._prediction, self._normaliser, self._scene
        assert prediction is not None
        assert normaliser is not None
        assert scene is not None
        from segviz.core import palettes, resample
        from segviz.gui.panels import tiles
        from segviz.gui.panels.pixels import to_image

        height, width = prediction.labels.shape
        ground = self._photograph
        if ground is None:
            ground = tiles.blank(height, width, LONGEST)
        lattice = prediction.lattice.resized((ground.shape[0] / height, ground.shape[1] / width))
        grid = normaliser.probability(prediction.logits[self._classes[index]])
        wide = resample.upsample(grid, lattice, prediction.upsampling, *ground.shape[:2])
        return to_image(tiles.over_grey(ground, wide, palettes.heat_table(scene.state.colour_map)))

    def _caption(self, index: int) -> str:
        assert self._prediction is not None
        return f"{self._prediction.classes[self._classes[index]]}  {words.probability(self._peaks[index])}"

    def _show_scale(self, scene: Scene) -> None:
        from segviz.core import palettes
        from segviz.gui.widgets.plane import rgb

        table = palettes.colour_map(scene.state.colour_map)
        self.scale_bar.set_colours(rgb(table))
        self.scale_bar.set_range("0", "1")

    def _show_mark(self, point: tuple[float, float] | None) -> None:
        if point is None or self._prediction is None:
            self.grid.set_mark(None)
            return
        height, width = self._prediction.labels.shape
        self.grid.set_mark(to_shares(*point, height, width))

    def _show_words(self, scene: Scene) -> None:
        prediction, before = self._prediction, self._scene.before if self._scene is not None else None
        there = prediction is not None
        self.colours.show_choice(scene.state.colour_map)
        if prediction is not None:
            classes, rows, columns = prediction.logits.shape
            shown = f"{len(self._classes)} of {words.count(classes)} classes, the most probable first"
            whose = f"{title_of(before.model)}: " if before is not None else ""
            self.what.setText(f"{whose}{shown} · grid of {words.size(columns, rows)}")
        else:
            self.what.setText("")
        busy = scene.job(Kind.PREDICTION) is not None
        self.note.setText("Segmenting…" if busy else "Heatmaps appear here once the network has run on an image.")
        self.note.setVisible(not there)
        for part in (self.grid, self.scale_bar, self.colours, self.copy, self.save):
            part.setVisible(there)

    def hover(self, point: tuple[float, float] | None) -> None:
        """The cross follows the mouse on the image, in every heatmap."""
        if self._scene is not None:
            self._show_mark(point or self._scene.state.cursor)

    def wants_stage(self, scene: Scene) -> bool:
        return False

    # ------------------------------------------------------------------------------ gestures

    def _clicked(self, index: int) -> None:
        if index < len(self._classes):
            self._session.update(view=View.HEATMAP, shown_class=self._classes[index])

    def _hovered(self, index: int, fx: float, fy: float) -> None:
        if self._prediction is not None and index < len(self._classes):
            height, width = self._prediction.labels.shape
            self._commands.point_at(from_shares(fx, fy, height, width))

    # -------------------------------------------------------------------------------- leaving

    def menu_of(self, index: int) -> QMenu:
        """All that can be done with the heatmap of a tile."""
        assert self._prediction is not None
        name, image = self._prediction.classes[self._classes[index]], self._tile(index)
        menu = QMenu(self.grid)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show on the canvas").triggered.connect(lambda: self._clicked(index))
        menu.addSeparator()
        menu.addAction("Copy the heatmap").triggered.connect(lambda: self._commands.copy_image(image))
        menu.addAction("Save the heatmap…").triggered.connect(lambda: self._commands.save_image(image, f"{name}-map"))
        return menu

    def sheet(self) -> QImage | None:
        """All heatmaps as one picture; None without any."""
        if self._prediction is None or not self._classes:
            return None
        height, width = self._prediction.labels.shape
        what = Sheet(self.what.text(), len(self._classes), width / height, LONGEST)
        return contact_sheet(what, self._tile, self._caption, theme.tokens(self.widget.palette()))

    def _copy(self) -> None:
        image = self.sheet()
        if image is not None:
            self._commands.copy_image(image)

    def _save(self) -> None:
        image = self.sheet()
        if image is not None:
            self._commands.save_image(image, "heatmaps")


def _names(prediction: Prediction | None) -> tuple[str, str | None]:
    """The network and the image of a prediction."""
    return (prediction.request.setup.model, prediction.request.setup.image) if prediction is not None else ("", None)
