"""A walk through the window by Tab alone: no part keeps the focus, and what has it is seen to have it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTableView, QWidget

from segviz.gui.panels.convolution_head import ShapeTable
from segviz.gui.panels.convolution_table import ShareTable
from segviz.gui.panels.race_table import ResultTable
from segviz.gui.panels.scores_table import ClassTable
from segviz.gui.widgets.thumb_grid import ThumbGrid
from segviz.gui.widgets.what_if_table import WhatIfTable
from tests.gui import render_states

TABLES = {"what-if": WhatIfTable, "convolution-products": ShareTable}
STATES = (
    "empty", "heatmap", "sight-film", "sight-occluded", "glow", "card", "filters", "patches", "network",
    "network-block", "what-if", "convolution-products", "convolution-sliding", "convolution-matrix",
    "convolution-parameters", "convolution-head", "heatmaps-grad-cam", "upsampling", "scores", "race-done",
    "training-paused", "side-by-side",
)  # fmt: skip
ROOM = 24  # pixels of a widget that must be seen
MOST = 90  # presses of Tab from one end of the window to the other


@pytest.fixture
def window(qtbot):
    made = []

    def make(state: str):
        shown = render_states.show(render_states.Shot(state, (1280, 800), render_states.Theme.DARK))
        shown.activateWindow()
        qtbot.waitUntil(shown.isActiveWindow)
        made.append(shown)
        return shown

    yield make
    for one in made:
        one.close()
        one.deleteLater()


def walked(window: QWidget, key: Qt.Key) -> list[QWidget]:
    """Who has the focus, one after the other, until somebody has it again; each of them is seen to have it."""
    seen: list[QWidget] = []
    for _ in range(MOST):
        here = QApplication.focusWidget()
        QTest.keyClick(here or window, key)
        there = QApplication.focusWidget()
        assert there is not here, f"{said(here)} keeps the focus"
        if there in seen:
            return seen
        seen.append(there)
        assert shows_focus(window, there), f"{said(there)} does not look as if it had the focus"
    raise AssertionError(f"after {MOST} presses the walk has not come round")


def said(widget: QWidget) -> str:
    return f"{type(widget).__name__} “{widget.accessibleName()}”"


def shows_focus(window: QWidget, widget: QWidget) -> bool:
    """Whether the place of a widget looks otherwise without the focus; and it is not cut off."""
    QApplication.processEvents()
    shown = widget.visibleRegion().boundingRect().size()
    if shown.height() < min(widget.height(), ROOM) or shown.width() < min(widget.width(), ROOM):
        return False
    place = QRect(widget.mapTo(window, QPoint()), widget.size())
    focused = window.grab(place).toImage()
    widget.clearFocus()
    QApplication.processEvents()
    plain = window.grab(place).toImage()
    widget.setFocus(Qt.FocusReason.OtherFocusReason)
    return bool(focused != plain)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Backtab])
def test_tab_goes_through_the_whole_window_and_comes_round(window, state, key):
    """A table takes Tab for its next cell by itself: who was in it could leave by the mouse alone."""
    seen = walked(window(state), key)
    assert len(seen) > 10
    assert state not in TABLES or any(isinstance(widget, TABLES[state]) for widget in seen)


@pytest.mark.parametrize("kind", [WhatIfTable, ShareTable, ShapeTable, ClassTable, ResultTable])
def test_no_table_takes_tab_for_itself(qtbot, kind):
    table = kind((("Layer", ""),), "Windows") if kind is WhatIfTable else kind()
    qtbot.addWidget(table)
    assert isinstance(table, QTableView)
    assert not table.tabKeyNavigation()


def test_a_grid_without_a_chosen_map_shows_that_it_has_the_focus(window):
    one = window("heatmap")
    grid = next(grid for grid in one.findChildren(ThumbGrid) if grid.isVisible())
    grid.set_selected(None)
    assert grid.isEnabled()
    without = grid.grab().toImage()
    grid.setFocus(Qt.FocusReason.TabFocusReason)
    assert grid.grab().toImage() != without
