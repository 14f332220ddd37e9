import numpy as np
import pytest
from drawn import random_ticket, weights

from slth.networks.source import Source
from slth.networks.ticket import Ticket

SOURCE = Source(seed=7, widths=(3, 11, 2, 5, 4), biased=(True, False, False, False), trial=1)


def test_weights_are_mask_times_the_random_weights():
    ticket = random_ticket(SOURCE, 0)
    for i, mask in enumerate(ticket.masks):
        assert np.array_equal(ticket.weights(i), mask * weights(7, 1, i, mask.shape))


def test_densities_count_kept_weights():
    masks = [np.zeros(shape, dtype=bool) for shape in SOURCE.shapes]
    masks[0][0, 0] = masks[1][1, 3] = masks[3][2, 2] = True
    ticket = Ticket(SOURCE, tuple(masks))
    assert ticket.kept == 3
    assert ticket.density == 3 / 96
    assert ticket.density_of_second_layers == 2 / 42


def test_masks_of_other_shapes_or_dtypes_are_refused():
    good = random_ticket(SOURCE, 0).masks
    for masks in (good[:3], (*good, good[0]), good[::-1], tuple(mask.astype(np.int8) for mask in good)):
        with pytest.raises(ValueError, match="one bool mask per matrix"):
            Ticket(SOURCE, masks)
