"""How the window is started; what it does then is tested with the window."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from segviz.cli import system
from segviz.core import assets
from segviz.core.choices import Device, Theme, View
from segviz.core.session import State
from segviz.core.session_file import to_json
from segviz.gui.app import LaunchOptions, first_state
from tests.cli.conftest import Segviz


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The launch options of every window that would have opened."""
    import segviz.gui.app

    seen: list[Any] = []

    def main(options: Any) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr(segviz.gui.app, "main", main)
    return seen


def test_what_the_person_writes_reaches_the_window(
    segviz: Segviz, launched: list[Any], photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text("{}")
    words = ("gui", photo, "--model", "lenet5", "--session", "a.json", "--screenshot", "shot.png")
    done = segviz(*words, "--size", "1280x800", "--theme", "dark", "--device", "cpu", "--json")
    assert done.data == {"screenshot": "shot.png"}
    (options,) = launched
    assert (options.image, options.model) == (str(photo.resolve()), "lenet5")
    assert (options.session, options.screenshot) == ((tmp_path / "a.json").resolve(), tmp_path / "shot.png")
    assert (options.size, options.theme) == ((1280, 800), Theme.DARK)
    assert first_state(LaunchOptions(device=options.device))[0].device is Device.CPU


def test_segviz_alone_opens_a_network_that_it_taught_on_a_photograph(segviz: Segviz, launched: list[Any]) -> None:
    assert segviz().status == 0
    (options,) = launched
    assert (options.image, options.model, options.session, options.size, options.theme) == (None,) * 5
    state, remark = first_state(options)
    assert (state.model, remark) == ("fcn8s-efficientnet_lite0", None)
    assert state.image == str(assets.sample("raccoon.jpg"))
    assert state.view is View.LABELS


def test_a_session_that_is_empty_opens_an_empty_window(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(to_json(State()), encoding="utf-8")
    assert first_state(LaunchOptions(session=file))[0] == State()


def test_without_a_display_the_window_goes_to_a_picture(
    segviz: Segviz, launched: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(system, "has_display", lambda: False)
    monkeypatch.delenv("QT_QPA_PLATFORM")
    done = segviz("gui")
    assert "no display" in done.err
    assert str(tmp_path / "segviz.png") in done.out
    assert launched[0].screenshot == tmp_path / "segviz.png"
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"


def test_a_display_is_used(segviz: Segviz, launched: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "has_display", lambda: True)
    monkeypatch.setattr(system, "require_qt", lambda window: None)
    monkeypatch.delenv("QT_QPA_PLATFORM")
    done = segviz("gui")
    assert (done.out, done.err) == ("", "")
    assert launched[0].screenshot is None
    assert "QT_QPA_PLATFORM" not in os.environ


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["absent.jpg"], "absent.jpg: no such file"),
        (["gui", "--session", "absent.json"], "absent.json: no such file"),
        (["gui", "--screenshot", "nowhere/x.png"], "there is no folder"),
    ],
)
def test_what_is_not_there_is_said_before_a_window_opens(
    segviz: Segviz, launched: list[Any], words: list[str], said: str
) -> None:
    done = segviz(*words)
    assert (done.status, done.out) == (1, "")
    assert said in done.err
    assert launched == []


def test_missing_libraries_are_one_line(segviz: Segviz, launched: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "missing_packages", lambda window: ["libegl1"])
    done = segviz("gui", "--screenshot", "x.png")
    assert done.status == 1
    assert done.err.strip() == "segviz: Qt lacks libraries; on Debian, Ubuntu: sudo apt install libegl1"
    assert launched == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
def test_a_machine_without_a_display_gets_a_picture_of_the_real_window(tmp_path: Path) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-m", "segviz", "gui", "--size", "1000x700", "--theme", "light"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "segviz.png") in done.stdout
    with Image.open(tmp_path / "segviz.png") as picture:
        assert picture.size == (1000, 700)
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 50, "a window, not a blank sheet"
