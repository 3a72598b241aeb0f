"""The card of a pixel: one picture of fixed proportions, in both themes, by one key."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage

from segviz.core.session import Unit
from segviz.gui import gestures, pixel_card, theme
from segviz.gui.background import WORKER
from segviz.gui.pictures import to_array
from segviz.gui.pixel_card import card
from tests.gui import render_states

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
