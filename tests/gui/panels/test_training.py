"""The training tab by real events: what is asked, what is shown, what leaves; no process, no torch."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from segviz.core import masks
from segviz.core.choices import RecipeName, TrainingPage
from segviz.core.errors import SegvizError
from segviz.core.learning import TrainingSamples, TrainRequest
from segviz.gui import theme, training_words
from segviz.gui.panels import training_maps
from segviz.gui.panels.training import TrainingPanel
from segviz.gui.panels.training_form import KEPT, read_data
from segviz.gui.panels.training_plot import LINES, Curve
from segviz.gui.runs import NO_TRAINING, Left, Phase, Training
from segviz.gui.widgets.image_view import Touch
from tests.gui import scenes

SIZE = (1256, 190)


class Laboratory:
    """Remembers what it was asked, and shows pages as the desk's own does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.asked.append((name, arguments))


@pytest.fixture
def lab(shown):
    """The panel in a scene with the given training."""

    def make(training: Training = NO_TRAINING, page: TrainingPage = TrainingPage.CURVES) -> Any:
        scene = scenes.full(training=training)
        one = shown(TrainingPanel, replace(scene, state=replace(scene.state, training_page=page)), SIZE)
        one.commands.training = one.lab = Laboratory()
        one.train = lambda value: one.show(replace(one.scene, training=value))
        one.panel.stage.resize(740, 490)
        one.panel.stage.show()
        QApplication.processEvents()
        return one

    return make


def press(qtbot, button) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def enter(qtbot, line, text: str) -> None:
    line.setFocus()
    line.clear()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def test_idle_it_invites_and_starts_what_is_chosen(lab, qtbot):
    one = lab()
    assert one.panel.progress.said() == training_words.INVITATION
    one.panel.form.recipe.choose(RecipeName.DIGITS_FCN)
    for name, text in (("steps", "1,200"), ("learning_rate", "3e-3"), ("seed", "7")):
        enter(qtbot, one.panel.form.lines[name], text)
    press(qtbot, one.panel.form.way.button(True))
    one.panel.form.kept.slider.setValue(KEPT.index(0.1))
    press(qtbot, one.panel.main)
    wanted = TrainRequest("digits-fcn", None, True, 7, 1200, 0.003, 0.1, None, True)
    assert one.lab.asked == [("start", (wanted,))]


@pytest.mark.parametrize(("name", "text"), [("steps", "0"), ("steps", "1.5"), ("learning_rate", "-1"),
                                            ("learning_rate", "inf"), ("seed", "x")])  # fmt: skip
def test_a_number_that_cannot_be_is_marked_and_not_taken(lab, qtbot, name, text):
    one = lab()
    enter(qtbot, one.panel.form.lines[name], text)
    assert one.panel.form.lines[name].property("kind") == "refused"
    assert getattr(one.panel.form.request, name) is None


def test_numbers_are_shown_as_they_are_asked_for(lab, qtbot):
    """Of a run that an earlier window, or the command line, left: what is entered again must be the same."""
    one = lab()
    form = one.panel.form
    asked = TrainRequest("lenet5", seed=20261130, steps=1234567, learning_rate=0.00123456789, kept=0.2)
    form.show_request(asked)
    assert {name: line.text() for name, line in form.lines.items()} == {
        "steps": "1234567", "learning_rate": "0.00123456789", "seed": "20261130",
    }  # fmt: skip
    assert form.kept._number.text == "20 %"
    for name in ("steps", "seed"):
        line = form.lines[name]
        assert line.width() >= line.fontMetrics().horizontalAdvance(line.text()) + 2 * line.textMargins().left()
    for name, line in form.lines.items():
        form.show_request(replace(asked, **{name: None}))
        enter(qtbot, line, str(getattr(asked, name)))
        assert form.request == asked


@pytest.mark.parametrize("share", [*KEPT, 0.2, 0.0005, 0.999])
def test_a_share_of_pixels_is_written_as_it_is(lab, share):
    form = lab().panel.form
    form.show_request(TrainRequest("lenet5", kept=share))
    assert form.kept._number.text == f"{share * 100:.3g} %"


