"""The tour behind ``slth demo``: one ticket with its certificate, then a small sweep drawn as a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console

from slth import console, plots
from slth.experiments.sweep import Draw, sweep_candidates
from slth.networks.examples import digits
from slth.networks.files import save_ticket
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.lueker1998_subset_sum import COUNTING_TOLERANCE
from slth.theorems.theorem import Certificate, verify

EPSILON, DELTA = 0.01, 0.05
CANDIDATES = (4, 6, 8, 10, 12, 14, 16, 18, 20, 22)
SEEDS = range(6)

NEXT = """What to try next
  slth verify pensia --target digits --samples 20 --solver best        twelve times fewer candidates, no promise: still a ticket?
  slth verify pensia --target digits --samples 16 --solver sparsest    the smallest subsets
  slth verify pensia --target 32,32,32,8 --epsilon 0.1 --json          a random network of depth 3, as JSON
  slth verify pensia --target my.safetensors --save my-ticket.safetensors    a network of yours (nn.Sequential of Linear, ReLU)
"""
