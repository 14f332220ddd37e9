"""The random weights of a source, transcribed from the rule: no code in common with the package."""

import numpy as np


def weights(seed, trial, matrix, shape):
    """Integers in units of 2^-24: element e is half e % 2, low half first, of word e // 2 of the stream."""
    count = shape[0] * shape[1]
    key = np.array([seed, trial * 65536 + matrix], dtype=np.uint64)
    words = np.random.Philox(key=key).random_raw(count // 2 + 1).tolist()
    halves = [half for word in words for half in (word & 0xFFFFFFFF, word >> 32)]
    return np.array([2 * (half >> 8) + 1 - 2**24 for half in halves[:count]]).reshape(shape)


def random_ticket(source, seed, density=0.5):
    """Masks that keep every weight with the given probability, whatever that computes."""
    from slth.networks.ticket import Ticket

    rng = np.random.default_rng(seed)
    return Ticket(source, tuple(rng.random(shape) < density for shape in source.shapes))