def test_data_is_a_name_or_a_folder_that_is_there(tmp_path):
    assert read_data(" ") is None
    assert read_data("digit-pages") == "digit-pages"
    assert read_data(str(tmp_path)) == str(tmp_path)
    with pytest.raises(SegvizError, match="no such folder"):
        read_data(str(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("phase", "button", "asked"),
    [
        (Phase.RUNNING, "main", "pause"),
        (Phase.PAUSED, "main", "go_on"),
        (Phase.WAITING, "main", "go_on"),
        (Phase.RUNNING, "stop", "stop"),
        (Phase.PAUSED, "stop", "stop"),
        (Phase.PAUSED, "again", "start"),
    ],
)
def test_what_the_buttons_do_follows_the_phase(lab, qtbot, phase, button, asked):
    one = lab(scenes.training(phase))
    press(qtbot, getattr(one.panel, button))
    assert [name for name, _ in one.lab.asked] == [asked]


def test_the_buttons_are_reached_by_the_keyboard(lab, qtbot):
    one = lab(scenes.training())
    one.panel.main.setFocus()
    qtbot.keyClick(one.panel.main, Qt.Key.Key_Space)
    assert one.lab.asked == [("pause", ())]
    order = []
    part = one.panel.main
    while part.nextInFocusChain() is not one.panel.main:
        part = part.nextInFocusChain()
        if part.focusPolicy() & Qt.FocusPolicy.TabFocus and part.isVisibleTo(one.panel.widget):
            order.append(part)
    for control in (one.panel.stop, one.panel.form.recipe, one.panel.form.kept.slider, one.panel.form.weights):
        assert control in order


def test_progress_says_speed_and_time_to_go(lab):
    one = lab(scenes.training())
    assert one.panel.progress.said() == "step 120 of 200 · 19.6 steps/s · 0:04 left"
    assert (one.panel.bar.value(), one.panel.bar.maximum()) == (120, 200)
    one.train(scenes.training(Phase.PAUSED, rate=None, remaining=None))
    assert one.panel.progress.said() == "Paused at step 120 of 200"


def test_a_finished_run_says_its_scores_and_can_be_opened_and_saved(lab, qtbot, tmp_path):
    training = scenes.finished_training()
    weights = tmp_path / "digits-fcn.safetensors"
    weights.write_bytes(b"weights")
    result = replace(training.run.result, out=str(weights))
    one = lab(training.with_run(result=result))
    assert one.panel.result.said().startswith("Trained: mean IoU 0.651 · pixel accuracy 91.2")
    press(qtbot, one.panel.save)
    name, (suggested, kinds, write) = one.commands.asked[-1]
    assert (name, suggested) == ("save_with", "digits-fcn.safetensors")
    assert "safetensors" in kinds
    write(tmp_path / "copy.safetensors")
    assert (tmp_path / "copy.safetensors").read_bytes() == b"weights"
    press(qtbot, one.panel.open)
    assert one.state.model == f"{weights}?arch=fcn8s-digits"
    assert [name for name, _ in one.lab.asked] == ["keep"]


def test_an_unfinished_run_of_an_earlier_window_is_offered(lab, qtbot):
    left = Left(Path("a.json"), "digits-fcn", scenes.train_request(), 1240, 3000)
    one = lab(Training(left=(left,)))
    assert (one.panel.left.text(), one.panel.left_at.text()) == ("Go on: digits-fcn", "left at step 1,240 of 3,000")
    press(qtbot, one.panel.left)
    press(qtbot, one.panel.forget)
    assert one.lab.asked == [("resume", (left,)), ("forget", (left,))]
    one.train(scenes.training(left=(left,)))
    assert not one.panel.left.isVisibleTo(one.panel.widget)


def test_the_stage_is_wanted_for_a_page_of_the_laboratory_in_its_own_tab_alone(lab):
    one = lab(scenes.training())
    on = replace(one.scene, state=replace(one.state, tab="training"))
    assert one.panel.wants_stage(on)
    assert not one.panel.wants_stage(replace(on, state=replace(on.state, tab="race")))
    assert not one.panel.wants_stage(replace(on, state=replace(on.state, training_page=TrainingPage.IMAGE)))


def test_curves_of_runs_lie_over_each_other_in_their_own_colours(lab, qtbot):
    one = lab(scenes.training())
    plot = one.panel.training_stage.loss
    lines = {number: item[1] for number, item in plot._items.items()}
    assert set(lines) == {1, 2}
    assert len(lines[1].getData()[0]) == 200
    assert len(lines[2].getData()[0]) == 120
    assert lines[1].opts["pen"].color() != lines[2].opts["pen"].color()
    press(qtbot, one.panel.training_stage.rows[1].eye)
    assert set(plot._items) == {2}
    press(qtbot, one.panel.training_stage.rows[1].gone)
    assert one.lab.asked == [("drop", (1,))]


def test_the_loss_can_be_logarithmic(lab, qtbot):
    one = lab(scenes.training())
    plot = one.panel.training_stage.loss
    linear = plot._items[1][1].getData()[1]
    plot.log.setChecked(True)
    assert np.allclose(plot._items[1][1].getData()[1], np.log10(linear))


def test_a_test_is_plotted_once_at_the_step_that_it_was_taken_at():
    run = scenes.training().run
    assert [step for step, _ in LINES[Curve.MEAN_IOU][1](run)] == [40, 80, 120]


def test_curves_leave_as_svg_and_csv(lab, qtbot, tmp_path):
    one = lab(scenes.training())
    press(qtbot, one.panel.svg)
    write = one.commands.asked[-1][1][2]
    write(tmp_path / "training.svg")
    for name in ("training.svg", "training-score.svg"):
        assert "digits-fcn, quick" in (tmp_path / name).read_text(encoding="utf-8")
    press(qtbot, one.panel.csv)
    rows = one.commands.asked[-1][1][0]
    assert rows[0][:5] == ["run", "step", "steps", "seconds", "loss"]
    assert len(rows) == 1 + 200 + 120
    press(qtbot, one.panel.picture)
    assert one.commands.asked[-1][0] == "save_image"
    assert not one.commands.asked[-1][1][0].isNull()


def test_samples_show_image_truth_answer_and_what_each_pixel_weighs(lab):
    one = lab(scenes.training())
    sheet = one.panel.training_stage.sheet
    assert sheet._headings == ("Image", "Truth", "Answer", "Weight", "Gradient")
    place = sheet.place_of(0, 2)
    at = QPoint(place.left() + int(place.width() * 40.5 / 64), place.top() + int(place.height() * 20.5 / 64))
    assert sheet.said_at(at) == "40, 20: answer 0, truth 0"  # class 1 is called 0
    weight = sheet.place_of(0, 3)
    assert sheet.said_at(QPoint(weight.left() + 2, weight.top() + 2)).startswith("0.5 at ")
    one.train(one.scene.training.with_run(samples=scenes.samples(130, weighed=False)))
    assert sheet._headings == ("Image", "Truth", "Answer")
    assert one.panel.training_stage.at_step.text() == "Samples after step 130"


def test_samples_of_a_classifier_say_right_or_wrong_in_words(lab):
    images = np.zeros((3, 28, 28, 3), np.uint8)
    names = tuple("0123456789")
    answers = TrainingSamples(60, names, images, np.array([1, 2, 3]), np.array([1, 7, 3]))
    one = lab(scenes.training().with_run(samples=answers))
    sheet = one.panel.training_stage.sheet
    assert [(sample.caption, sample.tone) for sample in sheet._samples] == [
        ("✓ 1", "ok"), ("✗ 7 (2)", "bad"), ("✓ 3", "ok"),
    ]  # fmt: skip
    assert not sheet.grab().isNull()


def test_class_weights_are_equal_balanced_or_typed(lab, qtbot):
    one = lab(scenes.training(), TrainingPage.CLASSES)
    table, form = one.panel.training_stage.classes, one.panel.form
    form.recipe.choose(RecipeName.LENET5)
    assert not table.equal.isEnabled()  # LeNet-5 has not run, and has other classes than FCN
    form.recipe.choose(RecipeName.DIGITS_FCN)
    press(qtbot, table.equal)
    assert form.request.class_weights == (1.0,) * 11
    assert form.weights.value == "equal"
    press(qtbot, table.balanced)
    weights = form.request.class_weights
    assert weights[1] > 10 * weights[0]
    assert weights[7] == max(weights)  # not in the samples: as the rarest
    assert "the samples' pixels" in table.note.said()
    table.table.item(2, 2).setText("3.5")
    assert form.request.class_weights[2] == 3.5
    table.table.item(2, 2).setText("-1")
    assert form.request.class_weights[2] == 3.5
    assert table.table.item(2, 2).text() == "3.5"
    press(qtbot, table.recipes)
    assert form.request.class_weights is None


def test_balanced_weights_follow_all_that_was_learned_from(lab, qtbot):
    samples = replace(scenes.samples(), frequencies=(800, *[20] * 10))
    one = lab(scenes.training().with_run(samples=samples), TrainingPage.CLASSES)
    table, form = one.panel.training_stage.classes, one.panel.form
    form.recipe.choose(RecipeName.DIGITS_FCN)
    assert "the 1,000 pixels that it learned from until step 120" in table.note.said()
    assert table.table.item(0, 1).text().startswith("80.0")
    press(qtbot, table.balanced)
    assert form.request.class_weights == pytest.approx((1000 / 11 / 800, *[1000 / 11 / 20] * 10), rel=1e-3)


def test_what_the_form_asks_for_is_a_part_of_the_state(lab, qtbot):
    """Both ways: what a person chooses, and what a session file or a run of an earlier window brings."""
    one = lab()
    assert one.state.train.recipe == "lenet5"
    one.panel.form.recipe.choose(RecipeName.DIGITS_FCN)
    enter(qtbot, one.panel.form.lines["steps"], "40")
    assert one.state.train == one.panel.form.request == TrainRequest("digits-fcn", quick=True, steps=40)
    brought = TrainRequest("lenet5", data="clothes", seed=3, kept=0.05, patches=False)
    one.session.update(train=brought)
    form = one.panel.form
    assert (form.request, form.data.text(), form.lines["seed"].text()) == (brought, "clothes", "3")
    assert (form.quick.isChecked(), form.way.value) == (False, False)
    assert form.kept._number.text == "5 %"  # between two places of the slider, and said as it is
    press(qtbot, one.panel.main)
    assert one.lab.asked == [("start", (brought,))]


def test_earlier_runs_are_opened_and_saved_from_the_legend(lab, qtbot, tmp_path):
    one = lab(scenes.training())
    first, second = (one.panel.training_stage.rows[number] for number in (1, 2))
    assert first.open.isVisibleTo(first)
    assert not second.open.isVisibleTo(second), "it has not ended"
    press(qtbot, first.save)
    assert one.commands.asked[-1][1][0] == "digits-fcn.safetensors"
    press(qtbot, first.open)
    assert one.lab.asked[0] == ("keep", (one.scene.training.runs[0],))
    assert one.state.model.endswith("?arch=fcn8s-digits")


def test_another_recipe_has_other_classes(lab, qtbot):
    one = lab(scenes.training(), TrainingPage.CLASSES)
    one.panel.form.recipe.choose(RecipeName.DIGITS_FCN)
    press(qtbot, one.panel.training_stage.classes.equal)
    assert one.panel.form.request.class_weights is not None
    one.panel.form.recipe.choose(RecipeName.DIGITS_SEGNET)
    assert one.panel.form.request.class_weights is None


def test_other_data_have_other_classes(lab, qtbot, tmp_path):
    one = lab(scenes.training(), TrainingPage.CLASSES)
    form, classes = one.panel.form, one.panel.training_stage.classes
    form.recipe.choose(RecipeName.DIGITS_FCN)
    press(qtbot, classes.equal)
    assert form.request.class_weights is not None
    enter(qtbot, form.data, str(tmp_path))
    assert classes.table.rowCount() == 0
    assert not classes.equal.isEnabled()
    assert form.request.class_weights is None
    enter(qtbot, form.data, "")
    assert classes.table.rowCount() == 11


# ----------------------------------------------------------------- the weight map of U-Net


def weights_of(one, qtbot):
    view = one.panel.training_stage.weight_map
    if view.maps is None:
        qtbot.waitSignal(view.computed).wait()
    return view


def test_the_weight_map_of_two_squares_has_the_paper_s_values(lab, qtbot, tmp_path):
    """Oracles: w_0 exp(-(d1 + d2)^2 / (2 sigma^2)) is 6.0653 for d1 + d2 = 5, at w_0 = 10 and sigma = 5."""
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 5:15], mask[10:30, 19:30] = 1, 2
    Image.fromarray(mask).save(tmp_path / "cells.png")
    one = lab(Training(), TrainingPage.WEIGHT_MAP)
    view = weights_of(one, qtbot)
    with qtbot.waitSignal(view.computed):
        view.open_mask(str(tmp_path / "cells.png"))
    maps = view.maps
    assert (maps.known[0][20, 16], maps.known[1][20, 16]) == (2, 3)
    labels = (mask != 0).mean()
    assert maps.weights[20, 16] == pytest.approx(0.5 / (1 - labels) + 6.0653, abs=1e-3)
    view.views["weights"].view.hovered.emit(16.0, 20.0)
    assert view.value.text.endswith("d1 2.0 px · d2 3.0 px · 16, 20")
    with qtbot.waitSignal(view.computed):
        view.sigma.slider.setValue(view.sigma.slider.maximum())
    assert one.state.sigma == 20
    assert view.maps.weights[20, 16] == pytest.approx(0.5 / (1 - labels) + 10 * np.exp(-25 / 800), abs=1e-3)


