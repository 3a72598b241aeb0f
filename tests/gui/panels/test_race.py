"""The race: numbers, sentence, stage, what leaves it."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from segviz.core.choices import Device, Pooling, Task, Upsampling, View
from segviz.core.races import RaceRequest
from segviz.core.requests import Progress, Setup
from segviz.core.session import State
from segviz.gui import gestures, race_words, tables, words
from segviz.gui.panels.race import RacePanel, thinned
from segviz.gui.panels.race_planes import LanePlanes, difference_levels, shifted
from segviz.gui.panels.race_plot import STRIDE, TIME
from segviz.gui.race_words import Side
from segviz.gui.scene import Job, Kind
from tests.gui import scenes

SIZE = (1390, 190)


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


@pytest.fixture
def one(shown):
    made = shown(RacePanel, scenes.full(), SIZE)
    made.panel.stage.resize(850, 560)
    made.panel.stage.show()
    return made


def cells(table) -> list[list[str]]:
    return [[plain(table.item(row, at).text()) for at in range(table.columnCount())] for row in range(table.rowCount())]


def test_the_table_gives_the_results(one):
    one.show(replace(one.scene, race=scenes.race()))
    assert cells(one.panel.table) == [
        ["Windows, batched", "1.70 s", "425", "250", "177 M", "256", "34×"],
        ["Windows, one by one", "≈ 13.6 s", "425", "31", "177 M", "1", "272×"],
        ["Fully convolutional", "50.0 ms", "425", "8.50 k", "26.4 M", "1", "–"],
    ]
    facts = {name: plain(label.text()) for name, label in one.panel.fact_labels.items()}
    assert facts == {
        "Exact": "✓ yes",
        "Largest difference": "2.0 × 10⁻⁶",
        "Labels agree": "100 %",
        "Centres apart": "0, 0 px",
        "Redundancy": "6.7×",
    }
    assert plain(one.panel.notes.text()) == "Windows, one by one: extrapolated from 40 of 425 outputs."


def test_notes_of_a_race_are_sentences(one):
    one.show(replace(one.scene, race=replace(scenes.race(extrapolated=False), notes=("half was measured", "VGG16 is"))))
    assert plain(one.panel.notes.text()).startswith("Half was measured. VGG16 is. ")


def test_the_race_in_one_sentence():
    assert plain(race_words.sentence(scenes.race())) == "34 times faster, equal to within 2.0 × 10⁻⁶"
    unequal = replace(scenes.race(exact=False), reason="13 padded convolutions: a window's border sees zeros")
    assert plain(race_words.sentence(unequal)) == (
        "34 times faster, not equal: 13 padded convolutions, labels agree for 48 %"
    )
    assert race_words.sentence(replace(scenes.race(), max_abs_difference=0.0)) == "34 times faster, exactly equal"
    everywhere = race_words.sentence(replace(unequal, label_agreement=1.0))
    assert everywhere.endswith("13 padded convolutions, labels agree everywhere")
    assert race_words.sentence(scenes.race(extrapolated=True)).startswith("about 34 times faster")


def test_start_and_stop(qtbot, one):
    qtbot.mouseClick(one.panel.start, Qt.MouseButton.LeftButton)
    assert one.commands.names() == ["race"]
    one.show(replace(one.scene, jobs=(Job(Kind.RACE, Progress(0, 0)),)))
    assert one.panel.start.text() == "Stop"
    assert one.panel.progress.text() == "Warming up…"
    qtbot.mouseClick(one.panel.start, Qt.MouseButton.LeftButton)
    assert one.commands.asked[-1] == ("stop", (Kind.RACE,))


def test_progress_counts_windows_and_says_when_they_are_a_sample():
    updates = scenes.race_updates()
    ahead = tuple(reversed(updates))  # the sliding window is the newest
    said = [
        race_words.progress(None, updates),
        race_words.progress(Progress(3, 6, "passes"), updates),
        race_words.progress(Progress(0, 425, "windows"), ()),
        race_words.progress(Progress(200, 425, "windows"), ahead),
        race_words.progress(Progress(40, 90, "windows"), (*ahead, replace(updates[0], side="one_by_one"))),
    ]
    assert said == [
        *["Warming up…"] * 3,
        "Windows, batched: 200 of 425 windows",
        "Windows, one by one: 40 of 90 sampled windows",
    ]


def test_the_panel_keeps_its_height_when_a_race_starts(one):
    before = one.panel.widget.minimumSizeHint().height()
    for changes in (
        {"jobs": (Job(Kind.RACE),)},
        {"race_updates": scenes.race_updates(), "jobs": (Job(Kind.RACE, Progress(200, 425, "windows")),)},
        {"race": scenes.race(extrapolated=True)},
    ):
        one.show(replace(scenes.full(), **changes))
        assert one.panel.table.isVisibleTo(one.panel.widget)
        assert one.panel.widget.minimumSizeHint().height() == before


def test_a_title_gets_short_before_it_is_cut(one):
    one.show(replace(one.scene, race=scenes.race()))
    stage = one.panel.race_stage
    assert stage.slow.title.text() == "Sliding window, batched"
    stage.resize(480, 400)
    assert stage.slow.title.text() == "Windows, batched"
    assert stage.slow.title.shown_text() == "Windows, batched"


def test_the_race_paints_what_the_canvas_paints(one):
    """Neither the background nor hidden classes, nor what is less sure than the Minimum."""
    result = scenes.race()
    names = ("background", *result.classes[1:])
    there = set(np.unique(result.dense_labels))
    last = max(there)
    sure = np.full(result.dense_labels.shape, 255, np.uint8)
    sure[0] = 10
    result = replace(result, classes=names, dense_confidence=sure)
    planes = LanePlanes()
    planes.set_labels(result.dense_labels, sure, result, State(hidden=frozenset({last}), minimum=0.5))
    painted = {index for index in there if planes.map._table[index + 1]}
    assert painted == there - {0, last}
    assert (planes.map._mask is sure, planes.map._minimum) == (True, 128)


def test_without_network_or_image_it_cannot_start(one):
    one.show(replace(one.scene, picture=None, state=State()))
    assert not one.panel.start.isEnabled()


def test_the_stride_offers_multiples_of_the_networks_own(one):
    actions = one.panel.stride.menu().actions()
    assert [action.text() for action in actions][:3] == ["4 px, the network's own", "8 px", "12 px"]
    actions[1].trigger()
    assert one.state.grid_stride == 8
    assert one.panel.stride.value == "8 px"
    actions[0].trigger()
    assert one.state.grid_stride is None


def test_without_a_whole_stride_only_the_networks_own_is_offered(one):
    """Where units sit 1.5 pixels apart no number of pixels is a step for both sides: none is made up."""
    one.show(replace(one.scene, network=scenes.uneven()))
    assert one.panel.stride.value == "the network's own"
    assert [action.text() for action in one.panel.stride.menu().actions()] == ["the network's own"]
    one.show(replace(one.scene, network=scenes.lenet()))
    assert one.panel.stride.value == "4 px"
    assert len(one.panel.stride.menu().actions()) == len(gestures.GRID_STEPS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"view": View.HEATMAP, "layer": "s4", "upsampling": Upsampling.NEAREST}, ""),  # a race does not ask for them
        ({"scale": 0.5}, "scale"),
        ({"device": Device.CPU, "scale": 2.0}, "scale and device"),
        ({"grid_stride": 8}, "grid stride"),
        ({"pooling": Pooling.WINDOW, "grid_stride": 8, "scale": 0.5}, "scale, pooling and grid stride"),
    ],
)
def test_a_result_of_other_settings_is_said_to_be_older(one, changes, words):
    scene = replace(one.scene, race=scenes.race())
    one.show(replace(scene, state=replace(scene.state, **changes)))
    told = f"These results are of another {words}: race again for what is chosen now." if words else ""
    assert one.panel.progress.text() == told
    assert one.panel.race_stage.sentence.text().startswith("Older result: 34 times" if words else "34 times")
    one.show(scene)
    assert one.panel.progress.text() == ""
    assert one.panel.race_stage.sentence.text().startswith("34 times")


def test_all_that_a_race_is_asked_with_can_make_its_result_older():
    # A race on another drawing goes, it does not grow old; trust changes no number.
    apart = {"setup", "budget", "revision", "trust"}
    asked = {field.name for kind in (RaceRequest, Setup) for field in fields(kind)} - apart
    named = {"network": "model", "grid stride": "grid_stride", "arithmetic": "fast"}
    assert {named.get(name, name) for name in race_words.SETTINGS} == asked


def test_while_it_runs_both_clocks_and_the_factor_run(one):
    one.show(replace(one.scene, race_updates=scenes.race_updates(), jobs=(Job(Kind.RACE),)))
    stage = one.panel.race_stage
    assert stage.slow.time.text == "0.800 s"
    assert stage.fast.time.text == "0.050 s"
    assert stage.slow.outputs.text == "200"
    assert stage.factor.text() == "34×"  # 8,500 outputs a second against 250
    assert stage.slow.planes.window.box == scenes.race_updates()[0].partial.box
    assert not stage.difference.isEnabled()
    assert stage.slow.view.size() == stage.fast.view.size()


def test_the_stage_is_painted_once_a_frame(one):
    """Updates that come within a frame wait for it, and the newest of them is painted."""
    assert one.panel._next.interval() >= 33
    one.panel._next.setInterval(60_000)  # this frame ends when the test says so
    clock = one.panel.race_stage.slow.outputs
    for done in (10, 20, 300):
        one.show(replace(one.scene, race_updates=scenes.race_updates(done), jobs=(Job(Kind.RACE),)))
        assert clock.text == "10"
    one.panel._next.timeout.emit()
    assert clock.text == "300"


def test_one_by_one_takes_the_left_side_when_it_runs(one):
    updates = scenes.race_updates()
    single = replace(updates[0], side="one_by_one", seconds=1.6)
    one.show(replace(one.scene, race_updates=(*updates, single), jobs=(Job(Kind.RACE),)))
    assert one.panel.race_stage.slow.title.text() == "Sliding window, one by one"
    assert one.panel.race_stage.factor.text() == "68×"


def test_the_result_is_on_the_stage(one):
    one.show(replace(one.scene, race=scenes.race()))
    stage = one.panel.race_stage
    assert plain(stage.sentence.text()) == "34 times faster, equal to within 2.0 × 10⁻⁶"
    assert stage.slow.time.text == "1.700 s"
    assert plain(stage.fast.rate.text) == "8.50 k"
    assert one.panel.wants_stage(one.scene)


def test_the_button_shows_the_difference_map(qtbot, one):
    one.show(replace(one.scene, race=scenes.race(exact=False)))
    stage = one.panel.race_stage
    assert not stage.scale_bar.isVisible()
    labels = stage.fast.view.render_image()
    qtbot.mouseClick(stage.difference, Qt.MouseButton.LeftButton)
    assert stage.scale_bar.isVisible()
    assert stage.fast.title.text() == "Difference of probabilities"
    assert stage.fast.view.render_image() != labels
    qtbot.mouseClick(stage.difference, Qt.MouseButton.LeftButton)
    assert stage.fast.view.render_image() == labels


def test_both_views_show_the_same_place(one):
    one.show(replace(one.scene, race=scenes.race()))
    slow, fast = one.panel.race_stage.slow.view, one.panel.race_stage.fast.view
    slow.zoom(3.0, QPointF(100, 80))
    assert (fast.view_transform.zoom, fast.view_transform.x) == pytest.approx(
        (slow.view_transform.zoom, slow.view_transform.x)
    )
    fast.fit()
    assert slow.fitted
    assert fast.fitted


def test_a_second_race_starts_its_curves_anew(one):
    one.show(replace(one.scene, race_updates=scenes.race_updates()))
    early = tuple(replace(update, seconds=update.seconds / 10) for update in scenes.race_updates(20))
    one.show(replace(one.scene, race_updates=early))
    assert one.panel._points[Side.SLIDING_WINDOW] == [(0.08, 20.0)]


def test_leaving(qtbot, one, tmp_path):
    one.show(replace(one.scene, race_updates=scenes.race_updates(100), jobs=(Job(Kind.RACE),)))
    later = tuple(replace(update, seconds=update.seconds + 1) for update in scenes.race_updates(200))
    one.show(replace(one.scene, race_updates=later))
    one.show(replace(one.scene, race=scenes.race(), race_updates=(), jobs=()))
    for button in (one.panel._copy, one.panel._save, one.panel._save_table, one.panel._film, one.panel._drawing):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert one.commands.names() == ["copy_image", "save_image", "save_table", "save_film", "save_with"]
    rows = one.commands.asked[2][1][0]
    assert rows[1][:3] == ["sliding_window", 1.7, 425]
    assert dict(row for row in rows if len(row) == 2)["speedup"] == pytest.approx(34.0)
    frames = list(one.commands.asked[3][1][1]())
    assert len(frames) == 5  # two sides twice, and the result
    assert frames[-1] == one.panel.race_stage.lanes.grab().toImage()
    assert frames[0] != frames[-1]
    assert one.panel.race_stage.slow.time.text == "1.700 s"
    one.commands.asked[4][1][2](tmp_path / "race.svg")
    drawing = (tmp_path / "race.svg").read_text(encoding="utf-8")
    assert "<svg" in drawing
    assert "outputs" in drawing


# ------------------------------------------------------------------------------------- arrays


def test_what_was_not_computed_is_index_zero():
    assert shifted(np.array([[-1, 0, 999]], np.int16)).tolist() == [[0, 1, 1000]]
    levels = difference_levels(np.array([[np.nan, 0.0, 0.2, 0.4]], np.float32))
    assert levels.tolist() == [[0, 1, 129, 256]]
    assert difference_levels(np.zeros((1, 2), np.float32)).tolist() == [[1, 1]]


def test_thinning_keeps_the_newest():
    assert thinned(list(range(10)), 20) == list(range(10))
    assert thinned(list(range(11)), 10) == [0, 2, 4, 6, 8, 10]


def test_a_side_without_time_does_not_divide_by_it():
    instant = replace(scenes.race().fully_convolutional, seconds=0.0)
    result = replace(scenes.race(), fully_convolutional=instant)
    assert race_words.table(result)[0][-1] == "–"
    assert ["speedup", None] in tables.race_rows(result)


def test_a_network_that_answers_per_pixel_does_not_race(one):
    network = replace(one.scene.network, title="Selfie segmentation", task=Task.SEGMENTATION)
    one.show(replace(one.scene, network=network))
    assert not one.panel.start.isEnabled()
    assert "answers per pixel" in one.panel.progress.text()
    assert "answers per pixel" in one.panel.start.toolTip()


def test_the_verdict_stands_above_the_buttons_where_there_is_little_room(one):
    stage = one.panel.race_stage
    one.show(replace(one.scene, race=scenes.race()))
    for width, above in ((500, True), (1100, False), (490, True)):
        stage.resize(width, 420)
        QApplication.processEvents()
        assert (stage.sentence.mapTo(stage, QPoint(0, 0)).y() < stage.footer.y()) == above
        assert stage.sentence.height() >= stage.sentence.heightForWidth(stage.sentence.width())


def test_the_plot_shows_the_speed_up_by_stride_once_the_race_is_done(one):
    one.show(scenes.full(race_updates=scenes.race_updates()))
    plot = one.panel.plot
    assert not plot.choice.button(STRIDE).isEnabled()
    one.show(scenes.full(race=scenes.race()))
    plot.choice.button(STRIDE).click()
    x, y = plot._factor.getData()
    assert (list(x), y[0]) == ([4, 8, 16, 32], 34)
    assert not any(curve.isVisible() for curve in plot._curves.values())
    one.show(scenes.full(race_updates=scenes.race_updates()))  # another race: back to its clock
    assert plot.choice.value == TIME
    assert plot._curves[Side.SLIDING_WINDOW].isVisible()


def test_padding_is_shown_to_be_the_whole_cause(one):
    one.show(scenes.full(race=scenes.race(exact=False)))
    label = one.panel.fact_labels["Without padding"]
    assert label.text() == words.exponent(1.4e-5)
    one.show(scenes.full(race=scenes.race()))  # a race that is exact has no padding to leave out
    assert label.isHidden()
    assert not one.panel.fact_labels["Exact"].isHidden()
