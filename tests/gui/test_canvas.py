"""The canvas through real mouse and key events, and by pixels that mean something."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from segviz.core import assets, catalogue, palettes, scores
from segviz.core.choices import ColourMap, Palette, View
from segviz.core.field import Box
from segviz.core.frames import Lattice
from segviz.core.images import Picture
from segviz.core.requests import PartialLabels, Progress
from segviz.core.session import Session, State, Unit
from segviz.gui import heat_planes, overlays, theme
from segviz.gui.actions import find
from segviz.gui.canvas import MENU, Canvas
from segviz.gui.scene import Scene, pinned
from tests.gui import scenes

pytestmark = pytest.mark.usefixtures("look")

OKABE = [tuple(int(v) for v in colour) for colour in palettes.class_colours(Palette.OKABE_ITO, 8)]


def rgb(image: QImage, x: int, y: int) -> tuple[int, int, int]:
    colour = QColor(image.pixel(x, y))
    return colour.red(), colour.green(), colour.blue()


def labelled(f_shape: np.ndarray, **state: object) -> Scene:
    """A black F on grey; the labels of classes 1 (the F), 2 (the right half) and 0, of three classes."""
    pixels = np.where(f_shape > 0, 0, 128).astype(np.uint8)
    height, width = pixels.shape[:2]
    labels = np.zeros((height, width), np.uint8)
    labels[:, width // 2 :] = 2
    labels[f_shape[..., 0] > 0] = 1
    confidence = np.full((height, width), 255, np.uint8)
    confidence[: height // 2] = 100
    logits = np.zeros((3, 1, 1), np.float32)
    prediction = replace(
        scenes.prediction(), classes=("a", "b", "c"), labels=labels, confidence=confidence, logits=logits,
        lattice=Lattice(1, 1, (0.0, 0.0), (1.0, 1.0)), shares=((0, 0.4), (2, 0.4), (1, 0.2)),
        levels=scores.levels(labels, confidence, 3),
    )  # fmt: skip
    wanted = State(image=scenes.PAGE, model="lenet5", palette=Palette.OKABE_ITO)
    return Scene(replace(wanted, **state), picture=Picture(scenes.PAGE, pixels, "RGB"), prediction=prediction)


def painted(scene: Scene, scale: float = 1.0) -> QImage:
    canvas = Canvas(Session(scene.state))
    canvas.show_scene(None, scene)
    return canvas.render_image(scale)


@pytest.fixture
def canvas(qtbot) -> Canvas:
    """A canvas on the screen with everything there is to show."""
    scene = scenes.full()
    made = Canvas(Session(scene.state))
    qtbot.addWidget(made)
    made.resize(700, 520)
    made.show()
    qtbot.waitExposed(made)
    made.show_scene(None, scene)
    return made


def place_of(canvas: Canvas, x: float, y: float) -> QPoint:
    """The screen pixel in which the image pixel's centre lies."""
    at = canvas.view.projection.rect(Box(x, y, x + 1, y + 1)).center()
    return QPoint(int(at.x()), int(at.y()))


# --------------------------------------------------------------------------------------- pointing


@pytest.mark.parametrize("zoom", ["fit", "one", "large", "small"])
@pytest.mark.parametrize("pixel", [(0, 0), (64, 48), (63, 40), (127, 95)])
def test_a_click_names_the_pixel_under_it(canvas: Canvas, qtbot, zoom: str, pixel: tuple[int, int]) -> None:
    acts = {"fit": lambda: None, "one": canvas.zoom_one, "large": lambda: None, "small": lambda: canvas.zoom(0.6)}
    acts[zoom]()
    if zoom == "large":  # about the pixel, so that it stays in view
        canvas.view.zoom(7.3, canvas.view.projection.to_view(*pixel))
    with qtbot.waitSignal(canvas.clicked) as caught:
        qtbot.mouseClick(canvas.view, Qt.MouseButton.LeftButton, pos=place_of(canvas, *pixel))
    assert (round(caught.args[0]), round(caught.args[1])) == pixel