def test_cells_can_be_drawn_and_taken_back(lab, qtbot):
    one = lab(Training(), TrainingPage.WEIGHT_MAP)
    view = weights_of(one, qtbot)
    assert len(np.unique(view.maps.cells_map)) == 5  # background and the four discs drawn to begin with
    pen = view.pen
    with qtbot.waitSignal(view.computed):
        pen.begin(Touch(20, 140, 1.0))
        pen.end()
    assert len(np.unique(view.maps.cells_map)) == 6
    with qtbot.waitSignal(view.computed):
        press(qtbot, view.undo_button)
    assert len(np.unique(view.maps.cells_map)) == 5
    with qtbot.waitSignal(view.computed):
        press(qtbot, view.clear_button)
    assert not view.maps.cells_map.any()
    assert np.isinf(view.maps.known[0]).all()
    view.views["weights"].view.hovered.emit(3.0, 4.0)
    assert "d1 none" in view.value.text


def test_maps_that_were_moved_are_fitted_again(lab, qtbot):
    one = lab(Training(), TrainingPage.WEIGHT_MAP)
    view = weights_of(one, qtbot)
    cells, other = view.views["cells"].view, view.views["weights"].view
    fitted = cells.projection
    beside = QPoint(3, cells.height() - 3)
    qtbot.mousePress(cells, Qt.MouseButton.LeftButton, pos=beside)
    qtbot.mouseMove(cells, beside + QPoint(20, -20))
    qtbot.mouseMove(cells, beside + QPoint(40, -30))
    qtbot.mouseRelease(cells, Qt.MouseButton.LeftButton, pos=beside + QPoint(40, -30))
    assert cells.projection != fitted
    assert other.projection == cells.projection
    press(qtbot, view.fit_button)
    assert cells.projection == other.projection == fitted


