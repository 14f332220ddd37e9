"""A theorem outside the package that takes no time: written into a folder, imported by its name, on workers too.

Its source and ticket are those of Pensia et al.; its certificate states an error that the seed and the candidates
decide. Options make it misbehave: `kill` ends the process at that seed, `once` names a file that stops it from doing so
again, `fault` raises, `nap` sleeps.
"""

import os
import time
from pathlib import Path

import numpy as np

from slth.errors import ErrorInterval
from slth.randomness import bits
from slth.references import Reference
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.certificate import Certificate

NAME = "toy"
REFERENCE = Reference("toy", ("Nobody",), 2026, "A toy", None, None)
instances, normalised = pensia.instances, pensia.normalised
construct, hypotheses = pensia.construct, pensia.hypotheses


def samples_needed(target, epsilon, delta):
    return 40


def source(target, epsilon, delta, seed, samples=None, trial=0, kill=None, once="", fault=None, nap=0.0):
    if seed == kill and not (once and Path(once).exists()):
        if once:
            Path(once).write_text("killed")
        os._exit(9)
    if seed == fault:
        raise ValueError(f"the seed {seed} is at fault")
    if nap:
        time.sleep(nap)
    return pensia.source(target, epsilon, delta, seed, samples, trial)


def certify(target, construction, epsilon, delta, domain=None):
    """Fails with probability 2^-n for n candidates."""
    drawn = construction.ticket.source
    chance = int(bits(drawn.seed, drawn.trial, 0, 1)[0]) / 2.0**32
    error = epsilon * (2.0 if chance < 2.0**-construction.samples else 0.5)
    checks = hypotheses(target, drawn, epsilon, delta)
    found = ErrorInterval(error, error, "l2", "unit ball", "stated", "stated", np.zeros(target.widths[0]))
    return Certificate(NAME, epsilon, delta, checks, target, construction, found, 0.0)
