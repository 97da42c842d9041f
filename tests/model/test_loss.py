"""The compiled cross-entropy against that of torch."""

import pytest
import torch
from sylvan.model import loss


@pytest.mark.parametrize("classes", [1, 2, 9, 200])
def test_cross_entropy_equals_that_of_torch(classes: int) -> None:
    for positions in (1, 16, 17, loss.PART + 1):
        for scale in (1, 1000):
            loss.prove(positions, classes, scale=scale)


def test_targets_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^targets must lie in 0\.\.2$"):
        loss.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 3]))
