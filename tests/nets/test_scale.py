import math

import pytest
import torch

from msl.nets.scale import Scale


def test_logits_are_the_scaled_cosines_and_the_bias():
    logits = Scale(start=10.0, ceiling=100.0, bias=-3.0)(torch.tensor([[-1.0, 0.0], [0.5, 1.0]]))
    torch.testing.assert_close(logits, torch.tensor([[-13.0, -3.0], [2.0, 7.0]]))


def test_the_scale_stops_at_its_ceiling_and_can_come_down_again():
    scale = Scale(start=90.0, ceiling=100.0, bias=0.0)
    optimiser = torch.optim.SGD(scale.parameters(), lr=1.0)
    seen = []
    for wanted in (1.0, 1.0, -1.0):
        optimiser.zero_grad()
        (-wanted * scale.value / 100).backward()
        optimiser.step()
        seen.append(scale.value.item())
    assert seen[:2] == pytest.approx([100.0, 100.0])
    assert seen[2] == pytest.approx(100 / math.e)
