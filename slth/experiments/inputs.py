"""The error of a draw at many random inputs: the columns that the axis `inputs` adds to a row.

All inputs of a draw are evaluated in one batch. Draws are not batched with each other: sums that are ordered otherwise
differ in their last bits, and a row must not depend on the draws that happened to be made beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from slth.errors.batched import errors_at, random_points
from slth.errors.interval import ContradictoryBounds
from slth.theorems.certificate import Certificate

SEED = 0
"""Of the inputs: those of all draws on one domain are the same."""

LEVELS = {"sampled_q50": 0.5, "sampled_q90": 0.9, "sampled_q99": 0.99}

SAMPLED = ("sampled_lower", "sampled_mean", *LEVELS)
"""Names of what `at_inputs` gives."""


def at_inputs(found: Certificate, point: Mapping[str, Any]) -> dict[str, float]:
    """What the inputs say of a ticket.

    Args:
        found: of the draw.
        point: its `inputs` is the number of random points of the domain, its `device` where they are evaluated, in
            float64.

    Returns:
        sampled_lower, the largest error at the inputs, evaluated exactly: a lower end; sampled_mean and sampled_q50,
        _q90, _q99: mean and quantiles of the errors at the inputs. These are figures of the sample and bound nothing.

    Raises:
        ValueError: the theorem does not give the layers of its tickets, or the device is not there.
        ContradictoryBounds: the lower end exceeds the proved upper end, which is a bug.
    """
    if not found.layers or found.domain is None:
        raise ValueError(
            f"the certificates of {found.theorem} do not hold the effective layers of the ticket, which inputs need: "
            "leave the axis inputs out"
        )
    inputs = random_points(found.domain, point["inputs"], SEED)
    (there,) = errors_at([found.layers], inputs, found.domain, "random points", device=point["device"])
    if there.lower.value > found.error.upper:
        raise ContradictoryBounds(
            f"an input has the error {there.lower.value!r} although {found.error.upper!r} was proved not to be exceeded"
        )
    quantiles = np.quantile(there.values, list(LEVELS.values()), method="inverted_cdf")
    mean = float(there.values.mean())
    return {"sampled_lower": there.lower.value, "sampled_mean": mean} | dict(
        zip(LEVELS, quantiles.tolist(), strict=True)
    )
