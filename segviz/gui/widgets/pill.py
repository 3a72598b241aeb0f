"""A drop-down of the toolbar: what is chosen, said dim, and the choice itself."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from segviz.gui import theme
from segviz.gui.widgets import tooltips
from segviz.gui.widgets.painted import elided, focus_ring, text_width

LONGEST = 200  # width of the value, before `theme.px`


class Pill(QToolButton):
    """`caption` dim, the value, a chevron; a click opens `menu()`. Fill the menu when it is about to show.

    Where there is little room the caption may go (`show_caption`): the tooltip has it all the same.
    """

    def __init__(self, caption: str, name: str = "", parent: QWidget | None = None, *, longest: int = LONGEST) -> None:
        """`longest`: the width of the longest value that is shown uncut, before `theme.px`."""
        super().__init__(parent)
        self._longest = longest
        self._caption, self._value = caption, ""
        self._captioned = True
        self._reserved: tuple[str, ...] = ()
        self._name = name or caption
        self.setMenu(QMenu(self))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.set_value("")

    @property
    def value(self) -> str:
        return self._value

    def set_value(self, value: str, tooltip: str = "") -> None:
        """Show `value`; silent. `tooltip` is added to what the pill is for."""
        self._value = value
        self.setAccessibleName(f"{self._name}: {value}")
        self.setToolTip(tooltips.plain("\n".join(part for part in (f"{self._name}: {value}", tooltip) if part)))
        self.updateGeometry()
        self.update()

    def reserve(self, *values: str) -> None:
        """Keep room for these values, as far as they are shown uncut: what stands behind keeps its place."""
        self._reserved = values
        self.updateGeometry()

    def show_caption(self, shown: bool) -> None:
        """With the caption before the value, or the value alone."""
        if shown != self._captioned:
            self._captioned = shown
            self.updateGeometry()
            self.update()

    def bare_width(self) -> int:
        """What the value alone needs, whether the caption is shown or not."""
        return self.sizeHint().width() - self._caption_width()

    def whole_width(self) -> int:
        """What caption and value need, whether the caption is shown or not."""
        return self.bare_width() + self.caption_room()

    def caption_room(self) -> int:
        """What the caption needs besides."""
        return text_width(self._caption, theme.caption()) + theme.px(theme.S) if self._caption else 0

    def _caption_width(self) -> int:
        return self.caption_room() if self._captioned else 0

    def _around(self) -> int:
        """The width of everything but the value: margins, caption, chevron."""
        return self._caption_width() + theme.px(10) * 2 + theme.px(14)

    def sizeHint(self) -> QSize:
        widest = max(text_width(value, theme.body()) for value in (*self._reserved, self._value))
        value = min(theme.px(self._longest), widest + 1)
        return QSize(self._around() + value, theme.px(theme.CONTROL))

    def minimumSizeHint(self) -> QSize:
        value = min(self.sizeHint().width() - self._around(), theme.px(48))
        return QSize(self._around() + value, theme.px(theme.CONTROL))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t = theme.tokens(self.palette())
        rect = QRectF(self.rect())
        busy = self.underMouse() or self.isDown()
        painter.setPen(QPen(t.color("line"), 1) if busy else Qt.PenStyle.NoPen)
        painter.setBrush(t.color("raised"))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)
        painter.setOpacity(1.0 if self.isEnabled() else theme.FADED)
        inside = rect.adjusted(theme.px(10), 0, -theme.px(10), 0)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        if self._captioned:
            painter.setFont(theme.caption())
            painter.setPen(t.color("dim"))
            painter.drawText(inside, flags, self._caption)
        value = inside.adjusted(self._caption_width(), 0, -theme.px(14), 0)
        painter.setFont(theme.body())
        painter.setPen(t.color("text"))
        painter.drawText(value, flags, elided(self._value, theme.body(), value.width() + 1))
        self._paint_chevron(painter, QPointF(inside.right() - theme.px(3), rect.center().y()), t)
        painter.setOpacity(1.0)
        if self.hasFocus():
            focus_ring(painter, rect, t)

    def _paint_chevron(self, painter: QPainter, at: QPointF, t: theme.Tokens) -> None:
        wide, tall = theme.px(3.5), theme.px(2)
        painter.setPen(QPen(t.color("dim"), 1.5 * theme.text_factor()))
        painter.drawPolyline([at + QPointF(-wide, -tall), at + QPointF(0, tall), at + QPointF(wide, -tall)])
