"""Results kept and compared, through real keys and mouse events: shelf, side by side, curtain, difference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage

from segviz.core import palettes
from segviz.core.choices import CompareView, Method, NetworkView, Palette, TrainingPage, Upsampling, View
from segviz.core.kept import MOST, Kept
from segviz.core.planning import plan_kept
from segviz.core.refinement import Labelling, Refinement
from segviz.core.requests import KeptRequest, PartialLabels, Progress, SegmentRequest
from segviz.core.session import State
from segviz.core.session_file import from_json, to_json
from segviz.gui import comparing, exports
from segviz.gui.compare_layers import ComparedLayers, striped
from segviz.gui.compare_strip import difference_text
from segviz.gui.overlays import Overlays
from segviz.gui.scene import Scene
from segviz.gui.widgets.image_view import rendered
from tests.gui import scenes
from tests.gui.conftest import PAGE

pytestmark = pytest.mark.usefixtures("look")
OKABE = [tuple(int(v) for v in colour) for colour in palettes.class_colours(Palette.OKABE_ITO, 8)]
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def rgb(image: QImage, x: int, y: int) -> tuple[int, int, int]:
    colour = QColor(image.pixel(x, y))
    return colour.red(), colour.green(), colour.blue()


def two(view: CompareView, **state):
    """The newest result is class 1 everywhere, the kept one class 2 in the upper half and class 1 below."""
    whole = scenes.full()
    labels = np.ones_like(whole.prediction.labels)
    newest = replace(whole.prediction, labels=labels, confidence=np.full(labels.shape, 255, np.uint8))
    kept = Kept.of(replace(whole.state, upsampling=Upsampling.NEAREST))
    other = labels.copy()
    other[: len(other) // 2] = 2
    wanted = State(
        image=PAGE, model="lenet5", kept=(kept,), compare=view, opacity=1.0, palette=Palette.OKABE_ITO, **state
    )
    shelf = (replace(newest, labels=other, request=plan_kept(kept, wanted)),)
    return replace(whole, state=wanted, prediction=newest, shelf=shelf)


def painted(scene) -> QImage:
    overlays = Overlays()
    overlays.show(None, scene)
    return rendered((scenes.WIDTH, scenes.HEIGHT), overlays.layers, 1.0, QColor("black"))


# ------------------------------------------------------------------------------------ pictures


def test_the_curtain_shows_the_kept_result_to_its_last_pixel_and_the_newest_from_there():
    image = painted(two(CompareView.CURTAIN, curtain=0.25))
    end = scenes.WIDTH // 4
    y = 32  # in the half where they differ, between names and grip
    assert rgb(image, end - 2, y) == OKABE[2]
    assert rgb(image, end + 2, y) == OKABE[1]
    assert rgb(image, end, y) == (255, 255, 255)  # the line itself
    assert rgb(image, 2, scenes.HEIGHT - 5) == OKABE[1]  # where they agree


@pytest.mark.parametrize(("share", "index"), [(0.0, 1), (1.0, 2)])
def test_a_curtain_at_an_end_shows_one_result_alone(share, index):
    image = painted(two(CompareView.CURTAIN, curtain=share))
    assert {rgb(image, x, 32) for x in range(4, scenes.WIDTH - 4)} == {OKABE[index]}


def test_the_difference_is_striped_in_both_colours_where_labels_differ_alone():
    scene = two(CompareView.DIFFERENCE)
    image, bare = painted(scene), painted(replace(scene, state=replace(scene.state, view=View.IMAGE, compare="none")))
    upper = {rgb(image, x, 40) for x in range(scenes.WIDTH)}
    assert upper == {OKABE[1], OKABE[2]}
    assert all(rgb(image, x, 80) == rgb(bare, x, 80) for x in range(0, scenes.WIDTH, 7))


def test_stripes_name_both_labels():
    scene = two(CompareView.DIFFERENCE)
    plane = striped(scene.shelf[0], scene.prediction)
    assert set(np.unique(plane[:48])) == {1 + 1, 1 + 10 + 2}
    assert not plane[48:].any()


def test_without_its_kept_result_the_canvas_is_as_ever():
    scene = replace(two(CompareView.CURTAIN), shelf=())
    plain = replace(scene, state=replace(scene.state, compare=CompareView.NONE))
    assert painted(scene) == painted(plain)


def test_the_whole_image_is_saved_side_by_side():
    scene = two(CompareView.SIDE_BY_SIDE)
    image = exports.whole_view(scene, 1.0, QColor("black"))
    assert image.width() > 2 * scenes.WIDTH
    y = image.height() - scenes.HEIGHT + 40
    assert rgb(image, 60, y) == OKABE[2]
    assert rgb(image, image.width() - 60, y) == OKABE[1]


# --------------------------------------------------------------------------------------- names


def test_results_are_called_by_what_differs():
    state = State(image=PAGE, model="lenet5")
    kept = Kept.of(replace(state, upsampling=Upsampling.BICUBIC)), Kept.of(replace(state, refine=True))
    named = comparing.titles(replace(state, kept=kept))
    assert named == ("Bicubic, plain", "Bilinear, refined 40, 20, 5", "Bilinear, plain")
    other = replace(state, kept=(Kept("efficientnet_lite0", name="the large one"), Kept.of(state)))
    assert comparing.titles(other) == ("the large one", "LeNet-5", "LeNet-5")
    assert comparing.titles(replace(state, kept=(Kept.of(state),))) == ("LeNet-5", "LeNet-5")


def test_large_scores_are_let_go_and_labels_stay(monkeypatch):
    monkeypatch.setattr(comparing, "LARGEST_SCORES", 10)
    found = scenes.prediction()
    slim = comparing.slim(found, KeptRequest(found.request.setup))
    assert slim.logits.shape == (10, 0, 0)
    assert slim.labels is found.labels


def test_a_shelf_has_room_for_eight():
    scene = scenes.full()
    for number in range(MOST + 2):
        state = replace(scene.state, scale=1 + number / 10)
        scene = replace(scene, state=state)
        scene = replace(scene, state=replace(state, **comparing.keep(scene)))
    assert len(scene.state.kept) == MOST
    assert scene.state.kept[-1].scale == 1.9


def test_a_session_says_what_is_kept_and_how_it_is_compared():
    kept = Kept("lenet5", Method.COARSE, refine=True, refine_width=12.0, name="coarse")
    state = State(image=PAGE, model="lenet5", kept=(kept,), compare=CompareView.CURTAIN, curtain=0.3, refine=True)
    found, remarks = from_json(to_json(state))
    assert (found, remarks) == (state, ())
    _, remarks = from_json(to_json(state).replace('"coarse"', '"no method"', 1))
    assert len(remarks) == 1
    assert "kept cannot be" in remarks[0]


# ------------------------------------------------------------------------------------ in the window


@pytest.fixture
def comparing_window(bench):
    """Two results: bilinear kept, nearest the newest."""
    one = bench()
    one.qtbot.keyClick(one.window, Qt.Key.Key_K, CTRL_SHIFT)
    one.turn()
    one.desk.session.update(upsampling=Upsampling.NEAREST)
    one.turn()
    found = scenes.prediction()
    other = replace(found, request=one.jobs.asked[one.jobs.ticket(SegmentRequest)], labels=found.labels[::-1].copy())
    one.jobs.answer(SegmentRequest, other)
    one.bring_up()
    return one


def strip(one):
    return one.window.comparison.strip


def test_the_key_keeps_the_newest_result_and_its_labels(comparing_window):
    one = comparing_window
    assert [kept.upsampling for kept in one.state.kept] == [Upsampling.BILINEAR]
    assert len(one.scene.shelf) == 1
    assert np.array_equal(one.scene.shelf[0].labels, scenes.prediction().labels)
    assert strip(one).isVisible()
    assert [chip.text() for chip in strip(one).chips if chip.isVisible()] == ["Bilinear"]
    one.qtbot.keyClick(one.window, Qt.Key.Key_K, CTRL_SHIFT)
    one.qtbot.keyClick(one.window, Qt.Key.Key_K, CTRL_SHIFT)
    one.turn()
    assert len(one.state.kept) == 2  # what is kept already is not kept twice


def test_keys_bring_the_views_and_take_them_away(comparing_window):
    one = comparing_window
    for key, view in ((Qt.Key.Key_S, "side-by-side"), (Qt.Key.Key_C, "curtain"), (Qt.Key.Key_D, "difference")):
        one.qtbot.keyClick(one.window, key)
        one.turn()
        assert one.state.compare == view
        assert strip(one).views.value == view
    one.qtbot.keyClick(one.window, Qt.Key.Key_D)
    assert one.state.compare is CompareView.NONE
    one.qtbot.keyClick(one.window, Qt.Key.Key_C)
    one.qtbot.keyClick(one.window, Qt.Key.Key_Escape)
    assert one.state.compare is CompareView.NONE


def test_the_strip_says_by_how_much_two_results_differ(comparing_window):
    one = comparing_window
    one.qtbot.mouseClick(strip(one).views.button(CompareView.DIFFERENCE), Qt.MouseButton.LeftButton)
    one.turn()
    same = (scenes.prediction().labels == scenes.prediction().labels[::-1]).mean()
    assert strip(one).numbers.text() == f"{same * 100:.1f} % agree · equal on the grid"


def test_the_mouse_drags_the_curtain_and_keys_move_it(comparing_window):
    one = comparing_window
    one.window.do("compare-curtain")
    one.turn()
    view, left = one.window.canvas.view, Qt.MouseButton.LeftButton

    def place(x: float) -> QPoint:
        return view.projection.to_view(x - 0.5, 20).toPoint()

    one.qtbot.mousePress(view, left, pos=place(64))
    one.qtbot.mouseMove(view, place(50))
    one.qtbot.mouseMove(view, place(32))
    one.qtbot.mouseRelease(view, left, pos=place(32))
    one.turn()
    assert one.state.curtain == pytest.approx(0.25, abs=0.01)
    assert one.state.unit is None  # dragging pins nothing
    before = one.state.curtain
    one.qtbot.keyClick(one.window, Qt.Key.Key_Right, SHIFT)
    assert one.state.curtain == pytest.approx(before + comparing.STEP, abs=1e-3)
    one.qtbot.keyClick(one.window, Qt.Key.Key_Left, SHIFT)
    one.qtbot.keyClick(one.window, Qt.Key.Key_Left, SHIFT)
    assert one.state.curtain == pytest.approx(before - comparing.STEP, abs=1e-3)


def test_beside_the_curtain_a_click_pins_as_ever(comparing_window):
    one = comparing_window
    one.window.do("compare-curtain")
    one.turn()
    view = one.window.canvas.view
    one.qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.projection.to_view(100, 20).toPoint())
    one.turn()
    assert one.state.unit is not None


def test_side_by_side_zoom_cursor_and_clicks_are_linked(comparing_window):
    one = comparing_window
    one.window.do("compare-side-by-side")
    one.turn()
    stage = one.window.comparison.stage
    assert one.window.centre.currentWidget() is stage
    first, second = (pane.view for pane in stage.shown)
    one.qtbot.waitUntil(lambda: first.size() == second.size() and first.width() > 1)
    first.zoom(2)
    assert second.view_transform == first.view_transform
    one.window.do("zoom-in")
    assert second.view_transform.zoom == pytest.approx(first.view_transform.zoom)
    one.window.do("fit")
    assert second.fitted
    point = second.projection.to_view(30, 40).toPoint()
    one.qtbot.mouseMove(second, point)
    assert stage.shown[0]._overlays.cross.at == pytest.approx((30, 40), abs=1)
    one.qtbot.mouseClick(second, Qt.MouseButton.LeftButton, pos=point)
    one.turn()
    assert one.state.cursor == pytest.approx((30, 40), abs=1)
    assert [pane.title.text() for pane in stage.shown] == ["Bilinear", "Nearest (newest)"]


def test_a_kept_result_gets_another_name_by_keys(comparing_window):
    one = comparing_window
    one.qtbot.keyClick(one.window, Qt.Key.Key_F2)
    line = strip(one).line
    assert line.isVisible()
    line.clear()
    one.qtbot.keyClicks(line, "smooth")
    one.qtbot.keyClick(line, Qt.Key.Key_Return)
    one.turn()
    assert one.state.kept[0].name == "smooth"
    assert strip(one).chips[0].text() == "smooth"
    one.qtbot.keyClick(one.window, Qt.Key.Key_F2)
    one.qtbot.keyClicks(line, "other")
    one.qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert one.state.kept[0].name == "smooth"
    assert line.isHidden()


def test_the_shelf_goes_with_the_picture(comparing_window):
    """Behind a laboratory or a view of the network it means nothing; keys still keep, name and compare."""
    one = comparing_window
    for covered, free in (
        ({"tab": "training", "training_page": TrainingPage.WEIGHT_MAP}, {"training_page": TrainingPage.IMAGE}),
        ({"network_view": NetworkView.PICTURE}, {"network_view": NetworkView.NONE}),
    ):
        one.desk.session.update(**covered)
        one.bring_up()
        assert strip(one).isHidden()
        one.desk.session.update(**free)
        one.bring_up()
        assert strip(one).isVisible()
    one.desk.session.update(network_view=NetworkView.PICTURE)
    one.bring_up()
    with one.qtbot.waitSignal(one.desk.said) as said:
        one.qtbot.keyClick(one.window, Qt.Key.Key_K, CTRL_SHIFT)
    assert said.args == ["Kept for comparison: the shelf is above the image"]
    one.bring_up()
    one.qtbot.keyClick(one.window, Qt.Key.Key_F2)
    one.turn()
    assert one.state.network_view is NetworkView.NONE
    assert strip(one).line.isVisible()
    one.qtbot.keyClicks(strip(one).line, "named")
    one.qtbot.keyClick(strip(one).line, Qt.Key.Key_Return)
    one.turn()
    assert "named" in [kept.name for kept in one.state.kept]


def test_the_last_one_removed_ends_the_comparison(comparing_window):
    one = comparing_window
    one.window.do("compare-curtain")
    one.qtbot.mouseClick(strip(one).buttons["kept-remove"], Qt.MouseButton.LeftButton)
    one.turn()
    assert (one.state.kept, one.state.compare, one.scene.shelf) == ((), CompareView.NONE, ())
    assert strip(one).isHidden()


def test_what_a_session_keeps_is_computed_when_it_is_compared(bench):
    kept = Kept("lenet5", upsampling=Upsampling.NEAREST)
    one = bench(State(image=PAGE, model="lenet5", kept=(kept,)))
    assert not one.jobs.pending(KeptRequest)
    one.window.do("compare-curtain")
    one.turn()
    asked = one.jobs.asked[one.jobs.ticket(KeptRequest)]
    assert (asked.upsampling, asked.setup.image) == (Upsampling.NEAREST, PAGE)
    newest = one.scene.prediction
    lattice = newest.lattice
    cells = PartialLabels(np.zeros((17, 25), np.int16), lattice, None, Progress(1, 2))
    one.jobs.update(KeptRequest, cells)
    assert one.scene.partial is None  # its cells do not run over the canvas
    one.jobs.answer(KeptRequest, replace(scenes.prediction(), request=asked))
    one.turn()
    assert one.scene.prediction is newest
    assert comparing.found(one.scene, 0) is not None
    assert not one.jobs.pending(KeptRequest)
    assert one.window.comparison.curtain.at == pytest.approx(64)


def test_another_image_lets_the_shelf_go_and_keeps_the_descriptions(comparing_window):
    one = comparing_window
    one.desk.session.update(image="/pictures/other.png")
    one.turn()
    assert one.scene.shelf == ()
    assert len(one.state.kept) == 1


# ------------------------------------------------------------------------------------- refined


def refined_answer(request: SegmentRequest):
    plain = scenes.prediction()
    before = Labelling(None, plain.labels, plain.confidence, plain.shares, plain.levels)
    return replace(plain, request=request, labels=np.roll(plain.labels, 3, 0), twin=before)


def test_refinement_is_asked_once_and_toggled_by_its_key(bench):
    one = bench()
    one.qtbot.keyClick(one.window, Qt.Key.Key_R)
    one.turn()
    asked = one.jobs.asked[one.jobs.ticket(SegmentRequest)]
    assert asked.refinement == Refinement()
    one.jobs.answer(SegmentRequest, refined_answer(asked))
    one.turn()
    after = one.scene.prediction.labels
    count = len(one.jobs.history)
    one.qtbot.keyClick(one.window, Qt.Key.Key_R)
    one.turn()
    assert np.array_equal(one.scene.prediction.labels, scenes.prediction().labels)
    one.qtbot.keyClick(one.window, Qt.Key.Key_R)
    one.turn()
    assert one.scene.prediction.labels is after
    assert len(one.jobs.history) == count  # nobody was asked again


def test_the_strip_of_the_refinement_changes_its_strengths(bench):
    one = bench(State(image=PAGE, model="lenet5", refine=True))
    refine = one.window.comparison.refine
    assert refine.isVisible()
    slider = refine.sliders["refine_width"].slider
    one.qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert one.state.refine_width == 41
    one.qtbot.waitUntil(lambda: one.jobs.pending(SegmentRequest))
    assert one.jobs.asked[one.jobs.ticket(SegmentRequest)].refinement.width == 41
    one.qtbot.mouseClick(refine.close_button, Qt.MouseButton.LeftButton)
    one.turn()
    assert not one.state.refine
    assert refine.isHidden()


def test_names_of_the_refinement_are_never_cut(bench):
    one = bench(State(image=PAGE, model="lenet5", refine=True), size=(1024, 700))
    one.bring_up()
    for slider in one.window.comparison.refine.sliders.values():
        assert slider._label.width() >= slider._label.sizeHint().width()
        assert slider._number.isHidden() or slider._number.width() >= slider._number.sizeHint().width()


def test_a_kept_result_that_is_refused_keeps_none_from_the_others(bench):
    kept = Kept("lenet5", method=Method.DIRECT), Kept("lenet5", upsampling=Upsampling.NEAREST)
    one = bench(State(image=PAGE, model="lenet5", kept=kept))
    one.desk.session.update(compare=CompareView.SIDE_BY_SIDE)
    one.turn()
    first = one.jobs.asked[one.jobs.ticket(KeptRequest)]
    assert first.method is Method.DIRECT
    one.jobs.refuse(KeptRequest, "not enough memory")
    one.turn()
    second = one.jobs.asked[one.jobs.ticket(KeptRequest)]
    assert second.upsampling is Upsampling.NEAREST
    one.jobs.answer(KeptRequest, replace(scenes.prediction(), request=second))
    one.turn()
    assert one.desk.idle
    assert [result.prediction is not None for result in comparing.results(one.scene)] == [False, True]
    assert strip(one).chips[0].toolTip().endswith("not enough memory")
    one.desk.run()
    assert one.scene.refused == ()  # what failed may not fail any more


def test_a_result_keeps_what_it_is_called_when_another_goes():
    state = State(image=PAGE, model="lenet5")
    kept = Kept.of(replace(state, upsampling=Upsampling.BICUBIC)), Kept.of(replace(state, refine=True))
    scene = Scene(replace(state, kept=kept, compared=0))
    before = comparing.titles(scene.state)
    after = replace(scene.state, **comparing.remove(scene))
    assert comparing.titles(after)[0] == before[1] == "Bilinear, refined 40, 20, 5"


def test_a_refined_result_is_of_the_same_logits():
    found = scenes.prediction()
    refined = replace(
        found, request=replace(found.request, refinement=Refinement(40, 20, 5)), labels=found.labels[::-1].copy()
    )
    same = (found.labels == refined.labels).mean() * 100
    assert difference_text(found, refined)[0] == f"{same:.1f} % agree · the same logits, labels moved by the CRF"


@pytest.mark.parametrize("tab", ["upsampling", "race", "training"])
def test_to_compare_takes_away_the_stage_that_would_hide_it(comparing_window, tab):
    one = comparing_window
    one.desk.session.update(tab=tab)
    if tab == "race":
        one.desk.take(race=scenes.race())
    if tab == "training":
        one.desk.session.update(training_page=TrainingPage.CURVES)
    one.bring_up()
    assert one.window.centre.currentWidget() is one.panel(tab).stage
    one.window.do("compare-side-by-side")
    one.turn()
    assert one.window.centre.currentWidget() is one.window.comparison.stage
    if tab != "upsampling":
        return
    one.panel(tab).frame.image.click()  # the laboratory again, in front of the comparison
    one.turn()
    assert one.window.centre.currentWidget() is one.panel(tab).stage
    one.window.do("compare-side-by-side")
    one.turn()
    assert one.window.centre.currentWidget() is one.window.comparison.stage


def test_with_heatmaps_the_difference_is_of_probabilities():
    """One unit whose scores changed is painted in its cell, and nothing is elsewhere."""
    scene = two(CompareView.DIFFERENCE)
    scene = replace(scene, state=replace(scene.state, view=View.HEATMAP))
    (kept,), newest = scene.shelf, scene.prediction
    logits = newest.logits.copy()
    logits[3, 5, 7] += 4
    changed = replace(scene, shelf=(replace(kept, logits=logits, labels=newest.labels),))
    layers = ComparedLayers()
    layers.show(changed)
    image = rendered((scenes.WIDTH, scenes.HEIGHT), layers.over(()), 1.0, QColor("black"))
    x, y = newest.lattice.position_of(5, 7)
    assert rgb(image, round(x), round(y)) != (0, 0, 0)
    far = newest.lattice.position_of(9, 14)
    assert rgb(image, round(far[0]), round(far[1])) == (0, 0, 0)
    layers.show(replace(changed, state=replace(changed.state, view=View.LABELS)))
    assert layers.over(()) == (layers.differing,)
