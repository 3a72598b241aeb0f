"""The picture of a network as a widget: what is hit, what is painted, how it moves, how it leaves."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segviz.core.folding import Folding, Join, Volume
from segviz.core.volume_layout import lit, plan_of
from segviz.gui import theme
from segviz.gui.widgets.network_board import NetworkBoard, fitted, image_of, svg_of
from segviz.gui.widgets.network_captions import captions_height
from segviz.gui.widgets.network_paint import Figure, NetworkPainter
from segviz.gui.widgets.projection import Projection
from tests.core import skipped

SVG = "{http://www.w3.org/2000/svg}"


def figure_of(network, toggled=frozenset(), **changes):
    plan = plan_of(Folding(network), toggled)
    names = tuple(item.label if isinstance(item, Volume) else "" for item in plan.scheme.items)
    return Figure(plan, names, **changes)


@pytest.fixture
def board(qtbot, look):
    made = NetworkBoard("Picture")
    made.glides = False
    qtbot.addWidget(made)
    made.resize(800, 480)
    made.show()
    return made


def place_named(figure, name):
    return next(
        at for at, item in enumerate(figure.plan.scheme.items) if isinstance(item, Volume) and item.name == name
    )


def middle(board, place):
    solid = board.figure.plan.solids[place]
    at = board.projection
    return QPoint(round(at.left + solid.middle * at.zoom), round(at.top))


def test_all_of_a_network_is_in_sight_at_first(board):
    board.show_figure(figure_of(skipped.residual(20)), None)
    at, box = board.projection, board.figure.plan.box
    assert at.left + box.left * at.zoom >= 0
    assert at.left + box.right * at.zoom <= board.width()
    assert at.top + box.top * at.zoom >= 0
    assert at.top + box.bottom * at.zoom <= board.height() - captions_height(board.figure.plan) + 1


@pytest.mark.parametrize("size", [(320, 200), (740, 420), (2000, 1100)])
def test_a_focus_fills_the_view(size, look):
    plan = plan_of(Folding(skipped.residual(2)))
    box = plan.span(2, 4)
    at = fitted(plan, box, QSizeF(*size))
    wide, tall = box.width * at.zoom, box.height * at.zoom
    assert wide <= size[0]
    assert tall <= size[1]
    assert at.left + (box.left + box.right) / 2 * at.zoom == pytest.approx(size[0] / 2)


def test_a_click_tells_the_volume_and_a_double_click_enters_it(board, qtbot):
    board.show_figure(figure_of(skipped.residual(20)), None)
    place = place_named(board.figure, "body.4")
    with qtbot.waitSignal(board.clicked) as clicked:
        QTest.mouseClick(board, Qt.MouseButton.LeftButton, pos=middle(board, place))
    assert clicked.args == [place]
    with qtbot.waitSignal(board.entered) as entered:
        QTest.mouseDClick(board, Qt.MouseButton.LeftButton, pos=middle(board, place))
    assert entered.args == [place]
    with qtbot.waitSignal(board.outward):
        QTest.mouseDClick(board, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))


def test_the_count_of_a_block_unfolds_it_and_its_name_folds_it(board, qtbot):
    board.show_figure(figure_of(skipped.residual(20)), None)
    board.grab()
    with qtbot.waitSignal(board.toggled) as toggled:
        QTest.mouseClick(board, Qt.MouseButton.LeftButton, pos=board._counts["body.4"].center().toPoint())
    assert toggled.args == ["body.4"]
    board.show_figure(figure_of(skipped.residual(20), frozenset({"body.4"})), None)
    board.grab()
    with qtbot.waitSignal(board.toggled) as toggled:
        QTest.mouseClick(board, Qt.MouseButton.LeftButton, pos=board._brackets["body.4"].center().toPoint())
    assert toggled.args == ["body.4"]


def test_the_wheel_zooms_about_the_mouse_and_a_drag_moves(board):
    board.show_figure(figure_of(skipped.unet()), None)
    before = board.projection
    mouse = QPointF(200, 150)
    under = (mouse.x() - before.left) / before.zoom
    event = QWheelEvent(
        mouse, board.mapToGlobal(mouse), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(board, event)
    after = board.projection
    assert after.zoom > before.zoom
    assert (mouse.x() - after.left) / after.zoom == pytest.approx(under)
    QTest.mousePress(board, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(board, QPoint(160, 120))
    QTest.mouseRelease(board, Qt.MouseButton.LeftButton, pos=QPoint(160, 120))
    assert board.projection.left == pytest.approx(after.left + 60)
    QTest.keyClick(board, Qt.Key.Key_F)
    assert board.projection == before


def test_it_glides_to_a_focus_and_jumps_where_that_is_turned_off(board, qtbot):
    figure = figure_of(skipped.residual(2))
    board.show_figure(figure, None)
    whole = board.projection
    box = figure.plan.span(2, 3)
    board.glides = True
    board.show_figure(figure, box)
    assert board.projection.zoom < fitted(figure.plan, box, QSizeF(board.size())).zoom, "not there yet"
    qtbot.waitUntil(lambda: board.projection == fitted(figure.plan, box, QSizeF(board.size())))
    board.glides = False
    board.show_figure(figure, None)
    assert board.projection == whole


def test_what_a_person_has_zoomed_to_stays_while_the_figure_changes(board):
    figure = figure_of(skipped.unet())
    board.show_figure(figure, None)
    board.zoom(2.0)
    there = board.projection
    board.show_figure(Figure(figure.plan, figure.names, selected=2), None)
    assert board.projection == there


def painted(figure, zoom=2.0):
    """The figure without captions, and where it lies."""
    image = QImage(1800, 700, QImage.Format.Format_RGB32)
    image.fill(theme.DARK.color("surround"))
    at = Projection(zoom, 20, 350)
    painter = QPainter(image)
    NetworkPainter(painter, figure, at, QRectF(0, 0, 1800, 700), theme.DARK).paint()
    painter.end()
    return image, at


def bluer(colour: QColor) -> int:
    return colour.blue() - colour.red()


def test_what_the_unit_needs_is_lit_and_nothing_beside_it(look):
    network = skipped.unet()
    plan = plan_of(Folding(network))
    lights = lit(plan, network.geometry, "down1", 20, 20)
    image, at = painted(figure_of(network, lit=lights))
    place = place_named(figure_of(network), "pool0")
    solid, box = plan.solids[place], lights[place]

    def seen(x, y):
        px, py = solid.on_map(x, y)
        return bluer(image.pixelColor(round(at.left + px * at.zoom), round(at.top + py * at.zoom)))

    inside = seen((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    assert inside > 40
    assert seen(0.3, 0.2) < 25


def test_the_photograph_lies_on_the_face_the_right_way_round(look):
    """An F-shaped question: red at the top left, blue at the bottom right."""
    photograph = QImage(40, 40, QImage.Format.Format_RGB32)
    photograph.fill(QColor("white"))
    painter = QPainter(photograph)
    painter.fillRect(0, 0, 20, 20, QColor("red"))
    painter.fillRect(20, 20, 20, 20, QColor("blue"))
    painter.end()
    figure = figure_of(skipped.unet(), photograph=photograph)
    image, at = painted(figure)
    solid = figure.plan.solids[0]

    def seen(x, y):
        px, py = solid.on_map(x, y)
        return image.pixelColor(round(at.left + px * at.zoom), round(at.top + py * at.zoom)).name()

    assert [seen(0.25, 0.25), seen(0.75, 0.75)] == ["#ff0000", "#0000ff"]
    assert seen(0.75, 0.25) == seen(0.25, 0.75) == "#ffffff"


def test_a_selected_volume_is_painted_in_the_accent(look):
    network = skipped.unet()
    place = place_named(figure_of(network), "up0")
    (plain, at), (chosen, _) = painted(figure_of(network)), painted(figure_of(network, selected=place))
    solid = figure_of(network).plan.solids[place]
    spot = round(at.left + (solid.left + solid.depth / 2) * at.zoom), round(at.top + solid.back_y / 2 * at.zoom)
    assert bluer(chosen.pixelColor(*spot)) > bluer(plain.pixelColor(*spot)) + 30


def test_a_join_is_a_circle_on_the_axis(look):
    figure = figure_of(skipped.residual(1))
    place = next(at for at, item in enumerate(figure.plan.scheme.items) if isinstance(item, Join))
    image, at = painted(figure)
    centre = image.pixelColor(round(at.left + figure.plan.solids[place].middle * at.zoom), round(at.top))
    assert centre.lightness() > 120


def test_text_of_an_svg_stays_text(look):
    """Names, channels and grids are found in the file, nothing lies outside the paper."""
    drawing = ElementTree.fromstring(svg_of(figure_of(skipped.residual(2)), theme.DARK, "Drawn"))
    texts = {"".join(text.itertext()).strip() for text in drawing.iter(f"{SVG}text")}
    assert {"stem", "conv1", "16", "body.0", "input"} <= texts
    assert any("64" in text and "×" in text for text in texts)
    assert drawing.find(f"{SVG}title").text == "Drawn"
    assert len(list(drawing.iter(f"{SVG}polygon"))) + len(list(drawing.iter(f"{SVG}path"))) > 20


def test_an_svg_holds_the_photograph(look):
    photograph = QImage(30, 30, QImage.Format.Format_RGB32)
    photograph.fill(QColor("red"))
    drawing = svg_of(figure_of(skipped.unet(), photograph=photograph), theme.LIGHT, "Drawn")
    assert b"data:image/png;base64," in drawing or b"data:image/jpeg;base64," in drawing


def test_a_picture_is_as_sharp_as_it_is_asked_for(look):
    once, twice = (image_of(figure_of(skipped.unet()), theme.LIGHT, scale) for scale in (1.0, 2.0))
    assert twice.size() == once.size() * 2
    assert once.pixelColor(2, 2) == theme.LIGHT.color("surround")


def test_an_empty_board_paints_nothing_and_takes_no_click(board):
    board.show_figure(None, None)
    board.grab()
    assert board.place_at(QPointF(50, 50)) is None
    QTest.mouseClick(board, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    board.fit()
    board.zoom(2.0)
