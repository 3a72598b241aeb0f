"""`segviz`: finds the verb, runs it, prints its report. Exit status 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from segviz import __version__
from segviz.cli import bench, convert, evaluate, features, field, gui, heatmap, models, race, segment, summary, train
from segviz.cli.console import Console, Report, as_json
from segviz.cli.options import add_common
from segviz.core.errors import SegvizError, UsageError, clean
from segviz.core.refusals import lacks_memory, shortage

NEGATIVE = re.compile(r"-\d+(\.\d+)?([,x]-?\d+)*")  # -1 and -1,0

DONE, FAILED, WRONG_USAGE = 0, 1, 2


class Verb(Protocol):
    """What a verb's module has."""

    HINT: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace, console: Console) -> Report: ...


VERBS: dict[str, Verb] = {
    "gui": gui,
    "models": models,
    "summary": summary,
    "segment": segment,
    "heatmap": heatmap,
    "race": race,
    "field": field,
    "features": features,
    "convert": convert,
    "train": train,
    "evaluate": evaluate,
    "bench": bench,
}


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, like all others of segviz."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} ('{self.prog} --help' says more)")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; every verb is listed with its one-line hint."""
    parser = _Parser(
        prog="segviz",
        usage="segviz [-h] [--version] COMMAND ...\n       segviz [IMAGE] [options of gui]",
        description="See how an image classifier becomes a segmentation network. Without a command, the window opens.",
        epilog="'segviz IMAGE' opens the window on an image; --model, --session, --screenshot, --size and --theme say "
        "how, and 'segviz gui --help' explains them. 'segviz COMMAND --help' explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"segviz {__version__}")
    verbs = parser.add_subparsers(prog="segviz", dest="verb", metavar="COMMAND", required=True)
    for name, verb in VERBS.items():
        sub = verbs.add_parser(name, help=verb.HINT, description=verb.HINT[0].upper() + verb.HINT[1:] + ".")
        add_common(sub)
        verb.add_arguments(sub)
    return parser


def with_verb(words: Sequence[str]) -> list[str]:
    """`words` with the verb spelled out: `segviz` alone and `segviz IMAGE` open the window.

    Raises UsageError for a first word that is neither a verb nor a file, with the verb it resembles.
    """
    if not words:
        return ["gui"]
    first = words[0]
    if first in VERBS or first in ("-h", "--help", "--version"):
        return list(words)
    if not first.startswith("-") and Path(first).suffix == "" and not Path(first).exists():
        close = difflib.get_close_matches(first, VERBS, 1)
        hint = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(VERBS)}"
        raise UsageError(f"'{first}' is neither a command nor a file; {hint}")
    return ["gui", *words]


def bound(words: Sequence[str]) -> list[str]:
    """`words` with values that begin with a minus bound to their options: argparse takes -1,0 for an option."""
    out: list[str] = []
    for word in words:
        if out and NEGATIVE.fullmatch(word) and out[-1].startswith("--") and "=" not in out[-1]:
            out[-1] += f"={word}"
        else:
            out.append(word)
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` defaults to the process's arguments. Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    _never_fail_to_print()
    try:
        return _run(words)
    except SegvizError as error:
        _complain(str(error))
        return WRONG_USAGE if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt:
        _complain("stopped")
        return FAILED
    except BrokenPipeError:  # the reader of a pipe has seen enough: `segviz models | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _complain(f"{place}{error.strerror or error}")
        return FAILED


def _run(words: list[str]) -> int:
    words = bound(with_verb(words))
    try:
        options = build_parser().parse_args(words)
    except SystemExit as end:  # --help and --version have printed what they had to say
        return int(end.code or DONE)
    console = Console(quiet=options.quiet)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output belongs to the report alone
            report = VERBS[options.verb].run(options, console)
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        if isinstance(error, (SegvizError, OSError)):
            raise
        if lacks_memory(error):
            raise shortage(error) from error
        message = f"{type(error).__name__}: {error}"
        raise SegvizError(f"unexpected {message} (a mistake of segviz: please report it with --debug)") from error
    if options.json and report.data is not None:
        print(as_json(report.data))
    elif report.text:
        print(clean(report.text))
    sys.stdout.flush()
    return report.status


def _complain(message: str) -> None:
    """One line on standard error."""
    print(f"segviz: {' '.join(clean(message).split())}", file=sys.stderr)


def _never_fail_to_print() -> None:
    """File names may hold what a console cannot show: print a question mark there."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
