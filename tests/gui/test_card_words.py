"""What the model card says, and how what is typed there is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from segviz.core.capabilities import Ability, Capability, Verdict
from segviz.core.catalogue import ENTRIES, entry
from segviz.core.choices import Task
from segviz.core.overrides import adapted
from segviz.core.requests import Badge, DescribeRequest, ExamineRequest, Network, Setup
from segviz.core.specs import parse
from segviz.gui import card_words, words
from tests.gui import scenes


def of(spec: str, **changes) -> Network:
    """LeNet-5 as if it had come from `spec`."""
    known = replace(entry("lenet5"), **changes)
    return replace(
        scenes.lenet(),
        request=DescribeRequest(Setup(spec)),
        entry=adapted(known, parse(spec)),
        brought=known,
        classes=adapted(known, parse(spec)).classes,
    )


def facts(network: Network) -> dict[str, str]:
    return {fact.name: fact.text.replace(words.NARROW, " ") for fact in card_words.facts(network)}


def test_lenet_has_the_numbers_of_its_paper():
    """61,706 parameters of 4 bytes are 246,824 bytes."""
    assert facts(scenes.lenet()) == {
        "Source": "Catalogue",
        "Weights": "lenet5.safetensors",
        "Task": "Classification",
        "Parameters": "61,706",
        "Memory": "247 kB of weights",
        "Classes": "10: 0, 1, 2, 3, 4, 5, …",
        "Names": "from the catalogue",
    }
    assert [fact.name for fact in card_words.origin(entry("lenet5"))] == ["Licence", "Reference"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("/nets/a%20b/my%20net.pth", {"File": "my net.pth", "Folder": "/nets/a b"}),
        ("lenet5?weights=/nets/own.pth", {"Source": "Catalogue", "Weights": "own.pth"}),
        ("torchvision:resnet18?weights=default", {"Source": "torchvision, resnet18", "Weights": "default"}),
        ("python:own.nets:Mixer", {"Source": "Python, own.nets:Mixer"}),
        ("python:/nets/own.py:Mixer", {"File": "own.py", "Folder": "/nets"}),
    ],
)
def test_a_network_says_where_it_comes_from(spec, said):
    assert facts(of(spec, name=spec)).items() >= said.items()


@pytest.mark.parametrize(
    ("spec", "changes", "said"),
    [
        ("efficientnet_lite0", {"labels": "imagenet.txt", "class_list": ()}, "from imagenet.txt"),
        ("/nets/own.pth", {}, "from the network"),
        ("/nets/own.pth", {"class_list": ()}, "none, but numbers"),
    ],
)
def test_names_of_classes_say_whose_they_are(spec, changes, said):
    assert facts(of(spec, **changes))["Names"] == said


def test_names_of_ones_own_are_named(tmp_path):
    names = tmp_path / "own names.txt"
    names.write_text("nought\none\n")
    found = facts(of(str(parse("lenet5").with_option("labels", str(names)))))
    assert found["Names"] == "from own names.txt"
    assert found["Classes"] == "10: nought, one, class 2, class 3, class 4, class 5, …"


def test_random_weights_are_said_in_the_source_and_not_again_in_the_notes():
    network = of("vgg16", weights="", title="VGG16")
    network = replace(network, notes=(network.entry.caution, "it was made up"))
    assert facts(network)["Weights"] == "random (seeded)"
    assert card_words.notes(network) == ("It was made up.",)


def test_notes_name_the_fields_of_the_card_and_no_options_of_a_spec():
    told = ("unless ?mean= and ?std= say others, it is a guess", "?input=CxHxW says it", "?arch= names one")
    assert card_words.notes(replace(of("vgg16"), notes=told)) == (
        'Unless "Mean" and "Standard deviation" say others, it is a guess.',
        '"Input" says it.',
        "?arch= names one.",
    )


def test_before_an_examination_only_the_conversion_is_known():
    found = card_words.findings(scenes.lenet(), None)
    assert [one.ability for one in found] == list(Ability)
    assert [one.verdict for one in found] == [None] * 5 + [Verdict.YES]
    assert found[-1].reason == "3 layers become convolutions"
    assert card_words.said(found[0]) == "Runs: not examined"


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"refusal": "layer mixing mixes all positions"}, Verdict.NO, "layer mixing mixes all positions"),
        ({"conversion": ()}, Verdict.YES, "it is convolutional from the start"),
        ({"conversion": scenes.CONVERSION[:1]}, Verdict.YES, "1 layer becomes a convolution"),
    ],
)
def test_the_conversion_says_why(changes, verdict, reason):
    found = card_words.findings(replace(scenes.lenet(), **changes), None)[-1]
    assert (found.verdict, found.reason) == (verdict, reason)


def test_a_network_that_answers_per_pixel_needs_no_conversion():
    network = of("selfie_general", task=Task.SEGMENTATION)
    assert "per pixel" in card_words.findings(replace(network, conversion=()), None)[-1].reason


def test_an_examination_has_the_last_word():
    badge = Badge(ExamineRequest(Setup("lenet5")), (Capability(Ability.CONVERTS, Verdict.NO, "because"),), 0.1)
    found = card_words.findings(scenes.lenet(), badge)
    assert [card_words.said(one) for one in found] == ["Converts: no, because"]


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("mean", "123.675, 116.28,103.53", "123.675,116.28,103.53"),
        ("std", " 1;2 3 ", "1,2,3"),
        ("mean", "−0.5", "-0.5"),
        ("input", words.shape((3, 1024, 224)), "3x1024x224"),
        ("input", "3X32x 32", "3X32x32"),
        ("longest", "1,024 px", "1024"),
        ("longest", "  ", "0"),
        ("minimum", "80 %", "0.8"),
        ("minimum", "80", "0.8"),
        ("minimum", "0.8", "0.8"),
        ("minimum", "1", "1"),
        ("minimum", "much", "much"),
        ("channels", "BGR", "BGR"),
        ("labels", "", None),
    ],
)
def test_what_is_typed_becomes_an_option(option, text, value):
    assert card_words.typed(option, text) == value


def test_a_path_of_names_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert card_words.typed("labels", "names.txt") == str(tmp_path / "names.txt")


@pytest.mark.parametrize("known", ENTRIES, ids=lambda known: known.name)
def test_what_is_shown_is_read_back_as_it_was(known):
    """Whatever stands in a field and is entered once more changes nothing."""
    spec = parse(known.name)
    for field in card_words.FIELDS:
        value = card_words.typed(field.option, card_words.shown(known, spec, field.option))
        assert value is None or adapted(known, spec.with_option(field.option, value)) == known, field.option


def test_the_card_is_a_table():
    rows = card_words.rows(scenes.lenet(), None)
    assert rows[0] == ["fact", "value"]
    assert all(len(row) == 2 for row in rows)
    assert {str(name): value for name, value in rows}["Standard deviation"] == "255"
    assert ["Converts", "yes, 3 layers become convolutions"] in rows
