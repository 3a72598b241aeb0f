from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segviz.gui import theme
from segviz.gui.widgets.painted import text_width
from segviz.gui.widgets.thumb_grid import ThumbGrid

pytestmark = pytest.mark.usefixtures("look")
COUNT = 5000


class Tiles:
    """Two-coloured tiles that say which were made."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def __call__(self, index: int) -> QImage:
        self.made.append(index)
        image = QImage(2, 1, QImage.Format.Format_RGB32)
        image.setPixelColor(0, 0, QColor(255, 0, 0))
        image.setPixelColor(1, 0, QColor(0, 0, 255))
        return image


@pytest.fixture
def tiles() -> Tiles:
    return Tiles()


@pytest.fixture
def grid(qtbot, tiles: Tiles) -> ThumbGrid:
    made = ThumbGrid("Maps")
    qtbot.addWidget(made)
    made.resize(700, 300)
    made.set_tiles(COUNT, 2.0, tiles)
    made.show()
    qtbot.waitExposed(made)
    made.grab()
    return made


def test_only_what_is_seen_is_made(grid: ThumbGrid, tiles: Tiles) -> None:
    assert 0 < len(tiles.made) < 60
    tiles.made.clear()
    grid.grab()
    assert tiles.made == []
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    grid.grab()
    assert COUNT - 1 in tiles.made
    assert len(tiles.made) < 60


def test_scrolling_everywhere_keeps_little(grid: ThumbGrid) -> None:
    bar = grid.verticalScrollBar()
    for step in range(20):
        bar.setValue(bar.maximum() * step // 20)
        grid.grab()
    assert len(grid._kept) < 200


def test_refresh_makes_them_again(grid: ThumbGrid, tiles: Tiles) -> None:
    before = sorted(set(tiles.made))
    tiles.made.clear()
    grid.refresh()
    grid.grab()
    assert sorted(set(tiles.made)) == before


@pytest.mark.parametrize(("index", "fx", "fy"), [(0, 0.5, 0.5), (3, 0.02, 0.95), (7, 0.97, 0.1)])
def test_a_click_says_where_in_which_tile(grid: ThumbGrid, qtbot, index: int, fx: float, fy: float) -> None:
    rect = grid.tile_rect(index)
    at = rect.topLeft() + QPoint(int(fx * rect.width()), int(fy * rect.height()))
    with qtbot.waitSignal(grid.clicked) as caught:
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert caught.args[0] == index
    assert caught.args[1:] == pytest.approx([fx, fy], abs=0.03)
    assert grid.selected == index


def test_a_click_counts_from_where_one_has_scrolled(grid: ThumbGrid, qtbot) -> None:
    grid.reveal(2000)
    with qtbot.waitSignal(grid.clicked) as caught:
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.tile_rect(2000).center())
    assert caught.args[0] == 2000


def moved(grid: ThumbGrid, to: QPoint) -> None:
    """The mouse at `to`, wherever it was before and whatever window of another test lies below it."""
    place, none = QPointF(to), Qt.MouseButton.NoButton
    seen = QPointF(grid.viewport().mapToGlobal(to))
    event = QMouseEvent(QEvent.Type.MouseMove, place, seen, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(grid.viewport(), event)


def test_between_tiles_is_nowhere(grid: ThumbGrid, qtbot) -> None:
    gap = grid.tile_rect(0).bottomRight() + QPoint(3, 0)
    with qtbot.assertNotEmitted(grid.clicked), qtbot.waitSignal(grid.left):
        moved(grid, gap)
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=gap)


def test_tiles_are_where_the_pixels_are(grid: ThumbGrid) -> None:
    image = grid.viewport().grab().toImage()
    rect = grid.tile_rect(grid.columns + 1)
    assert image.pixelColor(rect.left() + 1, rect.center().y()) == QColor(255, 0, 0)
    assert image.pixelColor(rect.right() - 1, rect.center().y()) == QColor(0, 0, 255)
    middle = rect.left() + rect.width() // 2
    assert image.pixelColor(middle - 2, rect.center().y()) == QColor(255, 0, 0)  # magnified, not blurred


def test_the_selected_tile_is_framed(grid: ThumbGrid) -> None:
    grid.set_selected(2)
    rect = grid.tile_rect(2)
    image = grid.viewport().grab().toImage()
    assert image.pixelColor(rect.left() - 2, rect.center().y()).name() == theme.DARK.accent
    assert image.pixelColor(grid.tile_rect(1).left() - 2, rect.center().y()).name() == theme.DARK.panel


def test_the_mark_is_on_every_tile(grid: ThumbGrid) -> None:
    bare = grid.viewport().grab().toImage()
    grid.set_mark((0.25, 0.5))
    marked = grid.viewport().grab().toImage()
    for index in (0, 4, 9):
        rect = grid.tile_rect(index)
        at = QPoint(rect.left() + rect.width() // 4 + 4, rect.top() + rect.height() // 2)
        assert marked.pixelColor(at) != bare.pixelColor(at)
    grid.set_mark(None)
    assert grid.viewport().grab().toImage() == bare


def test_keys_walk_and_enter_clicks_at_the_mark(grid: ThumbGrid, qtbot) -> None:
    heard, clicks = [], []
    grid.walked.connect(lambda index: heard.append(index))
    grid.clicked.connect(lambda *args: clicks.append(args))
    grid.set_mark((0.25, 0.75))
    grid.set_selected(0)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Home):
        qtbot.keyClick(grid, key)
    assert heard == [1, 1 + grid.columns, grid.columns, COUNT - 1, 0]
    assert clicks == []
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        qtbot.keyClick(grid, key)
    assert clicks == [(1, 0.25, 0.75)] * 2
    assert heard[-1] == 1


def test_tiles_can_be_small(grid: ThumbGrid) -> None:
    columns, width = grid.columns, grid.tile_rect(0).width()
    grid.set_least(44)
    assert grid.columns > 1.8 * columns
    assert grid.tile_rect(0).width() < width
    assert grid.tile_pixels == grid.tile_rect(0).size() * grid.devicePixelRatioF()


def test_the_end_is_scrolled_into_view(grid: ThumbGrid, qtbot) -> None:
    qtbot.keyClick(grid, Qt.Key.Key_End)
    assert grid.viewport().rect().contains(grid.tile_rect(COUNT - 1))


def test_revealing_scrolls_by_whole_rows(grid: ThumbGrid) -> None:
    for index in (2000, 3, 4999, 40):
        grid.set_selected(index)
        row = grid._row_height()
        assert grid.verticalScrollBar().value() % row == 0
        assert grid.viewport().rect().contains(grid.tile_rect(index))


def test_a_resized_grid_keeps_the_selected_tile_and_whole_rows(grid: ThumbGrid) -> None:
    grid.set_selected(2000)
    for size in ((900, 260), (400, 500), (1200, 180)):
        grid.resize(*size)
        assert grid.verticalScrollBar().value() % grid._row_height() == 0
        assert grid.viewport().rect().contains(grid.tile_rect(2000))


def test_who_scrolls_away_stays_away(grid: ThumbGrid) -> None:
    grid.set_selected(2000)
    grid.verticalScrollBar().triggerAction(grid.verticalScrollBar().SliderAction.SliderToMinimum)
    grid.resize(900, 260)
    assert grid.verticalScrollBar().value() == 0


def test_few_tiles_can_fill_the_height(grid: ThumbGrid, tiles: Tiles) -> None:
    grid.set_tiles(4, 1.0, tiles)
    small = grid.tile_rect(0).width()
    grid.set_filling(True)
    assert grid.tile_rect(0).width() > small + 20
    assert grid.viewport().rect().contains(grid.tile_rect(3))
    assert grid.verticalScrollBar().maximum() == 0


def test_captions_use_the_free_space_beside_narrow_tiles(grid: ThumbGrid, tiles: Tiles, qtbot) -> None:
    name = "a class with a long name"
    grid.set_tiles(2, 0.4, tiles, lambda index: name)
    grid.set_filling(True)
    step = grid.tile_rect(1).left() - grid.tile_rect(0).left()
    assert step > text_width(name, theme.numbers(theme.CAPTION))
    with qtbot.waitSignal(grid.clicked) as caught:
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.tile_rect(1).center())
    assert caught.args[0] == 1


def test_setting_is_silent(grid: ThumbGrid, qtbot, tiles: Tiles) -> None:
    with qtbot.assertNotEmitted(grid.clicked), qtbot.assertNotEmitted(grid.hovered):
        grid.set_selected(4)
        grid.set_tiles(3, 1.0, tiles)
    assert grid.selected is None


def test_few_tiles_do_not_grow_without_bound(grid: ThumbGrid, tiles: Tiles) -> None:
    grid.set_tiles(1, 1.0, tiles)
    QTest.qWait(0)
    assert grid.tile_rect(0).width() < 160
