"""The window: what the first paint needs, docks and layout, stages, presenter's view, the end."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, QSize, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QPushButton

from segviz.core.catalogue import entry
from segviz.core.choices import Method
from segviz.core.requests import FeatureRequest, Progress, SegmentRequest
from segviz.core.session import Session, State
from segviz.gui import layout, theme, words
from segviz.gui.dialogs import DetailsDialog
from segviz.gui.names import image_title, sample_title, sentence
from segviz.gui.panels.base import Area
from segviz.gui.scene import Job, Kind
from segviz.gui.toolbar import automatic_text, job_text
from segviz.gui.window import MainWindow
from tests.gui.fakes import FakeJobs

FIRST_PAINT = """
import sys
from PySide6.QtWidgets import QApplication
from segviz.core.choices import Theme
from segviz.core.session import Session
from segviz.gui import theme
from segviz.gui.window import MainWindow
app = QApplication([])
theme.apply(app, Theme.DARK)
window = MainWindow(Session(), None, remembers=False)
painted = window.paintEvent
def look(event):
    painted(event)
    print(sorted(set(sys.modules) & {"numpy", "pyqtgraph", "torch", "PIL", "scipy"}))
    app.exit(0)
window.paintEvent = look
window.show()
app.exec()
"""


def test_the_first_paint_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", FIRST_PAINT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip().splitlines()[0] == "[]", done.stderr


def test_shows_what_is_there(bench):
    window = bench().window
    assert window.windowTitle().startswith("page.png")
    assert window.toolbar.image.value == "page.png"
    assert window.toolbar.network.value == "LeNet-5"
    assert window.toolbar.network.toolTip() == "Network: LeNet-5\nlenet5"
    assert window.toolbar.method.value == "Upsampled"
    bar = window.statusBar()
    assert bar.image.text().startswith(f"128{words.TIMES}96")
    assert bar.network.text() == "LeNet-5, 10 classes"
    assert bar.grid.text() == "grid 17 rows × 25 columns, stride 4"
    assert (bar.sign.text(), bar.engine.text()) == ("●", "engine ready")


def test_while_image_and_network_are_opened_all_places_say_so(bench):
    """Under load for seconds: nothing then says that there is no image, or that a network is to be chosen."""
    one = bench(prompt=False)
    window, notes = one.window, one.panel("network")._note
    told = window.canvas.tag, window.statusBar().image, window.statusBar().network
    said = [label.text().replace("\u202f", " ") for label in (*told, notes)]
    assert said == ["opening page.png …", "opening page.png …", "opening LeNet-5 …", "Opening LeNet-5 …"]
    assert window.canvas.tag.isVisible()
    one.bring_up()
    assert not any("opening" in label.text().lower() for label in (*told, notes))
    empty = bench(State())
    assert empty.window.statusBar().image.text() == "no image"
    assert empty.window.statusBar().network.text() == ""
    assert empty.panel("network")._note.text().startswith("Choose a network")
    assert not empty.window.canvas.tag.isVisible()


def test_every_panel_has_its_place(bench):
    window = bench().window
    for panel in window.panels:
        place = window.tabs if panel.area is Area.WORKBENCH else window.docks[panel.area]
        assert place.isAncestorOf(panel.widget)


def test_a_hidden_tab_is_brought_up_to_date_when_it_is_chosen(bench):
    one = bench()
    window = one.window
    hidden = next(panel for panel in window.panels if panel.id == "heatmaps")
    assert "heatmaps" not in window._shown
    window.tabs.setCurrentWidget(hidden.widget)
    one.bring_up()
    assert one.state.tab == "heatmaps"
    assert window._shown["heatmaps"] is one.scene


def test_the_state_chooses_the_tab(bench):
    one = bench()
    one.desk.session.update(tab="heatmaps")
    one.turn()
    assert one.window.tabs.currentWidget() is next(p.widget for p in one.window.panels if p.id == "heatmaps")


def test_a_message_is_shown_beside_the_canvas_and_can_be_dismissed(bench):
    one = bench()
    one.desk.say("net.pth: no tensor <b>fc6</b>", "Traceback", Kind.DESCRIPTION)
    one.turn()
    banner = one.window.notices.banner
    assert banner.isVisible()
    assert "<b>fc6</b>" in banner.text.text()
    assert banner.text.textFormat() is Qt.TextFormat.PlainText
    assert banner.more.isVisible()
    one.qtbot.mouseClick(banner.close_button, Qt.MouseButton.LeftButton)
    one.turn()
    assert not banner.isVisible()
    assert one.scene.message is None


def test_layout_survives_a_restart_and_can_be_reset(qtbot, look, bench):
    bench()  # clears the settings before and after
    first = MainWindow(Session(State()), FakeJobs)
    with qtbot.waitSignal(first.filled):
        first.show()
    first.docks[Area.RIGHT].close()
    first.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, first.docks[Area.LEFT])
    first.close()
    second = MainWindow(Session(State()), FakeJobs)
    with qtbot.waitSignal(second.filled):
        second.show()
    assert not second.docks[Area.RIGHT].isVisible()
    assert second.dockWidgetArea(second.docks[Area.LEFT]) == Qt.DockWidgetArea.RightDockWidgetArea
    second.do("reset-layout")
    assert second.docks[Area.RIGHT].isVisible()
    assert second.dockWidgetArea(second.docks[Area.LEFT]) == Qt.DockWidgetArea.LeftDockWidgetArea
    second.close()
    first.deleteLater()
    second.deleteLater()


@pytest.mark.parametrize("size", [(1280, 800), (1024, 700)])
def test_the_workbench_keeps_its_height_whichever_tab_is_in_front(bench, size):
    one = bench(size=size)
    one.bring_up()
    dock, bar = one.window.docks[Area.WORKBENCH], one.window.tabs.bar
    first = dock.height()
    heights = {}
    for index in [*range(bar.count()), 0]:
        one.qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(index).center())
        one.bring_up()
        heights[bar.tabText(index)] = dock.height()
    assert heights == dict.fromkeys(heights, first)
    assert len(heights) == bar.count() >= 7


def test_a_closed_dock_comes_back_by_the_view_menu(qtbot, bench):
    window = bench().window
    dock = window.docks[Area.LEFT]
    grip = dock.titleBarWidget()
    cross = grip._cross().center().toPoint()
    qtbot.mouseClick(grip, Qt.MouseButton.LeftButton, pos=cross)
    assert not dock.isVisible()
    entry = next(action for action in window.menus.menus["View"].actions() if action.text() == "Network")
    entry.trigger()
    assert dock.isVisible()


def test_presenters_view_is_large_and_bare_and_gives_all_back(bench):
    window = bench().window
    window.docks[Area.RIGHT].close()
    height = window.toolbar.height()
    window.do("present")
    assert theme.text_factor() == theme.PRESENTER
    assert not any(part.isVisible() for part in (window.toolbar, window.menuBar(), *window.docks.values()))
    assert window.canvas.isVisible()
    window.do("escape")
    assert theme.text_factor() == 1.0
    assert window.toolbar.isVisible()
    assert window.menuBar().isVisible()
    assert not window.docks[Area.RIGHT].isVisible()
    assert window.docks[Area.LEFT].isVisible()
    assert window.toolbar.height() == height


def test_the_button_runs_and_stops(bench):
    one = bench()
    window = one.window
    assert window.toolbar.button.text() == "Run"
    one.qtbot.mouseClick(window.toolbar.button, Qt.MouseButton.LeftButton)
    one.turn()
    assert window.toolbar.button.text() == "Stop"
    assert one.scene.job(Kind.IMAGE) is not None
    one.jobs.open()
    one.turn()
    one.qtbot.mouseClick(window.toolbar.button, Qt.MouseButton.LeftButton)
    one.turn()
    assert window.toolbar.button.text() == "Run"
    assert one.scene.prediction is not None


@pytest.mark.parametrize("key", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier])
def test_drop_opens_an_image_anywhere_and_leaves_it_where_it_is(bench, pictures, key):
    """Shift proposes a move."""
    one = bench(State())
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(pictures["rgb.png"]))])
    mouse = (Qt.MouseButton.LeftButton, key)
    actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    for event, take in (
        (QDragEnterEvent(QPoint(600, 300), actions, data, *mouse), one.window.dragEnterEvent),
        (QDropEvent(QPointF(600, 300), actions, data, *mouse), one.window.dropEvent),
    ):
        take(event)
        assert event.isAccepted()
        assert event.dropAction() is Qt.DropAction.CopyAction  # after a move the other side deletes its file
    one.turn()
    assert one.state.image == str(pictures["rgb.png"])
    assert one.state.model  # some network, so that there is something to see


@pytest.mark.parametrize("size", [(1280, 800), (1024, 640)])
def test_no_button_or_label_is_cut_off(bench, size):
    one = bench(size=size)
    for widget in one.window.findChildren(QPushButton) + one.window.findChildren(QLabel):
        if not widget.isVisible() or not widget.text() or type(widget) not in (QPushButton, QLabel):
            continue
        if isinstance(widget, QLabel) and widget.wordWrap():
            assert widget.height() >= widget.heightForWidth(widget.width()) - 1, widget.text()
            continue
        assert widget.width() >= widget.minimumSizeHint().width() - 1, widget.text()
        corner = widget.mapTo(one.window, QPoint(widget.width(), widget.height()))
        assert corner.x() <= one.window.width(), widget.text()


def test_the_toolbar_shows_all_of_itself_at_1280(bench):
    window = bench(size=(1280, 800)).window
    for pill in window.toolbar.pills:
        assert pill.isVisible()
        assert pill.width() >= pill.minimumSizeHint().width()
    button = window.toolbar.button
    assert button.isVisible()
    assert button.mapTo(window, QPoint(button.width(), 0)).x() <= window.width()


def test_closing_ends_the_engine(bench):
    one = bench()
    one.desk.race()
    seen = []
    one.jobs.close = lambda patience: seen.append((one.window.isVisible(), patience <= 2))
    one.window.close()
    assert seen == [(False, True)]  # gone from the screen before anybody waits
    one.window.close()
    assert len(seen) == 1
    assert not one.window.isVisible()


def test_details_are_one_click_away(bench):
    one = bench()
    one.desk.say("it failed", "Traceback (most recent call last)", Kind.RACE)
    one.turn()
    one.qtbot.mouseClick(one.window.notices.banner.more, Qt.MouseButton.LeftButton)
    dialog = one.window.findChild(DetailsDialog)
    assert dialog is not None
    assert dialog.isVisible()
    dialog.reject()


@pytest.mark.parametrize("size", [(1920, 1050), (1440, 870), (1280, 770), (2560, 1400)])
def test_a_first_window_stands_in_the_middle_and_all_of_it_on_the_screen(size):
    available = QRect(QPoint(60, 30), QSize(*size))
    inside = layout.first_place(available)
    frame = inside.marginsAdded(layout.FRAME)
    assert available.contains(frame)
    assert frame.width() <= 0.92 * size[0] + 1
    assert frame.height() <= 0.92 * size[1] + 1
    assert (frame.center() - available.center()).manhattanLength() <= 1
    assert inside.width() <= layout.SIZE.width()


@pytest.mark.parametrize("size", [(1024, 740), (1366, 680), (800, 800)])
def test_a_small_screen_is_taken_whole(size):
    assert layout.first_place(QRect(QPoint(0, 0), QSize(*size))) is None


@given(
    st.tuples(*[st.integers(-3000, 3000)] * 2, *[st.integers(100, 4000)] * 2),
    st.tuples(st.integers(-500, 500), st.integers(0, 500), st.integers(300, 3000), st.integers(300, 2000)),
)
def test_a_window_from_another_screen_comes_back_onto_this_one(window, available):
    inside = layout.kept_inside(QRect(*window), QRect(*available))
    assert QRect(*available).contains(inside.marginsAdded(layout.FRAME))
    if QRect(*available).contains(QRect(*window).marginsAdded(layout.FRAME)):
        assert inside == QRect(*window)


def test_a_remembered_place_that_is_no_longer_on_the_screen_is_mended(bench, look):
    bench()  # clears the settings before and after
    first, second = (MainWindow(Session(State()), None) for _ in range(2))
    first.layouts.place(QRect(0, 0, 2560, 1440))
    assert (first.width(), first.height()) == (1440, 900)
    first.close()
    second.layouts.place(QRect(0, 0, 1280, 770))
    assert QRect(0, 0, 1280, 770).contains(second.geometry().marginsAdded(layout.FRAME))
    second.close()
    for window in (first, second):
        window.deleteLater()


def test_a_window_on_a_small_screen_is_maximised_and_may_be_small(bench, look):
    bench()
    window = MainWindow(Session(State()), None, remembers=False)
    window.layouts.place(QRect(0, 0, 1000, 600))
    assert window.windowState() & Qt.WindowState.WindowMaximized
    assert window.minimumWidth() <= 1000
    assert window.minimumHeight() <= 600
    window.deleteLater()


def test_the_toolbar_is_as_high_with_focus_on_its_button_as_without(bench):
    one = bench()
    bar = one.window.toolbar
    sizes = []
    for focused in (False, True):
        bar.button.setFocus() if focused else bar.button.clearFocus()
        assert bar.button.hasFocus() is focused
        for text in ("Stop", "Run"):  # a button keeps its size until its text changes
            bar.button.setText(text)
        one.turn()
        sizes.append((bar.button.sizeHint(), bar.sizeHint()))
    assert sizes[0] == sizes[1]


def test_feature_maps_that_wait_leave_the_button_at_run(bench):
    one = bench()
    one.desk.session.update(method=Method.SLIDING_WINDOW, layer="c3")
    one.turn()
    assert one.window.toolbar.button.text() == "Stop"
    one.jobs.die(SegmentRequest)
    one.turn()
    assert one.jobs.pending(FeatureRequest)
    assert one.window.toolbar.button.text() == "Run"
    assert "Run > Run again (F9)" in one.window.notices.banner.text.text()
    assert one.window.notices.banner.text.text().startswith("The engine")
    one.qtbot.mouseClick(one.window.toolbar.button, Qt.MouseButton.LeftButton)
    assert one.scene.job(Kind.IMAGE) is not None  # all of it, from the file on


def test_while_presenting_a_line_shows_the_work_and_stops_it(bench):
    one = bench()
    window, work = one.window, one.window.notices.work
    window.do("present")
    one.turn()
    assert window.isFullScreen()
    assert not work.isVisible()
    one.desk.session.update(method=Method.SLIDING_WINDOW)
    one.turn()
    one.jobs.update(SegmentRequest, Progress(212, 425, "windows"))
    one.turn()
    assert work.isVisible()
    assert "50 %" in work.words.text()
    assert work.width() == window.centre.width()
    window.do("escape")  # first the work
    one.turn()
    assert one.scene.jobs == ()
    assert not work.isVisible()
    assert window.presenting
    window.do("escape")
    assert not window.presenting
    assert not window.isFullScreen()


def test_the_scale_popup_says_what_the_pill_says(bench):
    one = bench()
    for scale in (None, 1.0, 0.37, 0.5, 1.33):
        one.desk.session.update(scale=scale)
        one.bring_up()
        pill = one.window.toolbar.scale.value.removeprefix("Auto, ")
        assert one.window.toolbar.popup.slider.slider.toolTip().endswith(f": {pill}")
    assert one.window.toolbar.popup.automatic.text() == "Automatic: the image as large as it is"
    assert "512 pixels" in automatic_text(entry("efficientnet_lite0"))


def test_rates_are_told_of_windows_only():
    assert job_text(Job(Kind.PREDICTION, Progress(1, 4, "windows"), 41.0)) == "25 % · 41 windows/s"
    assert job_text(Job(Kind.PREDICTION, Progress(1, 4, "rows of tiles"), 41.0)) == "25 %"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("the engine stopped", "The engine stopped"),
        ("net.pth: no tensor", "net.pth: no tensor"),
        ("segviz did not end", "segviz did not end"),
        ("", ""),
    ],
)
def test_messages_begin_with_a_capital_letter_unless_with_a_name(said, shown):
    assert sentence(said) == shown


def test_what_images_are_called():
    assert sample_title("castle-maintenon.jpg") == "Castle of Maintenon"
    assert sample_title("grace_hopper.jpg") == "Grace Hopper"
    assert sample_title("european-honey-bee.jpg") == "European honey bee"
    assert sample_title("digits-512x512.png") == "Digits 512 × 512"
    assert image_title("/cache/segviz/pasted/pasted-0123456789ab.png") == "Pasted image"
    assert image_title("/photos/pasted-note.png") == "pasted-note.png"
