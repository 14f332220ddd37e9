"""A bound as a value: which quantity, from which side, by which expression, and where every constant comes
from.

The concrete bounds stand in the theorem files. A universal constant that a paper does not give stays a
symbol, and a bound that contains it has no number until the caller supplies one in sight of the reader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import sympy
from numpy.typing import NDArray

from slth.references import Reference
from slth.roots import changes_of_sides, closed_forms, root, vectorised
from slth.symbols import LATEX, checked_value, notation, symbol

CONSTANT = symbol("C")
"""The one symbol for which papers give no value."""


class Direction(StrEnum):
    """How the quantity stands to the expression."""

    UPPER = "upper"
    """The quantity is at most the expression; for a number of samples or rows: so many suffice."""
    LOWER = "lower"
    """The quantity is at least the expression; for a number of samples or rows: so many are necessary."""
    HEURISTIC = "heuristic"
    """The expression estimates the quantity; nothing is proved."""


class Provenance(StrEnum):
    """Where an expression, with its constants, comes from."""

    PUBLISHED = "published"
    """Read in the paper itself."""
    RESTATED = "restated"
    """From memory of the paper, or as a later paper states it."""
    DERIVED = "derived"
    """Proved by this project; the proof is in the theorem file that holds the bound, or sketched there."""
    HEURISTIC = "heuristic"
    """Fits measurements or rests on an unproved step."""


ORIGIN = {
    Provenance.PUBLISHED: "read in the paper itself",
    Provenance.RESTATED: "restated from memory of the paper; check before quoting",
    Provenance.DERIVED: "derived by this project, not peer reviewed",
    Provenance.HEURISTIC: "an estimate; nothing is proved",
}
"""What a reader is told about a bound of each provenance."""

_RELATION = {Direction.UPPER: "<=", Direction.LOWER: ">=", Direction.HEURISTIC: "~"}
_LATEX_RELATION = {Direction.UPPER: r"\leq", Direction.LOWER: r"\geq", Direction.HEURISTIC: r"\approx"}


@dataclass(frozen=True)
class Bound:
    """One bound on one quantity.

    Attributes:
        name: in words.
        quantity: the bounded symbol of the notation table.
        direction: whether the expression is above it, below it or an estimate.
        expression: sympy expression in the symbols of the notation table.
        provenance: where the expression comes from.
        reference: the paper it belongs to.
        note: what a reader has to know: domain, probability, what the quantity counts.

    Raises:
        TypeError: quantity or expression is not of sympy.
        ValueError: a symbol is not in the notation table, the quantity occurs in its own expression, or
            exactly one of direction and provenance is heuristic.
    """

    name: str
    quantity: sympy.Symbol
    direction: Direction
    expression: sympy.Expr
    provenance: Provenance
    reference: Reference
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.quantity, sympy.Symbol) or not isinstance(self.expression, sympy.Expr):
            raise TypeError(
                f"bound {self.name!r}: quantity must be a sympy symbol and expression a sympy expression; "
                f"got {self.quantity!r} and {self.expression!r}: build them from slth.symbols.symbol(...)"
            )
        for used in sorted({self.quantity} | self.expression.free_symbols, key=str):
            if notation(str(used)).symbol != used:
                raise ValueError(
                    f"bound {self.name!r}: {used} is not the table's symbol; use slth.symbols.symbol({str(used)!r})"
                )
        if self.quantity in self.expression.free_symbols:
            raise ValueError(
                f"bound {self.name!r}: {self.quantity} is bounded by an expression in itself: {self.expression}"
            )
        if (self.direction is Direction.HEURISTIC) != (self.provenance is Provenance.HEURISTIC):
            raise ValueError(
                f"bound {self.name!r}: a heuristic provenance proves no direction, and only it; got "
                f"direction {self.direction}, provenance {self.provenance}"
            )

    @property
    def origin(self) -> str:
        """What a reader is told about where the bound comes from; empty if its note says it already."""
        return "" if "check before quoting" in self.note else ORIGIN[self.provenance]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the symbols that need a value, sorted."""
        return tuple(sorted(str(used) for used in self.expression.free_symbols))

    def __str__(self) -> str:
        relation = f"{self.quantity} {_RELATION[self.direction]} {self.expression}"
        return f"{relation}  [{self.provenance}, {self.reference.cite()}]"

    def latex(self) -> str:
        r"""The relation in LaTeX, without dollar signs.

        >>> from slth.theorems.lueker1998_subset_sum import COUNTING_TOLERANCE
        >>> COUNTING_TOLERANCE.latex()
        '\\varepsilon \\geq 2^{- n} R'
        """
        left, right = (
            sympy.latex(side, symbol_names=LATEX, ln_notation=True) for side in (self.quantity, self.expression)
        )
        return f"{left} {_LATEX_RELATION[self.direction]} {right}"

    def with_values(self, **values: object) -> Bound:
        """The bound with some symbols replaced by numbers; whole numbers and fractions stay exact.

        Args:
            **values: numbers by symbol name, each in its range.

        Raises:
            TypeError: a value is not a real number.
            ValueError: a value is outside its range, or its symbol is not in the expression.

        >>> from slth.theorems.lueker1998_subset_sum import COUNTING_TOLERANCE
        >>> print(COUNTING_TOLERANCE.with_values(R=1))
        epsilon >= 2**(-n)  [derived, Lueker (1998)]
        """
        return replace(self, expression=self.expression.subs(self._checked(values)))

    def evaluate(self, **values: object) -> float:
        """The expression as a number, not rounded to a whole one.

        Args:
            **values: numbers by symbol name, one for every symbol of the expression.

        Returns:
            float; infinite where float64 would overflow. It is rounded to nearest, not outward.

        Raises:
            TypeError: a value is not a real number.
            ValueError: a value is missing, outside its range or not in the expression, or the result is not
                real.

        >>> from slth.theorems.lueker1998_subset_sum import FAILURE_UNIFORM
        >>> round(FAILURE_UNIFORM.evaluate(epsilon=0.01, n=43), 4)
        0.0849
        """
        numbers = self._checked(values)
        self._refuse_missing({str(key) for key in numbers})
        # 17-digit floats: exact fractions would be raised to the power n in full.
        floats = {key: sympy.Float(value.evalf(17), 17) for key, value in numbers.items()}
        result = self.expression.subs(floats).evalf(17)
        if not result.is_real and result is not sympy.oo:
            raise ValueError(f"bound {self.name!r} has no real value at {values}: it gives {result}")
        try:
            return float(result)
        except OverflowError:
            return float(np.copysign(np.inf, int(sympy.sign(result))))

    def solve(self, name: str, *, low: float | None = None, high: float | None = None, **values: object) -> sympy.Expr:
        """The inverse form: the value of one symbol at which the bound meets the quantity.

        Where the expression falls in the symbol, an upper bound on the quantity becomes an upper bound on the
        symbol that is needed; where it rises, the direction turns round.

        Args:
            name: of the symbol to solve for.
            low: lower end of the bracket for a numeric root; with `high`, no closed form is sought.
            high: upper end of the bracket.
            **values: numbers by symbol name, for the quantity too; all others for a numeric root.

        Returns:
            An expression in the symbols that are left. If none is left, a number to about 1e-12 relative: where
            the two change sides, if 2000 points of the symbol's range see one such place only.

        Raises:
            TypeError: a value is not a real number.
            ValueError: a value is out of place; there is not exactly one closed form, nor one change of sides; or
                the bracket holds no root.

        >>> from slth.theorems.lueker1998_subset_sum import FAILURE_UNIFORM
        >>> FAILURE_UNIFORM.solve("n")
        log(2/(delta*epsilon**2))/log(4/3)
        """
        unknown, quantity = symbol(name), str(self.quantity)
        if name not in self.symbols or name in values:
            raise ValueError(
                f"bound {self.name!r} can be solved for {', '.join(self.symbols)}, which then has no value; "
                f"got {name} and values for {', '.join(values) or 'nothing'}"
            )
        level = checked_value(quantity, values.pop(quantity)) if quantity in values else self.quantity
        bound = self.with_values(**values)
        gap = bound.expression - level
        if low is not None and high is not None:
            bound._refuse_missing({name}, *(level.free_symbols))
            return sympy.Float(root(vectorised(gap, (unknown,)), name, low, high))
        if gap.free_symbols == {unknown}:
            function = vectorised(gap, (unknown,))
            between = changes_of_sides(function, notation(name).range)
            if len(between) != 1:
                raise ValueError(
                    f"bound {self.name!r} changes sides at {len(between)} places of the range of {name}"
                    + "".join(f", near {a:.4g}" for a, _ in between[:5])
                    + ": give low, high for the root between them"
                )
            return sympy.Float(root(function, name, *between[0]))
        found = closed_forms(bound.expression, level, unknown, notation(name).range)
        if len(found) == 1:
            return found[0]
        raise ValueError(
            f"bound {self.name!r} has no single closed form for {unknown} (sympy finds {found or 'none'}): give low, "
            "high and a value for every other symbol, for the root between low and high"
        )

    def lambdify(self, *names: str) -> Callable[..., NDArray[np.float64]]:
        """The expression as a vectorised numpy function of the named symbols, in this order.

        Raises:
            ValueError: a symbol of the expression is not named, or a name is not in the notation table.

        >>> from slth.theorems.lueker1998_subset_sum import COUNTING_TOLERANCE
        >>> COUNTING_TOLERANCE.with_values(R=1).lambdify("n")([1, 2, 3])
        array([0.5  , 0.25 , 0.125])
        """
        self._refuse_missing(set(names))
        return vectorised(self.expression, tuple(symbol(name) for name in names))

    def crossover(self, other: Bound, name: str, low: float, high: float, **values: object) -> float:
        """Where two bounds on the same quantity meet.

        Args:
            other: the other bound.
            name: the symbol that varies.
            low: lower end of the bracket, in which the bounds change sides.
            high: upper end.
            **values: numbers by symbol name, for every other symbol of either bound.

        Returns:
            A value of the symbol in [low, high], to about 1e-12 relative.

        Raises:
            TypeError: a value is not a real number.
            ValueError: the quantities differ, a value is missing or out of place, or the bounds do not change
                sides.

        >>> from slth.theorems.lueker1998_subset_sum import COUNTING_CANDIDATES, LUEKER
        >>> round(COUNTING_CANDIDATES.crossover(LUEKER, "epsilon", 0.01, 0.9, C=0.5, R=1), 3)
        0.5
        """
        if other.quantity != self.quantity:
            raise ValueError(
                f"bounds {self.name!r} and {other.name!r} are on different quantities, {self.quantity} and "
                f"{other.quantity}: solve one of them for the other's quantity first"
            )
        extra = set(values) - set(self.symbols) - set(other.symbols) | {name} & set(values)
        if extra:
            raise ValueError(f"neither bound takes a value for {', '.join(sorted(extra))}")
        functions = []
        for bound in (self, other):
            own = {key: value for key, value in values.items() if key in bound.symbols}
            functions.append(bound.with_values(**own).lambdify(name))
        return root(lambda x: functions[0](x) - functions[1](x), name, low, high)

    def _checked(self, values: dict[str, object]) -> dict[sympy.Symbol, sympy.Expr]:
        """The values by symbol, each in its range and in the expression."""
        extra = [name for name in values if notation(name).symbol not in self.expression.free_symbols]
        if extra:
            raise ValueError(
                f"bound {self.name!r} takes no value for {', '.join(extra)}; it takes "
                f"{', '.join(self.symbols) or 'none'}"
            )
        return {symbol(name): checked_value(name, value) for name, value in values.items()}

    def _refuse_missing(self, given: set[str], *also: sympy.Symbol) -> None:
        missing = [name for name in self.symbols if name not in given] + [str(used) for used in also]
        if not missing:
            return
        message = f"bound {self.name!r} needs a value for " + ", ".join(f"{n} ({notation(n).meaning})" for n in missing)
        if str(CONSTANT) in missing:
            message += (
                f"; {self.reference.cite()} gives no value for {CONSTANT}, so there is no default: supply "
                f"one in sight of the reader, as {CONSTANT}=..."
            )
        raise ValueError(message)
