"""A view of an image in layers: zoom about the cursor, pan by dragging, a click without a drag points.

It imports no numpy: a window must be able to show one before anything heavy is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from segviz.gui import theme
from segviz.gui.widgets.painted import Painted, focus_ring
from segviz.gui.widgets.projection import Projection, centred, fitting

MARGIN = 20  # around a fitted image
STEP = 1.25  # one press of + or -
SMALLEST = 0.1  # of the fitting zoom: far enough out to see a field that is larger than the image
LARGEST = 64.0  # screen pixels per image pixel, or four times fitting
KEPT_IN_VIEW = 40  # so much of the image stays visible when one pans


class Layer(Protocol):
    """Something painted over or under others; `area` is what is visible, in screen pixels."""

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None: ...


@dataclass(frozen=True, slots=True)
class ViewTransform:
    """What a view shows: `zoom`, and which place of the image (in pixel edges) is in its middle."""

    zoom: float
    x: float
    y: float


class ImageView(Painted):
    """Layers over an image of `set_content`'s size. Positions are image pixels, their centres being integers.

    Until the person zooms or pans, the image stays fitted to the view whatever its size.
    """

    hovered = Signal(float, float)
    left = Signal()
    clicked = Signal(float, float)
    view_changed = Signal()
    zoomed = Signal(float)  # screen pixels per image pixel, 0 without an image; also when the view was fitted anew

    def __init__(self, name: str = "Image", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size: tuple[int, int] | None = None  # width, height
        self._layers: tuple[Layer, ...] = ()
        self._projection = Projection()
        self._fitted = True
        self._pressed: QPointF | None = None
        self._dragging = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(name)

    # ----------------------------------------------------------------------------------- content

    def set_content(self, size: tuple[int, int] | None, layers: Sequence[Layer]) -> None:
        """Show `layers` over an image of (width, height); another size is fitted anew. Silent."""
        self._layers = tuple(layers)
        if size != self._size:
            self._size = size
            self._fit()
        self.update()

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

    def fit(self) -> None:
        """Show the whole image, also when the view changes its size."""
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
        return fitting(width, height, self.width(), self.height(), theme.px(MARGIN))

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
        painter.fillRect(self.rect(), t.color("surround"))
        if self._size is None:
            return
        self._paint_layers(painter, self._projection, QRectF(self.rect()))
        # On a large screen before an audience the picture stands alone.
        if self.hasFocus() and self._by_keyboard and theme.text_factor() == 1:
            focus_ring(painter, QRectF(self.rect()), t, 1)

    def _paint_layers(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        for layer in self._layers:
            layer.paint(painter, projection, area)

    def render_image(self, scale: float = 1.0) -> QImage:
        """The image with all its layers, at `scale` times its own resolution; null without an image."""
        if self._size is None:
            return QImage()
        width, height = max(1, round(self._size[0] * scale)), max(1, round(self._size[1] * scale))
        image = QImage(width, height, QImage.Format.Format_RGB32)
        image.fill(self.colours().color("surround"))
        painter = QPainter(image)
        self._paint_layers(painter, centred(scale, *self._size, width, height), QRectF(image.rect()))
        painter.end()
        return image

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
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pressed, self._dragging = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
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
        self.setCursor(Qt.CursorShape.CrossCursor if at is not None else Qt.CursorShape.ArrowCursor)
        if at is None:
            self.left.emit()
        else:
            self.hovered.emit(*at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, dragged = self._pressed, self._dragging
        self._pressed, self._dragging = None, False
        self._hover(event.position())
        at = self._inside(event.position())
        if pressed is not None and not dragged and at is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*at)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()

    def _inside(self, point: QPointF) -> tuple[float, float] | None:
        """The pixel position under the mouse; None outside the image."""
        if self._size is None:
            return None
        # The mouse names a whole screen pixel by its corner; its middle is what it points at.
        x, y = self._projection.to_pixel(point + QPointF(0.5, 0.5))
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