def test_a_mask_that_cannot_be_read_says_so_and_changes_nothing(lab, qtbot, tmp_path):
    one = lab(Training(), TrainingPage.WEIGHT_MAP)
    view = weights_of(one, qtbot)
    before = view.maps
    (tmp_path / "broken.png").write_bytes(b"no picture")
    view.open_mask(str(tmp_path / "broken.png"))
    qtbot.waitUntil(lambda: view.where.text().startswith("broken.png: "))
    assert len(view.where.text()) > len("broken.png: ")
    assert view.maps is before


def test_a_mask_that_is_too_large_is_refused_by_its_header(lab, qtbot, tmp_path, monkeypatch):
    """Two hundred megapixels take a second to decode, and a gigabyte."""
    decoded = []
    monkeypatch.setattr(masks, "open_mask", decoded.append)
    Image.new("1", (2001, 2000)).save(tmp_path / "large.png")
    view = weights_of(lab(Training(), TrainingPage.WEIGHT_MAP), qtbot)
    view.open_mask(str(tmp_path / "large.png"))
    qtbot.waitUntil(lambda: "large.png: a mask of 4,002,000 pixels" in view.where.text())
    assert decoded == []


def test_masks_are_read_and_maps_coloured_beside_the_window(lab, qtbot, tmp_path, monkeypatch):
    threads = []

    def watched(function):
        def run(*arguments, **options):
            threads.append(threading.current_thread())
            return function(*arguments, **options)

        return run

    mask = np.zeros((20, 20), np.uint8)
    mask[2:6, 2:6] = 1
    Image.fromarray(mask).save(tmp_path / "cells.png")
    view = weights_of(lab(Training(), TrainingPage.WEIGHT_MAP), qtbot)
    for name in ("mask_of", "photo_of"):
        monkeypatch.setattr(training_maps, name, watched(getattr(training_maps, name)))
    with qtbot.waitSignal(view.computed):
        view.open_mask(str(tmp_path / "cells.png"))
    with qtbot.waitSignal(view.computed):
        view.w_0.slider.setValue(0)
    assert len(threads) == 1 + 4 + 1  # the file, four maps, then the weights alone
    assert threading.main_thread() not in threads


