"""The whiteboard by real events: strokes show at once, every view follows, nothing that is pinned is lost."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QImageWriter, QPointingDevice, QTabletEvent
from PySide6.QtWidgets import QApplication

from segviz.core import images
from segviz.core.choices import View
from segviz.core.requests import DescribeRequest, FeatureRequest, SegmentRequest
from segviz.core.session import Session, State, Unit
from segviz.gui import board_file, gestures, names, settings
from segviz.gui.board import SIZES, BoardTool
from segviz.gui.board_dialog import SizeDialog
from segviz.gui.board_file import Filing, folder
from segviz.gui.board_strip import BoardStrip
from segviz.gui.jobs import Jobs
from segviz.gui.scene import Kind
from segviz.gui.window import MainWindow
from tests.gui import scenes

SIZE = (scenes.WIDTH, scenes.HEIGHT)


@pytest.fixture
def drawing(bench):
    """A window with an empty drawing of the test page's size, everything answered."""
    one = bench(State())
    one.window.board.begin(*SIZE)
    written(one)
    return one


def written(one) -> None:
    """Let the board write and show what was drawn, and answer all questions."""
    board = one.window.board
    one.qtbot.waitUntil(lambda: not board._dirty and not board._writing)
    one.bring_up()


def place(one, x: float, y: float) -> QPoint:
    return one.window.canvas.view.projection.to_view(x, y).toPoint()


def stroke(one, *points: tuple[float, float]) -> None:
    """Press at the first point, move over the others, let go."""
    view = one.window.canvas.view
    left = Qt.MouseButton.LeftButton
    one.qtbot.mousePress(view, left, pos=place(one, *points[0]))
    for point in points[1:]:
        one.qtbot.mouseMove(view, place(one, *point))
    one.qtbot.mouseRelease(view, left, pos=place(one, *points[-1]))


def ink(one, x: int, y: int) -> int:
    return QColor(one.window.board.ink.image.pixel(x, y)).red()


def shown(one, x: float, y: float) -> int:
    """The red of the canvas on the screen there."""
    return one.window.canvas.view.grab().toImage().pixelColor(place(one, x, y)).red()


def test_a_new_whiteboard_is_black_paper_with_lenet(drawing):
    one = drawing
    assert one.state.model == "lenet5"
    assert names.board_size(one.state.image) == SIZE
    assert one.window.toolbar.image.value == "Whiteboard"
    with Image.open(one.state.image) as image:
        assert (image.size, image.mode, image.getextrema()) == (SIZE, "L", (0, 0))
    assert not one.jobs.opened  # it was made here: nothing is read again
    assert one.scene.picture.kind == images.open_picture(one.state.image).kind == "grey"


def test_a_stroke_shows_at_once_whatever_the_engine_does(drawing):
    one = drawing
    view = one.window.canvas.view
    one.desk.session.update(view=View.IMAGE)
    one.turn()
    asked = len(one.jobs.history)
    one.qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=place(one, 30, 40))
    one.qtbot.mouseMove(view, place(one, 90, 40))
    assert ink(one, 60, 40) == 255
    assert shown(one, 60, 40) == 255
    assert len(one.jobs.history) == asked
    one.qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=place(one, 90, 40))
    assert ink(one, 60, 60) == 0


def test_every_view_follows_what_is_drawn(drawing):
    one = drawing
    before = one.state.revision
    stroke(one, (30, 40), (90, 40))
    one.qtbot.waitUntil(lambda: one.state.revision > before)
    one.turn()
    assert one.scene.picture.pixels[40, 60].tolist() == [255, 255, 255]
    asked = list(one.jobs.asked.values())
    assert {type(request) for request in asked} == {SegmentRequest, FeatureRequest}
    assert {request.setup.revision for request in asked} == {one.state.revision}
    written(one)
    with Image.open(one.state.image) as image:  # what the engine reads is what is shown
        assert np.array_equal(np.asarray(image), one.scene.picture.pixels[..., 0])
    assert np.array_equal(images.open_picture(one.state.image).pixels, one.scene.picture.pixels)


def test_a_click_without_a_drag_draws_a_dot_and_pins_nothing(drawing):
    one = drawing
    stroke(one, (50, 50))
    assert ink(one, 50, 50) == 255
    written(one)
    assert one.state.unit is None
    assert one.window.board.stack.count() == 1


