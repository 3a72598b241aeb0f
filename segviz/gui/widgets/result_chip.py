"""A result on a shelf: a small picture with a name, of which one is chosen."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from segviz.gui import theme
from segviz.gui.widgets.painted import elided, focus_ring, text_width

HEIGHT, LEAST, WIDEST = 40, 84, 190  # before `theme.px`


class ResultChip(QAbstractButton):
    """Checked while it is the one that others are compared with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_result(self, title: str, image: QImage, hint: str) -> None:
        """Silent."""
        self._image = image
        self.setText(title)
        self.setAccessibleName(f"{title}, {hint}")
        self.setToolTip(f"{title}\n{hint}")
        self.updateGeometry()
        self.update()

    def _picture_width(self) -> int:
        return round(self._image.width() / max(1.0, self._image.devicePixelRatio()))

    def sizeHint(self) -> QSize:
        words = text_width(self.text(), theme.body()) + 3 * theme.S
        return QSize(min(self._picture_width() + words, theme.px(WIDEST)), theme.px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), theme.px(LEAST)), theme.px(HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t = theme.tokens(self.palette())
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setBrush(t.color("raised" if self.isChecked() or self.underMouse() else "panel"))
        painter.setPen(t.color("accent" if self.isChecked() else "line"))
        painter.drawRoundedRect(rect, theme.RADIUS, theme.RADIUS)
        pad = theme.XS
        left = float(pad)
        if not self._image.isNull():
            painter.drawImage(QRectF(pad, (self.height() - theme.px(HEIGHT) + 2 * pad) / 2, self._picture_width(),
                                     theme.px(HEIGHT) - 2 * pad), self._image)  # fmt: skip
            left += self._picture_width() + pad
        painter.setPen(t.color("text" if self.isChecked() else "dim"))
        painter.setFont(theme.body())
        room = QRectF(left + pad, 0, self.width() - left - 2 * pad, self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, elided(self.text(), theme.body(), room.width()))
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), t)
