"""The one value and the one place that changes it; session files from strangers."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from segviz.core import assets
from segviz.core.choices import Choice, Method, Pooling, RecipeName, View
from segviz.core.errors import SegvizError
from segviz.core.kept import MOST, Kept
from segviz.core.learning import USUAL as USUAL_TRAINING
from segviz.core.learning import TrainRequest
from segviz.core.session import Session, State, Unit, settled
from segviz.core.session_file import FORMAT, from_json, to_json
from segviz.core.sight import USUAL, Sight

# ------------------------------------------------------------------------------------ updates


def test_update_tells_old_and_new():
    session, heard = Session(), []
    session.listen(lambda old, new: heard.append((old, new)))
    session.update(model="lenet5", opacity=0.3)
    assert heard == [(State(), State(model="lenet5", opacity=0.3))]
    assert session.state.model == "lenet5"


def test_no_change_is_not_told():
    session, heard = Session(State(opacity=0.4)), []
    session.listen(lambda *change: heard.append(change))
    session.update(opacity=0.4)
    assert heard == []


def test_unknown_fields_are_bugs():
    with pytest.raises(TypeError):
        Session().update(opacitee=0.4)


def test_a_listener_that_left_hears_nothing():
    session, heard = Session(), []
    leave = session.listen(lambda *change: heard.append(change))
    leave()
    session.update(opacity=0.1)
    assert heard == []


def test_changes_of_listeners_are_told_after_the_change_that_caused_them():
    """Both listeners hear both changes in one order, though the first answers a change with another."""
    session = Session()
    heard: dict[str, list[float]] = {"first": [], "second": []}

    def first(old: State, new: State) -> None:
        heard["first"].append(new.opacity)
        if new.opacity == 0.1:
            session.update(opacity=0.2)
            assert session.state.opacity == 0.2  # the State itself is never late

    session.listen(first)
    session.listen(lambda _, new: heard["second"].append(new.opacity))
    session.update(opacity=0.1)
    assert heard == {"first": [0.1, 0.2], "second": [0.1, 0.2]}


def test_old_and_new_form_a_chain():
    session, chain = Session(), []
    session.listen(lambda old, new: new.minimum < 0.5 and session.update(minimum=new.minimum + 0.25))
    session.listen(lambda old, new: chain.append((old, new)))
    session.update(minimum=0.25)
    assert [new.minimum for _, new in chain] == [0.25, 0.5]
    assert chain[0][1] is chain[1][0]


def test_a_failing_listener_does_not_silence_the_session():
    session, heard = Session(), []

    def broken(old: State, new: State) -> None:
        raise RuntimeError("a bug")

    leave = session.listen(broken)
    session.listen(lambda _, new: heard.append(new.opacity))
    with pytest.raises(RuntimeError, match="a bug"):
        session.update(opacity=0.1)
    assert heard == [0.1]  # the others hear what the broken one could not take
    leave()
    session.update(opacity=0.2)
    assert heard == [0.1, 0.2]


def test_another_network_drops_what_belonged_to_the_old_one():
    state = State(
        model="lenet5",
        layer="c3",
        unit=Unit(1, 2, 3),
        shown_class=7,
        hidden=frozenset({1}),
        solo=2,
        scale=0.5,
        grid_stride=4,
        pooling=Pooling.WINDOW,
        method=Method.DIRECT,
        opacity=0.3,
        view=View.HEATMAP,
    )
    session = Session(state)
    session.update(model="selfie_general", scale=2.0)
    assert session.state == State(model="selfie_general", scale=2.0, opacity=0.3, view=View.HEATMAP)


@pytest.mark.parametrize("spec", ["lenet5?mean=3", "lenet5?channels=L&longest=200&minimum=0.5", "lenet5?labels=/a.txt"])
def test_the_same_network_viewed_otherwise_keeps_what_belongs_to_it(spec):
    state = State(
        model="lenet5", layer="c3", unit=Unit(1, 2, 3), cursor=(4, 5), shown_class=7, hidden=frozenset({1}), scale=0.5,
        grid_stride=4, method=Method.DIRECT,
    )  # fmt: skip
    session = Session(state)
    session.update(model=spec)
    assert session.state == replace(state, model=spec)
    session.update(model="lenet5")
    assert session.state == state


@pytest.mark.parametrize(
    ("old", "new"), [("vgg16", "vgg16?weights=a.pth"), ("a.pth?mean=1", "b.pth?mean=1"), ("", "lenet5")]
)
def test_other_weights_are_another_network(old, new):
    assert settled(State(model=old, layer="c3"), {"model": new})["layer"] is None


def test_another_image_keeps_the_layer_but_not_the_unit():
    state = State(model="lenet5", image="/a.png", layer="c3", unit=Unit(0, 1, 1), cursor=(4, 5))
    out = settled(state, {"image": "/b.png"})
    gone = {"revision": 0, "unit": None, "cursor": None, "truth": None, "sight": USUAL}
    assert out == {"image": "/b.png"} | gone
    assert settled(state, {"image": "/a.png"}) == {"image": "/a.png"}


def test_another_image_takes_the_grey_square_away_and_leaves_the_rest_of_what_is_seen():
    session = Session(State(image="/a.png", sight=Sight(filmstrip=True, square=(40.0, 20.0), side=64)))
    session.update(revision=1)
    assert session.state.sight.square == (40.0, 20.0)
    session.update(image="/b.png")
    assert session.state.sight == Sight(filmstrip=True, side=64)
    saved = State(image="/c.png", sight=Sight(square=(1.0, 2.0)))
    session.replace(saved)  # as a session file has it
    assert session.state == saved


def test_a_mask_belongs_to_its_image_and_a_cell_to_its_mask_and_network():
    state = State(model="lenet5", image="/a.png", truth="/a_mask.png", errors=True, cell=(3, 5))
    session = Session(state)
    session.update(revision=4)
    assert session.state == replace(state, revision=4)
    session.update(image="/b.png")
    assert (session.state.truth, session.state.cell, session.state.errors) == (None, None, True)
    for change in ({"truth": "/c.png"}, {"truth": None}, {"model": "mtcnn_onet"}):
        assert settled(state, change)["cell"] is None
    assert settled(state, {"image": "/b.png", "truth": "/b_mask.png"})["truth"] == "/b_mask.png"


def test_what_is_drawn_on_an_image_keeps_the_unit_and_the_window():
    session = Session(State(model="lenet5", image="/a.png", layer="c3", unit=Unit(0, 1, 1), cursor=(4, 5)))
    session.update(revision=7, window=(3.0, 4.0))
    assert (session.state.unit, session.state.cursor) == (Unit(0, 1, 1), (4, 5))
    session.update(image="/b.png")
    assert (session.state.revision, session.state.unit, session.state.window) == (0, None, (3.0, 4.0))


def test_replace_shows_another_state_as_a_whole():
    session = Session(State(model="lenet5", layer="c1", solo=3))
    other = State(model="mtcnn_onet", layer="conv4", unit=Unit(2, 3, 4), image="/c.png", cursor=(1, 2))
    session.replace(other)
    assert session.state == other


# -------------------------------------------------------------------------------- session files

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


index = st.integers(0, 2**31 - 1)
share = st.floats(0, 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
specs = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)  # a spec is written as it is read: without blanks
states = st.builds(
    State,
    image=st.none() | names.map(lambda name: f"/photos/{name}"),
    model=specs,
    kept=st.lists(st.builds(Kept, model=specs, name=names, refine_width=st.floats(1, 200)), max_size=MOST).map(tuple),
    refine=st.booleans(),
    refine_smoothness=st.floats(0, 20),
    compared=index,
    curtain=share,
    scale=st.none() | st.floats(0.02, 8),
    grid_stride=st.none() | st.integers(1, 500),
    layer=st.none() | names,
    unit=st.none() | st.builds(Unit, index, index, index),
    cursor=st.none() | st.tuples(finite, finite),
    shown_class=st.none() | index,
    hidden=st.frozensets(index, max_size=5),
    solo=st.none() | index,
    opacity=share,
    minimum=share,
    truth=st.none() | names.map(lambda name: f"/photos/{name}"),
    ignored=st.none() | st.integers(0, 65_535),
    w_0=st.floats(0, 30),
    train=st.builds(
        TrainRequest,
        st.sampled_from([recipe.value for recipe in RecipeName]),
        st.none() | st.sampled_from(["digits", "/data/cells"]),
        st.booleans(),
        st.none() | st.integers(0, 2**63 - 1),
        st.none() | st.integers(1, 10**6),
        st.none() | st.floats(1e-6, 10),
        st.none() | st.floats(0.001, 1),
        st.none() | st.lists(st.floats(0, 100), min_size=1, max_size=4).map(tuple),
        st.none() | st.booleans(),
    ),
    sigma=st.floats(0.5, 20),
    errors=st.booleans(),
    cell=st.none() | st.tuples(index, index),
    glow_images=st.integers(1, 1000),
    tab=names,
    **{f.name: st.sampled_from(list(type(f.default))) for f in fields(State) if isinstance(f.default, Choice)},
)


@given(states)
def test_a_session_file_brings_back_the_state(state):
    assert from_json(to_json(state)) == (state, ())


def test_a_session_file_is_json_with_its_format():
    data = json.loads(to_json(State(model="lenet5", unit=Unit(1, 2, 3))))
    assert data["format"] == FORMAT
    assert data["state"]["unit"] == [1, 2, 3]
    assert set(data["state"]) == {f.name for f in fields(State)}


@pytest.fixture
def text() -> str:
    return to_json(State(image="/a.png", model="lenet5", unit=Unit(1, 2, 3), hidden=frozenset({4, 5})))


def test_cut_files_are_refused_with_one_message(text):
    body = text.rstrip()
    for cut in range(0, len(body), max(1, len(body) // 60)):
        with pytest.raises(SegvizError, match=r"^walk\.segviz: not a session file"):
            from_json(body[:cut], name="walk.segviz")


@given(data=st.data())
def test_damaged_files_open_or_say_why(data):
    whole = to_json(State(image="/a.png", model="lenet5", cursor=(1.5, 2)))
    at = data.draw(st.integers(0, len(whole) - 1))
    put = data.draw(st.text(max_size=3))
    length = data.draw(st.integers(0, 12))
    try:
        state, remarks = from_json(whole[:at] + put + whole[at + length :], name="walk.segviz")
    except SegvizError as error:
        message = str(error)
        event("refused")
    else:
        message = "walk.segviz: "
        event("in part" if remarks else "whole")
        assert from_json(to_json(state)) == (state, ())
    assert message.startswith("walk.segviz: ")
    assert len(message) <= 280


def test_a_file_that_nests_without_end_is_refused():
    with pytest.raises(SegvizError, match="not a session file"):
        from_json("[" * 200_000)


BAD_VALUES = [
    ("opacity", 1.5),
    ("ignored", 65_536),
    ("w_0", -1),
    ("sigma", 0),
    ("training_page", "curve"),
    ("train", "lenet5"),
    ("train", {"recipe": "no-recipe"}),
    ("train", {"steps": 0}),
    ("train", {"steps": True}),
    ("train", {"seed": -1}),
    ("train", {"learning_rate": 0}),
    ("train", {"kept": 1.5}),
    ("train", {"class_weights": [1, -1]}),
    ("train", {"class_weights": 3}),
    ("train", {"patches": 1}),
    ("train", {"quick": None}),
    ("train", {"data": ""}),
    ("opacity", "much"),
    ("opacity", True),
    ("minimum", float("nan")),
    ("scale", 0),
    ("scale", float("inf")),
    ("method", "guess"),
    ("unit", [1, 2]),
    ("unit", [1, 2, -3]),
    ("unit", 7),
    ("hidden", [1.5]),
    ("hidden", 3),
    ("cursor", [0]),
    ("glow", "bright"),
    ("glow_images", -3),
    ("glow_images", 0),
    ("glow_images", 1001),
    ("grid_stride", 0),
    ("image", "a\0b"),
    ("model", None),
    ("solo", 2**40),
    ("grid_stride", "four"),
    ("truth", 4),
    ("errors", "yes"),
    ("cell", [1]),
    ("cell", [1, -2]),
]


@pytest.mark.parametrize(("key", "value"), BAD_VALUES)
def test_bad_values_are_named_and_the_rest_opens(text, key, value):
    data = json.loads(text)
    data["state"][key] = value
    state, remarks = from_json(json.dumps(data))
    assert len(remarks) == 1
    assert remarks[0].startswith(f"{key} cannot be ")
    assert len(remarks[0]) < 80
    assert state == replace(from_json(text)[0], **{key: getattr(State(), key)})


@pytest.mark.parametrize("text", ["[]", "3", '"segviz session"', "{}", '{"format": "segviz session"}', "null"])
def test_other_json_is_no_session(text):
    with pytest.raises(SegvizError, match="not a session file of segviz"):
        from_json(text)


def test_a_newer_version_says_so(text):
    data = json.loads(text) | {"version": 99}
    with pytest.raises(SegvizError, match=r"newer segviz \(format 99, this one reads 1\)"):
        from_json(json.dumps(data))


def test_unknown_fields_of_a_file_are_left_out(text):
    data = json.loads(text)
    data["state"]["hologram"] = True
    assert from_json(json.dumps(data)) == from_json(text)


def test_images_beside_the_file_travel_with_it(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        (folder / "photos").mkdir(parents=True)
        (folder / "photos" / "cat.png").write_bytes(b"")
    photo = "photos/cat.png"
    text = to_json(State(image=str(here / photo), truth=str(here / photo), model="lenet5"), here)
    stored, found = json.loads(text)["state"], from_json(text, there)[0]
    assert (stored["image"], stored["truth"]) == (photo, photo)
    assert found.image == found.truth == str(there / "photos" / "cat.png")


def test_a_folder_that_is_learned_from_travels_with_the_file(tmp_path):
    """Also one that is called as data of segviz is; data of segviz stay a name."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        (folder / "digits").mkdir(parents=True)
    for data, found in ((str(here / "digits"), str(there / "digits")), ("digits", "digits")):
        state = State(train=replace(USUAL_TRAINING, data=data))
        assert from_json(to_json(state, here), there)[0].train.data == found


