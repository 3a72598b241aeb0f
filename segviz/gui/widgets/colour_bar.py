"""The scale of a colour map: a strip of its colours between the values at its ends."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from segviz.gui import theme
from segviz.gui.widgets.painted import Painted, elided, text_width

APART = 10  # between the title and the scale, before `theme.px`
WORDS = 150  # width of a title that goes before the strip's full width, before `theme.px`
SHORTEST = 44  # width below which a title that is cut says nothing, before `theme.px`
STRIP, NARROW = 104, 48  # width of the strip, and where there is little room, before `theme.px`


class ColourBar(Painted):
    """[title] low [strip] high, on one line. `set_colours` takes 0xRRGGBB or 0xAARRGGBB integers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strip: QImage | None = None
        self._colours: tuple[int, ...] = ()
        self._title, self._behind, self._low, self._high = "", "", "0", "1"
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_colours(self, colours: Sequence[int]) -> None:
        """The colours from low to high, opaque whatever their alpha."""
        if tuple(colours) == self._colours:
            return
        self._colours = tuple(colours)
        strip = QImage(len(colours), 1, QImage.Format.Format_RGB32)
        for x, colour in enumerate(colours):
            strip.setPixel(x, 0, 0xFF000000 | int(colour))
        self._strip = strip
        self.update()

    def set_range(self, low: str, high: str) -> None:
        self._set(self._title, self._behind, low, high)

    def set_title(self, title: str, behind: str = "") -> None:
        """What the colours measure, before the scale; where there is no room it is elided, `behind` it nothing."""
        self._set(title, behind, self._low, self._high)

    def _set(self, title: str, behind: str, low: str, high: str) -> None:
        if (title, behind, low, high) == (self._title, self._behind, self._low, self._high):
            return
        self._title, self._behind, self._low, self._high = title, behind, low, high
        said = f"{title}{behind}: colours from {low} to {high}".lstrip(": ")
        self.setToolTip(said)
        self.setAccessibleName(said)
        self.updateGeometry()
        self.update()

    def _room(self, strip: int = STRIP) -> int:
        """The width of everything but the title."""
        font, gap = theme.numbers(theme.CAPTION), theme.px(6)
        return theme.px(strip) + 2 * gap + text_width(self._low, font) + text_width(self._high, font)

    def _title_width(self) -> int:
        """The title and what sets it apart from the number behind it."""
        return text_width(self._title + self._behind, theme.caption()) + 2 + theme.px(APART) if self._title else 0

    def _strip_width(self) -> int:
        """The title gets room for a few words before the strip gets its full width."""
        title = min(theme.px(WORDS), self._title_width())
        spare = self.width() - title - self._room(0)
        return max(theme.px(NARROW), min(theme.px(STRIP), spare))

    def sizeHint(self) -> QSize:
        return QSize(self._title_width() + self._room(), theme.px(theme.CONTROL))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._room(NARROW), theme.px(theme.CONTROL))

    def words_in(self, room: float) -> str:
        """What is said before the colours in so many pixels: the number gives way first, then the name is cut."""
        font, shortest = theme.caption(), min(text_width(self._title, theme.caption()) + 1, theme.px(SHORTEST))
        behind = self._behind if room - text_width(self._behind, font) >= shortest else ""
        left = room - text_width(behind, font)
        return elided(self._title, font, left) + behind if left >= shortest else ""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        t = self.colours()
        painter.setPen(t.color("dim"))
        gap, middle = theme.px(6), Qt.AlignmentFlag.AlignVCenter
        font = theme.numbers(theme.CAPTION)
        painter.setFont(font)
        right = self.width()
        high = text_width(self._high, font)
        painter.drawText(QRectF(right - high, 0, high + 1, self.height()), middle, self._high)
        wide = self._strip_width()
        strip = QRectF(right - high - gap - wide, (self.height() - theme.px(8)) / 2, wide, theme.px(8))
        if self._strip is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(strip, self._strip)
        low = text_width(self._low, font)
        start = strip.left() - gap - low
        painter.drawText(QRectF(start, 0, low + 1, self.height()), middle, self._low)
        if self._title:
            painter.setFont(theme.caption())
            painter.setPen(t.color("text"))
            room = start - theme.px(APART)
            flags = middle | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(0, 0, room, self.height()), flags, self.words_in(room))
