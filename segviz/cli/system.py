"""What Qt needs of the system, looked for before Qt is: a missing library would end the process without a word.

`python -m segviz.cli.system` says what is missing for the tests, which need no display.
"""

from __future__ import annotations

import ctypes
import os
import sys

from segviz.core.errors import SegvizError

# Libraries by the Debian and Ubuntu packages that hold them.
ALWAYS = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
}
X11 = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def has_display() -> bool:
    """Whether a window can be seen; systems other than Linux always have one."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def missing_packages(window: bool) -> list[str]:
    """Packages whose libraries this Linux lacks, for a window or for rendering off-screen."""
    if not sys.platform.startswith("linux"):
        return []
    wanted = dict(ALWAYS)
    if window and _takes_x11():
        wanted |= X11
    return [package for library, package in wanted.items() if not _loads(library)]


def _takes_x11() -> bool:
    """Whether Qt will speak to an X server: told so by QT_QPA_PLATFORM, or for want of Wayland."""
    told = os.environ.get("QT_QPA_PLATFORM", "")
    return told.startswith("xcb") if told else not os.environ.get("WAYLAND_DISPLAY")


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def require_qt(window: bool) -> None:
    """Raise SegvizError with the command that installs what Qt lacks here."""
    packages = missing_packages(window)
    if packages:
        raise SegvizError(f"Qt lacks libraries; on Debian, Ubuntu: sudo apt install {' '.join(packages)}")


if __name__ == "__main__":
    try:
        require_qt(window=False)
    except SegvizError as error:
        sys.exit(f"segviz: {error}")
