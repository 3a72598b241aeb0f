"""What glows in the field of the pinned unit: asked for, shown, averaged, taken away, kept; by real events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from segviz.core.choices import BackRule, Glow, View
from segviz.core.effective import EffectiveRequest, Ellipse
from segviz.core.planning import plan_effective
from segviz.core.requests import Progress, Setup
from segviz.core.session import State, Unit
from segviz.gui import glowing, words
from segviz.gui.glow_layers import GlowLayers, rings
from segviz.gui.scene import Kind
from segviz.gui.widgets.glow_marks import Ring, RingLayer
from segviz.gui.widgets.labels import Labels
from segviz.gui.widgets.projection import Projection
from tests.gui import scenes
from tests.gui.test_flows import click


@pytest.fixture
def one(bench):
    found = bench()
    found.desk.session.update(layer="s4")
    found.bring_up()
    return found


def layers(one) -> GlowLayers:
    return one.window.canvas._overlays.glow


def card(one):
    return one.panel("inspector").glow


def asked(one) -> list[EffectiveRequest]:
    return [request for request in one.jobs.history if isinstance(request, EffectiveRequest)]


def press(one, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    one.qtbot.keyClick(one.window, key, modifier)
    one.turn()


def test_a_key_asks_for_the_field_of_the_pinned_unit_and_its_glow_lies_in_the_box(one):
    press(one, Qt.Key.Key_G)
    assert asked(one) == []  # nothing is pinned yet
    assert "Click in the image" in card(one).note.text()
    click(one, 61, 42)
    unit = one.state.unit
    setup = Setup("lenet5", one.state.image)
    assert asked(one) == [EffectiveRequest(setup, "s4", unit.channel, unit.row, unit.column)]
    assert layers(one).plane._plane is None
    one.bring_up()
    answer = one.scene.effective
    assert layers(one).plane._plane is answer.glow
    field = one.scene.network.geometry.field("s4", unit.row, unit.column).box
    assert layers(one).plane._place == (field.left, field.top, 1, 1)
    assert [ring.text for ring in layers(one).rings.rings] == [
        "50\N{NARROW NO-BREAK SPACE}%",
        "95\N{NARROW NO-BREAK SPACE}%",
    ]
    assert card(one).figures.text() == glowing.figures(answer)
    assert card(one).back.caption == "Gradient"
    press(one, Qt.Key.Key_G)
    assert one.state.glow is Glow.NONE
    assert layers(one).plane._plane is None
    assert not card(one)._pair.isVisible()


def test_a_glow_has_the_colours_and_the_scale_of_a_heatmap_for_itself(one):
    one.desk.session.update(view=View.HEATMAP)
    click(one, 61, 42)
    one.bring_up()
    overlays, strip = one.window.canvas._overlays, one.window.canvas.strip
    heated = strip.scale.accessibleName()
    assert overlays.heat in overlays.layers
    press(one, Qt.Key.Key_G)
    assert overlays.heat in overlays.layers  # until there is something else
    one.bring_up()
    assert overlays.heat not in overlays.layers
    assert strip.scale.accessibleName().startswith(Glow.EFFECTIVE.title)
    press(one, Qt.Key.Key_G)
    assert overlays.heat in overlays.layers
    assert strip.scale.accessibleName() == heated


def test_a_glow_leaves_its_colours_to_what_a_square_changes(one):
    """Both are in the colours of a heatmap: of the glow the ellipses stay."""
    overlays, bar = one.window.canvas._overlays, one.window.canvas.strip.scale
    one.desk.session.update(view=View.HEATMAP)
    click(one, 61, 42)
    press(one, Qt.Key.Key_G)
    one.bring_up()
    assert layers(one).plane in overlays.layers
    press(one, Qt.Key.Key_Q)
    one.bring_up()
    assert overlays.sight.strength in overlays.layers
    assert layers(one).plane not in overlays.layers
    assert layers(one).rings in overlays.layers
    most = words.value(float(one.scene.occlusion.change.max()))
    assert bar.accessibleName() == f"Change of a score: colours from 0 to {most}"
    press(one, Qt.Key.Key_Q)
    assert layers(one).plane in overlays.layers
    assert bar.accessibleName().startswith(Glow.EFFECTIVE.title)


def test_the_old_glow_goes_at_once_when_another_unit_is_pinned(one):
    click(one, 61, 42)
    press(one, Qt.Key.Key_G)
    one.bring_up()
    assert layers(one).plane._plane is not None
    click(one, 20, 70)
    assert layers(one).plane._plane is None
    assert layers(one).rings.rings == ()
    assert card(one).back.picture() is None
    click(one, 90, 20)  # before the answer: the newest wins
    newest = one.state.unit
    assert one.jobs.asked[one.jobs.ticket(EffectiveRequest)].row == newest.row
    one.bring_up()
    assert (one.scene.effective.request.row, one.scene.effective.request.column) == (newest.row, newest.column)
    assert layers(one).plane._plane is one.scene.effective.glow


def test_an_answer_about_a_unit_of_before_is_not_shown(one):
    click(one, 61, 42)
    press(one, Qt.Key.Key_G)
    first = one.jobs.ticket(EffectiveRequest)
    click(one, 20, 70)
    late = scenes.effective(one.scene.network, one.jobs.asked[first])
    one.desk._show(effective=late)
    one.turn()
    assert one.scene.shown_effective is None
    assert layers(one).plane._plane is None


def test_turning_it_off_stops_the_work(one):
    click(one, 61, 42)
    press(one, Qt.Key.Key_G)
    assert one.scene.job(Kind.EFFECTIVE) is not None
    assert card(one).note.text() == glowing.WAITING[Glow.EFFECTIVE]
    press(one, Qt.Key.Key_G)
    assert EffectiveRequest in one.jobs.cancelled
    assert one.scene.job(Kind.EFFECTIVE) is None


def test_other_rules_are_pictures_in_the_inspector(one):
    click(one, 61, 42)
    for key, modifier, rule, caption in (
        (Qt.Key.Key_G, Qt.KeyboardModifier.ShiftModifier, BackRule.DECONVNET, "Deconvnet"),
        (Qt.Key.Key_G, Qt.KeyboardModifier.AltModifier, BackRule.GUIDED, "Guided"),
    ):
        press(one, key, modifier)
        one.bring_up()
        assert one.scene.shown_effective.request.rule is rule
        assert layers(one).rings.rings == ()  # they say how far a unit sees, not what it has found
        assert (card(one).back.caption, card(one).figures.text()) == (caption, "")
        assert not card(one).images.isVisible()


def test_the_card_averages_over_images_and_the_run_can_be_stopped(one):
    click(one, 61, 42)
    one.panel("inspector").glow.choice.choose(Glow.EFFECTIVE)
    one.bring_up()
    card(one).images._actions[8].trigger()
    one.turn()
    assert asked(one)[-1].images == one.state.glow_images == 8
    one.jobs.update(EffectiveRequest, Progress(3, 8, "images"))
    one.turn()
    assert one.scene.job(Kind.EFFECTIVE).progress == Progress(3, 8, "images")
    one.window.do("stop")
    one.turn()
    assert EffectiveRequest in one.jobs.cancelled
    one.jobs.end(EffectiveRequest)
    one.turn()
    assert not one.jobs.pending(EffectiveRequest)  # what was stopped is not asked again by itself
    one.window.do("run")
    one.turn()
    one.bring_up()
    assert card(one).back.caption == "Mean of 8"
    assert card(one).figures.text().endswith("mean of 8 images")


def test_what_came_back_is_copied_and_saved(one, monkeypatch):
    click(one, 61, 42)
    press(one, Qt.Key.Key_G)
    one.bring_up()
    saved = []
    monkeypatch.setattr(
        card(one)._commands, "save_image", lambda image, name: saved.append((image, name)), raising=False
    )
    card(one)._copy.click()
    copied = QApplication.clipboard().image()
    card(one)._save.click()
    unit = one.state.unit
    assert saved[0][1] == f"gradient-s4-{unit.channel}-{unit.row}-{unit.column}"
    assert copied.size() == saved[0][0].size()
    assert max(copied.width(), copied.height()) == 512
    came = one.scene.effective.picture
    step = 512 // came.shape[0]
    middle = copied.pixelColor(step * 5 + step // 2, step * 3 + step // 2)
    assert middle.getRgb()[:3] == tuple(came[3, 5])


def test_a_unit_that_is_switched_off_is_said_to_be(one):
    click(one, 61, 42)
    press(one, Qt.Key.Key_G)
    request = one.jobs.asked[one.jobs.ticket(EffectiveRequest)]
    one.jobs.answer(EffectiveRequest, scenes.effective(one.scene.network, request, dead=True))
    one.turn()
    assert card(one).note.text() == "Nothing comes back to the pixels"
    assert card(one).figures.text() == ""
    assert layers(one).rings.rings == ()


def test_what_is_wanted_of_a_state():
    """A back-projection is of one image; without a unit or a glow nothing is asked."""
    state = State(image="/a.png", model="vgg16", layer="c", unit=Unit(2, 3, 4), glow=Glow.GUIDED, glow_images=8)
    setup = plan_effective(state).setup
    assert plan_effective(state) == EffectiveRequest(setup, "c", 2, 3, 4, BackRule.GUIDED, 1)
    assert plan_effective(replace(state, glow=Glow.EFFECTIVE)).images == 8
    for nothing in ({"glow": Glow.NONE}, {"unit": None}, {"layer": None}, {"image": None}, {"model": ""}):
        assert plan_effective(replace(state, **nothing)) is None


def test_what_is_said_of_the_figures():
    scene = scenes.glowing(scenes.full(), images=32)
    found = replace(scene.effective, spread=0.118)
    narrow = "\N{NARROW NO-BREAK SPACE}"
    assert (
        glowing.figures(found)
        == f"95{narrow}% of the energy lies in 12{narrow}% of the field inside the image, mean of 32 images"
    )
    through = replace(found, whole="it pools", images=1)
    assert glowing.figures(through) == f"95{narrow}% of the energy lies in 12{narrow}% of the image"
    assert glowing.remark(through) == "Through the whole image: it pools"
    assert [ring.ellipse.share for ring in rings(found)] == [0.5, 0.95]


def test_a_ring_is_painted_where_its_ellipse_is(look):
    """An ellipse 20 x 10 pixels leaning by 90 degrees, at 4 screen pixels a pixel: ink at its ends, none inside."""
    layer = RingLayer(Labels())
    layer.rings = (Ring(Ellipse(0.5, (30, 30), (25.0, 0.0, 100.0)), "50 %"),)
    image = QImage(244, 244, QImage.Format.Format_RGB32)
    image.fill(QColor("#808080"))
    painter = QPainter(image)
    layer.paint(painter, Projection(4.0), QRectF(image.rect()))
    painter.end()
    middle, grey = 122, QColor("#808080")  # of pixel 30
    for x, y in ((middle - 20, middle), (middle + 20, middle), (middle, middle + 40)):
        assert image.pixelColor(x, y) != grey
    for x, y in ((middle, middle), (middle + 40, middle), (middle, middle + 20)):
        assert image.pixelColor(x, y) == grey


def test_the_glow_follows_the_colour_map(one):
    click(one, 61, 42)
    press(one, Qt.Key.Key_G)
    one.bring_up()
    before = layers(one).plane._table.copy()
    one.window.do("colour-map-viridis")
    one.turn()
    assert not np.array_equal(before, layers(one).plane._table)
