"""The project around the package: pinned versions, commands, documents and the wheel agree with each other."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from segviz import __version__
from segviz.cli.main import VERBS, build_parser, with_verb
from segviz.cli.system import ALWAYS, X11
from segviz.core import assets
from segviz.core.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins() -> dict[str, Version]:
    lines = [line for line in text("constraints.txt").splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, _, version in (line.partition("==") for line in lines)}


def requirements() -> list[Requirement]:
    extras = [word for words in PROJECT["optional-dependencies"].values() for word in words]
    found = [Requirement(word) for word in (*PROJECT["dependencies"], *extras)]
    return [one for one in found if canonicalize_name(one.name) != "segviz-lab"]


def test_every_requirement_is_pinned_to_a_version_in_its_range() -> None:
    pinned = pins()
    for requirement in requirements():
        version = pinned[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, f"{requirement} and {version}"


def test_broken_versions_of_pyside_are_outside_the_range() -> None:
    """6.12 aborts on Python below 3.12; 6.9.1, 6.9.2, 6.11.0 and 6.11.1 break docks or pyqtgraph."""
    ranges = [one for one in requirements() if one.name == "PySide6-Essentials"]
    old, new = ([r for r in ranges if r.marker and r.marker.evaluate({"python_version": v})] for v in ("3.11", "3.13"))
    assert (len(old), len(new)) == (1, 1)
    for bad in ("6.9.1", "6.9.2", "6.11.0", "6.11.1"):
        assert Version(bad) not in old[0].specifier
        assert Version(bad) not in new[0].specifier
    assert Version("6.12.0") not in old[0].specifier
    assert Version("6.12.1") in new[0].specifier
    assert Version("6.11.3") in old[0].specifier


def test_torch_and_torchvision_are_the_pair_that_match() -> None:
    pinned = pins()
    assert (pinned["torch"], pinned["torchvision"]) == (Version("2.14.1"), Version("0.29.1"))


def test_this_environment_is_the_pinned_one() -> None:
    """`make test` installs with the constraints; another environment may have other versions, never unknown ones."""
    from importlib.metadata import distributions

    pinned = pins()
    here = {canonicalize_name(found.metadata["Name"]) for found in distributions()}
    wanted = {canonicalize_name(one.name) for one in requirements()} & here
    assert {"torch", "numpy", "pillow", "pytest"} <= wanted
    assert wanted <= pinned.keys()


MAKE_TARGETS = ("run", "test", "check", "install", "pictures")


def test_make_and_its_windows_twin_know_the_same_commands() -> None:
    rules = re.findall(r"^([a-z]+):", text("Makefile"), flags=re.MULTILINE)
    assert set(MAKE_TARGETS) <= set(rules)
    allowed = re.search(r"ValidateSet\(([^)]*)\)", text("make.ps1"))
    assert allowed is not None
    assert sorted(re.findall(r'"(\w+)"', allowed[1])) == sorted(MAKE_TARGETS)


@pytest.mark.parametrize("name", ["Makefile", "make.ps1"])
def test_both_open_the_window_on_what_it_opens_on_by_itself(name: str) -> None:
    assert re.search(r"(?i)\$\(?python\)? -m segviz$", text(name), re.MULTILINE)


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert "make test" in script.read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert script.stat().st_mode & 0o111


DOCUMENTS = ["README.md", *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_and_pictures_of_documents_lead_somewhere(name: str) -> None:
    place = (ROOT / name).parent
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(name))
    lost = [link for link in links if "://" not in link and not (place / link).exists()]
    assert lost == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_documents_name_are_there(name: str) -> None:
    named = re.findall(r"`((?:segviz|tests|resources|docs|benchmarks)/[\w./-]+)`", text(name))
    lost = [path for path in named if not (ROOT / path).exists()]
    assert lost == []


# What stands for something else in the forms that documents give, and an example of it.
PLACEHOLDERS = {"IMAGE": "photo.jpg", "Y,X": "2,5", "SPEC": "lenet5", "DIR": "out", "NAME": "c3"}


def commands_of(document: str) -> list[list[str]]:
    """The words after `segviz` of every command in a document: lines of shell blocks, and forms in a sentence.

    In a console block a command has a prompt, and what has none is output. The name of a verb alone
    in a sentence is a command too: it is left to `parsed` to say whether it is one.
    """
    document = document.replace("\\\n", " ")  # a line that goes on
    blocks = re.findall(r"^```(sh|console)\n(.*?)^```", document, flags=re.DOTALL | re.MULTILINE)
    lines = [line.strip() for kind, block in blocks for line in block.splitlines() if kind == "sh" or line[:2] == "$ "]
    outside = re.sub(r"^```.*?^```", "", document, flags=re.DOTALL | re.MULTILINE)
    lines += re.findall(r"`(segviz\s[^`]+)`", outside)
    found = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [words[1:] for words in found if words and words[0] == "segviz"]


def parsed(words: list[str]) -> str:
    """The verb that the real parser finds in `words`. Raises UsageError where a person would be refused."""
    plain = [word.strip("[]").removesuffix("...") for word in words]
    if len(plain) == 1 and plain[0] in VERBS:
        return plain[0]  # a sentence that speaks of the verb
    return str(build_parser().parse_args(with_verb([PLACEHOLDERS.get(word, word) for word in plain])).verb)


def test_commands_of_documents_are_commands() -> None:
    """Every `segviz ...` of a document is read by the real parser, and the README has one of every verb."""
    verbs = {name: [parsed(words) for words in commands_of(text(name))] for name in DOCUMENTS}
    assert set(verbs["README.md"]) == set(VERBS)
    assert len(verbs["docs/user-guide.md"]) >= 8


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("```sh\nsegviz summary lenet5 --colour  # no\n```", ["summary", "lenet5", "--colour"]),
        ("```console\n$ segviz sumary lenet5\nsegviz is no command here\n```", ["sumary", "lenet5"]),
        ("Type `segviz [IMAGE] --sesion FILE` or\n`segviz`.", ["[IMAGE]", "--sesion", "FILE"]),
        ("| `segviz field SPEC --unit Y,X` | no layer |", ["field", "SPEC", "--unit", "Y,X"]),
        ("`segviz sumary` says more", ["sumary"]),
    ],
    ids=["option", "prompt", "window", "form", "verb"],
)
def test_a_wrong_command_of_a_document_is_seen(document: str, words: list[str]) -> None:
    assert commands_of(document) == [words]
    with pytest.raises(UsageError):
        parsed(words)


def test_the_readme_names_the_two_commands_and_every_package() -> None:
    readme = text("README.md")
    assert readme.index("make run") < readme.index("make test") < readme.index("## ")
    for package in {*ALWAYS.values(), *X11.values()}:
        assert package in readme, package


def test_the_page_of_licences_is_made_from_the_sources() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "licences.py"))["page"]()
    assert text("docs/licences.md") == made, "run: python docs/licences.py"
    assert all(source.file in made for source in assets.sources())


def test_the_wheel_holds_code_and_resources(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob(f"segviz_lab-{__version__}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = next(name for name in names if name.endswith("entry_points.txt"))
        assert "segviz = segviz.cli.main:main" in archive.read(entry_points).decode()
    assert {"segviz/__main__.py", "segviz/gui/app.py", "segviz/_resources/SOURCES.toml"} <= names
    missing = [source.file for source in assets.sources() if not any(f"_resources/{source.file}" in n for n in names)]
    assert missing == []
    assert not any(name.startswith(("tests/", "docs/", "resources/")) for name in names)
