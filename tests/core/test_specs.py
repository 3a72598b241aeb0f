"""Model specs taken apart and put together: what a person writes comes back, whatever a file is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segviz.core.errors import UsageError
from segviz.core.specs import Kind, Spec, of_file, parse

PATHS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20).map(
    lambda name: f"/some where/{name}.pth"
)


@given(PATHS)
def test_any_name_of_a_file_survives(path: str) -> None:
    assert parse(of_file(path)) == Spec(path, (), Kind.FILE)


@given(
    st.dictionaries(
        st.sampled_from(["mean", "labels", "arch"]), st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1)
    )
)
def test_any_value_of_an_option_survives(options: dict[str, str]) -> None:
    spec = Spec("vgg16", tuple(sorted(options.items())))
    assert parse(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("lenet5", Kind.CATALOGUE, "lenet5"),
        ("net.safetensors", Kind.FILE, "net.safetensors"),
        ("./net", Kind.FILE, "./net"),
        (r"C:\nets\NET.PTH", Kind.FILE, r"C:\nets\NET.PTH"),
        ("torchvision:resnet18", Kind.TORCHVISION, "resnet18"),
        ("timm:hf_hub:some/one", Kind.TIMM, "hf_hub:some/one"),
        ("smp:unet/resnet18", Kind.SMP, "unet/resnet18"),
        ("python:package.module:Net", Kind.PYTHON, "package.module:Net"),
    ],
)
def test_where_a_network_comes_from(text: str, kind: Kind, name: str) -> None:
    found = parse(text)
    assert (found.kind, found.name, found.options) == (kind, name, ())
    assert parse(str(found)) == found


def test_what_is_only_looked_at_does_not_open_a_network_again() -> None:
    spec = parse("net.pth?arch=vgg16&mean=1,2,3&labels=names.txt")
    assert str(spec.opening) == "net.pth?arch=vgg16"
    assert spec.with_option("mean", "0").option("mean") == "0"
    assert spec.title == "net.pth"
    assert spec.path == Path("net.pth")


def test_a_prefix_alone_is_no_network() -> None:
    with pytest.raises(UsageError, match="torchvision:resnet18"):
        parse("torchvision:")