def test_a_mask_that_comes_after_the_drawing_was_chosen_is_not_shown(lab, qtbot, tmp_path):
    mask = np.zeros((20, 20), np.uint8)
    Image.fromarray(mask).save(tmp_path / "cells.png")
    view = weights_of(lab(Training(), TrainingPage.WEIGHT_MAP), qtbot)
    view.open_mask(str(tmp_path / "cells.png"))
    with qtbot.waitSignal(view.computed):
        view._draw_again()
    qtbot.waitUntil(lambda: not view._background.busy)
    qtbot.wait(10)
    assert view.maps.size == view.ink.size
    assert "drag beside the paper" in view.where.text()


def test_a_mask_of_two_values_is_parted_into_its_pieces(lab, qtbot, tmp_path):
    mask = np.zeros((20, 20), np.uint8)
    mask[2:6, 2:6] = mask[12:16, 12:16] = 255
    Image.fromarray(mask).save(tmp_path / "binary.png")
    one = lab(Training(), TrainingPage.WEIGHT_MAP)
    view = weights_of(one, qtbot)
    with qtbot.waitSignal(view.computed):
        view.open_mask(str(tmp_path / "binary.png"))
    assert set(np.unique(view.maps.cells_map)) == {0, 1, 2}
    assert view.draw_button.isVisibleTo(view)
    with qtbot.waitSignal(view.computed):
        press(qtbot, view.draw_button)
    assert view.maps.size == view.ink.size