def test_positions_are_pixel_centres(canvas: Canvas, qtbot) -> None:
    canvas.view.zoom(40 / canvas.view.projection.zoom, canvas.view.projection.to_view(10, 10))
    middle = place_of(canvas, 10, 10)
    with qtbot.waitSignal(canvas.clicked) as caught:
        qtbot.mouseClick(canvas.view, Qt.MouseButton.LeftButton, pos=middle)
    assert caught.args == pytest.approx([10, 10], abs=1 / 40)


def test_clicks_beside_the_image_say_nothing(canvas: Canvas, qtbot) -> None:
    with qtbot.assertNotEmitted(canvas.clicked), qtbot.waitSignal(canvas.left):
        qtbot.mouseMove(canvas.view, QPoint(2, 2))
        qtbot.mouseClick(canvas.view, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))


def test_moving_hovers(canvas: Canvas, qtbot) -> None:
    with qtbot.waitSignal(canvas.hovered) as caught:
        qtbot.mouseMove(canvas.view, place_of(canvas, 90, 12))
    assert (round(caught.args[0]), round(caught.args[1])) == (90, 12)


def test_a_drag_pans_and_does_not_click(canvas: Canvas, qtbot) -> None:
    canvas.zoom(3)
    start = place_of(canvas, 60, 50)
    with qtbot.assertNotEmitted(canvas.clicked):
        qtbot.mousePress(canvas.view, Qt.MouseButton.LeftButton, pos=start)
        qtbot.mouseMove(canvas.view, start + QPoint(20, 5))
        qtbot.mouseMove(canvas.view, start + QPoint(60, 30))
        qtbot.mouseRelease(canvas.view, Qt.MouseButton.LeftButton, pos=start + QPoint(60, 30))
    assert place_of(canvas, 60, 50) == start + QPoint(60, 30)