def test_files_of_one_run_are_no_part_of_a_session():
    asked = TrainRequest("digits-fcn", kept=0.1, out="/runs/1.safetensors", checkpoint="/runs/1.pt", finish=True)
    assert from_json(to_json(State(train=asked)))[0].train == asked.chosen == TrainRequest("digits-fcn", kept=0.1)


def test_an_image_from_elsewhere_is_found_when_it_was_carried_along(tmp_path):
    """The guide's promise: another machine, the image beside the session, whatever system wrote it."""
    (tmp_path / "cat.png").write_bytes(b"")
    elsewhere = tmp_path.parent / "not here"
    for path in (str(elsewhere / "cat.png"), "C:\\Users\\me\\cat.png", "photos/cat.png"):
        data = json.loads(to_json(State(model="lenet5")))
        data["state"]["image"] = path
        assert from_json(json.dumps(data), tmp_path)[0].image == str((tmp_path / "cat.png").resolve())
    gone = str(elsewhere / "dog.png")
    assert from_json(to_json(State(image=gone), tmp_path), tmp_path)[0].image == gone


def test_an_image_that_is_where_it_was_is_not_replaced_by_one_of_its_name(tmp_path):
    for folder in ("photos", "sessions"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cat.png").write_bytes(b"")
    there = str(tmp_path / "photos" / "cat.png")
    assert from_json(to_json(State(image=there), tmp_path / "sessions"), tmp_path / "sessions")[0].image == there


@pytest.mark.skipif(os.name != "posix", reason="links need no rights there")
def test_an_image_beside_the_file_is_portable_through_links_too(tmp_path):
    real, link, other = tmp_path / "real", tmp_path / "link", tmp_path / "other"
    for folder in (real, other):
        folder.mkdir()
        (folder / "cat.png").write_bytes(b"")
    link.symlink_to(real)
    (real / "within").symlink_to(other)
    (real / "alias.png").symlink_to(other / "cat.png")

    def stored(image, folder):
        return json.loads(to_json(State(image=str(image)), folder))["state"]["image"]

    assert {stored(a / "cat.png", b) for a in (real, link) for b in (real, link)} == {"cat.png"}
    assert stored(link / "within" / "cat.png", link) == "within/cat.png"
    assert stored(real / "alias.png", link) == "alias.png"
    assert stored(other / "cat.png", link) == str(other / "cat.png")
    assert stored(link / ".." / "other" / "cat.png", link) == str(link / ".." / "other" / "cat.png")


@pytest.mark.parametrize("path", ["x" * 300 + ".png", "y/" * 3000 + "z.png"])
def test_a_path_that_no_system_could_hold_is_only_not_found(tmp_path, path):
    for key in ("image", "model"):
        data = json.loads(to_json(State()))
        data["state"][key] = path
        assert getattr(from_json(json.dumps(data), tmp_path)[0], key) == path


def test_shipped_photographs_are_found_wherever_segviz_is_installed():
    state = State(image=str(assets.sample("astronaut.png")), model="selfie_general")
    text = to_json(state)
    assert json.loads(text)["state"]["image"] == "sample:astronaut.png"
    assert from_json(text) == (state, ())


def test_a_sample_reference_cannot_climb_out_of_its_folder():
    data = json.loads(to_json(State()))
    data["state"]["image"] = "sample:../../secret.png"
    assert from_json(json.dumps(data))[0].image == str(assets.images() / "secret.png")


def test_every_field_of_the_state_can_be_changed_alone():
    """A field that `replace` forgets would survive a session file or a lesson step."""
    default = State()
    for field in fields(State):
        session = Session()
        value = {"model": "lenet5", "image": "/a.png"}.get(field.name, "x")
        session.replace(replace(default, **{field.name: value}))
        assert getattr(session.state, field.name) == value


@pytest.mark.parametrize("place", ["/another/cache/boards/{}", "C:\\Users\\me\\boards\\{}"])
def test_an_image_of_another_machine_is_found_beside_the_session_file(tmp_path, place):
    (tmp_path / "board.png").write_bytes(b"x")
    state, remarks = from_json(to_json(State(image=place.format("board.png"))), tmp_path)
    assert state.image == str(tmp_path.resolve() / "board.png")
    assert remarks == ()
    gone, _ = from_json(to_json(State(image=place.format("gone.png"))), tmp_path)
    assert gone.image == place.format("gone.png")
