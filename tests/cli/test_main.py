"""Exit status, what goes to which stream, and how failures are said."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from segviz import __version__
from segviz.cli import gui, models
from segviz.cli.console import Console, Report
from segviz.cli.main import VERBS, bound, build_parser, main, with_verb
from segviz.core import catalogue
from segviz.core.errors import SegvizError, UsageError
from tests.cli.conftest import Segviz


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(options: argparse.Namespace, console: Console) -> Report:
        print("a library's chatter")
        raise error

    monkeypatch.setattr(models, "run", run)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_has_the_common_options(segviz: Segviz, verb: str) -> None:
    done = segviz(verb, "--help")
    assert done.status == 0
    for option in ("--json", "--device", "--quiet", "--debug"):
        assert option in done.out, option


def test_version(segviz: Segviz) -> None:
    assert segviz("--version").out.strip() == f"segviz {__version__}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["summary"], "SPEC"),
        (["summary", "lenet5", "--colour"], "--colour"),
        (["sumary", "lenet5"], "did you mean 'summary'?"),
        (["zzz"], "there are: gui, models"),
        (["field", "lenet5", "--layer", "last", "--unit", "3"], "Y,X"),
        (["field", "lenet5", "--layer", "last", "--unit", "0,0", "--input", "0x32"], "a size is at least 1"),
        (["segment", "a.png", "--model", "lenet5", "--out", "x", "--method", "guess"], "'guess' is none of auto"),
        (["segment", "a.png", "--model", "lenet5", "--out", "x", "--region", "1,2,0,4"], "at least 1x1"),
        (["heatmap", "a.png", "--model", "lenet5", "--class", "3", "--scale", "nan"], "neither 'auto' nor"),
        (["race", "a.png", "--model", "lenet5", "--budget", "-1"], "number of seconds"),
        (["race", "a.png", "--model", "lenet5", "--grid-stride", "0"], "at least 1"),
        (["gui", "--size", "1440"], "WxH"),
        (["segment", "a.png", "--model", "lenet5", "--out", "x", "--minimum", "2"], "neither from 0 to 1 nor"),
        (["models", "--device", "tpu"], "none of auto, cpu"),
        (["summary", "?x=1"], "model spec is empty"),
    ],
)
def test_wrong_usage_is_status_2_and_one_line(segviz: Segviz, words: list[str], said: str) -> None:
    done = segviz(*words)
    assert done.status == 2
    assert done.out == ""
    assert len(lines(done.err)) == 1
    assert said in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["summary", "lenet6"], "no network 'lenet6' in the catalogue; did you mean lenet5?"),
        (["summary", "xyz"], "there are lenet5, "),
        (["summary", "mtcnn_onet?pooling=none"], "pooling=floor"),
        (["heatmap", "absent.png", "--model", "mtcnn_pnet", "--class", "face"], "absent.png: no such file"),
        (["heatmap", ".", "--model", "mtcnn_pnet", "--class", "face"], "not a file"),
        (["absent.png"], "absent.png: no such file"),
    ],
)
def test_failures_are_status_1_and_one_line(segviz: Segviz, words: list[str], said: str) -> None:
    done = segviz(*words)
    assert (done.status, done.out) == (1, "")
    assert len(lines(done.err)) == 1
    assert said in done.err


def test_a_file_that_is_no_image_is_a_message(segviz: Segviz, tmp_path: Path) -> None:
    (tmp_path / "net.png").write_bytes(b"this is no picture" * 40)
    done = segviz("heatmap", tmp_path / "net.png", "--model", "mtcnn_pnet", "--class", "face")
    assert done.status == 1
    assert "net.png" in done.err
    assert len(lines(done.err)) == 1


def test_a_mistake_of_segviz_is_one_line_and_its_traceback_on_request(
    segviz: Segviz, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, ZeroDivisionError("division\nby zero"))
    done = segviz("models", "--json")
    assert (done.status, done.out) == (1, "")
    assert "ZeroDivisionError: division by zero" in lines(done.err)[-1]
    assert "Traceback" not in done.err
    assert "Traceback" in segviz("models", "--debug").err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("Unable to allocate 7.45 GiB for an array"), "not enough memory (7.45 GiB wanted): choose a"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB."), "not enough memory (20.00 MiB wanted)"),
    ],
)
def test_lack_of_memory_is_no_mistake_of_segviz(
    segviz: Segviz, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    fail_with(monkeypatch, error)
    done = segviz("models", "--json")
    assert (done.status, done.out) == (1, "")
    assert said in lines(done.err)[-1]
    assert "mistake" not in done.err
    assert "Traceback" in segviz("models", "--debug").err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (SegvizError("no\tway"), 1, "segviz: no way"),
        (UsageError("not so"), 2, "segviz: not so"),
        (KeyboardInterrupt(), 1, "segviz: stopped"),
        (PermissionError(13, "Permission denied", "/x/y.png"), 1, "segviz: /x/y.png: Permission denied"),
    ],
)
def test_what_a_verb_raises_becomes_status_and_line(
    segviz: Segviz, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, said: str
) -> None:
    fail_with(monkeypatch, error)
    done = segviz("models", "--json")
    assert (done.status, done.out) == (status, "")
    assert lines(done.err)[-1].replace("�", " ") == said


def test_chatter_of_libraries_never_reaches_standard_output(segviz: Segviz, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(options: argparse.Namespace, console: Console) -> Report:
        print("downloading ...")
        return Report({"value": float("nan"), "many": (1.5, float("inf"))}, "for people")

    monkeypatch.setattr(models, "run", run)
    done = segviz("models", "--json")
    assert done.data == {"value": None, "many": [1.5, None]}
    assert "downloading" in done.err
    assert segviz("models").out == "for people\n"


def test_segviz_alone_and_with_a_file_opens_the_window(tmp_path: Path) -> None:
    assert with_verb([]) == ["gui"]
    assert with_verb(["photo.jpg"]) == ["gui", "photo.jpg"]
    assert with_verb(["--model", "lenet5"]) == ["gui", "--model", "lenet5"]
    assert with_verb([str(tmp_path)]) == ["gui", str(tmp_path)]
    assert with_verb(["models", "--json"]) == ["models", "--json"]


def test_the_window_gets_what_follows_the_image(segviz: Segviz, monkeypatch: pytest.MonkeyPatch, photo: Path) -> None:
    seen: list[argparse.Namespace] = []

    def run(options: argparse.Namespace, console: Console) -> Report:
        seen.append(options)
        return Report()

    monkeypatch.setattr(gui, "run", run)
    assert segviz(photo, "--model", "lenet5").status == 0
    assert (seen[0].image, seen[0].model) == (photo, "lenet5")


def test_help_of_segviz_itself_leads_to_the_windows_options(segviz: Segviz) -> None:
    out = segviz("--help").out
    assert "segviz gui --help" in " ".join(out.split())
    assert "usage: segviz segment" in segviz("segment", "--help").out


def test_a_value_that_begins_with_a_minus_is_no_option() -> None:
    words = ["field", "lenet5", "--unit", "-1,0", "--layer", "last", "--json", "-1"]
    assert bound(words) == ["field", "lenet5", "--unit=-1,0", "--layer", "last", "--json=-1"]
    assert bound(["segment", "-1.png", "--out", "x"]) == ["segment", "-1.png", "--out", "x"]


def test_verbs_are_listed_in_the_order_of_the_work() -> None:
    text = build_parser().format_help()
    places = [text.index(f"    {name} ") for name in VERBS]
    assert places == sorted(places)


def in_process_of_its_own(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.parametrize("words", [["--version"], ["models"], ["models", "--json"], ["summary"]])
def test_answers_that_need_no_network_load_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom segviz.cli.main import main\n"
        f"main({words!r})\n"
        "print('|', [m for m in ('torch', 'numpy', 'PySide6', 'pyqtgraph', 'PIL', 'tqdm') if m in sys.modules])"
    )
    assert in_process_of_its_own(code).rpartition("|")[2].strip() == "[]"


def test_python_m_segviz_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "segviz", "models", "--json"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["models"]) == len(catalogue.ENTRIES)
    wrong = subprocess.run(
        [sys.executable, "-m", "segviz", "modles"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_a_reader_that_stops_early_is_no_failure() -> None:
    code = (
        "import os, subprocess, sys\n"
        "run = subprocess.Popen([sys.executable, '-m', 'segviz', 'models'], stdout=subprocess.PIPE, "
        "stderr=subprocess.PIPE)\n"
        "run.stdout.close()\n"
        "error = run.stderr.read().decode()\n"
        "run.stderr.close()\n"
        "print(run.wait(), error)"
    )
    assert in_process_of_its_own(code).strip() == "0"


def test_main_reads_the_arguments_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["segviz", "--version"])
    assert main() == 0
    assert __version__ in capsys.readouterr().out
