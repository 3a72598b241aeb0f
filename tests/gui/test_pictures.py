"""The window as pictures, in the states that matter: nothing cut off, nothing empty, colours where they mean something.

`make pictures` keeps them, to be looked at.
"""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QPushButton, QTabBar, QWidget

from segviz.core.choices import Theme
from segviz.gui import theme
from segviz.gui.panels.base import Area
from segviz.gui.panels.race_plot import RacePlot
from segviz.gui.widgets.clock import Clock
from segviz.gui.widgets.pill import Pill
from segviz.gui.window import MainWindow
from tests.gui import render_states
from tests.gui.render_states import Shot

LEAST, SMALL, LARGE = render_states.SIZES
SHOTS = (
    *(Shot(state, SMALL, Theme.DARK) for state in render_states.STATES),
    *(
        Shot(state, LEAST, Theme.DARK)
        for state in ("heatmap", "running", "race-running", "race-not-exact", "race-older", "board", "window")
    ),
    *(Shot(state, SMALL, Theme.LIGHT) for state in ("empty", "labels", "race-not-exact")),
    *(Shot(state, LARGE, Theme.LIGHT) for state in ("large", "race-done")),
)


@pytest.fixture(params=SHOTS, ids=lambda shot: shot.name)
def pictured(request, qapp):
    """(window, its picture, the shot)."""
    window = render_states.show(request.param)
    picture = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    yield window, picture, request.param
    window.close()
    window.deleteLater()


def pixels(picture: QImage, area: QRect) -> np.ndarray:
    """uint8 (H, W, 3) of a part of a picture."""
    part = picture.copy(area)
    rows = np.frombuffer(part.constBits(), np.uint8).reshape(part.height(), part.bytesPerLine())
    return rows[:, : part.width() * 3].reshape(part.height(), part.width(), 3)


def area_of(widget: QWidget, window: MainWindow) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def test_picture(pictured):
    """One rendering a state, several questions to it: rendering is what takes the time."""
    window, picture, shot = pictured
    assert (picture.width(), picture.height()) == shot.size
    surfaces_have_the_themes_colours(window, picture, shot)
    nothing_is_cut_off(window)
    nothing_is_empty(window, picture)
    if shot.state in ("labels", "page", "large", "failed"):
        labels_are_painted(window, picture)


def surfaces_have_the_themes_colours(window: MainWindow, picture: QImage, shot: Shot) -> None:
    wanted = (theme.DARK if shot.theme is Theme.DARK else theme.LIGHT).color("panel").name()
    bar = area_of(window.toolbar, window)
    assert picture.pixelColor(bar.left() + 2, bar.center().y()).name() == wanted
    status = area_of(window.statusBar(), window)
    assert picture.pixelColor(status.left() + 2, status.center().y()).name() == wanted  # no word stands there


def nothing_is_cut_off(window: MainWindow) -> None:
    """Labels, buttons and clocks have the room that their text needs, inside the window."""
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or type(widget) not in (QLabel, QPushButton, Pill, QTabBar, Clock, RacePlot):
            continue
        words = f"{type(widget).__name__} {widget.text() if isinstance(widget, QLabel | QPushButton) else widget}"
        if isinstance(widget, QLabel) and widget.wordWrap():
            assert widget.height() >= widget.heightForWidth(widget.width()) - 1, words
        else:
            needed = widget.sizeHint() if isinstance(widget, Clock) else widget.minimumSizeHint()
            assert widget.width() >= needed.width() - 1, words
        right = widget.mapTo(window, QPoint(widget.width(), 0)).x()
        assert right <= window.width(), words


def nothing_is_empty(window: MainWindow, picture: QImage) -> None:
    """Every dock and the centre show more than their background."""
    for widget in (*window.docks.values(), window.centre.currentWidget()):
        shown = pixels(picture, area_of(widget, window))
        background = np.median(shown.reshape(-1, 3), axis=0)
        differs = np.abs(shown.astype(int) - background).max(2) > 24
        assert differs.mean() > 0.002, widget.objectName()


def labels_are_painted(window: MainWindow, picture: QImage) -> None:
    """The middle of a label's region is the photograph mixed with its class colour."""
    from segviz.core.palettes import class_colours

    scene, view = window.desk.scene, window.canvas.view
    found = scene.prediction
    colours = class_colours(scene.state.palette, len(found.classes)).astype(int)
    rows, columns = np.nonzero(found.labels == found.shares[0][0])
    middle = len(rows) // 2 + 3
    y, x = int(rows[middle]), int(columns[middle])
    inside = found.labels[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
    if (inside != inside[0, 0]).any():
        return  # at a contour, which has the class's colour at full strength
    place = view.mapTo(window, view.projection.to_view(x, y).toPoint())
    seen = picture.pixelColor(place)
    wanted = (1 - scene.state.opacity) * scene.picture.pixels[y, x] + scene.state.opacity * colours[found.shares[0][0]]
    assert np.abs(np.array(seen.getRgb()[:3]) - wanted).max() <= 30


def test_a_large_window_gives_its_room_to_the_canvas(qapp):
    window = render_states.show(Shot("page", LARGE, Theme.DARK))
    sides = window.docks[Area.LEFT].width() + window.docks[Area.RIGHT].width()
    assert window.canvas.width() > 3 * sides
    window.close()
    window.deleteLater()
