"""The card of a pixel: one picture of fixed proportions, in both themes, by one key."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QImage

from segviz.core.choices import Glow
from segviz.core.planning import plan_effective
from segviz.core.session import Unit
from segviz.gui import gestures, pixel_card, sighting, theme, words
from segviz.gui.background import WORKER
from segviz.gui.path_parts import PathParts
from segviz.gui.pictures import to_array
from segviz.gui.pixel_card import card
from segviz.gui.scene import Scene
from segviz.gui.widgets.bars import Bar
from segviz.gui.widgets.wrapped import breakable
from tests.gui import render_states, scenes

SIZE = (1920, 1080)
STATES = ("heatmap", "small", "sight-paths", "glow")


@pytest.mark.parametrize("state", STATES)
def test_it_is_a_slide_in_both_themes(look, state):
    scene = render_states.STATES[state]()
    pictures = [card(scene, tokens) for tokens in (theme.DARK, theme.LIGHT)]
    assert [(image.width(), image.height()) for image in pictures] == [SIZE] * 2
    dark, light = (to_array(image) for image in pictures)
    assert [tuple(int(v) for v in image[5, 5]) for image in (dark, light)] == [(35, 38, 43), (255, 255, 255)]
    assert dark.mean() < light.mean()


def test_it_is_the_same_size_before_an_audience(look):
    scene = render_states.castle()
    plain = to_array(card(scene, theme.DARK))
    look.set_factor(theme.PRESENTER)
    try:
        assert np.array_equal(to_array(card(scene, theme.DARK)), plain)
    finally:
        look.set_factor(1.0)


def test_another_unit_is_another_card(look):
    scene = render_states.castle()
    other = replace(scene, state=replace(scene.state, unit=Unit(17, 13, 30)))
    assert not np.array_equal(to_array(card(scene, theme.DARK)), to_array(card(other, theme.DARK)))


def test_what_lights_up_stands_beside_what_is_seen(look):
    scene = render_states.STATES["glow"]()
    plain = replace(scene, effective=None)
    assert not np.array_equal(to_array(card(scene, theme.DARK)), to_array(card(plain, theme.DARK)))
    elsewhere = replace(scene.state, unit=Unit(17, 1, 1))  # its field is not known yet: two pictures as before
    moved, bare = (replace(one, state=elsewhere) for one in (scene, plain))
    assert np.array_equal(to_array(card(moved, theme.DARK)), to_array(card(bare, theme.DARK)))


@pytest.fixture
def texts(look, monkeypatch):
    """What is written on a card, by scene: every text with whether it fits its place whole."""
    written: list[tuple[str, bool]] = []
    draw = pixel_card._Card._draw

    def noted(self, rect, text, font, ink, side):
        fitting = pixel_card._fitting(font, text, rect.width())
        written.append((text, QFontMetricsF(fitting).horizontalAdvance(text) <= rect.width()))
        assert rect.right() <= pixel_card.WIDE
        draw(self, rect, text, font, ink, side)

    def noted_lines(self, rect, text, font, ink="text"):
        if not pixel_card._fits(text, rect.width()):
            metrics = QFontMetricsF(pixel_card._font(pixel_card.LEAST_TYPE))
            needed = metrics.boundingRect(rect, pixel_card.WRAPPED, breakable(text)).height()
            written.append((text, needed <= rect.height() and "…" not in pixel_card._shortened(text, rect.width())))
        lines(self, rect, text, font, ink)

    lines = pixel_card._Card._wrapped
    monkeypatch.setattr(pixel_card._Card, "_draw", noted)
    monkeypatch.setattr(pixel_card._Card, "_wrapped", noted_lines)

    def of(scene):
        written.clear()
        card(scene, theme.DARK)
        return list(written)

    return of


def with_all() -> Scene:
    """Three pictures, the classes, three paths with what they add and a bias: the narrowest room, far out in a map."""
    scene = render_states.paths()
    wanted = sighting.contributions_wanted(scene)
    glow = render_states.STATES["glow"]()
    effective = replace(glow.effective, request=plan_effective(replace(scene.state, glow=Glow.EFFECTIVE)))
    prediction = render_states.castle().prediction
    state = replace(scene.state, glow=Glow.EFFECTIVE)
    scene = replace(scene, state=state, effective=effective, prediction=prediction)
    assert scene.shown_effective is not None
    assert scene.shown_prediction is not None
    return replace(scene, contributions=scenes.contributions(wanted, scene.network, -0.125))


def test_nothing_on_it_is_cut(texts):
    for scene in (with_all(), *(render_states.STATES[state]() for state in STATES)):
        assert [text for text, whole in texts(scene) if not whole] == []


def test_a_class_with_a_long_name_has_it_in_several_lines_above_the_filmstrip(texts, monkeypatch):
    """64 letters, of which one line has room for 40; the numbers below still end above the filmstrip."""
    long = "class 182, a very long name with synonyms, that goes on and on and on"
    for scene in (with_all(), render_states.castle()):
        classes = tuple(f"{long} {at}" for at in range(len(scene.prediction.classes)))
        longer = replace(scene, prediction=replace(scene.prediction, classes=classes))
        told = texts(longer)
        names = [text for text, whole in told if text.startswith("class 182") and whole]
        assert names
        assert len(names) == len([text for text, _ in told if text.startswith("class 182")])
        assert lowest_of(longer, monkeypatch) <= pixel_card.PICTURE_TOP + pixel_card.COLUMN


def lowest_of(scene, monkeypatch):
    """Where the last line of the numbers ends."""
    ends, draw = [], pixel_card._Card._draw

    def noted(self, rect, text, font, ink, side):
        if text == "Centre":
            ends.append(rect.bottom())
        draw(self, rect, text, font, ink, side)

    with monkeypatch.context() as patched:
        patched.setattr(pixel_card._Card, "_draw", noted)
        card(scene, theme.DARK)
    return ends[0]


def test_it_is_about_a_whole_pixel_as_the_inspector_says_it(texts):
    scene = with_all()
    told = texts(replace(scene, state=replace(scene.state, cursor=(700.4, 299.6))))
    assert any(text.startswith("pixel 700, 300 of castle") for text, _ in told)


def test_it_says_what_each_path_adds_and_the_bias(texts):
    scene = with_all()
    told = [text for text, _ in texts(scene)]
    at = told.index("EACH PATH ADDS")
    added = [f"+{words.value(value)}" if value > 0 else words.value(value) for value in scenes.SCORES.values()]
    pairs = [*zip(scenes.SCORES, added, strict=True), ("bias", words.value(-0.125))]
    assert told[at + 1 : at + 1 + 2 * len(pairs)] == [text for pair in pairs for text in pair]
    unknown = [text for text, _ in texts(replace(scene, contributions=None))]
    assert "EACH PATH ADDS" not in unknown
    assert unknown[unknown.index("PATHS") + 1] == "score_fr"  # how large the fields are, as in the inspector


def test_its_numbers_stay_above_the_filmstrip(look, monkeypatch):
    lowest = []
    draw = pixel_card._Card._draw

    def noted(self, rect, text, font, ink, side):
        if text == "Centre":
            lowest.append(rect.bottom())
        draw(self, rect, text, font, ink, side)

    monkeypatch.setattr(pixel_card._Card, "_draw", noted)
    monkeypatch.setattr(
        pixel_card,
        "path_parts",
        lambda *_: PathParts(tuple(Bar(f"p{at}", at / 12, "1.000") for at in range(12)), (), False),
    )
    card(with_all(), theme.DARK)
    assert lowest
    assert lowest[0] <= pixel_card.PICTURE_TOP + pixel_card.COLUMN


def test_the_place_is_asked_before_it_is_painted(bench, monkeypatch, tmp_path):
    one = bench()
    one.desk.session.update(**gestures.pin(one.scene, 47, 27))
    one.turn()
    order = []
    monkeypatch.setattr(pixel_card, "card", lambda *what: order.append("painted") or card(*what))
    place = tmp_path / "a.png"
    for answer in (None, place):
        monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds, a=answer: order.append("asked") or a)
        one.window.do("card-save")
    one.qtbot.waitUntil(lambda: not one.window.files.background.busy)
    assert order == ["asked", "asked", "painted"]  # cancelled it costs nothing
    assert QImage(str(place)).width() == SIZE[0]


def test_without_a_unit_there_is_none(look):
    assert card(render_states.empty(), theme.DARK) is None


def test_one_key_copies_it_and_another_saves_it(bench, tmp_path, monkeypatch):
    one = bench()
    one.window._pin(60, 40)
    one.turn()
    threads = []
    monkeypatch.setattr(
        pixel_card, "card", lambda *what: threads.append(threading.current_thread().name) or card(*what)
    )
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    with one.qtbot.waitSignal(one.desk.said):
        one.qtbot.keyClick(one.window, Qt.Key.Key_C, both)
    copied = QGuiApplication.clipboard().image()
    assert (copied.width(), copied.height()) == SIZE
    place = tmp_path / "card.png"
    monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds: place)
    one.qtbot.keyClick(one.window, Qt.Key.Key_E, both)
    one.qtbot.waitUntil(place.is_file)
    assert QImage(str(place)).size().toTuple() == SIZE
    assert threads == [WORKER, WORKER]  # the window goes on meanwhile