def test_what_is_pinned_and_how_it_is_zoomed_stays_while_one_draws(drawing):
    one = drawing
    one.desk.session.update(layer="s4", unit=Unit(3, 5, 7), cursor=(30.0, 20.0))
    one.turn()
    one.window.canvas.zoom(1.7)
    projection, path = one.window.canvas.view.projection, one.state.image
    stroke(one, (60, 40), (70, 50))
    written(one)
    assert (one.state.unit, one.state.cursor) == (Unit(3, 5, 7), (30.0, 20.0))
    assert one.window.canvas.view.projection == projection
    assert one.state.image == path
    assert not any(isinstance(r, DescribeRequest) for r in one.jobs.history[-4:])  # drawing changes no geometry


def test_questions_about_a_drawing_wait_for_the_answer_that_is_coming(drawing):
    """The newest wins, but no run is ended for it: else nothing would be answered until the hand rests."""
    one = drawing
    stroke(one, (30, 40), (90, 40))
    one.qtbot.waitUntil(lambda: one.jobs.pending(SegmentRequest))
    first = one.jobs.ticket(SegmentRequest)
    running = one.jobs.asked[first].setup.revision
    for y in (50, 60, 70):
        revision = one.state.revision
        stroke(one, (30, y), (90, y))
        one.qtbot.waitUntil(lambda before=revision: one.state.revision > before)
        one.turn()
    assert one.jobs.ticket(SegmentRequest) == first
    assert one.jobs.cancelled == []
    one.jobs.answer(SegmentRequest)
    one.turn()
    assert one.scene.prediction.request.setup.revision == running
    assert one.jobs.asked[one.jobs.ticket(SegmentRequest)].setup.revision == one.state.revision > running


def test_work_on_a_drawing_does_not_flicker_in_the_toolbar(drawing):
    one = drawing
    stroke(one, (30, 40), (90, 40))
    one.qtbot.waitUntil(lambda: one.jobs.pending(SegmentRequest))
    one.turn()
    assert one.scene.jobs == ()
    assert one.window.toolbar.button.text() == "Run"


