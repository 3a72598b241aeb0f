"""What speaks for a class and what a map answers to, in the window: what is asked when, and what is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segviz.core.cams import CamRequest, CamView
from segviz.core.capabilities import Ability, Capability, Verdict
from segviz.core.choices import Area, Heat, MapPage, PatchSource, View
from segviz.core.export import DIMMED
from segviz.core.planning import plan_description
from segviz.core.requests import Badge, ExamineRequest, Progress
from segviz.core.session import State, Unit
from segviz.core.session_file import from_json, to_json
from segviz.core.top_patches import TopRequest, TopUpdate
from segviz.gui import words
from segviz.gui.gestures import suited
from segviz.gui.overlays import scale
from segviz.gui.pictures import to_array
from segviz.gui.plan import wanted
from segviz.gui.scene import EngineStatus, Job, Kind
from tests.gui import scenes
from tests.gui.conftest import PAGE


def asked(one, kind):
    return [request for request in one.jobs.history if isinstance(request, kind)]


def patches_page(one):
    return one.panel("feature-maps").pages[MapPage.PATCHES]


def test_grad_cam_is_asked_when_it_is_chosen_and_painted_where_its_units_are(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps"))
    assert asked(one, CamRequest) == []
    one.panel("heatmaps").heat.choose(Heat.GRAD_CAM)
    one.bring_up()
    assert [(request.heat, request.layer, request.area) for request in asked(one, CamRequest)] == [
        (Heat.GRAD_CAM, "c3", Area.AUTO)
    ]
    overlays, strip = one.window.canvas._overlays, one.window.canvas.strip
    assert overlays.cam in overlays.layers
    assert overlays.heat not in overlays.layers
    index = one.scene.shown_class
    assert f"Grad-CAM of “{index}”" in strip.scale.toolTip()
    row, column = np.unravel_index(int(overlays.cam._plane.argmax()), overlays.cam._plane.shape)
    place = one.scene.cams.lattice.position_of(2 + index, 3 + index)
    assert abs(column - place[0]) <= 0.5
    assert abs(row - place[1]) <= 0.5


def test_cam_needs_no_layer_that_is_chosen(bench):
    one = bench(State(image=PAGE, model="lenet5", tab="heatmaps", cams=CamView(Heat.CAM)))
    unchosen = replace(one.scene, state=replace(one.state, layer=None))
    assert wanted(unchosen, False, plan_description(unchosen.state))[Kind.CAMS].layer == "last"


def test_another_layer_asks_again_and_the_newest_wins(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", cams=CamView(Heat.GRAD_CAM)))
    for layer in ("s4", "s2"):
        one.window.desk.session.update(layer=layer)
        one.turn()
    assert [request.layer for request in asked(one, CamRequest)] == ["c3", "s4", "s2"]
    one.bring_up()
    assert one.scene.shown_cams.layer == "s2"


def test_a_class_without_its_map_asks_for_it(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", cams=CamView(Heat.GRAD_CAM)))
    before = len(asked(one, CamRequest))
    one.window.desk.session.update(shown_class=7)
    one.turn()
    assert len(asked(one, CamRequest)) == before, "all ten digits have theirs"


def test_probability_comes_back(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", cams=CamView(Heat.CAM, signed=True)))
    one.panel("heatmaps").heat.choose(Heat.PROBABILITY)
    one.bring_up()
    overlays = one.window.canvas._overlays
    assert overlays.heat in overlays.layers
    assert one.window.canvas.strip.scale.toolTip().endswith("colours from 0 to 1")


def test_a_signed_map_lies_on_a_grey_photograph_on_the_canvas(bench):
    """Its bar, its tiles and the canvas show the same for zero: grey."""
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", cams=CamView(Heat.GRAD_CAM)))
    one.panel("heatmaps").heat.choose(Heat.GRAD_CAM)
    one.bring_up()
    overlays = one.window.canvas._overlays
    assert overlays.cam in overlays.layers
    assert overlays.layers[0] is overlays.photo
    one.panel("heatmaps").signed.click()
    one.bring_up()
    assert overlays.layers[0] is overlays.grey
    assert overlays.cam in overlays.layers
    _, colours = scale(one.scene)
    dimmed = round(128 * DIMMED)
    assert colours[127] == colours[128] == dimmed << 16 | dimmed << 8 | dimmed
    assert one.panel("heatmaps")._tiles.colours(one.state)[0] == colours
    tile = one.panel("heatmaps")._tile(9)  # nothing speaks for the last class
    one.window.desk.session.update(shown_class=9)
    one.turn()
    canvas = to_array(one.window.canvas.view.grab().toImage()).astype(int)
    middle = tuple(slice(side * 2 // 5, side * 3 // 5) for side in canvas.shape[:2])
    assert np.ptp(to_array(tile).astype(int)[..., :3], axis=2).max() == 0
    coloured = np.ptp(canvas[middle][..., :3], axis=2) > 2
    assert coloured.mean() < 0.1, "marks of the pinned unit may be coloured, the photograph is not"
    one.window.desk.session.update(view=View.IMAGE)
    one.turn()
    assert overlays.layers[0] is overlays.photo


def test_another_network_shows_probabilities(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", cams=CamView(Heat.CAM)))
    one.window.desk.session.update(model="mtcnn_pnet")
    assert one.state.cams == CamView()


NO_CAM = "LeNet-5 does not end in global average pooling and one dense layer: it has no class activation map"


def without_cam(one):
    """The same window, whose network is described as one that has no class activation map."""
    one.window.desk.take(network=replace(one.scene.network, no_cam=NO_CAM))
    one.turn()


def test_a_heatmap_that_the_network_does_not_have_is_greyed_with_the_reason(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps"))
    choices = one.panel("heatmaps").heat._actions
    assert [choice.isEnabled() for choice in choices.values()] == [True] * 3
    without_cam(one)
    assert [choice.isEnabled() for choice in choices.values()] == [True, False, True]
    assert choices[Heat.CAM].toolTip() == NO_CAM
    assert one.panel("heatmaps").heat.menu().toolTipsVisible()
    cut = Capability(Ability.GRADIENTS, Verdict.NO, "its answer is cut off from its input")
    one.window.desk.take(badge=Badge(ExamineRequest(one.scene.network.request.setup), (cut,), 0.1))
    one.turn()
    assert choices[Heat.GRAD_CAM].toolTip() == cut.reason
    assert not choices[Heat.GRAD_CAM].isEnabled()


def test_a_session_file_that_asks_for_one_shows_probabilities(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", cams=CamView(Heat.CAM, signed=True)))
    without_cam(one)
    assert suited(one.scene) == {"cams": CamView(signed=True)}


def test_what_is_refused_is_said_once_and_the_picture_stays_as_it_was(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", view=View.LABELS))
    panel, strip = one.panel("heatmaps"), one.window.canvas.strip
    panel.heat.choose(Heat.GRAD_CAM)
    one.turn()
    assert strip._right.currentWidget() is not strip.scale, "no bar before there is a map"
    one.jobs.refuse(CamRequest, "layer 'c3' has no maps")
    one.bring_up()
    assert (one.state.view, one.state.cams) == (View.LABELS, CamView())
    assert one.window.notices.banner.isVisible()
    assert one.scene.message.text == "layer 'c3' has no maps"
    assert panel.grid.isVisible()
    assert not panel.note.isVisible()
    assert not panel.signed.isVisible()
    panel.heat.choose(Heat.GRAD_CAM)
    one.bring_up()
    assert one.scene.shown_cams.layer == "c3", "it may be asked for again"


def test_a_layer_without_maps_leaves_those_of_the_layer_before(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", cams=CamView(Heat.GRAD_CAM)))
    one.window.desk.session.update(layer="f6")
    one.turn()
    one.jobs.refuse(CamRequest, "layer 'f6' has no maps with rows and columns")
    one.bring_up()
    assert one.state.cams.heat is Heat.GRAD_CAM
    assert one.scene.shown_cams.layer == "c3"
    assert one.panel("heatmaps").what.text().startswith("c3")
    assert len([request for request in asked(one, CamRequest) if request.layer == "f6"]) == 1


def test_a_layer_without_maps_is_refused_once_for_all_classes(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", cams=CamView(Heat.GRAD_CAM)))
    session = one.window.desk.session
    session.update(shown_class=1)
    one.bring_up()
    session.update(layer="f6")
    one.turn()
    one.jobs.refuse(CamRequest, "layer 'f6' has no maps with rows and columns")
    for change in ({"opacity": 0.3}, {"shown_class": 2}):
        session.update(**change)
        one.bring_up()
    assert len([request for request in asked(one, CamRequest) if request.layer == "f6"]) == 1


def without_room(one):
    """All heatmaps are refused from now on; returns those that were asked for, at most 9."""
    refused = []
    while one.jobs.pending(CamRequest) and len(refused) < 9:
        refused.append(one.jobs.asked[one.jobs.ticket(CamRequest)].heat)
        one.jobs.refuse(CamRequest, "Grad-CAM needs about 60 GiB, and 10 GiB are free")
        one.turn()
    return refused


def test_heatmaps_that_were_there_stay_chosen_where_they_are_refused_later(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", view=View.LABELS))
    session = one.window.desk.session
    for heat in (Heat.CAM, Heat.GRAD_CAM):
        session.update(cams=CamView(heat, signed=True), view=View.HEATMAP)
        one.bring_up()
    session.update(scale=2.0)
    one.bring_up(all_but=CamRequest)
    assert without_room(one) == [Heat.GRAD_CAM]
    assert (one.state.view, one.state.cams) == (View.HEATMAP, CamView(Heat.GRAD_CAM, signed=True))


def test_of_two_kinds_that_are_refused_probabilities_are_left(bench):
    """Also where the first of them had been there, at another scale."""
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", cams=CamView(Heat.CAM)))
    session = one.window.desk.session
    session.update(scale=2.0, cams=CamView(Heat.GRAD_CAM, signed=True))
    one.bring_up(all_but=CamRequest)
    assert without_room(one) == [Heat.GRAD_CAM]
    assert one.state.cams == CamView(signed=True)


def test_stopped_heatmaps_ask_for_no_others(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="heatmaps", cams=CamView(Heat.CAM)))
    one.window.desk.session.update(scale=2.0, cams=CamView(Heat.GRAD_CAM))
    one.bring_up(all_but=CamRequest)
    before = asked(one, CamRequest)
    assert before[-1].heat is Heat.GRAD_CAM
    one.window.desk.stop()
    one.turn()
    assert asked(one, CamRequest) == before
    assert one.state.cams.heat is Heat.PROBABILITY


def test_the_choice_stands_in_session_files():
    state = State(cams=CamView(Heat.GRAD_CAM, True, True), map_page=MapPage.PATCHES, patch_source=PatchSource.FOLDER)
    assert from_json(to_json(state)) == (state, ())
    broken = to_json(state).replace('"grad-cam"', '"grad"')
    read, remarks = from_json(broken)
    assert read.cams == CamView()
    assert "cams cannot be" in remarks[0]


# ------------------------------------------------------------------------------------- top patches


def searching(bench):
    """A window whose page of patches waits for its answer."""
    one = bench(State(image=PAGE, model="lenet5", layer="c3", unit=Unit(5, 3, 3), cursor=(12.5, 12.5)))
    one.panel("feature-maps").buttons[MapPage.PATCHES].click()
    one.turn()
    return one


def test_the_page_asks_for_the_map_that_is_looked_at(bench):
    one = searching(bench)
    (wanted,) = asked(one, TopRequest)
    assert (wanted.layer, wanted.channel, wanted.folder, wanted.setup.image) == ("c3", 5, None, None)
    assert "map 5" in patches_page(one).said.words.said()
    one.bring_up()
    assert patches_page(one).grid.isVisible()


def test_what_is_found_so_far_is_shown_stopped_and_gone_on_with(bench):
    one = searching(bench)
    wanted = one.jobs.asked[one.jobs.ticket(TopRequest)]
    one.jobs.update(TopRequest, TopUpdate(scenes.top_answer(wanted, images=4), Progress(4, 20, "images")))
    one.turn()
    page = patches_page(one)
    assert len(page._patches) == 4
    assert page.said.button.text() == "Stop"
    assert page.said.words.said().startswith("Looking for what map 5 of c3 answers to: 4 of 20 images")
    assert page.said.progress.value() == 200
    assert one.window.toolbar.progress.value() == 200, "the toolbar, whose button stops it, says how far it is, too"
    assert one.scene.job(Kind.PATCHES).progress.done == 4
    QTest.mouseClick(page.said.button, Qt.MouseButton.LeftButton)
    one.turn()
    assert page.said.button.text() == "Go on"
    assert page.said.words.said() == "Stopped after 4 of 20 images."
    assert len(page._patches) == 4
    QTest.mouseClick(page.said.button, Qt.MouseButton.LeftButton)
    one.turn()
    assert len(asked(one, TopRequest)) == 2
    one.bring_up()
    assert len(page._patches) == 9
    assert not page.said.button.isVisible()


def test_a_search_says_what_it_waits_for_and_goes_on_from_nothing(bench):
    one = searching(bench)
    page = patches_page(one)
    (job,) = (job for job in one.scene.jobs if job.kind is Kind.PATCHES)
    other = Job(Kind.PREDICTION, Progress(31, 50, "strips"))
    waiting = replace(one.scene, jobs=(other, job))
    page.show(None, waiting)
    words = "Looking for what map 5 of c3 answers to."
    assert page.said.said() == f"{words} Waits for other work: segmenting, 62 %."
    page.show(None, replace(waiting, engine=EngineStatus.STARTING))
    assert page.said.said() == f"{words} The engine is starting…"
    page.show(None, one.scene)
    QTest.mouseClick(page.said.button, Qt.MouseButton.LeftButton)
    one.turn()
    assert page.said.said() == "Stopped before the first image was looked through."
    assert page.said.progress.isHidden()
    QTest.mouseClick(page.said.button, Qt.MouseButton.LeftButton)
    one.turn()
    assert len(asked(one, TopRequest)) == 2


def test_images_that_cannot_be_read_are_counted_beside_the_patches(bench):
    one = searching(bench)
    wanted = one.jobs.asked[one.jobs.ticket(TopRequest)]
    notes = ("broken.png: not an image of a known format", "empty.png: the file is empty")
    one.jobs.answer(TopRequest, replace(scenes.top_answer(wanted), notes=notes))
    one.turn()
    page = patches_page(one)
    assert page.said.said() == "2 of 20 images cannot be read: broken.png: not an image of a known format"
    assert page.said.button.isHidden()
    assert page.grid.isVisible()


def test_a_map_that_was_shown_before_is_asked_for_again_after_another_was_begun(bench):
    one = searching(bench)
    one.bring_up()
    one.window.desk.session.update(unit=Unit(6, 3, 3))
    one.turn()
    other = one.jobs.asked[one.jobs.ticket(TopRequest)]
    one.jobs.update(TopRequest, TopUpdate(scenes.top_answer(other, images=4), Progress(4, 20, "images")))
    one.window.desk.session.update(unit=Unit(5, 3, 3))
    one.turn()
    assert [request.channel for request in asked(one, TopRequest)] == [5, 6, 5]


def test_a_click_opens_the_image_with_that_unit_pinned(bench):
    one = searching(bench)
    one.bring_up()
    page = patches_page(one)
    patch = page._patches[3]
    QTest.mouseClick(page.grid.viewport(), Qt.MouseButton.LeftButton, pos=page.grid.tile_rect(3).center())
    assert one.state.image == patch.image
    assert one.state.unit == Unit(5, patch.row, patch.column)
    assert one.state.cursor == patch.position
    one.bring_up()
    assert one.state.unit == Unit(5, patch.row, patch.column), "the unit stays once the image is there"
    assert page.grid.selected == 3


def test_the_folder_of_the_image_can_be_gone_through(bench):
    one = searching(bench)
    patches_page(one).source.choose(PatchSource.FOLDER)
    one.turn()
    assert asked(one, TopRequest)[-1].folder == "/pictures"


def test_who_leaves_the_page_waits_for_nothing(bench):
    one = searching(bench)
    one.panel("feature-maps").buttons[MapPage.MAPS].click()
    one.turn()
    assert TopRequest in one.jobs.cancelled


def test_what_is_said_of_a_patch_under_the_mouse(bench):
    one = searching(bench)
    one.bring_up()
    page = patches_page(one)
    page._hovered(8, 0.5, 0.5)
    said = page.what.text().replace("\u202f", " ")
    assert said == "photograph-8.png · 5.000 at −0.5, 10.5 · field 14 × 14 px, 50 % outside"
    page._left()
    assert page.what.text() == "map 5 of c3 · the strongest unit of 20 images · dead on 2"


def test_patches_leave_as_picture_and_table(bench):
    one = searching(bench)
    one.bring_up()
    page = patches_page(one)
    assert page.sheet()().width() > 3 * 192
    rows: list[list[object]] = []
    page._commands = type("Taken", (), {"save_table": staticmethod(lambda table, name: rows.extend(table))})()
    page._save_table()
    assert len(rows) == 10
    assert rows[1][:4] == [PAGE, 9.0, 2, 0]


def test_a_patch_says_how_much_of_it_lies_outside_and_that_it_is_mirrored(bench):
    one = searching(bench)
    one.bring_up()
    page, found = patches_page(one), one.scene.shown_top
    page.grid.hovered.emit(8, 0.5, 0.5)
    assert page.what.text().endswith(f"px, {words.share(0.5)} outside")
    patches = tuple(replace(patch, mirrored=True) for patch in found.patches)
    grey = page._tile(8)
    page.show(None, replace(one.scene, top=replace(found, patches=patches)))
    page.grid.hovered.emit(8, 0.5, 0.5)
    assert page.what.text().endswith(f"px, {words.share(0.5)} outside, mirrored")
    assert page._tile(8) != grey  # of padding nothing shines through
    assert page._tile(8).copy(97, 0, 95, 192) == grey.copy(97, 0, 95, 192)


def test_nothing_active_says_so(bench):
    one = searching(bench)
    wanted = one.jobs.asked[one.jobs.ticket(TopRequest)]
    one.jobs.answer(TopRequest, replace(scenes.top_answer(wanted), patches=(), dead=20))
    one.turn()
    assert patches_page(one).said.words.said() == "Nothing in 20 images makes a unit of this map active."
    assert one.state.view is View.LABELS
