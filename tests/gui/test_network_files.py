"""Networks that a person brings: opened by file, drop, name or session, and the question before a program runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QApplication, QFileDialog

from segviz.core import folders, trust
from segviz.core.choices import View
from segviz.core.requests import Badge, DescribeRequest, ExamineRequest
from segviz.core.session import State
from segviz.core.session_file import from_json, to_json
from segviz.core.specs import of_file, parse
from segviz.gui import gestures, settings
from segviz.gui.files import NETWORK_KINDS
from segviz.gui.network_dialogs import SpecDialog, TrustDialog
from segviz.gui.scene import Kind
from tests.gui import scenes
from tests.gui.conftest import PAGE


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "my net.pth"
    path.write_bytes(b"\0")
    return path


def dialog(kind: type):
    return next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind) and widget.isVisible())


def test_a_dropped_network_is_asked_for_and_the_old_picture_stays_until_it_answers(bench, net):
    one = bench()
    prediction = one.scene.prediction
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(net))])
    one.window.files.drop(data)
    one.turn()
    assert parse(one.state.model).path == net
    assert one.jobs.asked[one.jobs.ticket(DescribeRequest)].setup.model == of_file(net)
    assert one.scene.prediction is prediction
    assert settings.recent()[0] == str(net)
    one.bring_up()
    assert one.scene.prediction is not prediction


def test_one_that_cannot_be_opened_leaves_all_as_it_was(bench, net):
    one = bench()
    before, network, prediction = one.state, one.scene.network, one.scene.prediction
    one.window.files.open_path(net)
    one.turn()
    one.jobs.refuse(DescribeRequest, "my net.pth: this is no network")
    one.turn()
    assert one.state == before
    assert (one.scene.network, one.scene.prediction) == (network, prediction)
    assert (one.scene.message.text, one.scene.message.about) == ("my net.pth: this is no network", Kind.DESCRIPTION)


def test_one_whose_code_ends_the_engine_leaves_all_as_it_was(bench, net):
    """Else the toolbar named it, the card the one of before, and the next image asked for it again."""
    one = bench()
    before = one.state
    one.window.files.open_path(net)
    one.turn()
    one.jobs.die(DescribeRequest, "the engine stopped while tracing the network; it is starting again")
    one.turn()
    assert one.state == before
    assert "my net.pth is not open: choose it again to try once more" in one.scene.message.text
    assert "Run again" not in one.scene.message.text


def test_the_dialog_lists_networks(bench, net, monkeypatch):
    one, asked = bench(), []

    def answer(parent, title, folder, kinds):
        asked.append(kinds)
        return str(net), kinds

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    one.window.do("open-network")
    assert asked == [NETWORK_KINDS]
    assert "*.safetensors" in NETWORK_KINDS
    assert "*.ONNX" in NETWORK_KINDS
    assert parse(one.state.model).path == net


class TestAProgram:
    """What runs when it is opened: asked once, 'no' by default, and what was shown stays."""

    MESSAGE = "my net.pth is a TorchScript archive: opening it runs its code"

    @pytest.fixture(autouse=True)
    def own_settings(self, tmp_path, monkeypatch):
        monkeypatch.setattr(folders, "settings", lambda: tmp_path / "settings")

    @pytest.fixture
    def asking(self, bench, net):
        one = bench()
        self.before = one.state
        one.window.files.open_path(net)
        one.turn()
        one.jobs.refuse(DescribeRequest, self.MESSAGE, trust=trust.key_of(parse(of_file(net)), net.read_bytes()))
        one.turn()
        return one, dialog(TrustDialog)

    def test_escape_and_return_say_no(self, asking, net):
        one, question = asking
        one.qtbot.keyClick(question, Qt.Key.Key_Return)
        assert not question.isVisible()
        assert one.state == self.before
        assert one.scene.message is None
        with pytest.raises(trust.UntrustedError):
            trust.check(parse(of_file(net)), granted=False, why="a program")

    def test_trust_opens_it_and_is_kept(self, asking, net):
        one, question = asking
        one.qtbot.mouseClick(question.trust, Qt.MouseButton.LeftButton)
        one.turn()
        trust.check(parse(of_file(net)), granted=False, why="a program")
        assert one.jobs.asked[one.jobs.ticket(DescribeRequest)].setup.model == of_file(net)
        one.bring_up()
        assert parse(one.state.model).path == net

    def test_a_first_network_is_asked_for_again_too(self, bench, net):
        one = bench(State(image=PAGE, model=of_file(net)), prompt=False)
        one.turn()
        one.jobs.open()
        one.turn()
        one.jobs.refuse(DescribeRequest, self.MESSAGE, trust=trust.key_of(parse(of_file(net)), net.read_bytes()))
        one.turn()
        one.qtbot.mouseClick(dialog(TrustDialog).trust, Qt.MouseButton.LeftButton)
        one.turn()
        assert one.jobs.pending(DescribeRequest)


def test_a_name_that_is_none_is_told_in_the_dialog_and_one_that_is_opens(bench):
    one = bench()
    one.window.do("network-by-name")
    asked = dialog(SpecDialog)
    assert asked.line.text() == "lenet5"
    asked.line.setText("lenet6")
    one.qtbot.keyClick(asked.line, Qt.Key.Key_Return)
    assert asked.isVisible()
    assert "did you mean lenet5?" in asked.said.text()
    asked.line.setText("torchvision:resnet18")
    one.qtbot.keyClick(asked.line, Qt.Key.Key_Return)
    assert not asked.isVisible()
    assert one.state.model == "torchvision:resnet18"


def test_a_list_of_class_names_goes_to_the_network_that_is_open(bench, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("\n".join(f"digit {i}" for i in range(10)))
    one = bench()
    one.window.files.open_path(names)
    one.turn()
    assert parse(one.state.model).option("labels") == str(names)
    assert parse(one.state.model).name == "lenet5"


def test_a_list_without_a_network_says_what_it_needs(bench, tmp_path):
    (tmp_path / "names.txt").write_text("a")
    one = bench(State())
    one.window.files.open_path(tmp_path / "names.txt")
    assert "needs a network" in one.scene.message.text


def test_a_session_carries_its_network_and_class_names_along(tmp_path):
    """Both beside the session file: written relative to it, found again where they were carried."""
    here, there = tmp_path / "here and there", tmp_path / "moved"
    here.mkdir()
    there.mkdir()
    for folder in (here, there):
        for name in ("my net.pth", "names.txt"):
            (folder / name).write_bytes(b"\0")
    spec = parse(of_file(here / "my net.pth")).with_option("labels", str(here / "names.txt"))
    text = to_json(State(model=str(spec)), here)
    assert str(tmp_path) not in json.loads(text)["state"]["model"]
    state, remarks = from_json(text, there)
    assert remarks == ()
    assert parse(state.model).path == there / "my net.pth"
    assert parse(state.model).option("labels") == str(there / "names.txt")


def test_a_session_with_a_broken_spec_opens_without_its_network(tmp_path):
    text = to_json(State(model="lenet5")).replace('"model": "lenet5"', '"model": "torchvision:"')
    state, remarks = from_json(text, tmp_path)
    assert state.model == ""
    assert "nothing follows" in remarks[0]


def test_what_a_network_turns_out_to_be_decides_how_it_is_shown(bench, net):
    """A thousand classes are confetti as labels: until it is open nobody knows how many there are."""
    one = bench()
    one.window.files.open_path(net)
    one.turn()
    asked = one.jobs.asked[one.jobs.ticket(DescribeRequest)]
    one.jobs.answer(DescribeRequest, replace(scenes.deep(), request=asked))
    one.turn()
    assert one.state.view is View.HEATMAP
    seen = replace(scenes.prediction().request, setup=asked.setup)
    shown = replace(one.scene, prediction=replace(scenes.prediction(), request=seen))
    assert gestures.suited(shown) == {}  # by then a person may have chosen another view


def test_the_card_asks_what_a_network_can_do_while_it_is_looked_at(bench):
    one = bench()
    assert not one.jobs.pending(ExamineRequest)
    one.window.do("model-card")
    one.turn()
    assert one.jobs.asked[one.jobs.ticket(ExamineRequest)].setup.model == "lenet5"
    badge = Badge(one.jobs.asked[one.jobs.ticket(ExamineRequest)], (), 0.1)
    one.jobs.answer(ExamineRequest, badge)
    one.turn()
    assert one.scene.badge is badge
    assert not one.jobs.pending(ExamineRequest)
    one.desk.session.update(model="lenet5?mean=3")
    one.bring_up()
    assert not one.jobs.pending(ExamineRequest)  # viewed otherwise, it can do the same
    one.desk.session.update(model="mtcnn_pnet")
    one.turn()
    assert not one.jobs.pending(ExamineRequest)  # what is to be shown comes first
