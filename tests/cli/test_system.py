"""What Qt needs of the system is looked for before Qt is."""

from __future__ import annotations

import pytest

from segviz.cli import system
from segviz.core.errors import SegvizError


@pytest.fixture
def bare_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux without any of the libraries, and with an X server."""
    monkeypatch.setattr(system.sys, "platform", "linux")
    monkeypatch.setattr(system, "_loads", lambda library: False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)


@pytest.mark.usefixtures("bare_linux")
def test_missing_libraries_are_named_by_their_packages() -> None:
    with pytest.raises(SegvizError, match=r"sudo apt install libegl1 .*libxkbcommon0") as caught:
        system.require_qt(window=False)
    assert "xcb" not in str(caught.value), "rendering off-screen needs no X11"
    with pytest.raises(SegvizError, match="libxcb-cursor0"):
        system.require_qt(window=True)


@pytest.mark.usefixtures("bare_linux")
def test_the_whole_command_fits_into_the_message() -> None:
    with pytest.raises(SegvizError) as caught:
        system.require_qt(window=True)
    assert "…" not in str(caught.value)


@pytest.mark.usefixtures("bare_linux")
def test_wayland_needs_no_x11(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert not any("xcb" in package for package in system.missing_packages(window=True))
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    assert "libxcb-cursor0" in system.missing_packages(window=True), "unless the person wants X11"


def test_here_nothing_is_missing_for_the_tests_and_a_library_that_is_nowhere_is_seen() -> None:
    assert system.missing_packages(window=False) == []
    assert not system._loads("libno-such-thing.so.9")


@pytest.mark.parametrize(("display", "wayland", "seen"), [("", "", False), (":0", "", True), ("", "wayland-0", True)])
def test_a_display_is_an_x_server_or_a_wayland_compositor(
    monkeypatch: pytest.MonkeyPatch, display: str, wayland: str, seen: bool
) -> None:
    monkeypatch.setattr(system.sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    assert system.has_display() is seen


def test_other_systems_bring_what_qt_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.sys, "platform", "darwin")
    monkeypatch.setattr(system, "_loads", lambda library: False)
    assert system.has_display()
    assert system.missing_packages(window=True) == []
