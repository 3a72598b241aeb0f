"""Ground truth in a real window: opened, dropped, found beside the image, refused, scored, shown on the canvas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest

from segviz.core import agreement, masks
from segviz.core.choices import MaskColours
from segviz.core.requests import DescribeRequest, SegmentRequest
from segviz.core.session import State
from segviz.core.session_file import from_json, to_json
from segviz.gui import overlays
from segviz.gui.files import read_session
from segviz.gui.scene import Kind
from tests.gui import scenes


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The test page as a file."""
    path = tmp_path / "page.png"
    Image.fromarray(scenes.picture().pixels).save(path)
    return path


def mask(path: Path, labels: np.ndarray | None = None) -> Path:
    labels = scenes.prediction().labels if labels is None else labels
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(labels.astype(np.uint8)).save(path)
    return path


@pytest.fixture
def opened(bench, page):
    """A window on that file, LeNet-5's answer in it, no ground truth."""
    return bench(State(image=str(page), model="lenet5"))


def settled(one) -> None:
    one.qtbot.waitUntil(lambda: one.desk.idle)
    one.turn()


def drop(window, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(10, 10), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip


def test_a_mask_from_the_dialog_is_read_scored_and_completed(opened, tmp_path, monkeypatch):
    path = mask(tmp_path / "truth.png")
    monkeypatch.setattr(opened.window.files, "ask_open", lambda title, kinds: path)
    opened.window.do("open-truth")
    settled(opened)
    found = opened.scene.shown_agreement
    assert opened.state.truth == str(path)
    assert found.scores.mean_iou == 1
    assert found.bands
    assert found.bounds
    opened.window.do("remove-truth")
    settled(opened)
    assert (opened.scene.truth, opened.scene.agreement, opened.state.truth) == (None, None, None)


def test_scores_that_there_is_no_memory_for_are_said_and_the_others_stay(opened, tmp_path, monkeypatch):
    def full(found: object) -> object:
        raise MemoryError

    monkeypatch.setattr(agreement, "completed", full)
    opened.window.scoring.use(mask(tmp_path / "truth.png"))
    settled(opened)
    assert opened.scene.message.text.startswith("No scores near boundaries and no upper bounds: not enough memory")
    assert opened.scene.shown_agreement.scores.mean_iou == 1


def test_a_mask_that_there_is_no_memory_for_is_given_up(opened, tmp_path, monkeypatch):
    def full(*_: object) -> object:
        raise MemoryError

    monkeypatch.setattr(masks, "read_mask", full)
    opened.window.scoring.use(mask(tmp_path / "truth.png"))
    settled(opened)
    assert opened.scene.message.text.startswith("not enough memory")
    assert opened.state.truth is None


def test_another_prediction_is_scored_anew_and_an_old_score_is_not_shown(opened, tmp_path):
    opened.window.scoring.use(mask(tmp_path / "truth.png"))
    settled(opened)
    first = opened.scene.shown_agreement
    turned = replace(scenes.prediction(), labels=np.roll(scenes.prediction().labels, 20, axis=1))
    turned = replace(turned, request=opened.scene.prediction.request)
    opened.desk.take(prediction=turned)
    assert opened.scene.shown_agreement is None
    opened.qtbot.waitUntil(lambda: opened.scene.shown_agreement is not None)
    settled(opened)
    assert opened.scene.shown_agreement.scores.mean_iou < first.scores.mean_iou


@pytest.mark.parametrize("broken", ["size", "bytes", "gone"])
def test_a_mask_that_cannot_be_used_leaves_the_last_good_one_and_says_why(opened, tmp_path, broken):
    good, bad = mask(tmp_path / "good.png"), tmp_path / "bad.png"
    opened.window.scoring.use(good)
    settled(opened)
    if broken == "size":
        mask(bad, np.zeros((5, 7)))
    elif broken == "bytes":
        bad.write_bytes(b"no mask")
    opened.window.scoring.use(bad)
    opened.qtbot.waitUntil(lambda: opened.scene.message is not None)
    settled(opened)
    assert "bad.png" in opened.scene.message.text
    assert opened.scene.message.about is Kind.TRUTH
    assert opened.state.truth == str(good)
    assert opened.scene.shown_agreement.mask.path == str(good)


def test_a_label_that_is_no_class_keeps_the_mask_and_stands_in_the_panel(opened, tmp_path):
    labels = scenes.prediction().labels.copy()
    labels[0, 0] = 20
    opened.window.scoring.use(mask(tmp_path / "truth.png", labels))
    opened.desk.session.update(tab="scores")
    settled(opened)
    assert "label 20" in opened.scene.unscored
    assert "label 20" in opened.panel("scores").note.text()
    assert opened.scene.shown_agreement is None
    assert opened.scene.shown_truth is not None


def test_the_mask_beside_an_image_is_found_when_the_image_is_opened(bench, page, tmp_path):
    path = mask(tmp_path / "masks" / "page.png")
    one = bench(State(), prompt=False)
    one.window.files.show_image(page)
    one.bring_up()
    one.qtbot.waitUntil(lambda: one.state.truth is not None)
    settled(one)
    assert one.state.truth == str(path)
    assert one.scene.shown_truth is not None


def test_a_dropped_mask_becomes_the_ground_truth_and_a_dropped_photograph_the_image(opened, tmp_path):
    path = mask(tmp_path / "labels of page.png")
    drop(opened.window, path)
    settled(opened)
    assert (opened.state.truth, opened.state.image) == (str(path), str(tmp_path / "page.png"))
    noise = np.random.default_rng(0).integers(0, 255, scenes.picture().pixels.shape).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    drop(opened.window, tmp_path / "photo.png")
    opened.qtbot.waitUntil(lambda: opened.state.image == str(tmp_path / "photo.png"))
    assert opened.state.truth is None
    opened.bring_up()


def test_errors_and_a_cell_are_painted_pixel_by_pixel(opened, tmp_path):
    labels = scenes.prediction().labels
    opened.window.scoring.use(mask(tmp_path / "truth.png", np.roll(labels, 30, axis=1)))
    settled(opened)
    found = opened.scene.shown_agreement
    y, x = (int(at[len(at) // 2]) for at in np.nonzero(found.truth != labels))
    plain = opened.window.canvas.render_image().pixelColor(x, y)
    opened.qtbot.keyClick(opened.window, "X")
    settled(opened)
    wrong = opened.window.canvas.render_image().pixelColor(x, y)
    assert wrong != plain
    assert abs(wrong.red() - overlays.WRONG[0]) < 60
    cell = int(found.truth[y, x]), int(labels[y, x])
    opened.desk.session.update(tab="scores", errors=False, cell=cell)
    settled(opened)
    image = opened.window.canvas.render_image()
    ground = scenes.picture().pixels
    inside, outside = image.pixelColor(x, y), np.argwhere(found.pairs != found.pair(cell))[0]
    veiled = image.pixelColor(int(outside[1]), int(outside[0]))
    assert inside.red() >= ground[y, x, 0]
    assert veiled.lightness() <= max(60, int(ground[tuple(outside)].max()))
    opened.qtbot.keyClick(opened.window, "L")
    settled(opened)
    assert (opened.state.cell, opened.state.errors) == (None, False)
    assert opened.window.canvas.render_image().pixelColor(x, y) == plain


def test_errors_stand_beside_the_views_where_there_is_ground_truth(opened, tmp_path):
    strip = opened.window.canvas.strip
    assert not strip.views.button("errors").isVisible()
    opened.window.scoring.use(mask(tmp_path / "truth.png"))
    settled(opened)
    QTest.mouseClick(strip.views.button("errors"), Qt.MouseButton.LeftButton)
    settled(opened)
    assert opened.state.errors
    assert strip.views.value == "errors"
    QTest.mouseClick(strip.views.button(opened.state.view), Qt.MouseButton.LeftButton)
    settled(opened)
    assert not opened.state.errors


def test_a_session_brings_its_ground_truth_and_a_lost_one_is_named(opened, page, tmp_path):
    path = mask(tmp_path / "truth.png")
    text = to_json(State(image=str(page), model="lenet5", truth=str(path), cell=(1, 2)), tmp_path)
    assert str(tmp_path) not in text
    assert from_json(text, tmp_path)[0].truth == str(path)
    (tmp_path / "one.segviz").write_text(text, "utf-8")
    path.unlink()
    state, remark = read_session(tmp_path / "one.segviz")
    assert (state.truth, state.cell) == (None, None)
    assert "truth.png is not at" in str(remark)


def test_a_refused_run_without_a_picture_says_so_among_the_scores(bench, page, tmp_path):
    path = mask(tmp_path / "truth.png")
    one = bench(State(image=str(page), model="lenet5", truth=str(path), tab="scores"), prompt=False)
    one.turn()
    one.jobs.open()
    one.turn()
    one.jobs.answer(DescribeRequest)
    one.turn()
    panel = one.panel("scores")
    assert panel.note.text() == "Segmenting…"
    one.jobs.refuse(SegmentRequest, "the image is too large: lower the scale")
    settled(one)
    assert panel.note.text() == "The image is too large: lower the scale."


def test_escape_takes_a_chosen_cell_off_the_image(opened, tmp_path):
    opened.window.scoring.use(mask(tmp_path / "truth.png"))
    settled(opened)
    cell = (opened.scene.agreement.confusion.classes[0],) * 2
    opened.desk.session.update(cell=cell, cursor=(3.0, 3.0))
    opened.turn()
    opened.qtbot.keyClick(opened.window, Qt.Key.Key_Escape)
    assert (opened.state.cell, opened.state.cursor) == (None, (3.0, 3.0))  # one thing at a time


def test_a_label_to_ignore_is_typed_and_colours_are_chosen(opened, tmp_path):
    labels = scenes.prediction().labels.astype(np.uint8)
    labels[:20] = 7
    opened.window.scoring.use(mask(tmp_path / "truth.png", labels))
    settled(opened)
    opened.desk.session.update(tab="scores")
    opened.turn()
    panel, before = opened.panel("scores"), opened.scene.agreement.counted
    panel.reading.menu().popup(panel.reading.mapToGlobal(panel.reading.rect().bottomLeft()))
    panel.ignored.setFocus()
    opened.qtbot.keyClicks(panel.ignored, "7")
    opened.qtbot.keyClick(panel.ignored, Qt.Key.Key_Return)
    opened.turn()
    settled(opened)
    assert opened.state.ignored == 7
    assert opened.scene.agreement.counted == before - int((labels == 7).sum())
    panel.ignored.clear()
    opened.qtbot.keyClicks(panel.ignored, "many")
    opened.qtbot.keyClick(panel.ignored, Qt.Key.Key_Return)
    assert opened.state.ignored == 7
    panel.reading.menu().close()


def test_the_colours_of_a_mask_are_chosen_and_what_cannot_be_goes_back(opened, tmp_path):
    pixels = np.zeros((*scenes.prediction().labels.shape, 3), np.uint8)
    pixels[:20] = (128, 0, 0)  # the first class of PASCAL VOC, none of Cityscapes
    Image.fromarray(pixels).save(tmp_path / "truth.png")
    opened.window.scoring.use(tmp_path / "truth.png")
    settled(opened)
    panel = opened.panel("scores")
    panel.colours[MaskColours.VOC].trigger()
    opened.turn()
    settled(opened)
    assert opened.state.mask_colours is MaskColours.VOC
    assert opened.scene.shown_truth.kind == "colours of PASCAL VOC"
    panel.colours[MaskColours.CITYSCAPES].trigger()
    opened.turn()
    settled(opened)
    assert "not of Cityscapes" in opened.scene.message.text
    assert opened.state.mask_colours is MaskColours.VOC
    assert opened.scene.shown_agreement is not None
