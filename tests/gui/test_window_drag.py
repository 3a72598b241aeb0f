"""The window that a person drags: by the mouse, by arrow keys, from a State; its classes follow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from segviz.core.choices import Method, View
from segviz.core.field import Box
from segviz.core.frames import Frame
from segviz.core.requests import ClassifyRequest, DescribeRequest, PartialLabels, Progress
from segviz.core.session import State
from segviz.core.session_file import from_json, to_json
from segviz.gui import gestures
from segviz.gui.scene import Kind, dragged
from segviz.gui.widgets.box_tool import BoxTool
from segviz.gui.widgets.image_view import Touch
from segviz.gui.widgets.marks import draw_tag
from tests.gui import scenes
from tests.gui.conftest import PAGE


def place(one, x: float, y: float) -> QPoint:
    return one.window.canvas.view.projection.to_view(x, y).toPoint()


def inspector(one):
    return next(panel for panel in one.window.panels if panel.id == "inspector")


@pytest.fixture
def dragging(bench):
    """A window with the box at (40, 20), its classes there."""
    one = bench(State(image=PAGE, model="lenet5", window=(40.0, 20.0)))
    assert one.scene.window is not None
    return one


def test_the_key_brings_the_window_to_the_middle_and_takes_it_away(bench):
    one = bench()
    one.qtbot.keyClick(one.window, Qt.Key.Key_W)
    one.turn()
    assert one.state.window == ((128 - 32) / 2, (96 - 32) / 2)
    assert one.jobs.asked[one.jobs.ticket(ClassifyRequest)] == ClassifyRequest(scenes.setup(), 48, 32)
    assert one.window.action("drag-window").isChecked()
    one.qtbot.keyClick(one.window, Qt.Key.Key_W)
    one.turn()
    assert one.state.window is None
    assert dragged(one.scene) is None


def test_it_comes_to_what_is_pinned(bench):
    one = bench()
    one.window._pin(70, 50)
    one.turn()
    one.window.do("drag-window")
    left, top = one.state.window
    assert (left + 16, top + 16) == (71, 51)  # about the pinned pixel's far edge: a window has no middle pixel


def test_dragging_moves_the_box_and_the_classes_follow(dragging):
    one = dragging
    view, left = one.window.canvas.view, Qt.MouseButton.LeftButton
    one.qtbot.mousePress(view, left, pos=place(one, 50, 30))
    one.qtbot.mouseMove(view, place(one, 60, 30))
    one.qtbot.mouseMove(view, place(one, 65, 47))
    one.qtbot.mouseRelease(view, left, pos=place(one, 65, 47))
    one.turn()
    assert one.state.window == (55.0, 37.0)
    assert one.state.unit is None  # a drag is no click
    assert dragged(one.scene).box == Box(55, 37, 87, 69)
    one.bring_up()
    card = inspector(one).window
    assert [bar.name for bar in card.bars.bars] == ["5", "6", "7", "8", "9"]
    assert card.place.text() == "55, 37, 87, 69"
    assert one.window.canvas._overlays.dragged.marks.rows[0] == ("5", "0.82")
    assert len(one.window.canvas._overlays.dragged.marks.rows) == 4  # the fifth is not worth a word


def test_questions_about_windows_wait_for_the_answer_that_is_coming(dragging):
    one = dragging
    for x in (41.0, 45.0, 49.0):
        one.desk.session.update(window=(x, 20.0))
        one.turn()
    asked = [request for request in one.jobs.asked.values() if isinstance(request, ClassifyRequest)]
    assert [request.x for request in asked] == [41.0]
    one.jobs.answer(ClassifyRequest)
    one.turn()
    assert one.scene.window.request.x == 41.0
    assert one.jobs.asked[one.jobs.ticket(ClassifyRequest)].x == 49.0
    assert one.jobs.cancelled == []


def test_the_box_stops_at_the_borders_of_the_image(dragging):
    one = dragging
    view, left = one.window.canvas.view, Qt.MouseButton.LeftButton
    one.qtbot.mousePress(view, left, pos=place(one, 50, 30))
    one.qtbot.mouseMove(view, place(one, 500, -400))
    one.qtbot.mouseRelease(view, left, pos=place(one, 500, -400))
    one.turn()
    assert one.state.window == (96.0, 0.0)


def test_a_click_in_the_box_pins_as_everywhere(dragging):
    one = dragging
    one.qtbot.mouseClick(one.window.canvas.view, Qt.MouseButton.LeftButton, pos=place(one, 50, 30))
    one.turn()
    assert one.state.unit is not None
    assert one.state.window == (40.0, 20.0)


def test_beside_the_box_one_pans_as_ever(dragging):
    one = dragging
    one.window.canvas.zoom(3)
    view, left = one.window.canvas.view, Qt.MouseButton.LeftButton
    before, start = view.projection, place(one, 90, 60)
    one.qtbot.mousePress(view, left, pos=start)
    one.qtbot.mouseMove(view, start + QPoint(40, 20))
    one.qtbot.mouseRelease(view, left, pos=start + QPoint(40, 20))
    assert view.projection == before.moved(40, 20)
    assert one.state.window == (40.0, 20.0)


@pytest.mark.parametrize(("grid_stride", "step"), [(None, 4), (1, 1), (10, 10)])
def test_arrow_keys_go_one_step_of_the_grid(dragging, grid_stride, step):
    one = dragging
    one.desk.session.update(grid_stride=grid_stride)
    one.window.canvas.view.setFocus()
    one.qtbot.keyClick(one.window.canvas.view, Qt.Key.Key_Right)
    one.qtbot.keyClick(one.window.canvas.view, Qt.Key.Key_Up)
    assert one.state.window == (40.0 + step, 20.0 - step)
    for _ in range(200):
        one.qtbot.keyClick(one.window.canvas.view, Qt.Key.Key_Left)
    assert one.state.window == (0.0, 20.0 - step)


def test_escape_takes_the_window_first_and_then_the_unit(dragging):
    one = dragging
    one.window._pin(64, 48)
    one.turn()
    one.window.do("escape")
    assert one.state.window is None
    assert one.state.unit is not None
    one.turn()
    one.window.do("escape")
    assert one.state.unit is None


def test_the_sliding_window_comes_with_one_to_drag_and_takes_it_along(bench):
    one = bench()
    one.window.do("method-sliding-window")
    assert one.state.method is Method.SLIDING_WINDOW
    assert one.state.window is not None
    one.turn()
    running = PartialLabels(scenes.race_updates(3)[0].partial.labels, scenes.race().lattice, None, Progress(3, 425))
    assert dragged(replace(one.scene, partial=running)) is None  # its own box runs
    assert dragged(one.scene) is not None
    one.window.do("method-coarse")
    assert one.state.window is None


def test_a_network_that_answers_per_pixel_says_why_there_is_none(bench):
    one = bench()
    one.desk._show(network=replace(one.scene.network, window=None, title="Selfie segmentation"))
    one.window.do("drag-window")
    one.turn()
    assert one.state.window is None
    assert "Selfie segmentation answers for every pixel" in one.scene.message.text
    assert one.window.notices.banner.isVisible()


def test_an_image_smaller_than_the_window_says_so(bench):
    one = bench()
    one.desk._show(network=replace(one.scene.network, window=(224, 224)))
    one.window.do("drag-window")
    assert "128 × 96 pixels, smaller than its window of 224 × 224: raise the scale" in one.scene.message.text


def test_a_window_that_the_engine_refuses_goes_and_the_reason_stays(dragging):
    one = dragging
    one.desk.session.update(window=(44.0, 20.0))
    one.turn()
    one.jobs.refuse(ClassifyRequest, "the image is smaller than the window")
    one.turn()
    assert one.state.window is None
    assert one.scene.message.about is Kind.WINDOW


def test_the_position_is_part_of_a_session_and_of_a_lesson(dragging):
    state, remarks = from_json(to_json(dragging.state))
    assert state.window == (40.0, 20.0)
    assert remarks == ()


def test_a_scaled_image_has_the_box_at_whole_network_pixels(dragging):
    one = dragging
    one.desk.session.update(scale=0.5)
    one.turn()
    half = replace(scenes.lenet(48, 64), frame=Frame((96, 128), (48, 64), (48, 64)))
    one.jobs.answer(DescribeRequest, half)
    one.turn()
    assert dragged(one.scene).box == Box(40, 20, 104, 84)
    assert gestures.drag_window(one.scene, 40.9, 21.2) == {"window": (40.0, 22.0)}  # two image pixels each


def test_the_classes_of_another_network_are_taken_off(dragging):
    one = dragging
    one.desk.session.update(model="mtcnn_onet")
    one.turn()
    one.jobs.answer(DescribeRequest, replace(scenes.lenet(), request=one.jobs.history[-1], window=(48, 48)))
    assert one.scene.window is None
    assert dragged(one.scene).classes == ()


def test_the_window_is_there_in_every_view_and_in_the_exported_picture(dragging):
    one = dragging
    for view in View:
        one.desk.session.update(view=view)
        one.turn()
        marked = one.window.canvas.render_image()
        one.desk.session.update(window=None)
        one.turn()
        assert marked != one.window.canvas.render_image()
        one.desk.session.update(window=(40.0, 20.0))
        one.turn()


# -------------------------------------------------------------------------------------- its parts


def test_a_small_box_is_caught_from_a_little_beside_it():
    tool = BoxTool()
    assert not tool.takes(Touch(5, 5, 1.0))
    tool.box = Box(10, 10, 12, 12)
    assert tool.takes(Touch(5, 11, 1.0))
    assert not tool.takes(Touch(5, 11, 4.0))  # magnified it is large enough
    assert tool.takes(Touch(9, 11, 4.0))


def test_a_hand_that_trembles_does_not_drag():
    tool, moved = BoxTool(), []
    tool.box = Box(10, 10, 42, 42)
    tool.moved.connect(lambda x, y: moved.append((x, y)))
    tool.begin(Touch(20, 20, 1.0))
    tool.move(Touch(21, 20, 1.0))
    assert not tool.end()
    tool.begin(Touch(20, 20, 1.0))
    tool.move(Touch(30, 26, 1.0))
    tool.move(Touch(21, 20, 1.0))
    assert tool.end()
    assert moved == [(20.0, 16.0), (11.0, 10.0)]


@pytest.mark.parametrize("left", [-30, 10, 200, 380])
@pytest.mark.parametrize("side", [8, 60, 500])
def test_the_tag_stays_on_the_screen_and_off_the_box_where_it_can(look, left, side):
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    area = QRectF(0, 0, 400, 300)
    box = QRectF(left, 40, side, side)
    tag = draw_tag(painter, [("castle", "0.82"), ("a very long name that goes on and on", "0.11")], box, area)
    painter.end()
    assert area.contains(tag)
    if side < 100:
        assert not tag.intersects(box)
