"""The canvas: the image with everything that is known of it on top, and how it is shown below.

Before there is an image it offers samples, and loads no numpy for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from segviz.core import assets, catalogue
from segviz.core.choices import View
from segviz.core.errors import SegvizError
from segviz.core.field import Box
from segviz.core.session import Session
from segviz.core.specs import same_network
from segviz.gui import gestures, names, theme, words
from segviz.gui.actions import find
from segviz.gui.canvas_strip import ERRORS, CanvasStrip
from segviz.gui.names import image_title, opening, sample_title, title_of
from segviz.gui.scene import Scene
from segviz.gui.widgets.box_tool import BoxTool
from segviz.gui.widgets.image_view import ImageView, Layer, Tool, ViewTransform
from segviz.gui.widgets.start_page import Offer, StartPage
from segviz.gui.widgets.tag import Tag

if TYPE_CHECKING:
    from segviz.core.images import Picture
    from segviz.gui.overlays import Overlays

TITLE = "Why did that pixel get its label?"
HINT = (
    "Choose a network or a photograph, or drop an image anywhere on the window. "
    "Ctrl+O opens one, Ctrl+V pastes one, Ctrl+N lets you draw one."
)
DRAW = "Draw digits; LeNet-5 reads them while you do"
MENU = ("copy", "card-copy", "export", None, "fit", "field-fit", "zoom-one", None, "unpin")
OF_UNIT = ("card-copy", "field-fit", "unpin")  # what needs a pinned unit
NETWORKS, PHOTOGRAPHS = "networks", "photographs"
BOARD = "whiteboard"  # key of its card


class Canvas(QWidget):
    """Shows a scene; positions that it emits are image pixels, their centres being integers."""

    hovered = Signal(float, float)
    left = Signal()
    clicked = Signal(float, float)
    window_dragged = Signal(float, float)  # where its left top corner is wanted, in pixel edges
    board_wanted = Signal()  # a new drawing, at once
    view_changed = Signal()
    action_wanted = Signal(str)  # an id of `actions`, chosen in the menu of the right mouse button

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._overlays: Overlays | None = None
        self.chain: tuple[Box, ...] = ()  # boxes of the filmstrip below the image
        self.ink: Layer | None = None  # a drawing that is being made: shown as it is now, whatever the scene has
        self.setAccessibleName("Canvas")
        theme.set_surface(self, "surround")
        self.view = ImageView("Image with overlay")
        self.box = BoxTool(self)
        self.view.tools = (self.box,)
        self.start = start_page()
        self.start.chosen.connect(self._choose)
        self.tag = Tag(self.view)
        self.strip = CanvasStrip()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.start)
        self._pages.addWidget(self.view)
        self._turn_to(self.view if session.state.image else self.start)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._pages, 1)
        self._column.addWidget(self.strip)
        self.strip.hide()
        self._connect()

    def _connect(self) -> None:
        self.view.hovered.connect(self.hovered)
        self.view.left.connect(self.left)
        self.view.clicked.connect(self.clicked)
        self.box.moved.connect(self.window_dragged)
        self.view.view_changed.connect(self.view_changed)
        self.strip.view_chosen.connect(self._set_view)
        self.strip.opacity_moved.connect(self._set_opacity)
        self.strip.minimum_moved.connect(self._set_minimum)
        self.strip.fit.clicked.connect(self.fit)
        self.strip.one.clicked.connect(self.zoom_one)

    # Methods, not lambdas: a lambda that holds the canvas would keep it alive.

    def _set_view(self, view: str) -> None:
        self._session.update(**(gestures.show_errors(True) if view == ERRORS else gestures.choose_view(View(view))))

    def _set_opacity(self, opacity: float) -> None:
        heat = self._session.state.view is View.HEATMAP
        self._session.update(**{"heat_opacity" if heat else "opacity": opacity})

    def _set_minimum(self, minimum: float) -> None:
        heat = self._session.state.view is View.HEATMAP
        self._session.update(**{"heat_minimum" if heat else "minimum": minimum})

    def add_tool(self, tool: Tool, strip: QWidget | None = None) -> None:
        """A tool that has its presses before all others, and the strip above the image that chooses it, if any."""
        self.view.tools = (tool, *self.view.tools)
        if strip is not None:
            self.add_strip(strip)

    def add_below(self, strip: QWidget) -> None:
        """A line between the image and the controls below it."""
        self._column.insertWidget(self._column.indexOf(self.strip), strip)

    def add_strip(self, strip: QWidget) -> None:
        """A line of controls above the image."""
        self._column.insertWidget(0, strip)

    # -------------------------------------------------------------------------------------- menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._pages.currentWidget() is self.view and self.view.geometry().contains(event.pos()):
            self.menu().popup(event.globalPos())

    def menu(self) -> QMenu:
        """What one does with the picture; each choice is told by `action_wanted`."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for identifier in MENU:
            if identifier is None:
                menu.addSeparator()
                continue
            action = find(identifier)
            item = menu.addAction(action.text)
            item.setToolTip(action.tip)
            item.setEnabled(identifier not in OF_UNIT or self._session.state.unit is not None)
            item.triggered.connect(lambda _, wanted=identifier: self.action_wanted.emit(wanted))
        return menu

    # ----------------------------------------------------------------------------------- showing

    def show_scene(self, old: Scene | None, new: Scene) -> None:
        """Repaint what differs between the scenes; changes no State. (`QWidget.show` has its name already.)"""
        if new.picture is None and self._overlays is None:
            image = new.state.image
            self._turn_to(self.view if image else self.start)
            self.tag.say(opening(image_title(image)) if image else "")
            return
        if self._overlays is None:
            from segviz.gui.overlays import Overlays  # loads numpy

            self._overlays, old = Overlays(), None
            self._overlays.sight.show_chain(self.chain)
            self._overlays.notes.covered = self.tag.place
        picture = new.picture
        self._overlays.ink = self.ink
        self._overlays.show(old, new)
        size = (picture.width, picture.height) if picture is not None else None
        self.view.set_content(size, self._overlays.layers)
        if picture is not None and not _is_shown(old, picture):
            self.view.fit()
        marks = self._overlays.dragged.marks
        self.box.box = marks.box if marks is not None else None
        self._turn_to(self.start if picture is None else self.view)
        self.strip.setVisible(picture is not None)
        self._show_strip(new.seen)
        self.tag.say(old_picture(new))

    def _turn_to(self, page: QWidget) -> None:
        """Keys are for the page that is shown: Tab would be stuck before one that is not."""
        self._pages.setCurrentWidget(page)
        self.setFocusProxy(page)

    def _show_strip(self, new: Scene) -> None:
        from segviz.gui import overlays

        state = new.state
        heat = state.view is View.HEATMAP
        shown = (state.heat_opacity, state.heat_minimum) if heat else (state.opacity, state.minimum)
        marked = overlays.marks_errors(new)
        self.strip.show_state(state.view, *shown)
        self.strip.show_errors(new.shown_truth is not None, marked)
        title, colours = overlays.scale(new)
        peak = self._overlays.peak(new) if self._overlays is not None else None
        self.strip.show_scale(title, colours, "" if peak is None else words.probability(peak), overlays.scale_ends(new))
        self.strip.show_legend(overlays.error_legend(new) if marked else overlays.legend(new))

    def point_at(self, point: tuple[float, float] | None) -> None:
        """A cross at this pixel of the image: where the mouse is in another view."""
        if self._overlays is not None and self._overlays.cross.at != point:
            self._overlays.cross.at = point
            self.view.update()

    def reach_from(self, point: tuple[float, float] | None) -> None:
        """The pixel whose projective field is shown, where one is wanted; None: the pinned one."""
        if self._overlays is not None and self._overlays.sight.reach_from(point):
            self.view.update()

    def show_chain(self, boxes: tuple[Box, ...]) -> None:
        """The boxes of the filmstrip below the image: both are chosen once."""
        self.chain = boxes
        if self._overlays is not None and self._overlays.sight.show_chain(boxes):
            self.view.update()

    # ------------------------------------------------------------------------------------ viewing

    def fit(self) -> None:
        """Show the whole image."""
        self.view.fit()

    def fit_with(self, box: Box) -> None:
        """Show the whole image, and a box of its pixels that may reach beyond it."""
        self.view.fit(box)

    @property
    def shown_zoom(self) -> float:
        """Screen pixels per pixel of what is shown, 0 without an image."""
        return self.view.projection.zoom if self.view.image_size is not None else 0.0

    def zoom_one(self) -> None:
        """One screen pixel an image pixel."""
        self.view.zoom_one()

    def zoom(self, factor: float) -> None:
        """Magnify by `factor` about the middle."""
        self.view.zoom(factor)

    @property
    def view_transform(self) -> ViewTransform:
        return self.view.view_transform

    @view_transform.setter
    def view_transform(self, wanted: ViewTransform) -> None:
        self.view.view_transform = wanted

    def render_image(self, scale: float = 1.0) -> QImage:
        """The image with all overlays, at `scale` times its own resolution; null without an image."""
        return self.view.render_image(scale)

    # ------------------------------------------------------------------------------------ samples

    def _choose(self, section: str, key: str) -> None:
        if key == BOARD:
            self.board_wanted.emit()
            return
        state = self._session.state
        choose = gestures.use_network if section == NETWORKS else gestures.use_image
        self._session.update(**choose(state, key))