def test_all_maps_have_one_zoom(lab, qtbot):
    one = lab(Training(), TrainingPage.WEIGHT_MAP)
    view = weights_of(one, qtbot)
    moved = view.views["nearest"].view
    moved.zoom(2.0, QPointF(50, 50))
    assert all(part.view.projection.zoom == moved.projection.zoom for part in view.views.values())


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PAUSED])
def test_curves_follow_the_theme(lab, look, phase):
    one = lab(scenes.training(phase))
    look.set_theme(theme.Theme.LIGHT)
    pen = one.panel.training_stage.loss._items[1][1].opts["pen"]
    look.set_theme(theme.Theme.DARK)
    assert pen.color().name() == "#0b63ce"


def test_a_run_that_rests_and_one_that_ended_are_said_in_one_form():
    run = scenes.training().run
    assert training_words.progress(scenes.training(Phase.PAUSED, rate=None)) == "Paused at step 120 of 200"
    assert training_words.ended(run) == "Stopped at step 120 of 200"


def test_a_run_that_rests_is_said_once(lab):
    one = lab(scenes.training(Phase.PAUSED))
    assert one.panel.result.said() == ""
    one.train(scenes.training(Phase.PAUSED).with_run(trouble="The training process ended."))
    assert one.panel.result.said() == "The training process ended."


def test_before_the_first_report_it_says_what_it_does():
    started = scenes.training()
    assert (
        training_words.progress(replace(started.with_run(points=()), rate=None, remaining=None)) == training_words.FIRST
    )


def test_no_tooltip_lies_over_the_weight_maps(lab, qtbot):
    one = lab(scenes.training(), TrainingPage.WEIGHT_MAP)
    maps = one.panel.training_stage.weight_map.views.values()
    assert [part.view.toolTip() for part in maps] == [""] * 4
    assert all(part.title.toolTip() and part.view.accessibleName() for part in maps)


def test_after_pausing_the_keyboard_is_not_on_the_button_that_ends_the_run(lab, qtbot):
    """Pausing disables its button, and Qt would move the keyboard on to Stop."""
    one = lab(scenes.training())
    panel, training = one.panel, one.scene.training
    panel.widget.window().setVisible(True)
    panel.widget.window().activateWindow()
    panel.main.setFocus()
    qtbot.waitUntil(panel.main.hasFocus)
    one.train(replace(training, phase=Phase.PAUSING))
    assert not panel.stop.hasFocus()
    one.train(replace(training, phase=Phase.PAUSED))
    assert panel.main.hasFocus()
