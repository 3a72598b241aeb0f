"""A view of a network's picture: zoom from all of it to a block to a layer, by wheel, keys and double clicks."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QToolTip, QWidget

from segviz.core.field import Box
from segviz.core.volume_layout import Plan
from segviz.gui import theme
from segviz.gui.drawings import as_svg
from segviz.gui.widgets import tooltips
from segviz.gui.widgets.network_captions import Captions, captions_height
from segviz.gui.widgets.network_paint import Figure, NetworkPainter
from segviz.gui.widgets.painted import Painted, focus_ring
from segviz.gui.widgets.projection import Projection

STEP = 1.25  # of the zoom, a notch of the wheel or a key
LARGEST = 40.0
SMALLEST = 0.2  # of the zoom that fits all
MARGIN = 20  # about what is fitted, before `theme.px`
GLIDE = 240  # ms from one place to another
SAVED = 1.25  # zoom of a picture that is saved


class NetworkBoard(Painted):
    """Shows a `Figure`. Items are told by their places in its scheme.

    `clicked` and `entered` (a double click, Return) carry a place, `toggled` the name of a block that is to be
    folded or unfolded, `stepped` how many volumes an arrow key goes on, `pointed` the place under the mouse or
    None. `zoomed` carries the zoom, `outward` says that a person wants to see more around what is shown.
    """

    clicked = Signal(int)
    entered = Signal(int)
    toggled = Signal(str)
    stepped = Signal(int)
    pointed = Signal(object)
    zoomed = Signal(float)
    outward = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figure: Figure | None = None
        self._tips: tuple[str, ...] = ()
        self._focus: Box | None = None
        self._at = Projection()
        self._fitted = True
        self._pressed: QPointF | None = None
        self._dragging = False
        self._counts: dict[str, QRectF] = {}
        self._brackets: dict[str, QRectF] = {}
        self.glides = True  # whether it moves to another place instead of jumping
        self._glide = QVariantAnimation(self)
        self._glide.setDuration(GLIDE)
        self._glide.valueChanged.connect(self._glided)
        self._way = (Projection(), Projection())
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # ---------------------------------------------------------------------------------- content

    @property
    def figure(self) -> Figure | None:
        return self._figure

    def show_figure(self, figure: Figure | None, focus: Box | None, tips: tuple[str, ...] = ()) -> None:
        """Show `figure`, and of it the part in `focus`, or all; silent. The view moves only when that has changed."""
        same = self._figure is not None and figure is not None and self._figure.plan is figure.plan
        moved = not same or focus != self._focus
        if figure is not None and self._figure is not None and same:
            figure = replace(figure, hovered=self._figure.hovered)
        first = self._figure is None
        self._figure, self._focus, self._tips = figure, focus, tips
        self.setAccessibleDescription(_spoken(figure))
        if figure is not None and moved:
            self._fitted = True
            self._go(self._fitting(), glide=not first)
        self.update()

    # --------------------------------------------------------------------------------- geometry

    @property
    def projection(self) -> Projection:
        """`zoom` and where the left end of the axis is on the screen."""
        return self._at

    def sizeHint(self) -> QSize:
        return QSize(theme.px(640), theme.px(400))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(240), theme.px(160))

    def _fitting(self) -> Projection:
        """Where the focus, or all, fills the view."""
        if self._figure is None:
            return self._at
        return fitted(self._figure.plan, self._focus, QSizeF(self.size()))

    def _limits(self) -> tuple[float, float]:
        if self._figure is None:
            return 1.0, 1.0
        whole = fitted(self._figure.plan, None, QSizeF(self.size())).zoom
        return whole * SMALLEST, max(LARGEST, whole)

    def fit(self) -> None:
        """Show the focus, or all of the picture."""
        self._fitted = True
        self._go(self._fitting())

    def zoom_one(self) -> None:
        """The picture at its own size."""
        self.zoom(1 / self._at.zoom)

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """Magnify by `factor` about a place on the screen, else about the middle."""
        least, most = self._limits()
        wanted = max(least, min(most, self._at.zoom * factor))
        self._glide.stop()
        self._fitted = False
        self._show(self._at.zoomed(wanted, about or QRectF(self.rect()).center()))

    def _show(self, at: Projection) -> None:
        self._at = at
        self.update()
        self.zoomed.emit(at.zoom)

    def _go(self, at: Projection, glide: bool = True) -> None:
        self._glide.stop()
        if not (glide and self.glides and self.isVisible()):
            self._show(at)
            return
        self._way = (self._at, at)
        self._glide.setStartValue(0.0)
        self._glide.setEndValue(1.0)
        self._glide.start()

    def _glided(self, share: float) -> None:
        start, end = self._way
        eased = share * share * (3 - 2 * share)
        self._show(
            Projection(
                start.zoom * (end.zoom / start.zoom) ** eased,
                start.left + (end.left - start.left) * eased,
                start.top + (end.top - start.top) * eased,
            )
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self._go(self._fitting(), glide=False)

    # --------------------------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        t = self.colours()
        painter.fillRect(self.rect(), t.color("surround"))
        if self._figure is not None:
            self._paint(painter, self._figure, self._at, QRectF(self.rect()))
        if self.hasFocus() and theme.text_factor() == 1:
            focus_ring(painter, QRectF(self.rect()), t, 1)

    def _paint(self, painter: QPainter, figure: Figure, at: Projection, area: QRectF) -> None:
        drawing = NetworkPainter(painter, figure, at, area, self.colours())
        captions = Captions(painter, figure, at, area, self.colours())
        drawing.paint()
        captions.paint()
        self._counts, self._brackets = drawing.counts, captions.brackets

    # ----------------------------------------------------------------------------------- events

    def place_at(self, point: QPointF) -> int | None:
        """The item under a point of the view."""
        if self._figure is None:
            return None
        return self._figure.plan.item_at(
            (point.x() - self._at.left) / self._at.zoom, (point.y() - self._at.top) / self._at.zoom
        )

    def block_at(self, point: QPointF) -> str | None:
        """The block whose count or bracket is under a point of the view."""
        rects = (*self._counts.items(), *self._brackets.items())
        return next((name for name, rect in rects if rect.contains(point)), None)

    def _point_at(self, place: int | None) -> None:
        if self._figure is not None and place != self._figure.hovered:
            self._figure = replace(self._figure, hovered=place)
            self.update()
            self.pointed.emit(place)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.pixelDelta().y() * 2 if not event.pixelDelta().isNull() else event.angleDelta().y()
        if turned and not event.isEndEvent():
            self.zoom(STEP ** (turned / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pressed, self._dragging = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            place, block = self.place_at(event.position()), self.block_at(event.position())
            there = block is not None or place is not None
            self.setCursor(Qt.CursorShape.PointingHandCursor if there else Qt.CursorShape.ArrowCursor)
            self._point_at(place)
            return
        step = event.position() - self._pressed
        if self._dragging or step.manhattanLength() >= QApplication.startDragDistance():
            self._glide.stop()
            self._fitted, self._dragging, self._pressed = False, True, event.position()
            self._show(self._at.moved(step.x(), step.y()))
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, dragged = self._pressed, self._dragging
        self._pressed, self._dragging = None, False
        self.setCursor(Qt.CursorShape.ArrowCursor)
        if pressed is None or dragged or event.button() is not Qt.MouseButton.LeftButton:
            return
        block, place = self.block_at(event.position()), self.place_at(event.position())
        if block is not None:
            self.toggled.emit(block)
        elif place is not None:
            self.clicked.emit(place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Into what is there; beside the volumes out again."""
        if event.button() is not Qt.MouseButton.LeftButton or self.block_at(event.position()) is not None:
            return
        place = self.place_at(event.position())
        if place is None:
            self.outward.emit()
        else:
            self.entered.emit(place)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            self._tell(event)
            return True
        return super().event(event)

    def _tell(self, event: QHelpEvent) -> None:
        point = QPointF(event.pos())
        block, place = self.block_at(point), self.place_at(point)
        if block is not None:
            text = f"{block}: click to {'unfold' if block in self._counts else 'fold'}"
        else:
            text = self._tips[place] if place is not None and place < len(self._tips) else ""
        QToolTip.showText(event.globalPos(), tooltips.plain(text) if text else "", self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        selected = self._figure.selected if self._figure is not None else None
        key = event.key()
        acts = {
            Qt.Key.Key_Left: lambda: self.stepped.emit(-1),
            Qt.Key.Key_Right: lambda: self.stepped.emit(1),
            Qt.Key.Key_Plus: lambda: self.zoom(STEP),
            Qt.Key.Key_Equal: lambda: self.zoom(STEP),
            Qt.Key.Key_Minus: lambda: self.zoom(1 / STEP),
            Qt.Key.Key_F: self.fit,
            Qt.Key.Key_Backspace: self.outward.emit,
        }
        if plain and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and selected is not None:
            self.entered.emit(selected)
        elif plain and key in acts:
            acts[Qt.Key(key)]()
        else:
            super().keyPressEvent(event)


def fitted(plan: Plan, focus: Box | None, size: QSizeF) -> Projection:
    """Where `focus`, or all of the picture, fills a view of `size`, with room for what is written below it."""
    box = focus or plan.box
    margin, below = theme.px(MARGIN), captions_height(plan)
    wide, tall = max(1.0, size.width() - 2 * margin), max(1.0, size.height() - margin - below)
    zoom = min(wide / max(1.0, box.width), tall / max(1.0, box.height), LARGEST)
    left = (size.width() - box.width * zoom) / 2 - box.left * zoom
    top = margin + (tall - box.height * zoom) / 2 - box.top * zoom
    return Projection(zoom, left, top)


# ----------------------------------------------------------------------------------- on other paper


def _paper(figure: Figure) -> tuple[QSize, Projection]:
    plan = figure.plan
    margin = theme.px(MARGIN)
    wide = max(theme.px(640), round(plan.box.width * SAVED) + 2 * margin)
    tall = round(plan.box.height * SAVED + captions_height(plan)) + 2 * margin
    return QSize(wide, tall), fitted(plan, None, QSizeF(wide, tall))


def _draw(painter: QPainter, figure: Figure, size: QSize, at: Projection, t: theme.Tokens) -> None:
    area = QRectF(0, 0, size.width(), size.height())
    painter.fillRect(area, t.color("surround"))
    NetworkPainter(painter, figure, at, area, t).paint()
    Captions(painter, figure, at, area, t).paint()


def image_of(figure: Figure, t: theme.Tokens, scale: float = 2.0) -> QImage:
    """All of a figure as pixels, `scale` of them for one on the screen."""
    size, at = _paper(figure)
    image = QImage(size * scale, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.scale(scale, scale)
    _draw(painter, figure, size, at, t)
    painter.end()
    return image


def svg_of(figure: Figure, t: theme.Tokens, title: str) -> bytes:
    """All of a figure as a drawing, in which text is text."""
    size, at = _paper(figure)
    return as_svg(size, title, lambda painter: _draw(painter, figure, size, at, t))


def _spoken(figure: Figure | None) -> str:
    """What a screen reader says of it."""
    if figure is None:
        return ""
    chosen = figure.names[figure.selected] if figure.selected is not None else "nothing"
    return f"{len(figure.plan.scheme.volumes)} volumes, {chosen} selected"
