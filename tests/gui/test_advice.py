"""What a person is told before a picture makes sense, and what is done about it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from segviz.core import assets
from segviz.core.catalogue import ENTRIES, entry
from segviz.core.images import Picture, open_picture
from segviz.core.session import Session, State
from segviz.gui.actions import find
from segviz.gui.advice import advice, is_coloured
from segviz.gui.scene import Scene


def opened(name: str, model: str, **state: object) -> Scene:
    picture = open_picture(assets.images() / name)
    return Scene(State(image=picture.path, model=model, **state), picture=picture)


def test_lenet_says_that_it_reads_digits_where_there_are_none():
    found = advice(opened("castle-maintenon.jpg", "lenet5"))
    assert found.text == "LeNet-5 knows handwritten digits, white on black, and nothing of photographs."
    assert advice(opened("digits-256x256.png", "lenet5")) is None
    assert advice(opened("castle-maintenon.jpg", "efficientnet_lite0")) is None


def test_a_small_window_says_which_faces_it_finds_until_a_scale_is_chosen():
    found = advice(opened("castle-maintenon.jpg", "mtcnn_onet?pooling=floor"))
    assert "O-Net" in found.text
    assert "48 pixels" in found.text
    assert "scale" in found.text
    assert advice(opened("castle-maintenon.jpg", "mtcnn_onet", scale=0.3)) is None


def test_no_network_has_anything_to_remark_on_its_own_sample():
    for one in ENTRIES:
        assert advice(opened(one.sample, one.name)) is None


def test_every_offer_is_an_action():
    for model in ("lenet5", "mtcnn_rnet"):
        assert find(advice(opened("castle-maintenon.jpg", model)).offer).text


@pytest.mark.parametrize(("blue", "kind", "said"), [(9, "RGB", False), (10, "RGB", True), (10, "grey 8 bit", False)])
def test_colour_is_seen_in_the_pixels(blue, kind, said):
    pixels = np.full((20, 20, 3), 9, np.uint8)
    pixels[..., 2] = blue
    assert is_coloured(Picture("/p.png", pixels, kind)) is said


def test_the_offer_is_taken_by_a_click_and_a_hint_read_once(bench):
    one = bench(State(image=str(assets.sample("castle-maintenon.jpg")), model="lenet5"), prompt=False)
    one.turn()
    picture = open_picture(assets.sample("castle-maintenon.jpg"))
    one.jobs.open(picture=picture)
    one.turn()
    banner = one.window.notices.banner
    assert banner.isVisible()
    assert banner.offer.isVisible()
    one.qtbot.mouseClick(banner.close_button, Qt.MouseButton.LeftButton)
    assert not banner.isVisible()
    one.window.notices._read.clear()
    one.desk._show(picture=replace(picture))
    one.turn()
    assert banner.isVisible()
    one.qtbot.mouseClick(banner.offer, Qt.MouseButton.LeftButton)
    assert one.state.image == str(assets.sample("digits-512x512.png"))
    one.turn()
    assert not banner.isVisible()


def test_a_file_that_was_taught_shows_the_sample_of_its_architecture():
    """Its spec alone names no sample; what is known of it once it is open does."""
    spec = "/nets/taught.safetensors?arch=lenet5"
    session = Session(State(image="/a.png", model=spec))
    scene = SimpleNamespace(entry=replace(entry("lenet5"), name=spec))
    find("own-sample").do(SimpleNamespace(desk=SimpleNamespace(session=session, scene=scene)))
    assert session.state.image == str(assets.sample("digits-512x512.png"))
    assert session.state.model == spec
