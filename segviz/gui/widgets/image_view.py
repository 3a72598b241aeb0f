"""A view of an image in layers: zoom about the cursor, pan by dragging, a click without a drag points.

Tools (a pen, a box to drag) may take the left button before the view does; with Alt held none does.

It imports no numpy: a window must be able to show one before anything heavy is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPointingDevice,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from segviz.core.field import Box
from segviz.gui import theme
from segviz.gui.widgets.painted import Painted, focus_ring
from segviz.gui.widgets.projection import Projection, centred, fitting

MARGIN = 20  # around a fitted image
STEP = 1.25  # one press of + or -
SMALLEST = 0.1  # of the fitting zoom: far enough out to see a field that is larger than the image
LARGEST = 64.0  # screen pixels per image pixel, or four times fitting
KEPT_IN_VIEW = 40  # so much of the image stays visible when one pans
MIDDLE = QPointF(0.5, 0.5)  # the mouse names a screen pixel by its corner; its middle is what it points at


class Layer(Protocol):
    """Something painted over or under others; `area` is what is visible, in screen pixels."""

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None: ...


@dataclass(frozen=True, slots=True)
class Touch:
    """Where mouse or pen touch the image: (x, y) in its pixel edges, also beside it.

    `zoom` is in screen pixels an image pixel, `pressure` from 0 to 1, `eraser` the other end of a pen.
    """

    x: float
    y: float
    zoom: float
    pressure: float = 1.0
    eraser: bool = False


class Tool(Protocol):
    """What may take presses of the left button, or of a pen, before the view does."""

    def takes(self, touch: Touch) -> bool:
        """Whether a press there is for this tool; asked while the mouse hovers, too."""

    def begin(self, touch: Touch) -> None: ...

    def move(self, touch: Touch) -> None: ...

    def end(self) -> bool:
        """The button was let go; returns whether anything was done: if not, it was a click."""

    def cursor(self, zoom: float) -> QCursor: ...


@dataclass(frozen=True, slots=True)
class ViewTransform:
    """What a view shows: `zoom`, and which place of the image (in pixel edges) is in its middle."""

    zoom: float
    x: float
    y: float


def rendered(size: tuple[int, int], layers: Iterable[Layer], scale: float, ground: QColor) -> QImage:
    """An image of `size` (width, height) with `layers` over it, at `scale` times its own resolution.

    May run in any thread, with layers that no view shows at the same time.
    """
    width, height = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(ground)
    painter = QPainter(image)
    try:
        for layer in layers:
            layer.paint(painter, centred(scale, *size, width, height), QRectF(image.rect()))
    finally:
        painter.end()
    return image


class ImageView(Painted):
    """Layers over an image of `set_content`'s size. Positions are image pixels, their centres being integers.

    Until the person zooms or pans, the image stays fitted to the view whatever its size.
    """

    hovered = Signal(float, float)
    left = Signal()
    clicked = Signal(float, float)
    view_changed = Signal()
    zoomed = Signal(float)  # screen pixels per image pixel, 0 without an image; also when the view was fitted anew

    def __init__(self, name: str = "Image", margin: int = MARGIN, parent: QWidget | None = None) -> None:
        """`margin` is left around a fitted image, before `theme.px`."""
        super().__init__(parent)
        self._margin = margin
        self._size: tuple[int, int] | None = None  # width, height
        self._layers: tuple[Layer, ...] = ()
        self._projection = Projection()
        self._fitted = True
        self._beside: Box | None = None  # what is fitted together with the image
        self._pressed: QPointF | None = None
        self._dragging = False
        self.tools: tuple[Tool, ...] = ()  # the first that takes a press has it
        self._held: Tool | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(name)

    # ----------------------------------------------------------------------------------- content

    def set_content(self, size: tuple[int, int] | None, layers: Sequence[Layer]) -> None:
        """Show `layers` over an image of (width, height); another size is fitted anew. Silent."""
        self._layers = tuple(layers)
        if size != self._size:
            self._let_go()
            self._size, self._beside = size, None
            self._fit()
        self.update()

    def update_box(self, box: Box) -> None:
        """Paint this part of the image anew, in pixel edges: a pen must not wait for the rest."""
        self.update(self._projection.rect(box).toAlignedRect().adjusted(-2, -2, 2, 2))

    @property
    def image_size(self) -> tuple[int, int] | None:
        """(width, height)."""
        return self._size

    # ---------------------------------------------------------------------------------- transform

    @property
    def projection(self) -> Projection:
        return self._projection

    @property
    def fitted(self) -> bool:
        return self._fitted

    @property
    def view_transform(self) -> ViewTransform:
        p = self._projection
        return ViewTransform(p.zoom, (self.width() / 2 - p.left) / p.zoom, (self.height() / 2 - p.top) / p.zoom)

    @view_transform.setter
    def view_transform(self, wanted: ViewTransform) -> None:
        """Show what another view shows; silent."""
        left, top = self.width() / 2 - wanted.x * wanted.zoom, self.height() / 2 - wanted.y * wanted.zoom
        self._fitted = False
        self._projection = Projection(wanted.zoom, left, top)
        self.update()

    def fit(self, beside: Box | None = None) -> None:
        """Show the whole image, and a box that may reach beyond it, also when the view changes its size."""
        self._beside = beside
        self._fit()
        self.view_changed.emit()

    def zoom_one(self) -> None:
        """One screen pixel an image pixel."""
        if self._size is not None:
            self.zoom(1 / self._projection.zoom)

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """Magnify by `factor` about a place of the view, else about its middle."""
        if self._size is None:
            return
        low, high = self._zoom_limits()
        wanted = max(low, min(high, self._projection.zoom * factor))
        wanted = 1.0 if abs(wanted - 1) < 1e-9 else wanted  # x * (1 / x) is not always 1
        about = about if about is not None else QPointF(self.width() / 2, self.height() / 2)
        moved = self._projection.zoomed(wanted, about)
        if wanted == 1.0:  # at 1:1 image pixels lie on screen pixels
            moved = Projection(1.0, round(moved.left), round(moved.top))
        self._show(moved)

    def _fitting(self) -> Projection:
        width, height = self._size or (1, 1)
        box = self._beside or Box(0, 0, width, height)
        around = Box(min(0, box.left), min(0, box.top), max(width, box.right), max(height, box.bottom))
        found = fitting(around.width, around.height, self.width(), self.height(), theme.px(self._margin))
        return found.moved(round(-around.left * found.zoom), round(-around.top * found.zoom))

    def _fit(self) -> None:
        self._fitted = True
        self._projection = self._fitting() if self._size is not None else Projection()
        self.zoomed.emit(self._projection.zoom if self._size is not None else 0.0)
        self.update()

    def _zoom_limits(self) -> tuple[float, float]:
        fit = self._fitting().zoom
        return min(fit, 1.0) * SMALLEST, max(LARGEST, fit * 4)

    def _show(self, projection: Projection) -> None:
        self._fitted = False
        self._projection = self._kept_in_view(projection)
        self.zoomed.emit(self._projection.zoom)
        self.update()
        self.view_changed.emit()

    def _kept_in_view(self, p: Projection) -> Projection:
        width, height = self._size or (1, 1)
        left = max(KEPT_IN_VIEW - width * p.zoom, min(self.width() - KEPT_IN_VIEW, p.left))
        top = max(KEPT_IN_VIEW - height * p.zoom, min(self.height() - KEPT_IN_VIEW, p.top))
        return Projection(p.zoom, left, top)

    # ----------------------------------------------------------------------------------- painting

    def sizeHint(self) -> QSize:
        return QSize(theme.px(640), theme.px(440))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 120)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        t = self.colours()
        painter.fillRect(self.rect(), self.ground)
        if self._size is None:
            return
        for layer in self._layers:
            layer.paint(painter, self._projection, QRectF(self.rect()))
        # On a large screen before an audience the picture stands alone.
        if self.hasFocus() and self._by_keyboard and theme.text_factor() == 1:
            focus_ring(painter, QRectF(self.rect()), t, 1)

    def render_image(self, scale: float = 1.0) -> QImage:
        """The image with all its layers, at `scale` times its own resolution; null without an image."""
        return rendered(self._size, self._layers, scale, self.ground) if self._size is not None else QImage()

    @property
    def ground(self) -> QColor:
        """What is around the image."""
        return self.colours().color("surround")

    # ------------------------------------------------------------------------------------- events

    _by_keyboard = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._size is None:
            return
        if self._fitted:
            self._fit()
        elif event.oldSize().isValid():  # what is in the middle stays there
            grown = event.size() - event.oldSize()
            self._projection = self._kept_in_view(self._projection.moved(grown.width() / 2, grown.height() / 2))

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.pixelDelta().y() * 2 if not event.pixelDelta().isNull() else event.angleDelta().y()
        if turned and not event.isEndEvent():
            self.zoom(STEP ** (turned / 120), event.position())
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() is Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom(1 + event.value(), event.position())
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            return
        if event.button() == Qt.MouseButton.LeftButton and self._take(self._touch(event.position())):
            return
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pressed, self._dragging = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self._held.move(self._touch(event.position()))
            self._hover(event.position())
            return
        if self._pressed is not None:
            step = event.position() - self._pressed
            if self._dragging or step.manhattanLength() >= QApplication.startDragDistance():
                if self._size is not None:
                    self._show(self._projection.moved(step.x(), step.y()))
                self._pressed, self._dragging = event.position(), True
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
            return
        self._hover(event.position())

    def _hover(self, point: QPointF) -> None:
        at = self._inside(point)
        tool = self._held or self._tool_at(self._touch(point))
        plain = Qt.CursorShape.CrossCursor if at is not None else Qt.CursorShape.ArrowCursor
        self.setCursor(tool.cursor(self._projection.zoom) if tool is not None else QCursor(plain))
        if at is None:
            self.left.emit()
        else:
            self.hovered.emit(*at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            if event.button() == Qt.MouseButton.LeftButton:
                self._released(event.position())
            return
        pressed, dragged = self._pressed, self._dragging
        self._pressed, self._dragging = None, False
        self._hover(event.position())
        at = self._inside(event.position())
        if pressed is not None and not dragged and at is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*at)

    # -------------------------------------------------------------------------------------- tools

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen on a tablet. What no tool takes is left to Qt, which makes mouse events of it."""
        eraser = event.pointerType() is QPointingDevice.PointerType.Eraser
        touch = self._touch(event.position(), event.pressure(), eraser)
        if event.type() is QEvent.Type.TabletPress:
            taken = self._held is None and self._take(touch)
        else:
            taken = self._held is not None
            if self._held is not None and event.type() is QEvent.Type.TabletMove:
                self._held.move(touch)
                self._hover(event.position())
            elif taken:
                self._released(event.position())
        event.setAccepted(taken)

    def _touch(self, point: QPointF, pressure: float = 1.0, eraser: bool = False) -> Touch:
        x, y = self._projection.to_edges(point + MIDDLE)
        return Touch(x, y, self._projection.zoom, pressure, eraser)

    def _tool_at(self, touch: Touch) -> Tool | None:
        alt = QApplication.keyboardModifiers() & Qt.KeyboardModifier.AltModifier
        if self._size is None or alt:
            return None
        return next((tool for tool in self.tools if tool.takes(touch)), None)

    def _take(self, touch: Touch) -> bool:
        """Let a tool have this press, if one wants it."""
        self._held = self._tool_at(touch)
        if self._held is not None:
            self._held.begin(touch)
        return self._held is not None

    def _released(self, point: QPointF) -> None:
        acted, at = self._let_go(), self._inside(point)
        self._hover(point)
        if not acted and at is not None:
            self.clicked.emit(*at)

    def _let_go(self) -> bool:
        """End what a tool has begun; returns whether it did anything."""
        tool, self._held = self._held, None
        return tool is not None and tool.end()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()

    def _inside(self, point: QPointF) -> tuple[float, float] | None:
        """The pixel position under the mouse; None outside the image."""
        if self._size is None:
            return None
        x, y = self._projection.to_pixel(point + MIDDLE)
        width, height = self._size
        return (x, y) if -0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5 else None

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_keyboard = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        acts = {
            Qt.Key.Key_Plus: lambda: self.zoom(STEP),
            Qt.Key.Key_Equal: lambda: self.zoom(STEP),
            Qt.Key.Key_Minus: lambda: self.zoom(1 / STEP),
            Qt.Key.Key_F: self.fit,
            Qt.Key.Key_1: self.zoom_one,
        }
        act = acts.get(Qt.Key(event.key()))
        plain = event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.ShiftModifier,
            Qt.KeyboardModifier.KeypadModifier,
        )
        if act is None or not plain:
            super().keyPressEvent(event)
        else:
            act()
