"""Tables of subset sums: a CSV of floats in, a CSV of proved answers out."""

from slth.table.answers import Answer
from slth.table.files import Tally, solve_file, solve_lines
from slth.table.questions import (
    Question,
    count,
    nearest,
    nearest_of_size,
    smallest_within,
    within,
    within_of_size,
    worst_case,
)

__all__ = [
    "Answer",
    "Question",
    "Tally",
    "count",
    "nearest",
    "nearest_of_size",
    "smallest_within",
    "solve_file",
    "solve_lines",
    "within",
    "within_of_size",
    "worst_case",
]
