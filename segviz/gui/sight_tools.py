"""What units see in the window: the filmstrip below the image, the grey square on it, the reach of the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from segviz.gui import kinds, pictures, sighting, theme
from segviz.gui.actions import find, tooltip
from segviz.gui.scene import Scene, pinned
from segviz.gui.widgets.box_tool import BoxTool
from segviz.gui.widgets.filmstrip import SIDE, Filmstrip
from segviz.gui.widgets.heading import flat_button

if TYPE_CHECKING:
    from segviz.gui.canvas import Canvas
    from segviz.gui.sighting import Still
    from segviz.gui.window import MainWindow

EMPTY = "Click in the image to pin a unit: what the layers before it see stands here."
UNKNOWN = "The field of this unit is not known, so that its chain is not, either."
SHARPNESS = 2  # pixels of a tile's picture for one of the screen: it may be shown on a fine one


def _painted_card(scene: Scene, tokens: theme.Tokens) -> QImage:
    """In any thread."""
    from segviz.gui.pixel_card import card

    image = card(scene, tokens)
    assert image is not None, "the unit was pinned when the card was asked for"
    return image


class SightTools(QObject):
    """Follows the scene; what a person does ends in the window's session."""

    def __init__(self, window: MainWindow, canvas: Canvas) -> None:
        super().__init__(window)
        self._window, self._canvas = window, canvas
        self._scene: Scene | None = None
        self._shown: object = None
        self._square_key: object = None
        self._stills: tuple[Still, ...] = ()
        self.square = BoxTool(self)
        self.square.moved.connect(self._drag)
        canvas.add_tool(self.square)
        self.film = Filmstrip()
        self.film.clicked.connect(self._choose)
        self.film.resized.connect(self._fill)
        self.note = QLabel(EMPTY)
        self.note.setWordWrap(True)
        theme.set_role(self.note, "dim")
        self.strip = self._build()
        canvas.add_below(self.strip)
        self.strip.hide()
        canvas.hovered.connect(lambda x, y: canvas.reach_from((x, y)))
        canvas.left.connect(lambda: canvas.reach_from(None))

    def _build(self) -> QWidget:
        strip = QWidget()
        theme.set_surface(strip, "surround")
        close = flat_button("x", f"Close the filmstrip  ({find('filmstrip').keys[0]})")
        close.clicked.connect(lambda: self._window.do("filmstrip"))
        card = flat_button("copy", tooltip(find("card-copy")))
        card.clicked.connect(lambda: self._window.do("card-copy"))
        buttons = QVBoxLayout()
        buttons.setSpacing(0)
        buttons.addWidget(close)
        buttons.addWidget(card)
        buttons.addStretch(1)
        row = QHBoxLayout(strip)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(theme.M, theme.S, theme.S, theme.XS)
        row.setSpacing(theme.S)
        row.addWidget(self.note, 1)
        row.addWidget(self.film, 1)
        row.addLayout(buttons)
        return strip

    def _drag(self, x: float, y: float) -> None:
        self._change(sighting.drag_square(self._window.desk.scene, x, y))

    def _choose(self, at: int) -> None:
        if at < len(self._stills):
            self._change(sighting.select_still(self._window.desk.scene, self._stills[at]))

    def _change(self, changes: sighting.Changes) -> None:
        if changes:
            self._window.desk.session.update(**changes)

    def fit(self) -> None:
        """Show the whole image together with the field of the pinned unit."""
        unit = pinned(self._window.desk.scene)
        if unit is not None:
            self._canvas.fit_with(unit.field)

    def copy_card(self) -> None:
        """Put the card of the pinned unit on the clipboard; it is painted in the background."""
        scene, tokens = self._window.desk.scene, theme.tokens()
        if pinned(scene) is not None and scene.picture is not None:
            self._window.files.copy_made(lambda: _painted_card(scene, tokens))

    def save_card(self) -> None:
        """Ask where, and save the card of the pinned unit: it is painted in the thread that writes it."""
        scene, tokens = self._window.desk.scene, theme.tokens()
        if pinned(scene) is not None and scene.picture is not None:
            name = f"{self._window.files.stem()}-pixel.png"
            self._window.desk.save_with(
                name, kinds.PNG, lambda path: pictures.save_png(_painted_card(scene, tokens), path)
            )

    def show_scene(self, scene: Scene) -> None:
        """Follow the scene; silent."""
        self._scene = scene
        key = sighting.square_key(scene)
        if key != self._square_key:
            self._square_key = key
            found = sighting.occluded(scene)
            self.square.box = found.box if found is not None else None
        self._fill()
        self.strip.setVisible(scene.state.sight.filmstrip and scene.picture is not None)

    def _fill(self) -> None:
        """Make the tiles anew where they would be others, and the boxes on the image with them."""
        scene = self._scene
        if scene is None or not scene.state.sight.filmstrip or scene.picture is None:
            self._shown = None
            self._canvas.show_chain(())
            return
        state = scene.state
        key = (scene.picture, scene.network, state.layer, state.unit, state.cursor, self.film.room, theme.tokens())
        if key == self._shown:
            return
        self._shown = key
        from segviz.gui.film import tiles_of

        self._stills, tiles = tiles_of(scene, self.film.room, theme.px(SIDE) * SHARPNESS, theme.tokens())
        self.note.setText(EMPTY if pinned(scene) is None else UNKNOWN)
        self.note.setVisible(not tiles)
        self.film.setVisible(bool(tiles))
        self.film.set_tiles(tiles)
        self._canvas.show_chain(sighting.chain_of(self._stills))
