"""Marks on a picture: the hatching lies outside the image alone, in even lines that stay on the box while one pans."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from segviz.gui.widgets import marks
from segviz.gui.widgets.mark_layers import ACCENT

SIZE, GROUND = (300, 200), QColor(60, 70, 80)


def hatched(box: QRectF, image: QRectF, fine: float = 1.0) -> np.ndarray:
    """Which pixels (H, W) of the device are others than the ground."""
    paper = QImage(round(SIZE[0] * fine), round(SIZE[1] * fine), QImage.Format.Format_RGB32)
    paper.setDevicePixelRatio(fine)
    paper.fill(GROUND)
    painter = QPainter(paper)
    marks.draw_hatched(painter, box, image, QRectF(0, 0, *SIZE), ACCENT)
    painter.end()
    pixels = np.frombuffer(paper.constBits(), np.uint8).reshape(paper.height(), -1, 4)[:, :, :3]
    return (pixels != np.array([GROUND.blue(), GROUND.green(), GROUND.red()])).any(2)


@pytest.mark.parametrize("fine", [1.0, 1.5, 2.0])
def test_only_what_lies_outside_the_image_and_inside_the_box_is_hatched(look, fine: float) -> None:
    drawn = hatched(QRectF(-400, 20, 2000, 100), QRectF(100, 40, 60, 300), fine)
    inside = np.zeros_like(drawn)
    inside[round(20 * fine) : round(120 * fine)] = True
    inside[round(40 * fine) :, round(100 * fine) : round(160 * fine)] = False
    assert not drawn[~inside].any()
    assert 0.3 < drawn[inside].mean() < 0.8
    assert not hatched(QRectF(10, 10, 50, 50), QRectF(0, 0, 300, 200)).any()


def test_lines_are_even_and_go_along_with_the_box(look) -> None:
    image = QRectF(0, 0, 1, 1)
    step = round(marks.HATCH)
    drawn = hatched(QRectF(-100, -100, 900, 900), image)[10:, 10:]
    assert (drawn[:, step:] == drawn[:, :-step]).all()
    assert (drawn[1:, :-1] == drawn[:-1, 1:]).all()  # down and to the left
    moved = hatched(QRectF(-96, -100, 900, 900), image)[10:, 10:]
    assert (moved[:, 4:] == drawn[:, :-4]).all()
    assert not (moved == drawn).all()
