from __future__ import annotations

import pytest
import torch
from torch import nn

from segviz.training.heads import HEADS, by_shift, main, moved


def test_images_move_and_paper_comes_in() -> None:
    image = torch.arange(1.0, 10).view(1, 1, 3, 3)
    assert moved(image, 1, 0)[0, 0].tolist() == [[0, 1, 2], [0, 4, 5], [0, 7, 8]]
    assert moved(image, 0, -1)[0, 0].tolist() == [[4, 5, 6], [7, 8, 9], [0, 0, 0]]
    assert torch.equal(moved(image, 0, 0), image)


def test_what_averages_over_the_image_does_not_mind_a_shift_and_what_looks_at_a_place_does() -> None:
    images = torch.zeros(2, 2, 13, 13)
    images[0, 0, 6, 6] = images[1, 1, 6, 6] = 1
    labels = torch.tensor([0, 1])
    average = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    middle = nn.Sequential(nn.ZeroPad2d(-6), nn.Flatten())  # one pixel of each map
    assert by_shift(average, images, labels) == [1.0] * 5
    assert by_shift(middle, images, labels) == [1.0] + [0.5] * 4  # of two equal logits the first one is taken


def test_the_papers_errors_are_those_of_the_lecture() -> None:
    assert list(HEADS.values()) == [0.1159, 0.1088, 0.1041]


def test_the_table_has_a_line_for_each_head_and_data_set(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr("segviz.training.heads.measured", lambda *_: [0.9, 0.8, 0.7, 0.6, 0.5])
    assert main(["--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert "10.00%" in lines[1]
    assert "11.59%" in lines[1]
