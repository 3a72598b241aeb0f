"""Boxes, crosses and chips on a picture: drawn twice, dark under light, so that they show on any ground.

All positions are in the painter's own pixels; line widths do not grow with the zoom.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetrics, QImage, QPainter, QPainterPath, QPen, QTransform

from segviz.gui import theme
from segviz.gui.widgets.painted import elided, text_width

UNDER = QColor(0, 0, 0, 200)
CHIP = QColor(13, 16, 20, 225)
CHIP_TEXT = QColor("#f2f4f7")
CHIP_DIM = QColor("#b4bbc5")
LIGHT = QColor("#ffffff")
LINE = 1.5  # width of a light line, before `theme.text_factor`
HATCH = 9.0  # screen pixels between two lines
HATCHED = 32  # pixels of the device that a picture of them is wide at most


def _pens(color: QColor, thick: float) -> tuple[QPen, QPen]:
    pens = []
    for ink, width in ((UNDER, 3.0 * thick), (color, LINE * thick)):
        pen = QPen(ink, width)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pens.append(pen)
    return pens[0], pens[1]


def draw_box(
    painter: QPainter, rect: QRectF, color: QColor, thick: float | None = None, dashes: Sequence[float] = ()
) -> None:
    """The outline of `rect`, `thick` times as wide as usual; None: as type is larger.

    `dashes` are lengths of strokes and gaps in pixels of a usual line, on an unbroken dark one; () for one stroke.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    under, over = _pens(color, theme.text_factor() if thick is None else thick)
    if dashes:
        over.setDashPattern([dash / LINE for dash in dashes])  # Qt counts in widths of the pen
    for pen in (under, over):
        painter.setPen(pen)
        painter.drawRect(rect)
    painter.restore()


def draw_cross(painter: QPainter, at: QPointF, arm: float, color: QColor) -> None:
    """A cross with arms of `arm` pixels, open in its middle so that it does not hide what it marks."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    hole = min(2.0, arm / 3)
    for pen in _pens(color, theme.text_factor()):
        painter.setPen(pen)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(at + QPointF(dx, dy) * hole, at + QPointF(dx, dy) * arm)
    painter.restore()


def cell_mark(rect: QRectF) -> QRectF:
    """How large a unit's cell is drawn: one too small to see becomes a square of 4 pixels."""
    least = 4 * theme.text_factor()
    if rect.width() >= least and rect.height() >= least:
        return rect
    mark = QRectF(0, 0, max(least, rect.width()), max(least, rect.height()))
    mark.moveCenter(rect.center())
    return mark


def draw_cell(painter: QPainter, rect: QRectF, color: QColor) -> None:
    """A unit's cell: filled at 40 % and outlined."""
    rect = cell_mark(rect)
    painter.save()
    fill = QColor(color)
    fill.setAlphaF(0.4)
    painter.fillRect(rect, fill)
    painter.restore()
    draw_box(painter, rect, LIGHT)


def draw_hatched(painter: QPainter, box: QRectF, image: QRectF, area: QRectF, color: QColor) -> None:
    """The part of `box` outside `image` that `area` shows, hatched: what the network sees there is padding."""
    outer, inner = QPainterPath(), QPainterPath()
    outer.addRect(box.intersected(area))
    inner.addRect(image)
    outside = outer.subtracted(inner)
    if outside.isEmpty():
        return
    fine = painter.device().devicePixelRatio()
    step = max(2, round(HATCH * theme.text_factor() * fine))
    hatch = QBrush(_hatch(step, theme.text_factor() * fine, color))
    hatch.setTransform(QTransform.fromScale(1 / fine, 1 / fine))
    # Diagonals x + y = k * step: anchored to the box, so that they do not swim while one pans.
    along = round((box.left() + box.top()) * fine) % step
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrushOrigin(QPointF(along / fine, 0.0))
    painter.fillPath(outside, hatch)
    painter.restore()