def _is_shown(old: Scene | None, picture: Picture) -> bool:
    """Whether `old` showed this picture, or an earlier state of the drawing that it is."""
    shown = old.picture if old is not None else None
    drawn = shown is not None and names.is_board(picture.path) and names.same_image(shown.path, picture.path)
    return shown is picture or drawn


def old_picture(scene: Scene) -> str:
    """What is said over a picture that the network which is chosen now did not make; '' where it did."""
    if scene.before is None:
        return ""
    old, new = title_of(scene.before.model), title_of(scene.state.model)
    if scene.before.image == scene.state.image and same_network(scene.before.model, scene.state.model):
        return f"{old}'s result as it was viewed before"
    if old == new or not new:
        return f"{old}'s result for {image_title(scene.before.image or '')}"
    return f"{old}'s result, until {new} has answered" if scene.jobs else f"{old}'s result; {new} has not answered"


def start_page() -> StartPage:
    """Networks that know something, with their samples, and all sample images; empty where resources are missing."""
    page = StartPage(TITLE, HINT)
    try:
        images = assets.sample_images()
    except SegvizError:
        return page
    networks = [
        Offer(entry.name, entry.title, entry.summary, str(assets.sample(entry.sample)))
        for entry in catalogue.ENTRIES
        if entry.trained
    ]
    networks.insert(1, Offer(BOARD, "Whiteboard", DRAW, "", "pencil"))
    page.add_section(NETWORKS, "NETWORKS, EACH ON ITS OWN SAMPLE, AND A WHITEBOARD", networks, 176)
    page.add_section(
        PHOTOGRAPHS,
        "IMAGES",
        [Offer(str(p), sample_title(p), "", str(p)) for p in images],
        120,
    )
    return page
