"""How a row of the network panel is painted: two lines, a volume to scale, numbers in columns."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import (
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from segviz.gui import theme, words
from segviz.gui.panels.network_rows import Row
from segviz.gui.widgets.volumes import paint_volume, volume_size

ROW = Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex


class Columns(NamedTuple):
    """Places of a row's parts, in pixels from the row's left edge."""

    triangle: float
    glyph: float
    name: float
    stride: float  # right end
    field: float  # right end

    @classmethod
    def of(cls, width: float, depth: int = 0) -> Columns:
        left = theme.px(theme.S) + depth * theme.px(theme.M)
        glyph = left + theme.px(theme.M)
        field = width - theme.px(theme.M)
        return cls(left, glyph, glyph + theme.px(GLYPH + theme.S), field - theme.px(44), field)


GLYPH = 34  # width of a volume
TIME_BAR = 2  # height of the bar of the time share


class RowDelegate(QStyledItemDelegate):
    """Paints a `Row`. Ask `triangle` for the place that folds and unfolds."""

    def __init__(self, view: QTreeView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        lines = QFontMetricsF(theme.body()).height() + QFontMetricsF(theme.caption()).height()
        return QSize(theme.px(200), round(lines + theme.px(theme.M)))

    def triangle(self, rect: QRect, index: Index) -> QRectF:
        """The square about the triangle of a row that can be folded, in view coordinates."""
        place = Columns.of(self._view.viewport().width(), _depth(index))
        side = theme.px(theme.L)
        return QRectF(place.triangle - theme.px(2), rect.center().y() - side / 2 + 1, side, side)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW)
        if not isinstance(row, Row):
            return
        t = theme.tokens(self._view.palette())
        width = self._view.viewport().width()
        rect = QRectF(0, option.rect.top(), width, option.rect.height())
        place = Columns.of(width, _depth(index))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._background(painter, rect, option, t)
        if index.model().hasChildren(index):
            self._triangle(painter, rect, index, t)
        half = rect.height() / 2
        glyph = QRectF(place.glyph, rect.top() + theme.px(3), theme.px(GLYPH), rect.height() - theme.px(6))
        paint_volume(painter, glyph, volume_size(row.channels, row.side, row.largest), t)
        upper = rect.adjusted(0, theme.px(4), 0, -half + theme.px(1))
        lower = rect.adjusted(0, half, 0, -theme.px(6))
        self._upper(painter, upper, place, row, t)
        self._lower(painter, lower, place, row, t)
        painter.restore()

    def _background(self, painter: QPainter, rect: QRectF, option: QStyleOptionViewItem, t: theme.Tokens) -> None:
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if _selected(option) or hovered:
            painter.fillRect(rect, t.color("raised", 1.0 if _selected(option) else 0.55))
        if _selected(option):
            painter.fillRect(QRectF(rect.left(), rect.top(), theme.px(3), rect.height()), t.color("accent"))
            if self._view.hasFocus():
                painter.setPen(t.color("accent"))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))

    def _triangle(self, painter: QPainter, rect: QRectF, index: Index, t: theme.Tokens) -> None:
        middle = self.triangle(rect.toRect(), index).center()
        arm = theme.px(3.5)
        points = [(-arm * 0.6, -arm), (-arm * 0.6, arm), (arm * 0.7, 0.0)]
        if self._view.isExpanded(index):
            points = [(-arm, -arm * 0.6), (arm, -arm * 0.6), (0.0, arm * 0.7)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(t.color("dim"))
        painter.drawPolygon(QPolygonF([middle + QPointF(x, y) for x, y in points]))

    def _upper(self, painter: QPainter, line: QRectF, place: Columns, row: Row, t: theme.Tokens) -> None:
        painter.setFont(theme.numbers())
        painter.setPen(t.color("text"))
        column = QRectF(place.stride, line.top(), place.field - place.stride, line.height())
        painter.drawText(column, _RIGHT, row.field)
        painter.setPen(t.color("dim"))
        column = QRectF(place.name, line.top(), place.stride - place.name, line.height())
        painter.drawText(column, _RIGHT, row.stride)
        metrics = painter.fontMetrics()
        room = place.stride - place.name - metrics.horizontalAdvance(row.stride) - theme.px(theme.S)
        painter.setFont(theme.body())
        painter.setPen(t.color("text"))
        name = painter.fontMetrics().elidedText(row.label, Qt.TextElideMode.ElideMiddle, int(room))
        painter.drawText(QRectF(place.name, line.top(), room, line.height()), _LEFT, name)
        if row.mark:
            used = painter.fontMetrics().horizontalAdvance(name) + theme.px(theme.S)
            self._mark(painter, QRectF(place.name + used, line.top(), room - used, line.height()), row.mark, t)

    def _mark(self, painter: QPainter, place: QRectF, text: str, t: theme.Tokens) -> None:
        """What a converted layer became, as far as there is room; the tooltip says it in full."""
        painter.setFont(theme.caption())
        painter.setPen(t.color("accent"))
        metrics = painter.fontMetrics()
        if metrics.horizontalAdvance(text) > place.width():
            text = text.partition(" ")[2] if text.startswith("dense") else text
        if metrics.horizontalAdvance(text) <= place.width():
            painter.drawText(place, _LEFT, text)

    def _lower(self, painter: QPainter, line: QRectF, place: Columns, row: Row, t: theme.Tokens) -> None:
        painter.setFont(theme.numbers(theme.CAPTION))
        painter.setPen(t.color("dim"))
        share = f"{row.time * 100:.0f}\u202f%" if row.time is not None and row.time >= 0.005 else ""
        metrics = painter.fontMetrics()
        painter.drawText(QRectF(place.stride, line.top(), place.field - place.stride, line.height()), _RIGHT, share)
        column = QRectF(place.name, line.top(), place.stride - place.name, line.height())
        painter.drawText(column, _RIGHT, row.parameters)
        room = column.width() - metrics.horizontalAdvance(row.parameters) - theme.px(theme.S)
        shape = row.shape if metrics.horizontalAdvance(row.shape) <= room else row.shape.replace(words.TIMES, "×")
        shape = metrics.elidedText(shape, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(column, _LEFT, shape)
        if row.time:
            bar = QRectF(place.stride, line.bottom() + theme.px(1), place.field - place.stride, theme.px(TIME_BAR))
            painter.fillRect(bar, t.color("line", 0.6))
            bar.setLeft(bar.right() - bar.width() * min(1.0, row.time))
            painter.fillRect(bar, t.color("accent"))


class ColumnTitles(QWidget):
    """What the two lines of each row say, in the rows' own columns."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Columns: layer, stride, receptive field; output, parameters, time")
        self.setToolTip(
            "First line: layer, stride and receptive field, both in pixels of the network's input\n"
            "(the Inspector counts in image pixels); +: through gates the whole image too.\n"
            "Second line: output as channels × rows × columns, parameters, share of the time."
        )
        self._measure()

    def _measure(self) -> None:
        self.setFixedHeight(round(2 * QFontMetricsF(theme.caption()).height() + theme.px(theme.XS)))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in theme.LOOK_CHANGES:
            self._measure()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        t = theme.tokens(self.palette())
        place = Columns.of(self.width())
        painter.setFont(theme.caption())
        painter.setPen(t.color("dim"))
        height = QFontMetricsF(theme.caption()).height()
        for line, texts in enumerate((("layer", "stride", "field"), ("output", "parameters", "time"))):
            top = line * height
            column = QRectF(place.name, top, place.stride - place.name, height)
            painter.drawText(column, _LEFT, texts[0])
            painter.drawText(column, _RIGHT, texts[1])
            painter.drawText(QRectF(place.stride, top, place.field - place.stride, height), _RIGHT, texts[2])
        painter.setPen(t.color("line"))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        painter.end()


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def _selected(option: QStyleOptionViewItem) -> bool:
    return bool(option.state & QStyle.StateFlag.State_Selected)


def _depth(index: Index) -> int:
    depth, above = 0, index.parent()
    while above.isValid():
        depth, above = depth + 1, above.parent()
    return depth
