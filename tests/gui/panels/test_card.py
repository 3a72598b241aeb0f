"""The model card: what it shows of a network, and how a person views that otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel

from segviz.core.capabilities import Ability, Capability, Verdict
from segviz.core.catalogue import entry
from segviz.core.choices import Task, Theme
from segviz.core.entries import IMAGENET, Entry
from segviz.core.requests import Badge, DescribeRequest, ExamineRequest, Setup
from segviz.core.session import State
from segviz.gui.panels.card import CardPanel
from segviz.gui.scene import Job, Kind, Scene
from segviz.gui.widgets.wrapped import WrappedLabel
from tests.gui import scenes

LONG = "/home/somebody/lectures/networks_of_my_own/resnet50_finetuned_on_flowers_epoch_0123_best.pth"


def said(one) -> str:
    """All that can be read on the card."""
    labels = [label for label in one.panel.widget.findChildren(QLabel) if label.isVisibleTo(one.panel.widget)]
    return "\n".join(label.said() if isinstance(label, WrappedLabel) else label.text() for label in labels)


def enter(one, option: str, text: str) -> None:
    box = one.panel.form.boxes[option]
    box.line.setText(text)
    box.line.editingFinished.emit()
    QApplication.processEvents()


def own(**changes) -> Scene:
    """A network of somebody's own in a file, with much to say about it."""
    found = Entry(
        "own", "resnet50_finetuned_on_flowers_epoch_0123_best", Task.CLASSIFICATION, "", 25_557_032, (3, 224, 224), 102,
        32, 427, LONG.rpartition("/")[2], "", IMAGENET, "ResNet-50, by the names of its tensors",
    )  # fmt: skip
    network = replace(
        scenes.lenet(), request=DescribeRequest(Setup(LONG)), entry=found, classes=found.classes, title=found.title,
        notes=("left out: module.backbone.layer4.2.bn3.num_batches_tracked", "the prefix 'module.' was taken off"),
    )  # fmt: skip
    return Scene(State(model=LONG), network=replace(network, **changes))


def test_nothing_open_says_what_to_do(shown):
    one = shown(CardPanel, Scene(State()))
    assert said(one).startswith("Choose a network above")
    assert not one.panel._copy.isEnabled()
    one.show(Scene(State(model="vgg16"), jobs=(Job(Kind.DESCRIPTION),)))
    assert said(one) == "Reading VGG16…"


def test_a_network_in_a_file_says_where_it_lies_and_what_was_done_to_open_it(shown):
    text = said(shown(CardPanel, own()))
    for part in (
        "resnet50_finetuned_on_flowers_epoch_0123_best.pth", "/home/somebody/lectures/networks_of_my_own",
        "ResNet-50, by the names of its tensors", "unknown", "102: class 0", "none, but numbers",
        "Left out: module.backbone.layer4.2.bn3.num_batches_tracked.", "The prefix 'module.' was taken off.",
    ):  # fmt: skip
        assert part in text


def test_why_it_does_not_convert_stands_beside_the_no(shown):
    text = said(shown(CardPanel, own(refusal="layer mixing mixes all positions", conversion=())))
    assert "Converts\nno\nLayer mixing mixes all positions" in text


def test_what_was_examined_is_shown_of_its_own_network_alone(shown):
    found = tuple(Capability(ability, Verdict.PARTLY, f"so {ability.value}") for ability in Ability)
    badge = Badge(ExamineRequest(Setup("lenet5")), found, 0.1)
    one = shown(CardPanel, scenes.full())
    assert "not examined" in said(one)
    one.show(replace(one.scene, badge=badge))
    assert "not examined" not in said(one)
    assert said(one).count("partly") == len(Ability)
    assert "So gradients" in said(one)
    one.show(replace(one.scene, state=replace(one.scene.state, model="vgg16"), jobs=(Job(Kind.DESCRIPTION),)))
    assert said(one).startswith("Reading VGG16…\nLeNet-5")
    assert said(one).count("partly") == len(Ability)  # LeNet-5 is on the card yet, and was examined
    one.show(replace(own(), badge=badge))
    assert "not examined" in said(one)


def test_what_was_there_before_goes_with_it(shown):
    one = shown(CardPanel, own())
    one.show(scenes.full())
    assert "resnet50" not in said(one)
    assert "Notes" not in said(one)
    one.show(Scene(State()))
    assert "LeNet" not in said(one)


def test_an_entered_value_becomes_a_part_of_the_spec_and_is_marked(shown):
    one = shown(CardPanel, scenes.full())
    enter(one, "mean", "33.5")
    assert (one.state.model, one.state.layer) == ("lenet5?mean=33.5", "c3")
    box = one.panel.form.boxes["mean"]
    assert (box.line.text(), box.changed) == ("33.5", True)
    assert one.panel.form.all.isVisible()
    assert [option for option, box in one.panel.form.boxes.items() if box.changed] == ["mean"]


def test_values_add_up_before_the_engine_has_answered(shown):
    one = shown(CardPanel, scenes.full())
    enter(one, "mean", "1")
    enter(one, "std", "2")
    enter(one, "minimum", "30 %")
    assert one.state.model == "lenet5?mean=1&minimum=0.3&std=2"
    assert one.state.minimum == 0.3


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("mean", "a", "numbers with commas"),
        ("mean", "1,2", "has 2 numbers, and the network 1 channel"),
        ("std", "0", "none of them zero"),
        ("input", "3x3", "channels, height and width"),
        ("longest", "-4", "a whole number"),
        ("minimum", "130 %", "a probability from 0 to 1"),
        ("labels", "/nowhere/names.txt", "cannot be read as a list"),
    ],
)
def test_a_bad_value_is_refused_beside_its_field_and_changes_nothing(shown, option, text, words):
    one = shown(CardPanel, scenes.full())
    enter(one, option, text)
    assert words in one.panel.form.refused(option)
    assert one.changes == []
    line = one.panel.form.boxes[option].line
    assert (line.text(), line.property("kind")) == (text, "refused")
    line.textEdited.emit("")
    assert one.panel.form.refused(option) == ""


