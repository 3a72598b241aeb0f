"""Samples side by side: each a row of small pictures under common headings, as large as the room allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from segviz.gui import theme
from segviz.gui.widgets import tooltips
from segviz.gui.widgets.painted import Painted, elided, focus_ring

GAP = 4  # between the pictures of a sample; twice that between samples; before `theme.px`
SMALLEST = 20  # side of a picture, before `theme.px`


@dataclass(frozen=True, eq=False)
class Sample:
    """Pictures of one size, one for each heading; `caption` in the colour of the token `tone`, '': none."""

    pictures: tuple[QImage, ...]
    caption: str = ""
    tone: str = "text"


Describe = Callable[[int, int, float, float], str]


class SampleSheet(Painted):
    """Samples as rows of pictures, in as many blocks beside each other as make the pictures largest.

    `describe(sample, picture, fx, fy)` is the tooltip over a place of a picture, given as fractions of it.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: tuple[Sample, ...] = ()
        self._headings: tuple[str, ...] = ()
        self._legend: tuple[tuple[QColor, str], ...] = ()
        self._describe: Describe = lambda sample, picture, fx, fy: ""
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(theme.px(120), theme.px(80))

    def set_samples(
        self,
        samples: Sequence[Sample],
        headings: Sequence[str],
        legend: Sequence[tuple[QColor, str]] = (),
        describe: Describe | None = None,
    ) -> None:
        """Show `samples` below `headings`, with a `legend` of colours and names; silent."""
        self._samples, self._headings, self._legend = tuple(samples), tuple(headings), tuple(legend)
        if describe is not None:
            self._describe = describe
        said = ", ".join(sample.caption for sample in samples if sample.caption)
        self.setAccessibleDescription(said or f"{len(samples)} samples: {', '.join(headings)}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(320), theme.px(240))

    # ---------------------------------------------------------------------------------- geometry

    def _line(self) -> int:
        return QFontMetrics(theme.caption()).height()

    def _legend_rows(self) -> int:
        """Lines that the legend takes in this width."""
        return max((row for row, _, _ in self._legend_places()), default=-1) + 1

    def _legend_places(self) -> list[tuple[int, int, int]]:
        """(row, left, width) of each entry of the legend."""
        metrics, side, places = QFontMetrics(theme.caption()), theme.px(10), []
        row = left = 0
        for _, name in self._legend:
            wide = side + theme.px(4) + metrics.horizontalAdvance(name)
            if left and left + wide > self.width():
                row, left = row + 1, 0
            places.append((row, left, wide))
            left += wide + theme.px(theme.M)
        return places

    def _layout(self) -> tuple[int, int, int]:
        """(blocks beside each other, width, height) of the pictures."""
        if not self._samples:
            return 1, 0, 0
        picture = self._samples[0].pictures[0]
        aspect = picture.width() / max(1, picture.height())
        return max((self._fitting(blocks, aspect) for blocks in range(1, len(self._samples) + 1)), key=lambda f: f[1])

    def _fitting(self, blocks: int, aspect: float) -> tuple[int, int, int]:
        gap, across = theme.px(GAP), len(self._headings)
        rows = ceil(len(self._samples) / blocks)
        captioned = self._line() if any(sample.caption for sample in self._samples) else 0
        room = self.height() - self._head() - self._legend_rows() * (self._line() + gap) - gap
        wide = (self.width() - 2 * gap * (blocks - 1)) / blocks / across - gap
        tall = room / rows - 2 * gap - captioned
        width = max(theme.px(SMALLEST) * min(1.0, aspect), min(wide, tall * aspect))
        return blocks, int(width), int(width / aspect)

    def _head(self) -> int:
        return self._line() + theme.px(GAP) if any(self._headings) else 0

    def place_of(self, sample: int, picture: int) -> QRect:
        """Where one picture of a sample lies, in pixels of this widget."""
        blocks, width, height = self._layout()
        gap, across = theme.px(GAP), len(self._headings)
        captioned = self._line() if any(one.caption for one in self._samples) else 0
        row, block = divmod(sample, blocks)
        left = block * (across * (width + gap) + 2 * gap) + picture * (width + gap)
        return QRect(left, self._head() + row * (height + captioned + 2 * gap), width, height)

    # ---------------------------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        t = self.colours()
        painter.setFont(theme.caption())
        if self._samples:
            self._paint_headings(painter, t)
            for at, sample in enumerate(self._samples):
                self._paint_sample(painter, at, sample, t)
        self._paint_legend(painter, t)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), t)

    def _paint_headings(self, painter: QPainter, t: theme.Tokens) -> None:
        painter.setPen(t.color("dim"))
        for block in range(min(self._layout()[0], len(self._samples))):
            for at, heading in enumerate(self._headings):
                place = self.place_of(block, at)
                text = elided(heading, theme.caption(), place.width())
                painter.drawText(QRect(place.left(), 0, place.width(), self._line()), Qt.AlignmentFlag.AlignLeft, text)

    def _paint_sample(self, painter: QPainter, at: int, sample: Sample, t: theme.Tokens) -> None:
        for column, picture in enumerate(sample.pictures):
            place = self.place_of(at, column)
            smooth = picture.width() > place.width() * self.devicePixelRatioF()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(place, picture)
        if sample.caption:
            painter.setPen(t.color(sample.tone))
            first, last = self.place_of(at, 0), self.place_of(at, len(sample.pictures) - 1)
            under = QRect(first.left(), first.bottom() + 1, last.right() - first.left() + 1, self._line())
            painter.drawText(under, Qt.AlignmentFlag.AlignLeft, elided(sample.caption, theme.caption(), under.width()))

    def _paint_legend(self, painter: QPainter, t: theme.Tokens) -> None:
        side, pitch = theme.px(10), self._line() + theme.px(GAP)
        top = self.height() - self._legend_rows() * pitch
        for (row, left, wide), (colour, name) in zip(self._legend_places(), self._legend, strict=True):
            y = top + row * pitch
            painter.fillRect(QRectF(left, y + (self._line() - side) / 2, side, side), colour)
            painter.setPen(t.color("dim"))
            inset = side + theme.px(4)
            painter.drawText(QRect(left + inset, y, wide - inset + 1, self._line()), Qt.AlignmentFlag.AlignLeft, name)

    # ---------------------------------------------------------------------------------- words

    def said_at(self, at: QPoint) -> str:
        """What is said of the place under `at`; '' beside all pictures."""
        for sample in range(len(self._samples)):
            for picture in range(len(self._headings)):
                place = self.place_of(sample, picture)
                if place.contains(at):
                    fx, fy = (
                        (at.x() + 0.5 - place.left()) / place.width(),
                        (at.y() + 0.5 - place.top()) / place.height(),
                    )
                    return self._describe(sample, picture, fx, fy)
        return ""

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), tooltips.plain(self.said_at(event.pos())), self)
            return True
        return super().event(event)
