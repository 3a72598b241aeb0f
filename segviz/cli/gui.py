"""`segviz gui`: the window, or a picture of it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from segviz.cli import system
from segviz.cli.console import Console, Report
from segviz.cli.options import NETWORK, chosen, names, network, window_size
from segviz.core.choices import Theme
from segviz.core.errors import SegvizError

HINT = "open the window; 'segviz IMAGE' does the same"

OFF_SCREEN_PICTURE = Path("segviz.png")  # where there is no display


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", type=Path, metavar="IMAGE", help="image file")
    parser.add_argument("--model", type=network, metavar="SPEC", help=NETWORK)
    parser.add_argument("--session", type=Path, metavar="FILE", help="session file to open")
    parser.add_argument("--screenshot", type=Path, metavar="PNG", help="save a picture of the settled window, and end")
    parser.add_argument("--size", type=window_size, metavar="WxH", help="size of the window, for example 1440x900")
    parser.add_argument("--theme", type=chosen(Theme), metavar=names(Theme), help="default: as it was left")


def run(options: argparse.Namespace, console: Console) -> Report:
    screenshot: Path | None = options.screenshot
    for file in (options.image, options.session):
        if file is not None and not file.is_file():
            raise SegvizError(f"{file}: {'not a file' if file.exists() else 'no such file'}")
    if screenshot is None and not system.has_display() and "QT_QPA_PLATFORM" not in os.environ:
        screenshot = OFF_SCREEN_PICTURE
        console.note("there is no display here: the window is rendered to a picture")
    if screenshot is not None and not screenshot.absolute().parent.is_dir():
        raise SegvizError(f"{screenshot}: there is no folder {screenshot.absolute().parent} to save the picture in")
    system.require_qt(window=screenshot is None)
    if screenshot is not None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from segviz.gui.app import LaunchOptions, main

    launch = LaunchOptions(
        image=options.image and str(options.image.resolve()),
        model=options.model,
        session=options.session and options.session.resolve(),
        screenshot=screenshot and screenshot.absolute(),
        size=options.size,
        theme=options.theme,
        device=options.device,
    )
    status = main(launch)
    if screenshot is None or status:
        return Report(status=status)
    return Report({"screenshot": str(screenshot)}, f"The window is in {screenshot.absolute()}", status)