def test_the_order_of_channels_is_refused_in_words_too(qtbot, shown):
    one = shown(CardPanel, scenes.full())
    order = one.panel.form.boxes["channels"].order
    qtbot.mouseClick(order._group.button(0), Qt.MouseButton.LeftButton)
    assert "takes one channel" in one.panel.form.refused("channels")
    assert (order.value, one.changes) == ("L", [])


def test_orders_of_three_colours_are_no_choice_for_four_channels(shown):
    four = replace(own().network.entry, input_size=(4, 32, 32))
    order = shown(CardPanel, own(entry=four, brought=four)).panel.form.boxes["channels"].order
    assert [name for name in ("RGB", "BGR", "L") if order.button(name).isEnabled()] == ["L"]
    assert "takes 4 channels" in order.button("BGR").toolTip()
    order = shown(CardPanel, own()).panel.form.boxes["channels"].order
    assert all(order.button(name).isEnabled() for name in ("RGB", "BGR", "L"))


def test_one_is_reset_or_all_are(qtbot, shown):
    spec = "lenet5?longest=300&mean=40&minimum=0.1"
    scene = scenes.full()
    network = replace(
        scene.network, request=DescribeRequest(Setup(spec, scenes.PAGE)), entry=entry(spec), brought=entry("lenet5")
    )
    one = shown(CardPanel, replace(scene, network=network, state=replace(scene.state, model=spec, minimum=0.1)))
    assert one.panel.form.boxes["longest"].line.text() == "300"
    qtbot.mouseClick(one.panel.form.boxes["mean"].line.back, Qt.MouseButton.LeftButton)
    assert one.state.model == "lenet5?longest=300&minimum=0.1"
    assert one.panel.form.boxes["mean"].line.text() == "0"
    qtbot.mouseClick(one.panel.form.all, Qt.MouseButton.LeftButton)
    assert (one.state.model, one.state.minimum) == ("lenet5", 0.8)
    assert not one.panel.form.all.isVisible()


def test_what_the_network_brings_anyway_is_no_change(shown):
    one = shown(CardPanel, scenes.full())
    enter(one, "std", "255.0")
    assert one.changes == []
    assert one.panel.form.boxes["std"].line.text() == "255"  # as it is read


def test_names_come_from_a_file_that_is_looked_for(qtbot, shown, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("nought\none\n")
    one = shown(CardPanel, scenes.full())
    qtbot.mouseClick(one.panel.form.boxes["labels"].browse, Qt.MouseButton.LeftButton)
    dialog = one.panel.widget.findChild(QFileDialog)
    dialog.fileSelected.emit(str(names))
    dialog.close()
    assert one.state.model == f"lenet5?labels={names}"
    assert one.panel.form.boxes["labels"].line.text() == str(names)


def test_another_network_that_is_being_read_is_not_edited_under_the_old_ones_name(shown):
    scene = scenes.full()
    one = shown(CardPanel, scene)
    one.session.update(model="vgg16")
    one.changes.clear()
    one.show(replace(one.scene, jobs=(Job(Kind.DESCRIPTION),)))
    assert said(one).startswith("Reading VGG16…\nLeNet-5")
    assert not one.panel.form.isEnabled()
    enter(one, "mean", "3")
    assert one.changes == []


def test_the_card_leaves_as_a_table(qtbot, shown):
    one = shown(CardPanel, scenes.full())
    qtbot.mouseClick(one.panel._copy, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(one.panel._save, Qt.MouseButton.LeftButton)
    assert one.commands.names() == ["copy_table", "save_table"]
    assert ["Spec", "lenet5"] in one.commands.asked[0][1][0]


@pytest.mark.parametrize("width", [248, 300, 420])
@pytest.mark.parametrize("scene", [scenes.full(), own(), own(refusal="layer mixing mixes all positions " * 6)])
def test_nothing_is_cut_off_however_narrow(shown, scene, width):
    one = shown(CardPanel, scene, (width, 700))
    area = one.panel.area_of_card
    for _ in range(3):
        QApplication.processEvents()
    assert area.widget().width() <= area.viewport().width()
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
    for label in one.panel.widget.findChildren(WrappedLabel):
        if label.isVisibleTo(one.panel.widget):
            assert label.height() >= label.heightForWidth(label.width()), label.said()


def test_every_field_is_reached_by_the_keyboard(qtbot, shown):
    one = shown(CardPanel, scenes.full())
    one.panel.widget.activateWindow()
    qtbot.waitUntil(one.panel.widget.isActiveWindow)
    wanted = {box.line for option, box in one.panel.form.boxes.items() if option != "channels"}
    wanted.add(one.panel.form.boxes["labels"].browse)
    one.panel._copy.setFocus()
    for _ in range(20):
        wanted.discard(QApplication.focusWidget())
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert wanted == set()


def test_it_follows_the_theme(shown, look):
    one = shown(CardPanel, scenes.full())
    look.set_theme(Theme.LIGHT)
    light = one.panel.widget.grab().toImage().pixelColor(3, 300).name()
    look.set_theme(Theme.DARK)
    assert light == "#ffffff"
