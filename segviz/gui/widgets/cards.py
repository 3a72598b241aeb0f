"""Cards to click: a picture, a title, a line of text; and a grid that wraps them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QImage,
    QImageReader,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from segviz.gui import theme
from segviz.gui.widgets.painted import elided, focus_ring

SIGN = 44  # side of an icon in a picture's place, before `theme.px`
ABOVE = 0.12  # of what is cut off a tall picture, that is cut above: heads are there
GROWN = 1.5  # how much wider cards get at most to fill their row


class Card(QAbstractButton):
    """A button with a picture that may come later (`load`, from `path`), a title and up to two lines."""

    def __init__(
        self,
        title: str,
        text: str = "",
        path: str = "",
        width: int = 148,
        icon: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._text, self._path, self._wide, self._icon = text, path, width, icon
        self._image: QImage | None = None
        self.setText(title)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.setToolTip(f"{title}\n{text}".strip())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    @property
    def loaded(self) -> bool:
        return self._image is not None

    def load(self) -> None:
        """Read the picture, decoded no larger than it is shown; a file that cannot be read leaves it empty."""
        if not self._path:
            self._image = QImage()
            return
        reader = QImageReader(self._path)
        reader.setAutoTransform(True)
        full = reader.size()
        if full.isValid():
            wanted = self._picture().size() * self.devicePixelRatioF()
            reader.setScaledSize(full.scaled(wanted, Qt.AspectRatioMode.KeepAspectRatioByExpanding))
        self._image = reader.read()
        self.update()

    def _title_font(self) -> QFont:
        return theme.body(strong=True) if self._text else theme.caption()

    def _picture(self) -> QRect:
        return QRect(0, 0, self.width(), self._picture_height(self.width()))

    @staticmethod
    def _picture_height(width: int) -> int:
        return round(width * 0.66)

    def height_at(self, width: int) -> int:
        """The height that belongs to a width."""
        return self.sizeHint().height() + self._picture_height(width) - self._picture_height(self.sizeHint().width())

    def sizeHint(self) -> QSize:
        lines = QFontMetrics(self._title_font()).height()
        lines += 2 * QFontMetrics(theme.caption()).height() + theme.px(theme.XS) if self._text else 0
        wide = theme.px(self._wide)
        return QSize(wide, self._picture_height(wide) + lines + theme.px(theme.S) * 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        t = theme.tokens(self.palette())
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        hovered = self.underMouse() or self.isDown()
        shape = QPainterPath()
        shape.addRoundedRect(rect, theme.RADIUS, theme.RADIUS)
        painter.fillPath(shape, t.color("raised" if hovered else "panel"))
        painter.save()
        painter.setClipPath(shape)
        self._paint_picture(painter, t)
        painter.restore()
        self._paint_text(painter, t)
        painter.setPen(QPen(t.color("accent" if hovered else "line"), 1))
        painter.drawPath(shape)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), t)

    def _paint_picture(self, painter: QPainter, t: theme.Tokens) -> None:
        room = self._picture()
        painter.fillRect(room, t.color("raised"))
        if self._icon:
            drawn = QRect(0, 0, theme.px(SIGN), theme.px(SIGN))
            drawn.moveCenter(room.center())
            painter.drawPixmap(drawn, theme.drawing(self._icon, SIGN, "accent"))
        if self._image is None or self._image.isNull():
            return
        scaled = self._image.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        target = QRect(room.topLeft(), scaled)
        target.moveCenter(room.center())
        target.moveTop(room.top() - round((scaled.height() - room.height()) * ABOVE))
        painter.setClipRect(room, Qt.ClipOperation.IntersectClip)
        painter.drawImage(target, self._image)

    def _paint_text(self, painter: QPainter, t: theme.Tokens) -> None:
        left, top = theme.px(theme.S), self._picture().height() + theme.px(theme.S)
        width = self.width() - 2 * left
        font = self._title_font()
        line = QFontMetrics(font).height()
        painter.setFont(font)
        painter.setPen(t.color("text"))
        title = elided(self.text(), font, width)
        painter.drawText(QRectF(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, title)
        if self._text:
            painter.setFont(theme.caption())
            painter.setPen(t.color("dim"))
            below = QRectF(left, top + line + theme.px(2), width, 2 * QFontMetrics(theme.caption()).lineSpacing() + 2)
            flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            painter.drawText(below, int(flags), self._text)


class CardGrid(QWidget):
    """Cards of one size in as many columns as fit; its height follows from its width."""

    def __init__(self, cards: Sequence[Card], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards = tuple(cards)
        for card in self.cards:
            card.setParent(self)
        # Not fixed: that would hold it to the height of its usual width, however many rows it has here.
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def _card(self) -> QSize:
        return self.cards[0].sizeHint() if self.cards else QSize(1, 1)

    def columns(self, width: int) -> int:
        gap = theme.px(theme.M)
        return max(1, (width + gap) // (self._card().width() + gap))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        rows = -(-len(self.cards) // self.columns(width))
        tall = self.cards[0].height_at(self._width_of_each(width)) if self.cards else 0
        return rows * (tall + theme.px(theme.M)) - theme.px(theme.M) if rows else 0

    def _width_of_each(self, width: int) -> int:
        """Cards share the width, but do not get too large."""
        gap, columns = theme.px(theme.M), self.columns(width)
        return min((width + gap) // columns - gap, round(self._card().width() * GROWN))

    def sizeHint(self) -> QSize:
        wide = 4 * (self._card().width() + theme.px(theme.M))
        return QSize(wide, self.heightForWidth(wide))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._card().width(), self._card().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        gap, columns, wide = theme.px(theme.M), self.columns(self.width()), self._width_of_each(self.width())
        size = QSize(wide, self.cards[0].height_at(wide)) if self.cards else QSize()
        for index, card in enumerate(self.cards):
            row, column = divmod(index, columns)
            card.setGeometry(column * (size.width() + gap), row * (size.height() + gap), size.width(), size.height())