def test_the_image_cannot_be_lost(canvas: Canvas, qtbot) -> None:
    start = place_of(canvas, 60, 50)
    qtbot.mousePress(canvas.view, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(canvas.view, start + QPoint(9000, -9000))
    qtbot.mouseRelease(canvas.view, Qt.MouseButton.LeftButton, pos=start)
    assert place_of(canvas, 0, 95).x() < canvas.view.width()
    assert place_of(canvas, 0, 95).y() > 0


def wheel(canvas: Canvas, at: QPoint, turns: int) -> None:
    point = QPointF(at)
    event = QWheelEvent(
        point, canvas.view.mapToGlobal(point), QPoint(), QPoint(0, 120 * turns), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas.view, event)


def test_the_wheel_zooms_about_the_cursor(canvas: Canvas) -> None:
    at = place_of(canvas, 100, 20)
    before, zoom = canvas.view.projection.to_pixel(QPointF(at)), canvas.view.projection.zoom
    wheel(canvas, at, 4)
    assert canvas.view.projection.zoom == pytest.approx(zoom * 1.25**4)
    assert canvas.view.projection.to_pixel(QPointF(at)) == pytest.approx(before)


def test_keys_zoom_and_fit(canvas: Canvas, qtbot) -> None:
    fit = canvas.view.projection
    qtbot.keyClick(canvas.view, Qt.Key.Key_Plus)
    assert canvas.view.projection.zoom == pytest.approx(fit.zoom * 1.25)
    qtbot.keyClick(canvas.view, Qt.Key.Key_1)
    assert canvas.view.projection.zoom == 1
    qtbot.keyClick(canvas.view, Qt.Key.Key_Minus)
    assert canvas.view.projection.zoom == pytest.approx(0.8)
    qtbot.keyClick(canvas.view, Qt.Key.Key_F)
    assert canvas.view.projection == fit


def test_a_fitted_image_stays_fitted_when_the_view_grows(canvas: Canvas) -> None:
    before = canvas.view.projection.zoom
    canvas.resize(1000, 800)
    QApplication.sendPostedEvents()
    box = canvas.view.projection.rect(Box(0, 0, 128, 96))
    assert canvas.view.projection.zoom > before
    assert min(box.left(), box.top()) >= 19
    assert min(canvas.view.width() - box.right(), canvas.view.height() - box.bottom()) >= 19


def test_two_views_can_be_linked(canvas: Canvas, qtbot) -> None:
    other = Canvas(Session())
    qtbot.addWidget(other)
    other.resize(300, 200)
    other.show_scene(None, scenes.full())
    canvas.zoom(2.5)
    other.view_transform = canvas.view_transform
    assert other.view_transform == canvas.view_transform


# -------------------------------------------------------------------------------------- painting


def test_the_image_is_upright(f_shape: np.ndarray) -> None:
    image = painted(labelled(f_shape, view=View.IMAGE))
    height, width = f_shape.shape[:2]
    assert (image.width(), image.height()) == (width, height)
    seen = np.array([[rgb(image, x, y)[0] for x in range(width)] for y in range(height)])
    assert np.array_equal(seen == 0, f_shape[..., 0] > 0)


def test_labels_lie_on_their_pixels(f_shape: np.ndarray) -> None:
    scene = labelled(f_shape, opacity=1.0)
    image = painted(scene)
    height, width = f_shape.shape[:2]
    for y in range(height):
        for x in range(width):
            assert rgb(image, x, y) == OKABE[scene.prediction.labels[y, x]]


def test_labels_lie_on_their_pixels_when_magnified(f_shape: np.ndarray) -> None:
    scene = labelled(f_shape, opacity=1.0)
    image = painted(scene, 5)
    for x, y in ((3, 3), (2, 3), (12, 5), (13, 5), (5, 20), (5, 21), (9, 12), (9, 13)):
        for corner in ((0, 0), (4, 0), (0, 4), (4, 4)):
            assert rgb(image, x * 5 + corner[0], y * 5 + corner[1]) == OKABE[scene.prediction.labels[y, x]]


def test_labels_are_translucent_inside_and_full_at_their_contour(f_shape: np.ndarray) -> None:
    image = painted(labelled(f_shape, opacity=0.5), 9)
    red, green, blue = OKABE[0]
    mixed = ((red + 128) / 2, (green + 128) / 2, (blue + 128) / 2)
    assert rgb(image, 1 * 9 + 4, 12 * 9 + 4) == pytest.approx(mixed, abs=2)
    assert rgb(image, 3 * 9 - 1, 12 * 9 + 4) == OKABE[0]  # beside the stem of the F
    assert rgb(image, 3 * 9, 12 * 9 + 4) == OKABE[1]


def test_a_hidden_class_is_not_painted(f_shape: np.ndarray) -> None:
    image = painted(labelled(f_shape, opacity=1.0, hidden=frozenset({1})))
    assert rgb(image, 4, 12) == (0, 0, 0)
    assert rgb(image, 1, 1) == OKABE[0]


def test_solo_paints_one_class_alone(f_shape: np.ndarray) -> None:
    image = painted(labelled(f_shape, opacity=1.0, solo=2))
    assert rgb(image, 14, 12) == OKABE[2]
    assert rgb(image, 1, 1) == (128, 128, 128)


def test_background_is_never_painted(f_shape: np.ndarray) -> None:
    scene = labelled(f_shape, opacity=1.0)
    scene = replace(scene, prediction=replace(scene.prediction, classes=("background", "b", "c")))
    image = painted(scene)
    assert rgb(image, 1, 1) == (128, 128, 128)
    assert rgb(image, 4, 12) == OKABE[1]


def test_the_minimum_masks_what_is_less_sure(f_shape: np.ndarray) -> None:
    image = painted(labelled(f_shape, opacity=1.0, minimum=0.5))
    assert rgb(image, 1, 11) == (128, 128, 128)  # confidence 100 of 255 down to row 11
    assert rgb(image, 1, 12) == OKABE[0]


def test_labels_of_another_image_are_not_painted(f_shape: np.ndarray) -> None:
    scene = labelled(f_shape, opacity=1.0)
    other = painted(replace(scene, state=replace(scene.state, image="/pictures/other.png")))
    assert rgb(other, 1, 1) == (128, 128, 128)
    smaller = replace(scene, picture=Picture(scenes.PAGE, scene.picture.pixels[:20], "RGB"))
    assert rgb(painted(smaller), 1, 1) == (128, 128, 128)


def test_a_thousand_classes_have_colours() -> None:
    scene = scenes.deep_full()
    scene = replace(scene, state=replace(scene.state, unit=None, opacity=1.0))
    colours = palettes.class_colours(Palette.AUTO, 1000)
    image = painted(scene)
    for x, y in ((5, 5), (900, 600), (1200, 30)):
        assert rgb(image, x, y) == tuple(colours[scene.prediction.labels[y, x]])


def test_cells_of_a_running_window_lie_on_their_lattice(f_shape: np.ndarray) -> None:
    labels = np.array([[2, -1], [1, 0]], np.int16)
    lattice = Lattice(2, 2, (3.5, 5.5), (8.0, 12.0))  # cells of 8 x 12 pixels from the corner on
    partial = PartialLabels(labels, lattice, None, Progress(3, 4))
    scene = replace(labelled(f_shape, opacity=1.0), partial=partial, network=scenes.lenet())
    image = painted(scene)
    colours = palettes.class_colours(Palette.OKABE_ITO, 10)
    assert rgb(image, 0, 0) == rgb(image, 4, 10) == tuple(colours[2])
    assert rgb(image, 0, 12) == rgb(image, 7, 23) == tuple(colours[1])
    assert rgb(image, 15, 14) == tuple(colours[0])
    assert rgb(image, 12, 8) == (128, 128, 128)  # not yet seen


def heat_scene(**state: object) -> Scene:
    scene = scenes.full()
    return replace(scene, state=replace(scene.state, view=View.HEATMAP, unit=None, heat_opacity=1.0, **state))


def test_the_heatmap_is_brightest_where_the_class_is() -> None:
    scene = heat_scene(shown_class=3, colour_map=ColourMap.GREY)
    plane = scores.heatmap(scene.prediction, 3)
    image, bare = painted(scene), painted(replace(scene, state=replace(scene.state, view=View.IMAGE)))
    y, x = np.unravel_index(plane.argmax(), plane.shape)
    level = int(plane[y, x])
    alpha = palettes.heat_table(ColourMap.GREY)[level, 3] / 255
    expected = [alpha * level + (1 - alpha) * channel for channel in rgb(bare, int(x), int(y))]
    assert level > 60
    assert rgb(image, int(x), int(y)) == pytest.approx(expected, abs=2)


def test_the_heatmap_vanishes_below_the_minimum() -> None:
    scene = heat_scene(shown_class=3, heat_minimum=1.0)
    assert painted(scene) == painted(replace(scene, state=replace(scene.state, view=View.IMAGE)))


def test_a_heatmap_follows_its_own_minimum_and_not_that_of_the_labels(canvas: Canvas) -> None:
    scene = heat_scene(shown_class=3, colour_map=ColourMap.GREY)
    plane = scores.heatmap(scene.prediction, 3)
    sure = replace(scene, state=replace(scene.state, minimum=1.0))
    above = replace(scene, state=replace(scene.state, heat_minimum=0.3))
    images = []
    for old, new in ((None, scene), (scene, sure), (sure, above)):
        canvas.show_scene(old, new)
        images.append(canvas.render_image(1))
    whole, unmoved, masked = images
    assert unmoved == whole
    bare = painted(replace(scene, state=replace(scene.state, view=View.IMAGE)))
    (low_y, low_x), (high_y, high_x) = (np.argwhere(mask)[0] for mask in ((plane > 20) & (plane < 60), plane > 90))
    assert rgb(masked, int(low_x), int(low_y)) == rgb(bare, int(low_x), int(low_y))
    assert rgb(masked, int(low_x), int(low_y)) != rgb(whole, int(low_x), int(low_y))
    assert rgb(masked, int(high_x), int(high_y)) == rgb(whole, int(high_x), int(high_y))


def test_a_large_heatmap_is_coarser_and_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    prediction = scenes.prediction()
    whole = scores.heatmap(prediction, 2)
    monkeypatch.setattr(heat_planes, "HEAT_PIXELS", -(-prediction.labels.size // 9))
    step = heat_planes.heat_step(prediction)
    plane = heat_planes.heat_plane(prediction, 2)
    inside = whole[step // 2 :: step, step // 2 :: step]
    assert step == 3
    assert np.abs(plane[: inside.shape[0], : inside.shape[1]].astype(int) - inside).max() <= 1


def test_the_drawn_box_is_the_units_field() -> None:
    scene = scenes.full()
    found = pinned(scene)
    canvas = Canvas(Session(scene.state))
    canvas.show_scene(None, scene)
    marks = canvas._overlays.unit.marks
    assert (marks.field, marks.cell, marks.center) == (found.field, found.cell, found.center)
    assert marks.text.replace("\u202f", " ") == "c3 · map 4 · field 14 × 14 px"
    bare = painted(replace(scene, state=replace(scene.state, unit=None)), 4)
    image = painted(scene, 4)
    left, middle = round(found.field.left * 4), round(found.center[1] * 4)
    assert rgb(image, left, middle) != rgb(bare, left, middle)
    assert rgb(image, left - 8, middle) == rgb(bare, left - 8, middle)


# ----------------------------------------------------------------------------------- what is computed


def test_opacity_computes_nothing(canvas: Canvas) -> None:
    scene = scenes.full()
    canvas.repaint()
    before = canvas._overlays.labels.samplings
    shown = canvas.grab().toImage()
    for opacity in (0.1, 0.4, 0.9):
        new = replace(scene, state=replace(scene.state, opacity=opacity))
        canvas.show_scene(scene, new)
        canvas.repaint()
        assert canvas.grab().toImage() != shown
        scene = new
    assert canvas._overlays.labels.samplings == before


def test_a_classes_heatmap_is_computed_once(canvas: Canvas) -> None:
    old = scenes.full()
    for changes in (
        {"view": View.HEATMAP, "shown_class": 1},
        {"shown_class": 2},
        {"shown_class": 1},
        {"colour_map": ColourMap.VIRIDIS},
        {"minimum": 0.3},
        {"view": View.LABELS},
        {"view": View.HEATMAP, "opacity": 0.2},
    ):
        new = replace(old, state=replace(old.state, **changes))
        canvas.show_scene(old, new)
        canvas.repaint()
        old = new
    assert canvas._overlays.heatmaps == 2


def test_a_new_prediction_forgets_the_old_heatmaps(canvas: Canvas) -> None:
    scene = scenes.full()
    heat = replace(scene, state=replace(scene.state, view=View.HEATMAP))
    canvas.show_scene(scene, heat)
    canvas.show_scene(heat, replace(heat, prediction=scenes.prediction()))
    assert canvas._overlays.heatmaps == 2


def test_every_scene_can_be_shown_after_every_other(canvas: Canvas) -> None:
    old = scenes.full()
    for view in View:
        for scene in scenes.everything().values():
            new = replace(scene, state=replace(scene.state, view=view))
            canvas.show_scene(old, new)
            assert not canvas.grab().isNull()
            picture = new.picture
            assert canvas.view.image_size == (None if picture is None else (picture.width, picture.height))
            assert canvas.render_image().isNull() == (picture is None)
            assert canvas.start.isVisible() == (picture is None)
            old = new


# ------------------------------------------------------------------------------------ the strip


def test_showing_changes_no_state(qtbot) -> None:
    scene = scenes.full()
    session = Session(scene.state)
    heard = []
    session.listen(lambda old, new: heard.append(new))
    canvas = Canvas(session)
    qtbot.addWidget(canvas)
    canvas.show_scene(None, scene)
    moved = replace(scene.state, heat_opacity=0.21, heat_minimum=0.43, minimum=0.8, view=View.HEATMAP)
    canvas.show_scene(scene, replace(scene, state=moved))
    assert heard == []
    assert canvas.strip.opacity.value == pytest.approx(0.21)
    assert canvas.strip.minimum.value == pytest.approx(0.43)
    assert canvas.strip.views.value is View.HEATMAP
    canvas.show_scene(scene, replace(scene, state=replace(moved, view=View.LABELS)))
    assert canvas.strip.minimum.value == pytest.approx(0.8)


def test_the_strip_changes_the_state(canvas: Canvas, qtbot) -> None:
    session = canvas._session
    qtbot.mouseClick(canvas.strip.views.button(View.IMAGE), Qt.MouseButton.LeftButton)
    assert session.state.view is View.IMAGE
    canvas.strip.opacity.slider.setValue(80)
    canvas.strip.minimum.slider.setFocus()
    qtbot.keyClick(canvas.strip.minimum.slider, Qt.Key.Key_PageUp)
    assert (session.state.opacity, session.state.minimum) == (0.8, 0.1)
    session.update(view=View.HEATMAP)
    qtbot.keyClick(canvas.strip.minimum.slider, Qt.Key.Key_PageUp)
    assert (session.state.minimum, session.state.heat_minimum) == (0.1, pytest.approx(0.2))


def test_the_legend_names_what_is_painted(canvas: Canvas) -> None:
    scene = scenes.full()
    largest = scene.prediction.shares[0][0]
    names = [name for name, _ in overlays.legend(scene)]
    assert names[0] == str(largest)
    hidden = replace(scene, state=replace(scene.state, hidden=frozenset({largest})))
    assert str(largest) not in [name for name, _ in overlays.legend(hidden)]


def test_the_legend_leaves_out_what_the_minimum_hides(canvas: Canvas) -> None:
    scene = scenes.full()
    assert overlays.legend(scene)
    assert overlays.legend(replace(scene, state=replace(scene.state, minimum=0.9))) == []  # all labels are 200 of 255


def test_the_scale_of_a_digit_does_not_read_as_a_number() -> None:
    scene = scenes.full()
    shown = replace(scene, state=replace(scene.state, view=View.HEATMAP, shown_class=3))
    assert overlays.scale(shown)[0] == "“3”"
    named = replace(shown, prediction=replace(shown.prediction, classes=tuple("abcdefghij")))
    assert overlays.scale(named)[0] == "d"


def test_the_menu_of_the_right_button_asks_for_actions(canvas: Canvas, qtbot) -> None:
    canvas._session.update(unit=None)
    menu = canvas.menu()
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert texts == [find(identifier).text for identifier in MENU if identifier is not None]
    heard = []
    canvas.action_wanted.connect(heard.append)
    for action in menu.actions():
        action.trigger()
    assert heard == ["copy", "export", "fit", "zoom-one"]  # nothing is pinned here that could be let go
    canvas._session.update(unit=Unit(0, 0, 0))
    assert all(action.isEnabled() for action in canvas.menu().actions())


def test_a_keyboard_focus_is_framed_but_not_before_an_audience(canvas: Canvas, look) -> None:
    canvas.show_scene(scenes.full(), replace(scenes.full(), state=replace(scenes.full().state, unit=None)))
    bare = canvas.view.grab().toImage()
    canvas.activateWindow()
    canvas.view.clearFocus()
    canvas.view.setFocus(Qt.FocusReason.TabFocusReason)
    assert canvas.view.hasFocus()
    framed = canvas.view.grab().toImage()
    accent, middle = theme.DARK.accent, canvas.view.height() // 2
    assert framed.pixelColor(0, middle).name() == accent
    assert framed.pixelColor(1, middle) == bare.pixelColor(1, middle)
    look.set_factor(theme.PRESENTER)
    try:
        assert canvas.view.grab().toImage().pixelColor(0, canvas.view.height() // 2).name() != accent
    finally:
        look.set_factor(1.0)


@pytest.mark.parametrize("width", [480, 560, 700, 900, 1400])
def test_the_strip_fits_its_width(canvas: Canvas, width: int) -> None:
    canvas.resize(width, 400)
    QApplication.sendPostedEvents()
    strip = canvas.strip
    sliders = (strip.opacity, strip.minimum)
    parts = [strip.views, *sliders, strip._right, strip.fit, strip.one, *(slider._number for slider in sliders)]
    assert all(part.isVisible() for part in parts)  # nothing goes: the sliders get a row of their own
    assert (strip.opacity.y() > strip.views.geometry().bottom()) == (width < 900)
    assert strip.views.width() >= strip.views.sizeHint().width()
    assert all(slider.width() >= slider.least() + slider.value_width() for slider in sliders)
    assert strip._right.width() >= strip.scale.minimumSizeHint().width()
    assert max(part.geometry().right() for part in parts[:6]) <= strip.width()


def test_the_strip_says_how_probable_the_shown_class_gets(canvas: Canvas) -> None:
    """A heatmap of a class that is nowhere is not a failure."""
    scene = scenes.full()
    prediction = scene.prediction
    state = replace(scene.state, view=View.HEATMAP, shown_class=3)
    shown = replace(scene, state=state)
    canvas.show_scene(scene, shown)
    most = scores.peak(prediction, 3)[0]
    assert canvas.strip.scale.toolTip().startswith(f"“3”: at most {most:.2f}: colours")
    canvas.show_scene(shown, replace(scene, state=replace(state, shown_class=4)))
    assert f"at most {scores.peak(prediction, 4)[0]:.2f}" in canvas.strip.scale.toolTip()


def test_no_start_page_while_an_image_is_coming(qtbot) -> None:
    canvas = Canvas(Session(State(image=scenes.PAGE)))
    qtbot.addWidget(canvas)
    assert canvas._pages.currentWidget() is canvas.view
    canvas.show_scene(None, Scene(State(image=scenes.PAGE)))
    assert canvas._pages.currentWidget() is canvas.view
    canvas.show_scene(None, Scene(State()))  # it could not be opened
    assert canvas._pages.currentWidget() is canvas.start


def test_cards_fill_their_row_and_heads_stay_on(qtbot) -> None:
    canvas = Canvas(Session())
    qtbot.addWidget(canvas)
    canvas.resize(820, 900)
    canvas.show()
    qtbot.waitExposed(canvas)
    first = canvas.start.cards[0]
    grid = first.parentWidget()
    row = [card for card in grid.cards if card.y() == first.y()]
    assert grid.width() - row[-1].geometry().right() < 16
    assert max(card.geometry().bottom() for card in grid.cards) < grid.height()  # none is cut off below


# ----------------------------------------------------------------------------------- before an image


def test_a_network_card_shows_it_on_its_sample(qtbot) -> None:
    session = Session()
    canvas = Canvas(session)
    qtbot.addWidget(canvas)
    canvas.resize(900, 700)
    canvas.show()
    qtbot.waitExposed(canvas)
    card = next(card for card in canvas.start.cards if card.text() == "EfficientNet-Lite0")
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    assert session.state.model == "efficientnet_lite0"
    assert session.state.image == str(assets.sample("castle-maintenon.jpg"))


def test_networks_that_know_nothing_are_no_cards(qtbot) -> None:
    canvas = Canvas(Session())
    qtbot.addWidget(canvas)
    titles = {card.text() for card in canvas.start.cards}
    assert {entry.title for entry in catalogue.ENTRIES if entry.trained} <= titles
    assert not {entry.title for entry in catalogue.ENTRIES if not entry.trained} & titles


def test_a_photograph_card_keeps_a_chosen_network(qtbot) -> None:
    session = Session(State(model="mtcnn_onet"))
    canvas = Canvas(session)
    qtbot.addWidget(canvas)
    card = next(card for card in canvas.start.cards if card.text() == "Coffee")
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_Space)
    assert session.state.image == str(assets.sample("coffee.png"))
    assert session.state.model == "mtcnn_onet"


def test_pictures_of_cards_come_after_the_first_paint(qtbot) -> None:
    canvas = Canvas(Session())
    qtbot.addWidget(canvas)
    assert not any(card.loaded for card in canvas.start.cards)
    canvas.resize(800, 600)
    canvas.show()
    qtbot.waitUntil(lambda: all(card.loaded for card in canvas.start.cards), timeout=20_000)


def test_the_first_paint_loads_nothing_heavy() -> None:
    code = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication(["test", "-platform", "offscreen"])
from segviz.core.session import Session, State
from segviz.gui import theme
from segviz.gui.canvas import Canvas
from segviz.gui.scene import Scene
theme.apply(app)
canvas = Canvas(Session())
canvas.show_scene(None, Scene(State()))
canvas.resize(900, 600)
assert not canvas.grab().isNull()
print(sorted({"numpy", "torch", "pyqtgraph", "PIL"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "[]", done.stderr
