"""How far float32 is from the certified function: measured at points, beside the certificate and never part of it."""

from __future__ import annotations

import numpy as np
import torch

from slth.errors import Domain
from slth.networks.ticket import Ticket
from slth.networks.torch_export import to_module


def float32_gap(ticket: Ticket, domain: Domain, count: int = 256, seed: int = 0) -> float:
    """The largest ||g32(x) - g(x)|| found at random points, in the norm of the domain.

    g is what a certificate speaks of, in real arithmetic (here float64, whose own rounding is some 10^-9 times as
    large); g32 is the same module run in float32. A measurement: other points, other machines and other orders of
    summation give other gaps.

    Args:
        ticket: small enough for its random weights to be written out twice.
        domain: where the points lie, up to their rounding to float32.
        count: of points, >= 1.
        seed: of the points.

    Returns:
        The largest gap found; no bound of any kind.

    >>> import numpy as np
    >>> from slth.errors import Ball
    >>> from slth.networks.source import Source
    >>> ticket = Ticket(Source(1, (1, 2, 1)), (np.array([[True], [False]]), np.array([[True, False]])))
    >>> 0 <= float32_gap(ticket, Ball(1)) < 1e-7
    True
    """
    rng = np.random.default_rng(seed)
    points = torch.from_numpy(domain.sample(count, rng).astype(np.float32))
    with torch.no_grad():
        low = to_module(ticket, dtype=torch.float32)(points).double()
        high = to_module(ticket, dtype=torch.float64)(points.double())
    return float(torch.linalg.vector_norm(low - high, ord=2 if domain.norm == "l2" else torch.inf, dim=1).max())
