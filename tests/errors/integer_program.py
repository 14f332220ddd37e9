"""sup ||f - g|| over a box as mixed-integer programs in HiGHS, one per output and sign: an oracle in floating point."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from slth.errors.coupled import behind, first_ranges, interval_ranges, matrices_of, region_of


class Program:
    """Rows low <= a v <= high over variables that are added one block at a time."""

    def __init__(self):
        self.low, self.high, self.whole, self.rows = [], [], [], []

    def variables(self, low, high, whole=False):
        start = len(self.low)
        self.low += list(low)
        self.high += list(high)
        self.whole += [int(whole)] * len(low)
        return np.arange(start, len(self.low))

    def row(self, terms, low, high):
        """terms: (variables, coefficients) pairs."""
        self.rows.append((terms, low, high))

    def largest(self, terms):
        count = len(self.low)
        matrix, cost = np.zeros((len(self.rows), count)), np.zeros(count)
        for i, (parts, _, _) in enumerate(self.rows):
            for variables, values in parts:
                np.add.at(matrix[i], variables, values)
        for variables, values in terms:
            np.add.at(cost, variables, values)
        limits = [np.array([row[k] for row in self.rows]) for k in (1, 2)]
        found = milp(
            -cost, constraints=LinearConstraint(matrix, *limits), integrality=self.whole,
            bounds=Bounds(self.low, self.high), options={"time_limit": 20, "mip_rel_gap": 1e-9},
        )  # fmt: skip
        return -found.fun if found.status == 0 else None


def relu(program, terms, shift, low, high):
    """A variable relu(terms + shift), where low <= terms + shift <= high."""
    low, high = min(low, 0.0), max(high, 0.0)
    (h,) = program.variables([0.0], [high])
    (on,) = program.variables([0.0], [1.0], whole=True)
    minus = [(variables, -values) for variables, values in terms]
    program.row([([h], [1.0]), *minus], shift, np.inf)  # h >= z
    program.row([([h], [1.0]), *minus, ([on], [-low])], -np.inf, shift - low)  # h <= z - low (1 - on)
    program.row([([h], [1.0]), ([on], [-high])], -np.inf, 0.0)
    return h


def program_error(layers, box):
    """The supremum, or None where HiGHS ran out of time."""
    net, program = matrices_of(layers, box), Program()
    plus = program.variables(np.zeros(box.dimension), np.maximum(box.high, 0.0))
    minus = program.variables(np.zeros(box.dimension), np.maximum(-box.low, 0.0))
    for p, m, low, high in zip(plus, minus, box.low, box.high, strict=True):
        (positive,) = program.variables([0.0], [1.0], whole=True)
        program.row([([p], [1.0]), ([positive], [-max(high, 0.0)])], -np.inf, 0.0)
        program.row([([m], [1.0]), ([positive], [max(-low, 0.0)])], -np.inf, max(-low, 0.0))
        program.row([([p, m], [1.0, -1.0])], low, high)
    ranges, f, g = first_ranges(net[0], region_of(box)), None, None
    for i, layer in enumerate(net):
        targets, tickets = [], []
        for k in range(layer.units):
            if i == 0:
                target = [(plus, layer.weight[k]), (minus, -layer.weight[k])]
                ticket = [(plus, layer.ticket[k]), (minus, -layer.ticket_minus[k])]
            else:
                target, ticket = [(f, layer.weight[k])], [(g, layer.ticket[k])]
            targets.append((target, layer.bias[k]))
            tickets.append((ticket, layer.ticket_bias[k]))
        if i == len(net) - 1:
            break
        f = [relu(program, *t, ranges.low[0, k], ranges.high[0, k]) for k, t in enumerate(targets)]
        g = [relu(program, *t, ranges.ticket_low[0, k], ranges.ticket_high[0, k]) for k, t in enumerate(tickets)]
        after = behind(ranges)
        for k in range(layer.units):
            program.row([([g[k], f[k]], [1.0, -1.0])], after.least[0, k], after.most[0, k])
        ranges = interval_ranges(net[i + 1], after)
    best = 0.0
    for (target, b), (ticket, b2) in zip(targets, tickets, strict=True):
        for sign in (1.0, -1.0):
            terms = [(v, sign * c) for v, c in ticket] + [(v, -sign * c) for v, c in target]
            found = program.largest(terms)
            if found is None:
                return None
            best = max(best, found + sign * (b2 - b))
    return best
