"""What is on record for every theorem: the rows agree with the theorem files, their verdicts with their numbers, and a
repeated measurement with the rows."""

import math

import pytest
import theorems as benchmark
from test_cli import run

from slth import theorems
from slth.bounds import Bound
from slth.confidence import binomial_interval
from slth.theorems import measured

LONG = {"pensia2020_lower", "ferre2026_neurons"}
"""Half a minute each."""

FOLLOW = {
    ("grid_law", "FAILURE"),  # those of lueker1998_subset_sum, imported
    ("grid_law", "CANDIDATES"),
    ("lueker1998_subset_sum", "FAILURE"),  # FAILURE_UNIFORM with values
    ("lueker1998_subset_sum", "CANDIDATES"),
    ("lueker1998_subset_sum", "TOLERANCE"),  # FAILURE solved for epsilon
    ("lueker1998_subset_sum", "TOLERANCE_UNIFORM"),
    ("lueker1998_subset_sum", "COUNTING_TOLERANCE"),
    ("kumar2026_discrete", "PARTITION_RANGE"),  # the middle of NO_PERFECT_PARTITION
    ("natale2024_fixed_size", "COVERAGE"),  # a term of FAILURE_STEERED
    ("ferre2026_neurons", "UNITS_HALF"),  # UNITS with values
    ("ferre2026_neurons", "UNITS_SQUARE"),  # FAILURE_SQUARE solved for D
}
"""Other forms of bounds that are measured."""

CLAIMS = [
    (theorems.name(module), place, row)
    for module in theorems.BOUNDS
    for place, row in enumerate(measured.rows(theorems.name(module)))
]
SHARES = [
    (theorems.name(module), place, row)
    for module in theorems.CONSTRUCTIONS
    for place, row in enumerate(measured.rows(theorems.name(module)))
]


def named(cases):
    return {"ids": [f"{name} {place}" for name, place, _ in cases]}


@pytest.mark.parametrize("module", theorems.ALL, ids=theorems.name)
def test_something_is_measured_for_every_theorem(module):
    rows = measured.rows(theorems.name(module))
    assert len(rows) >= 2
    assert sum(row["draws"] for row in rows) > 0


def test_every_theorem_that_states_a_bound_only_has_its_measurements_in_the_benchmark():
    assert set(benchmark.CLAIMS) == {theorems.name(module) for module in theorems.BOUNDS}


def outcome(row):
    """The verdict that the numbers of a row leave."""
    low, high, claims = row["from"], row["to"], row["claims"]
    if row["kind"] == "upper":
        return "holds" if high <= claims else "violated" if low > claims else "undecided"
    if row["kind"] == "lower":
        return "holds" if low >= claims else "violated" if high < claims else "undecided"
    least, most = claims / row["factor"], claims * row["factor"]
    if least <= low and high <= most:
        return "holds"
    return "violated" if high < least or low > most else "undecided"


@pytest.mark.parametrize("module", theorems.ALL, ids=theorems.name)
def test_the_command_line_shows_what_is_measured(module, monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "theorem", theorems.name(module))
    shown = " ".join(out.split("\nMeasured")[1].split())
    assert code == 0
    assert "nothing is on record" not in out
    for row in measured.rows(theorems.name(module)):
        if "claims" in row:
            assert f"{row['measured']}: {row['value']:.4g}" in shown
            assert f"{row['verdict']}: {SIGN[row['kind']]} {row['claims']:.4g}" in shown
        else:
            assert f"{row['source weights']}" in shown


SIGN = {"upper": "<=", "lower": ">=", "heuristic": "about"}


@pytest.mark.parametrize(("name", "place", "row"), CLAIMS, **named(CLAIMS))
def test_every_claim_on_record_holds_by_its_own_numbers(name, place, row):
    assert row["verdict"] == outcome(row) == "holds"
    assert row["from"] <= row["value"] <= row["to"]
    assert math.isfinite(row["claims"])
    assert row["kind"] == "heuristic" or row["factor"] is None


@pytest.mark.parametrize(("name", "place", "row"), CLAIMS, **named(CLAIMS))
def test_a_bound_on_record_has_the_value_and_the_direction_of_the_theorem_file(name, place, row):
    module = theorems.find(name)
    bound = vars(module).get(row["bound"])
    if isinstance(bound, Bound):
        assert row["claims"] == pytest.approx(bound.evaluate(**row["at"]), rel=1e-12)
        assert row["kind"] == bound.direction
    else:
        assert row["bound"].partition(".")[0] in {*vars(module), "natale2024_curve", "natale2024_steered"}


def test_every_bound_with_all_its_constants_known_is_measured_or_follows_from_one_that_is():
    measured_labels = {(name, row["bound"].partition(".")[0]) for name, _, row in CLAIMS}
    open_ones = {
        (theorems.name(module), label)
        for module in theorems.BOUNDS
        for label, bound in theorems.bounds(module).items()
        if not {"C", "kappa"} & set(bound.symbols)
    } - measured_labels
    assert open_ones == FOLLOW


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in benchmark.CLAIMS]
)
def test_measuring_again_gives_the_rows_on_record(name):
    again = benchmark.CLAIMS[name]()
    on_record = measured.rows(name)
    assert len(again) == len(on_record)
    for one, other in zip(again, on_record, strict=True):
        assert one.pop("theorem") == name
        assert one.keys() == other.keys()
        for key, value in other.items():  # linear programs and means may differ in their last digits
            exact = not isinstance(value, float)
            assert one[key] == (value if exact else pytest.approx(value, rel=1e-5)), key


@pytest.mark.parametrize(("name", "place", "row"), SHARES, **named(SHARES))
def test_the_chance_of_a_construction_on_record_is_the_interval_of_its_counts(name, place, row):
    if not row["draws"]:
        assert row["width"] == "its bound's"
        return
    assert 0 <= row["of them empty"] <= row["proved"] <= row["draws"]
    chance = binomial_interval(row["proved"], row["draws"], 0.95)
    assert (row["chance from"], row["chance to"]) == (round(chance.low, 3), round(chance.high, 3))
    if row["width"] == "its bound's":
        assert row["chance to"] >= 1 - benchmark.DELTA


@pytest.mark.slow
@pytest.mark.parametrize("module", theorems.CONSTRUCTIONS, ids=theorems.name)
def test_drawing_again_gives_the_narrowest_row_on_record(module):
    on_record = measured.rows(theorems.name(module))[0]
    again = benchmark.row(module, benchmark.BELOW[0], on_record["draws"])
    error = on_record.pop("median proved error")  # sharper proofs lower it
    assert again.pop("median proved error") <= error
    assert again == {"theorem": theorems.name(module)} | on_record