def test_undo_and_redo_strokes_clearing_and_erasing(drawing):
    one = drawing
    stroke(one, (30, 40), (90, 40))
    one.window.do("board-eraser")
    stroke(one, (60, 20), (60, 60))
    assert (ink(one, 60, 40), ink(one, 35, 40)) == (0, 255)
    one.window.do("board-clear")
    assert ink(one, 35, 40) == 0
    seen = []
    for _ in range(3):
        one.qtbot.keyClick(one.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        seen.append((ink(one, 60, 40), ink(one, 35, 40)))
    assert seen == [(0, 255), (255, 255), (0, 0)]
    redo = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    for _ in range(2):
        one.qtbot.keyClick(one.window, Qt.Key.Key_Z, redo)
    assert (ink(one, 60, 40), ink(one, 35, 40)) == (0, 255)
    written(one)
    assert one.scene.picture.pixels[40, 60, 0] == 0  # every view has it, too


def test_inspecting_pins_and_alt_does_it_in_between(drawing, monkeypatch):
    one = drawing
    monkeypatch.setattr(QApplication, "keyboardModifiers", lambda: Qt.KeyboardModifier.AltModifier)
    stroke(one, (50, 50))
    assert one.state.unit is not None
    monkeypatch.undo()
    one.desk.session.update(unit=None, cursor=None)
    one.qtbot.keyClick(one.window, Qt.Key.Key_V)
    assert one.window.board.tool is BoardTool.INSPECT
    stroke(one, (40, 40))
    assert one.state.unit is not None
    assert ink(one, 50, 50) == ink(one, 40, 40) == 0
    assert one.window.action("board-inspect").isChecked()


def tablet(one, kind: QEvent.Type, x: float, y: float, pressure: float, eraser: bool = False) -> bool:
    view = one.window.canvas.view
    types = QPointingDevice.PointerType
    device = QPointingDevice(
        "pen", 7, QPointingDevice.DeviceType.Stylus, types.Eraser if eraser else types.Pen,
        QPointingDevice.Capability.Pressure, 1, 1,
    )  # fmt: skip
    at = QPointF(place(one, x, y))
    left = Qt.MouseButton.LeftButton
    down = left if kind is not QEvent.Type.TabletRelease else Qt.MouseButton.NoButton
    event = QTabletEvent(
        kind, device, at, QPointF(view.mapToGlobal(at.toPoint())), pressure, 0, 0, 0, 0, 0,
        Qt.KeyboardModifier.NoModifier, left, down,
    )  # fmt: skip
    QGuiApplication.sendEvent(view, event)
    return event.isAccepted()


def test_a_pen_draws_wider_when_it_presses_and_its_other_end_erases(drawing):
    one = drawing
    one.window.board.set_width(16)
    press, move, release = QEvent.Type.TabletPress, QEvent.Type.TabletMove, QEvent.Type.TabletRelease
    wide = []
    for y, pressure in ((25, 0.05), (65, 1.0)):
        assert tablet(one, press, 20, y, pressure)
        assert tablet(one, move, 100, y, pressure)
        assert tablet(one, release, 100, y, 0)
        wide.append(sum(ink(one, 60, row) > 127 for row in range(y - 15, y + 16)))
    assert 3 <= wide[0] <= 6
    assert 14 <= wide[1] <= 17
    assert tablet(one, press, 60, 65, 1.0, eraser=True)
    tablet(one, release, 60, 65, 0, eraser=True)
    assert ink(one, 60, 65) == 0
    one.window.board.set_tool(BoardTool.INSPECT)
    assert not tablet(one, press, 60, 25, 1.0)  # left to Qt, which makes a click of it


@pytest.mark.parametrize("size", SIZES)
def test_a_drawing_begins_at_the_scale_at_which_digits_are_drawn_with_ease(size):
    changes = gestures.use_board(State(), f"/boards/{names.board_file(size)}")
    assert changes["model"] == "lenet5"
    # A quarter of the paper is 22 pixels then: digits have 20 in the windows that LeNet-5 was taught.
    assert changes["scale"] * min(size) == pytest.approx(2.75 * 32, rel=0.02)
    other = gestures.use_board(State(model="efficientnet_lite0"), f"/boards/{names.board_file(size)}")
    assert other["model"] == "lenet5"  # who draws wants digits to be read
    assert "model" not in gestures.use_board(State(model="lenet5"), f"/boards/{names.board_file(size)}")


def test_the_dialog_makes_a_drawing_of_a_usual_or_any_other_size(bench):
    one = bench(State(), prompt=False)
    one.qtbot.keyClick(one.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    dialog = one.window.findChild(SizeDialog)
    one.qtbot.mouseClick(dialog.sizes.button((2000, 1000)), Qt.MouseButton.LeftButton)
    assert dialog.size_chosen == (2000, 1000)
    dialog.height_box.setValue(77)
    assert dialog.sizes.value == "other"
    one.qtbot.keyClick(dialog.height_box, Qt.Key.Key_Return)
    assert names.board_size(one.state.image) == (2000, 77)
    assert not dialog.isVisible()


def test_the_card_of_the_empty_window_begins_a_drawing(bench):
    one = bench(State(), prompt=False)
    card = next(card for card in one.window.canvas.start.cards if card.text() == "Whiteboard")
    one.qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    one.turn()
    assert names.board_size(one.state.image) == (512, 512)
    assert one.window.canvas.view.isVisible()


def test_a_new_whiteboard_throws_no_drawing_away(drawing):
    one = drawing
    stroke(one, (30, 40), (90, 40))
    first = one.state.image
    one.window.board.begin(200, 150)
    one.turn()
    assert names.board_size(one.state.image) == (200, 150)
    assert ink(one, 60, 40) == 0
    one.qtbot.keyClick(one.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    one.turn()
    assert names.board_size(one.state.image) == names.board_size(first)
    assert ink(one, 60, 40) == 255


def test_more_paper_keeps_the_drawing_and_can_be_undone(drawing):
    one = drawing
    stroke(one, (30, 40), (90, 40))
    first = one.state.image
    one.window.board.resize(200, 150)
    one.turn()
    assert (names.board_size(one.state.image), ink(one, 60, 40), ink(one, 180, 140)) == ((200, 150), 255, 0)
    assert one.state.image != first
    assert (one.scene.picture.width, one.scene.picture.height) == (200, 150)
    one.window.do("undo")
    one.window.do("undo")
    one.turn()
    assert names.board_size(one.state.image) == SIZE
    assert ink(one, 60, 40) == 0


def test_the_strip_is_there_for_drawings_and_says_what_is_chosen(drawing):
    one = drawing
    strip = one.window.canvas.findChild(BoardStrip)
    assert strip.isVisible()
    assert strip.size_pill.value == "128 × 96"
    assert not strip.undo.isEnabled()
    stroke(one, (30, 40), (90, 40))
    assert strip.undo.isEnabled()
    one.qtbot.mouseClick(strip.undo, Qt.MouseButton.LeftButton)
    assert strip.redo.isEnabled()
    assert ink(one, 60, 40) == 0
    one.qtbot.mouseClick(strip.tools.button(BoardTool.ERASER), Qt.MouseButton.LeftButton)
    assert one.window.board.tool is BoardTool.ERASER
    one.qtbot.keyClick(one.window, Qt.Key.Key_Period)
    assert strip.width_slider.value == one.window.board.pen.width
    one.desk.session.update(image=scenes.PAGE)
    one.bring_up()
    assert not strip.isVisible()
    assert not one.window.board.open


def test_another_image_keeps_the_last_strokes_in_the_file(drawing):
    one = drawing
    path = one.state.image
    written(one)
    stroke(one, (30, 40), (90, 40))
    one.desk.session.update(image=scenes.PAGE)
    one.bring_up()
    one.qtbot.waitUntil(lambda: not one.window.files.background.busy)
    assert one.state.image == scenes.PAGE  # what was still being written does not bring the drawing back
    assert images.open_picture(path).pixels[40, 60, 0] == 255
    assert one.window.board.stack.count() == 0


def test_a_session_keeps_the_drawing_as_it_was_and_opens_as_a_drawing_again(drawing, tmp_path, monkeypatch):
    one = drawing
    stroke(one, (30, 40), (90, 40))
    file = tmp_path / "drawn.segviz"
    monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds: file)
    with one.qtbot.waitSignal(one.desk.said):
        one.window.do("save-session")  # at once: what was drawn last belongs to it
    name = json.loads(file.read_text())["state"]["image"]
    kept = str(tmp_path / name)  # beside the session, which goes where that goes
    assert "/" not in name
    written(one)
    stroke(one, (20, 80), (110, 80))
    written(one)
    assert kept != one.state.image
    assert images.open_picture(kept).pixels[80, 60, 0] == 0
    one.window.files.open_session(file)
    one.turn()
    one.jobs.open_file(kept)  # as the real thread reads it
    one.bring_up()
    assert one.state.image == kept
    assert one.window.board.open
    assert (ink(one, 60, 40), ink(one, 60, 80)) == (255, 0)


def test_a_drawing_that_was_opened_is_not_written_over(bench):
    one = bench(State())
    picture = scenes.picture()
    path = folder() / names.board_file(SIZE)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture.pixels[..., 0]).save(path)
    before = path.read_bytes()
    one.desk.session.update(image=str(path), model="lenet5")
    one.turn()
    one.jobs.open_file(str(path))
    one.bring_up()
    one.window._pin(40, 30)
    one.turn()
    unit = one.state.unit
    one.window.canvas.zoom(1.5)
    projection = one.window.canvas.view.projection
    stroke(one, (30, 60), (90, 60))
    written(one)
    assert path.read_bytes() == before
    assert one.state.image != str(path)
    assert names.same_image(one.state.image, str(path))
    assert one.state.unit == unit
    assert unit is not None
    assert one.window.canvas.view.projection == projection
    assert settings.recent()[0] == one.state.image


def test_a_drawing_that_cannot_be_kept_is_a_message_and_drawing_goes_on(drawing, monkeypatch):
    one = drawing
    monkeypatch.setattr(QImageWriter, "write", lambda *_: False)
    stroke(one, (30, 40), (90, 40))
    one.qtbot.waitUntil(lambda: one.scene.message is not None)
    assert "cannot be kept" in one.scene.message.text
    assert one.scene.message.about is Kind.IMAGE
    monkeypatch.undo()
    stroke(one, (30, 60), (90, 60))
    written(one)
    assert one.scene.message is None
    assert one.scene.picture.pixels[40, 60, 0] == 255


def test_an_older_state_never_replaces_a_newer_one(tmp_path, qapp):
    filing, file = Filing(), tmp_path / "board.png"
    old, new = (QImage(8, 4, QImage.Format.Format_RGB32) for _ in range(2))
    old.fill(QColor("black"))
    new.fill(QColor("white"))
    first, second = filing.number(), filing.number()
    assert filing.keep(second, new, file) is not None
    assert filing.keep(first, old, file) is None  # its thread was slower
    assert images.open_picture(file).pixels.min() == 255
    assert [path.name for path in tmp_path.iterdir()] == ["board.png"]


def test_the_last_strokes_of_a_drawing_are_kept_when_another_begins(drawing, monkeypatch):
    """The first state of the new file is newer than the last of the old one, and yet no reason to leave that out."""
    one = drawing
    board = one.window.board
    stroke(one, (10, 10), (30, 30))
    written(one)
    old = board._file
    stroke(one, (40, 40), (60, 40))
    assert board._dirty
    late = []  # the thread that writes the old drawing is slower than the first state of the new one
    monkeypatch.setattr(board._background, "run", lambda work, then: late.append(work))
    board.begin(64, 64)
    for work in late:
        work()
    with Image.open(old) as image:
        assert image.getpixel((50, 40)) == 255


def test_a_state_of_another_file_is_neither_older_nor_waited_for(tmp_path, qapp, monkeypatch):
    """A slow disk holds up one drawing: the next is written meanwhile, and then the slow one as well."""
    filing, slow, quick = Filing(), tmp_path / "slow.png", tmp_path / "quick.png"
    image = QImage(8, 4, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    begun, go_on, real = threading.Event(), threading.Event(), board_file._write

    def write(grey, file):
        if file == slow:
            begun.set()
            assert go_on.wait(10)
        real(grey, file)

    monkeypatch.setattr(board_file, "_write", write)
    first = filing.number()
    thread = threading.Thread(target=filing.keep, args=(first, image, slow))
    thread.start()
    assert begun.wait(10)
    keeper = threading.Thread(target=filing.keep, args=(filing.number(), image, quick))
    keeper.start()
    keeper.join(10)
    there = quick.exists(), slow.exists()
    go_on.set()
    thread.join(10)
    keeper.join(10)
    assert there == (True, False)
    assert slow.exists()


@pytest.mark.parametrize("name", ["board.png", "board-12-3x4-5.png", "a-board-0123abcd-3x4-0123abcd.png", "page.png"])
def test_other_images_are_no_drawings(name):
    assert not names.is_board(f"/x/{name}")


def test_files_of_one_drawing_know_each_other():
    first = names.board_file((30, 40))
    again, larger = names.board_file((30, 40), first), names.board_file((31, 40), first)
    assert first != again
    assert names.same_image(f"/a/{first}", f"/b/{again}")
    assert not names.same_image(first, larger)
    assert not names.same_image(first, names.board_file((30, 40)))
    assert names.board_size(again) == (30, 40)


def test_the_real_engine_reads_a_digit_while_it_is_drawn(qtbot, look, shared_engine):
    """A one, as high as suits the drawing: LeNet-5 says so, and nothing had to be opened or run."""
    window = MainWindow(Session(State()), lambda: Jobs(connect=shared_engine.lend), remembers=False)
    window.resize(1280, 800)
    with qtbot.waitSignal(window.filled):
        window.show()
    window.board.begin(256, 256)
    qtbot.waitUntil(lambda: window.desk.scene.prediction is not None, timeout=60_000)
    view = window.canvas.view
    left, at = Qt.MouseButton.LeftButton, lambda x, y: view.projection.to_view(x, y).toPoint()
    qtbot.mousePress(view, left, pos=at(128, 106))
    for y in range(108, 151, 4):
        qtbot.mouseMove(view, at(128 - (y - 128) / 8, y))
    qtbot.mouseRelease(view, left, pos=at(125, 150))

    def read() -> bool:
        scene = window.desk.scene
        return scene.prediction.labels[128, 128] == 1 and scene.prediction.confidence[128, 128] > 0.8 * 255

    qtbot.waitUntil(read, timeout=60_000)
    window.do("drag-window")
    qtbot.waitUntil(lambda: window.desk.scene.window is not None, timeout=60_000)
    assert window.desk.scene.window.classes[0][:2] == (1, "1")
    assert Path(window.desk.session.state.image).is_file()
    window.close()
    window.deleteLater()
