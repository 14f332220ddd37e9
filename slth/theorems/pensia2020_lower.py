"""Pensia, Rajput, Nagle, Vishwakarma, Papailiopoulos (2020), Theorem 2: d^2 log2(1 / 2 epsilon) parameters are needed.

Statement.  If for every linear map W in R^(d x d) with |W| <= 1 a (random) architecture with n parameters has, with
            probability at least 1/2, a subnetwork within epsilon < 1/2 of W on the unit ball, then
            n >= d^2 log2(1 / (2 epsilon)) - 1.
Kind.       lower, restated.
Source.     arXiv 2006.07990, Theorem 2; restated from memory of the paper; check before quoting. The appendix of arXiv
            2410.14754 states it alike.
Uses.       -
Notation.   n -> P (parameters of the source).
Departs.    -
Errata.     -
"""

from __future__ import annotations

import sympy

from slth.bounds import Bound, Direction, Provenance
from slth.references import PENSIA2020
from slth.symbols import symbol

# 1. Statement ---------------------------------------------------------------------------------------------------------

NAME = "pensia2020_lower"
REFERENCE = PENSIA2020

# 2. Bound -------------------------------------------------------------------------------------------------------------

# At most 2^P subnetworks exist, and one serves at most one element of a 2 epsilon-separated set of maps, which has at
# least (1 / 2 epsilon)^(d^2) elements; probability 1/2 for each costs one bit.
PARAMETERS = Bound(
    name="parameters of the source",
    quantity=symbol("P"),
    direction=Direction.LOWER,
    expression=symbol("d") ** 2 * sympy.log(1 / (2 * symbol("epsilon")), 2) - 1,
    provenance=Provenance.RESTATED,
    reference=REFERENCE,
    note="parameters that are necessary to serve every d x d linear map of norm at most 1",
)
