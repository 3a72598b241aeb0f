"""A walk through the window by Tab alone: no part keeps the focus, and what has it is seen to have it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
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
    """Who has the focus, one after the other, until somebody has it again."""
    seen: list[QWidget] = []
    for _ in range(MOST):
        here = QApplication.focusWidget()
        QTest.keyClick(here or window, key)
        there = QApplication.focusWidget()
        assert there is not here, f"{type(here).__name__} “{here.accessibleName()}” keeps the focus"
        if there in seen:
            return seen
        seen.append(there)
    raise AssertionError(f"after {MOST} presses the walk has not come round")


@pytest.mark.parametrize("state", TABLES)
@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Backtab])
def test_tab_goes_through_the_whole_window_and_comes_round(window, state, key):
    """A table takes Tab for its next cell by itself: who was in it could leave by the mouse alone."""
    one = window(state)
    seen = walked(one, key)
    assert any(isinstance(widget, TABLES[state]) for widget in seen)


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
