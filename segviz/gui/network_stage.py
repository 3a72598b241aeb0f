"""The stage that shows a network in the canvas's place: its picture, and what would follow if a layer were another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from segviz.core.choices import NetworkView
from segviz.core.export import replace_file
from segviz.core.volume_layout import Plan
from segviz.gui import kinds, pictures, picturing, settings, theme, words
from segviz.gui.network_figure import Figures, focus_of
from segviz.gui.panels.header import HeaderLine
from segviz.gui.scene import Scene
from segviz.gui.what_if_page import WhatIfPage, summary
from segviz.gui.what_if_rows import Outcome
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import worded_button
from segviz.gui.widgets.network_board import NetworkBoard, image_of, svg_of
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.workbench import Pages

if TYPE_CHECKING:
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands, SaveFunction

VIEWS = (NetworkView.PICTURE, NetworkView.WHAT_IF)


class NetworkStage(QWidget):
    """`zoomed` carries the zoom of the picture."""

    zoomed = Signal(float)

    def __init__(self, session: Session, commands: Commands) -> None:
        super().__init__()
        self._session, self._commands = session, commands
        self._scene: Scene | None = None
        self.figures = Figures()
        self.setObjectName("stage-network")
        self.setAccessibleName("The network")
        theme.set_surface(self, "panel")
        self.board = NetworkBoard("The network as a picture")
        self.pages = Pages()
        self.what_if = WhatIfPage()
        self.what_if.changed.connect(self._update)
        self.pages.addWidget(self.board)
        self.pages.addWidget(self.what_if)
        self._connect()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._header())
        column.addWidget(self.pages, 1)
        self.setFocusProxy(self.board)

    def _header(self) -> HeaderLine:
        line = HeaderLine()
        options = tuple((view, view.title, f"{view.hint[:1].upper()}{view.hint[1:]}") for view in VIEWS)
        self.choice = Segmented(options, "What of the network is shown")
        self.choice.changed.connect(lambda view: self._session.update(network_view=view))
        self.what = ElidedLabel()
        theme.set_role(self.what, "caption")
        line.add(self.choice)
        line.add(self.what, 1)
        line.add(self.what_if.reset_one)
        line.add(self.what_if.reset_all)
        self.overview = line.button("zoom-out", "All of the network, folded as at first", self._whole)
        self.copy = line.button("copy", "Copy the picture", self.copy_picture)
        self.save = line.button("download", "Save the picture as PNG", self._save)
        self.table = worded_button("CSV", "Save the table as CSV")
        self.table.clicked.connect(self._save_table)
        line.add(self.table)
        self.drawing = worded_button("SVG", "Save the picture as SVG, in which text stays text")
        self.drawing.clicked.connect(self._save_drawing)
        line.add(self.drawing)
        self.close_button = line.button("x", "Back to the image  (Esc)", lambda: self._commands.do("network-image"))
        return line

    def _connect(self) -> None:
        board = self.board
        board.clicked.connect(lambda place: self._change(picturing.select, place))
        board.entered.connect(lambda place: self._change(picturing.enter, place))
        board.stepped.connect(lambda by: self._change(picturing.step, by))
        board.toggled.connect(self._toggle)
        board.outward.connect(self._outward)
        board.zoomed.connect(self.zoomed)

    # --------------------------------------------------------------------------------- showing

    def show_scene(self, scene: Scene) -> None:
        """Bring the page in front up to the scene."""
        self._scene = scene
        view = scene.state.network_view
        if view in VIEWS:
            self.choice.set_value(view)
        self._show_page(view is not NetworkView.WHAT_IF)
        found = self.figures.outcome(scene)
        if view is NetworkView.WHAT_IF:  # the picture follows when it is looked at: an edit is to be seen at once
            self.what_if.show_outcome(scene, found)
            self.what.setText("")
        else:
            self._show_board(scene, found)
        chosen = scene.state.network_picture
        self.overview.setEnabled(chosen.focus is not None or bool(chosen.toggled))

    def _show_board(self, scene: Scene, found: Outcome | None) -> None:
        plan = self.figures.plan(scene)
        self.board.glides = settings.glides()
        focus = focus_of(scene, plan) if plan is not None else None
        self.board.show_figure(self.figures.figure(scene), focus, self.figures.tips(scene))
        self.what.setText(_facts(scene, plan, found))

    def _show_page(self, pictured: bool) -> None:
        """The picture or the table in front, with the buttons that belong to it."""
        self.pages.setCurrentWidget(self.board if pictured else self.what_if)
        self.setFocusProxy(self.board if pictured else self.what_if.table)
        for button in (self.overview, self.save, self.drawing):
            button.setVisible(pictured)
        for button in (self.what_if.reset_one, self.what_if.reset_all, self.table):
            button.setVisible(not pictured)
        _name(self.copy, "Copy the picture" if pictured else "Copy the table")

    # -------------------------------------------------------------------------------- gestures

    def _update(self, changes: picturing.Changes) -> None:
        if changes:
            self._session.update(**changes)

    def _change(self, gesture: picturing.Gesture, argument: int) -> None:
        if self._scene is not None and self.figures.folding is not None:
            self._update(gesture(self._scene, self.figures.folding, argument))

    def _toggle(self, block: str) -> None:
        if self._scene is not None:
            self._update(picturing.toggle(self._scene, block))

    def _outward(self) -> None:
        if self._scene is not None and self.figures.folding is not None:
            self._update(picturing.outward(self._scene, self.figures.folding))

    def _whole(self) -> None:
        if self._scene is not None:
            self._update(picturing.whole(self._scene))

    def fit(self) -> None:
        """Show the focus, or all of the picture."""
        self.board.fit()

    @property
    def shown_zoom(self) -> float:
        """Screen pixels per pixel of the picture, 0 while the table is in front."""
        return self.board.projection.zoom if self.pages.currentWidget() is self.board else 0.0

    def zoom_one(self) -> None:
        """The picture at its own size."""
        self.board.zoom_one()

    def zoom(self, factor: float) -> None:
        """Magnify by `factor` about the middle."""
        self.board.zoom(factor)

    # ------------------------------------------------------------------------------------ out

    def copy_picture(self) -> None:
        """Put the page on the clipboard, as a picture or as a table."""
        if self.pages.currentWidget() is self.what_if:
            self._commands.copy_table(self.what_if.rows())
        elif self.board.figure is not None:
            self._commands.copy_image(image_of(self.board.figure, theme.tokens(self.palette())))

    def _save(self) -> None:
        figure, tokens = self.board.figure, theme.tokens(self.palette())
        if figure is not None:  # painted in the thread that writes it
            self._commands.save_with(
                "network.png", kinds.PNG, lambda path: pictures.save_png(image_of(figure, tokens), path)
            )

    def _save_table(self) -> None:
        self._commands.save_table(self.what_if.rows(), "what-if")

    def _save_drawing(self) -> None:
        figure, tokens = self.board.figure, theme.tokens(self.palette())
        if figure is None or self._scene is None or self._scene.network is None:
            return
        title = self._scene.network.title

        def paint() -> SaveFunction:
            drawing = svg_of(figure, tokens, title)
            return lambda path: replace_file(path, lambda part: part.write_bytes(drawing))

        self._commands.save_painted("network.svg", kinds.SVG, paint)


def _name(button: QToolButton, name: str) -> None:
    button.setToolTip(name)
    button.setAccessibleName(name)


def _facts(scene: Scene, plan: Plan | None, found: Outcome | None) -> str:
    """What the picture shows, in a line; of a network that was edited, what follows from that."""
    network = scene.network
    if network is None or plan is None or found is None:
        return ""
    if found.edits:
        return summary(scene, found)
    return " · ".join(
        (
            network.title,
            f"{words.short_count(network.total_parameters)} parameters",
            f"{words.short_count(network.macs)} multiply-adds",
            words.many(len(plan.scheme.volumes), "volume"),
        )
    )