def _hatch(step: int, thick: float, color: QColor) -> QImage:
    """Diagonals that meet where pictures of it are laid side by side: thousands of long lines take far longer to draw.

    `step` in pixels of the device; dark below light: it shows on any surround.
    """
    side = step * max(1, HATCHED // step)
    tile = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    tile.fill(Qt.GlobalColor.transparent)
    painter = QPainter(tile)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    lines = [QLineF(at + step, -step, at - side - step, side + step) for at in range(-step, 2 * side + 2 * step, step)]
    for ink, width in ((QColor(UNDER), 3.0), (QColor(color), 1.5)):
        ink.setAlphaF(0.7 * ink.alphaF())
        painter.setPen(QPen(ink, width * thick))
        painter.drawLines(lines)
    painter.end()
    return tile


def draw_plate(painter: QPainter, rect: QRectF, text: str, font: QFont) -> None:
    """`text` in light letters on a dark plate."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(CHIP)
    painter.drawRoundedRect(rect, 3, 3)
    painter.setFont(font)
    painter.setPen(CHIP_TEXT)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def chip_size(text: str, bold: bool = False) -> QSizeF:
    """The size of the plate that says `text`."""
    font = theme.numbers(theme.CAPTION)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    metrics = QFontMetrics(font)
    return QSizeF(metrics.horizontalAdvance(text) + 2 * theme.px(6), metrics.height() + theme.px(4))


def draw_corners(painter: QPainter, rect: QRectF, color: QColor) -> None:
    """Thick corners on the outline of `rect`: it can be taken and moved."""
    arm = min(rect.width() / 3, rect.height() / 3, float(theme.px(14)))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for pen in _pens(color, theme.text_factor() * 2):
        painter.setPen(pen)
        for corner, right, down in (
            (rect.topLeft(), 1, 1),
            (rect.topRight(), -1, 1),
            (rect.bottomLeft(), 1, -1),
            (rect.bottomRight(), -1, -1),
        ):
            painter.drawPolyline([corner + QPointF(right * arm, 0), corner, corner + QPointF(0, down * arm)])
    painter.restore()


def draw_tag(painter: QPainter, rows: Sequence[tuple[str, str]], box: QRectF, inside: QRectF) -> QRectF:
    """Rows of (name, number) beside `box`, the first strong; kept inside `inside`; returns where they are."""
    strong, plain = theme.numbers(theme.CAPTION), theme.numbers(theme.CAPTION)
    strong.setWeight(QFont.Weight.DemiBold)
    pad, gap, line = theme.px(8), theme.px(10), QFontMetrics(strong).height() + theme.px(2)
    most = inside.width() / 3
    names = [elided(name, strong, most) for name, _ in rows]
    left = max(text_width(name, strong) for name in names)
    right = max(text_width(number, strong) for _, number in rows)
    rect = QRectF(0, 0, left + gap + right + 2 * pad, line * len(rows) + theme.px(8))
    rect.moveTo(_beside(rect, box, inside))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(CHIP)
    painter.drawRoundedRect(rect, theme.RADIUS, theme.RADIUS)
    for index, (_, number) in enumerate(rows):
        row = QRectF(rect.left() + pad, rect.top() + theme.px(4) + index * line, rect.width() - 2 * pad, line)
        painter.setFont(strong if index == 0 else plain)
        painter.setPen(CHIP_TEXT if index == 0 else CHIP_DIM)
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, names[index])
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, number)
    painter.restore()
    return rect


def _beside(rect: QRectF, box: QRectF, inside: QRectF) -> QPointF:
    """Where `rect` stands: right of `box`, else left, else in its own left top corner; always inside `inside`."""
    gap = theme.px(8)
    x = box.right() + gap
    if x + rect.width() + gap > inside.right():
        x = box.left() - gap - rect.width()
    if x < inside.left() + gap:
        x = box.left() + gap
    x = max(inside.left() + gap, min(x, inside.right() - gap - rect.width()))
    y = max(inside.top() + gap, min(box.top(), inside.bottom() - gap - rect.height()))
    return QPointF(round(x), round(y))
