import dataclasses
import itertools
import json
import math
from fractions import Fraction

import pytest
import toy
import typer
from typer.testing import CliRunner

from slth.commands_draws import recheck as command
from slth.experiments.conclusions import conclude, concluded, decision
from slth.experiments.draw_files import Refused, head, read
from slth.experiments.draws import run
from slth.experiments.engines import Engine, Serial
from slth.experiments.manifests import Manifest, manifest
from slth.experiments.measure import row_hash
from slth.experiments.points import key
from slth.experiments.rechecks import Recheck, margin_of, recheck
from slth.experiments.summaries import sums_met
from slth.experiments.verdicts import BoundVerdict
from slth.theorems import pensia2020_subset_sum as pensia

HOLDS, VIOLATED, UNDECIDED = BoundVerdict.HOLDS, BoundVerdict.VIOLATED, BoundVerdict.UNDECIDED
GRID = {"widths": (1, 1), "epsilon": 0.05, "delta": 0.4, "samples": 5}


def plan_of(theorem=pensia, samples=5, draws=12, **changes):
    return manifest(theorem, GRID | {"samples": samples}, draws=draws, **changes)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A file of 12 draws, with its manifest."""
    plan, file = plan_of(), tmp_path_factory.mktemp("draws") / "draws.jsonl"
    run(plan, file)
    return plan, file


def edited(written, tmp_path, change):
    """A copy of the file with its parsed lines changed, and hashes made to fit."""
    lines = [json.loads(line) for line in written[1].read_text().splitlines()]
    change(lines)
    for line in lines[1:]:
        line["hash"] = row_hash(line)
    file = tmp_path / "edited.jsonl"
    file.write_text("".join(json.dumps(line, sort_keys=True, separators=(",", ":")) + "\n" for line in lines))
    return file


# The manifest


def test_every_part_of_the_manifest_is_in_its_digest_and_in_every_seed():
    plan = plan_of()
    others = [
        plan_of(samples=6),
        plan_of(draws=13),
        plan_of(claimed=0.61),
        plan_of(alpha=0.04),
        plan_of(rule="anytime"),
        plan_of(success=sums_met),
        manifest(pensia, GRID | {"epsilon": 0.06}, draws=12),
    ]
    assert len({one.digest for one in [plan, *others]}) == 8
    assert len({one.point(5, 0)["seed"] for one in [plan, *others]}) == 8
    seeds = {plan_of(samples=[5, 6]).point(n, draw)["seed"] for n in (5, 6) for draw in range(500)}
    assert len(seeds) == 1000
    assert plan.digest == plan_of().digest


def test_the_power_of_a_manifest_is_that_of_its_verdict_by_enumeration():
    plan, p = plan_of(draws=30), 0.9
    power = 0.0
    for good in range(31):
        verdict = conclude(plan, {5: [True] * good + [False] * (30 - good)}).findings[0].verdict
        power += (verdict is HOLDS) * math.comb(30, good) * p**good * (1 - p) ** (30 - good)
    assert plan.power(p) == pytest.approx(power, rel=1e-10)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"cell": 3}, TypeError, "cell"),
        ({"cell": '{"b": 1}'}, ValueError, "canonical"),
        ({"cell": "[1]"}, ValueError, "canonical"),
        ({"cell": "{"}, ValueError, "Expecting"),
        ({"samples": [5]}, TypeError, "samples"),
        ({"samples": ()}, ValueError, "rise"),
        ({"samples": (5, 5)}, ValueError, "rise"),
        ({"samples": (5, None)}, ValueError, "rise"),
        ({"samples": (True,)}, ValueError, "integers"),
        ({"samples": (0,)}, ValueError, "integers"),
        ({"claimed": 1.0}, ValueError, "claimed"),
        ({"claimed": math.nan}, ValueError, "claimed"),
        ({"alpha": 0.5}, ValueError, "alpha"),
        ({"alpha": 1}, ValueError, "alpha"),
        ({"draws": True}, TypeError, "draws"),
        ({"draws": 0}, ValueError, "draws"),
        ({"draws": 2**30}, ValueError, "draws"),
        ({"rule": "often"}, ValueError, "rule"),
    ],
)
def test_manifests_are_checked(change, error, says):
    with pytest.raises(error, match=says):
        dataclasses.replace(plan_of(), **change)


def test_a_claim_is_about_one_cell_and_its_seeds_are_not_chosen():
    with pytest.raises(ValueError, match="one cell"):
        manifest(pensia, GRID | {"epsilon": [0.1, 0.2]})
    for name in ("seed", "trial"):
        with pytest.raises(ValueError, match="follows from the manifest"):
            manifest(pensia, GRID | {name: 1})


# The conclusion


def law(draws, p):
    return [math.comb(draws, k) * p**k * (1 - p) ** (draws - k) for k in range(draws + 1)]


@pytest.mark.parametrize("p", [Fraction(3, 5), Fraction(59, 100), Fraction(4, 5)])
def test_the_fixed_rule_is_wrong_at_most_as_often_as_stated_by_enumeration(p):
    plan = plan_of(draws=40, claimed=0.6, alpha=0.1)
    wrong = VIOLATED if p >= Fraction(3, 5) else HOLDS
    verdicts = [conclude(plan, {5: [True] * k + [False] * (40 - k)}).findings[0].verdict for k in range(41)]
    assert {HOLDS, VIOLATED, UNDECIDED} == set(verdicts)
    assert sum(mass for mass, verdict in zip(law(40, p), verdicts, strict=True) if verdict is wrong) <= Fraction(0.1)


@pytest.mark.parametrize("p", [0.6, 0.599999, 0.3, 0.9])
def test_the_anytime_rule_is_wrong_at_most_as_often_as_stated_by_enumeration_of_all_paths(p):
    plan = plan_of(draws=120, claimed=0.6, alpha=0.1, rule="anytime")
    alive, found = {0: 1.0}, {HOLDS: 0.0, VIOLATED: 0.0}
    for drawn in range(1, 121):
        fresh = {}
        for (good, mass), (more, share) in itertools.product(alive.items(), ((1, p), (0, 1 - p))):
            fresh[good + more] = fresh.get(good + more, 0.0) + mass * share
        alive = {}
        for good, mass in fresh.items():
            verdict = decision(plan, good, 0, drawn)
            if verdict is None:
                alive[good] = mass
            else:
                found[verdict] += mass
    assert found[VIOLATED if p >= 0.6 else HOLDS] <= 0.1
    if abs(p - 0.6) > 0.2:
        assert found[HOLDS if p > 0.6 else VIOLATED] > 0.9


def test_the_anytime_rule_stops_at_the_first_decision_and_later_draws_change_nothing():
    plan = plan_of(draws=100, claimed=0.6, rule="anytime")
    all_good = conclude(plan, {5: [True] * 100})
    stop = all_good.drawn[0]
    assert all_good.findings[0].verdict is HOLDS
    assert stop < 20
    assert decision(plan, stop - 1, 0, stop - 1) is None
    assert conclude(plan, {5: [True] * stop + [False] * (100 - stop)}) == all_good
    assert all_good.finished
    assert not conclude(plan, {5: [True] * (stop - 1)}).finished
    assert all_good.findings[0].measured.high < 0.4


def test_the_fixed_rule_says_nothing_before_all_draws_are_there():
    found = conclude(plan_of(draws=100), {5: [True] * 99})
    assert found.findings[0].verdict is UNDECIDED
    assert "99 are made" in found.sentences()[0]
    assert not found.finished
    with pytest.raises(ValueError, match="101 draws"):
        conclude(plan_of(draws=100), {5: [True] * 101})


@pytest.mark.parametrize("rule", ["fixed", "anytime"])
def test_a_draw_without_a_result_helps_neither_verdict(rule):
    plan = plan_of(draws=100, claimed=0.6, rule=rule)
    assert conclude(plan, {5: [None] * 100}).findings[0].verdict is UNDECIDED
    for good in (True, False):
        mixed = ([good] * 9 + [None]) * 10
        missed, counted = conclude(plan, {5: mixed}), conclude(plan, {5: [good] * 100})
        assert missed.findings[0].verdict is counted.findings[0].verdict is (HOLDS if good else VIOLATED)
        assert missed.doubtful[0] > 0 or rule == "anytime"
        assert missed.drawn[0] >= counted.drawn[0]


def test_the_bracket_of_the_smallest_n_is_between_too_few_and_enough():
    plan = plan_of(samples=[1, 2, 3, 4], draws=100, claimed=0.6)
    good = {1: 10, 2: 60, 3: 95, 4: 100}
    found = conclude(plan, {n: [True] * k + [False] * (100 - k) for n, k in good.items()})
    assert (found.n_low, found.n_high) == (2, 3)
    assert "2 to 3" in found.sentences()[-1]
    assert {one.error for one in found.findings} == {0.05 / 4}
    turned = conclude(plan, {n: [True] * (100 - k) + [False] * k for n, k in good.items()})
    assert "falls with n" in turned.sentences()[-1]
    nothing = conclude(plan, {})
    assert (nothing.n_low, nothing.n_high) == (1, math.inf)


# Running


def test_a_run_that_was_killed_in_a_line_is_resumed_with_the_same_rows(written, tmp_path):
    plan, whole = written
    lines = whole.read_bytes().splitlines(keepends=True)
    file = tmp_path / "half.jsonl"
    file.write_bytes(b"".join(lines[:6]) + lines[6][:50])
    made = []
    found = run(plan, file, advance=made.append)
    assert len(made) == 12 - 5
    assert found == run(plan, whole)
    held = read(file)
    assert (held.damaged, held.torn) == (1, False)
    assert {place: row["hash"] for place, row in held.rows.items()} == {
        place: row["hash"] for place, row in read(whole).rows.items()
    }
    assert recheck(file, sample=2, seed=0).damaged == 1


def test_a_finished_file_is_not_drawn_again(written):
    made = []
    run(*written, advance=made.append)
    assert made == []


def test_a_file_of_another_manifest_is_not_touched(written):
    before = written[1].read_bytes()
    with pytest.raises(ValueError, match="give another file"):
        run(plan_of(draws=13), written[1])
    assert written[1].read_bytes() == before
    with pytest.raises(ValueError, match=r"\.jsonl"):
        run(written[0], written[1].with_suffix(".txt"))


def test_several_workers_give_the_same_conclusion(written, tmp_path):
    ahead = Engine(Serial(), workers=lambda: 3)
    assert run(written[0], tmp_path / "ahead.jsonl", engine=ahead) == run(*written)


def test_a_worker_that_dies_stops_the_run_and_leaves_whole_rows(written, tmp_path):
    class Dying(Serial):
        calls = 0

        def submit(self, fn, /, *args, **kwargs):
            self.calls += 1
            if self.calls == 4:
                fn = self.die
            return super().submit(fn, *args, **kwargs)

        @staticmethod
        def die(points):
            raise Engine(Serial()).killed[0]("gone")

    file = tmp_path / "dying.jsonl"
    with pytest.raises(OSError, match="the same call resumes"):
        run(written[0], file, engine=Engine(Dying(), ahead=1))
    assert len(read(file).rows) == 3
    assert run(written[0], file) == run(*written)


def test_the_anytime_rule_stops_drawing_when_it_has_decided(tmp_path):
    plan = plan_of(samples=[2, 14], draws=200, claimed=0.6, rule="anytime")
    made = []
    found = run(plan, tmp_path / "anytime.jsonl", advance=made.append)
    assert [one.verdict for one in found.findings] == [VIOLATED, HOLDS]
    assert len(made) == sum(found.drawn) < 100
    assert (found.n_low, found.n_high) == (3, 14)
    made.clear()
    assert run(plan, tmp_path / "anytime.jsonl", advance=made.append) == found
    assert made == []
    lines = (tmp_path / "anytime.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "half.jsonl").write_bytes(b"".join(lines[:-3]))
    assert run(plan, tmp_path / "half.jsonl", advance=made.append) == found
    assert len(made) == 3


def test_draws_that_raise_are_rows_without_a_result(tmp_path):
    plan = manifest(toy, GRID | {"nap": -1.0}, draws=3)
    found = run(plan, tmp_path / "failed.jsonl")
    assert found.doubtful == (3,)
    assert found.findings[0].verdict is UNDECIDED
    assert recheck(tmp_path / "failed.jsonl", sample=None, trusted=True).rows == 3


def test_a_claim_that_the_empty_ticket_meets_is_vacuous(tmp_path):
    found = run(manifest(pensia, GRID | {"epsilon": 0.5}, draws=12), tmp_path / "empty.jsonl")
    assert found.findings[0].verdict is BoundVerdict.VACUOUS
    assert found.finished
    assert "keeps no weight" in found.sentences()[0]


# Checking


def test_an_honest_file_is_accepted_and_a_named_digest_with_it(written):
    plan, file = written
    found = recheck(file, sample=5, digest=plan.digest)
    assert len(set(found.sampled)) == 5
    assert found.conclusion == run(plan, file)
    assert found.rows == 12
    assert recheck(file, sample=5, seed=found.seed).sampled == found.sampled
    assert len(recheck(file, sample=None).sampled) == 12
    assert recheck(file, sample=0).sentences()[-1].endswith("no sample")
    with pytest.raises(Refused, match="not abc"):
        recheck(file, digest="abc")
    for bad in ({"sample": -1}, {"tolerance": 1.0}, {"tolerance": math.nan}):
        with pytest.raises(ValueError, match="need a sample"):
            recheck(file, **bad)


def flipped(line):
    line["result"]["verdict"] = "fails" if line["result"]["verdict"] == "holds" else "holds"


def same_number_of_another_type(line, samples):
    """A second seed for the same draw: 5.0 == 5, but as text it is another one."""
    point = plan_of().point(samples, line["draw"])
    line.update(point=point, key=key(point))


def swapped(lines):
    lines[3]["result"], lines[4]["result"] = lines[4]["result"], lines[3]["result"]


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: flipped(lines[3]),
        swapped,
        lambda lines: lines[3]["result"].update(upper=lines[3]["result"]["upper"] * (1 + 1e-15)),
        lambda lines: lines[3]["result"].update(kept=lines[3]["result"]["kept"] + 1),
        lambda lines: lines[3]["result"].update(kept=float(lines[3]["result"]["kept"])),
        lambda lines: lines[3]["result"].update(more=1),
        lambda lines: lines[3]["result"].pop("density"),
        lambda lines: lines[3].update(status="failed", result=None),
    ],
)
def test_a_row_that_comes_out_otherwise_is_refused_though_its_hash_fits(written, tmp_path, change):
    file = edited(written, tmp_path, change)
    with pytest.raises(Refused, match="comes out otherwise"):
        recheck(file, sample=None)


def test_the_last_bits_of_floats_may_differ_only_where_that_is_allowed(written, tmp_path):
    file = edited(
        written, tmp_path, lambda lines: lines[3]["result"].update(upper=lines[3]["result"]["upper"] * (1 + 1e-12))
    )
    assert recheck(file, sample=None, tolerance=1e-9).rows == 12
    with pytest.raises(Refused, match="upper"):
        recheck(file, sample=None)
    file = edited(written, tmp_path, lambda lines: flipped(lines[3]))
    with pytest.raises(Refused, match="verdict"):
        recheck(file, sample=None, tolerance=0.9)


def test_an_edited_copy_without_an_edit_is_accepted(written, tmp_path):
    assert recheck(edited(written, tmp_path, lambda lines: None), sample=None).rows == 12


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[0]["manifest"].update(claimed=0.5), "digest"),
        (lambda lines: lines[0]["manifest"].update(claimed=1), "not valid"),
        (lambda lines: lines[0]["manifest"].update(draws=True), "not valid"),
        (lambda lines: lines[0]["manifest"].update(format="slth draws 0"), "no manifest"),
        (lambda lines: lines[0]["manifest"].update(more=1), "no manifest"),
        (lambda lines: lines[0]["manifest"].update(cell=[]), "not valid"),
        (lambda lines: lines[0]["manifest"].update(samples=5), "not valid"),
        (lambda lines: lines[0]["manifest"].update(samples=[[5]]), "not valid"),
        (lambda lines: lines[0].update(digest="0" * 64), "digest"),
        (lambda lines: lines[0].update(more=1), "canonical"),
        (lambda lines: lines[0].update(manifest=None), "no manifest"),
        (lambda lines: lines[3].update(draw=5), "another point"),
        (lambda lines: lines[3].update(draw=12), "its manifest has not"),
        (lambda lines: lines[3].update(draw=True), "its manifest has not"),
        (lambda lines: lines[3].update(draw="2"), "its manifest has not"),
        (lambda lines: lines[3]["point"].update(seed=1), "another point"),
        (lambda lines: lines[3]["point"].update(epsilon=1.0), "another point"),
        (lambda lines: lines[3]["point"].update(samples=[5]), "its manifest has not"),
        (lambda lines: lines[3]["point"].update(samples=5.0), "its manifest has not"),
        (lambda lines: same_number_of_another_type(lines[3], 5.0), "its manifest has not"),
        (lambda lines: lines[3].update(point=None), "no row"),
        (lambda lines: lines[3].update(key="0" * 64), "wrong hash"),
        (lambda lines: lines[3].update(status="fine"), "no row"),
        (lambda lines: lines[3].update(status=[]), "no row"),
        (lambda lines: lines[3].update(status="failed"), "with the result"),
        (lambda lines: lines[3].update(result=None), "with the result"),
        (lambda lines: lines[3].pop("draw"), "no row"),
        (lambda lines: lines.append({**lines[3], "result": {"verdict": "holds"}}), "two rows that differ"),
    ],
)
def test_a_file_that_does_not_hang_together_is_refused_before_anything_is_drawn(written, tmp_path, change, says):
    file = edited(written, tmp_path, change)
    with pytest.raises(Refused, match=says):
        recheck(file, sample=0)


def test_results_that_are_no_results_are_refused(written, tmp_path):
    file = edited(written, tmp_path, lambda lines: lines[3].update(result={}))
    with pytest.raises(Refused, match="no result"):
        recheck(file, sample=0)


def test_a_row_with_a_wrong_hash_is_refused(written, tmp_path):
    file = tmp_path / "hash.jsonl"
    file.write_text(written[1].read_text().replace('"status": "done"', '"status": "lost"', 1))
    with pytest.raises(Refused, match="wrong hash"):
        recheck(file, sample=0)


def test_a_manifest_signed_anew_does_not_fit_the_rows(written, tmp_path):
    other = head(plan_of(claimed=0.5))
    file = tmp_path / "signed.jsonl"
    file.write_bytes(other + b"".join(written[1].read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(Refused, match="another point"):
        recheck(file, sample=0)


def test_left_out_rows_leave_the_claim_undecided(written, tmp_path):
    file = tmp_path / "gap.jsonl"
    lines = written[1].read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:4] + lines[5:]))
    found = recheck(file, sample=None)
    assert (found.rows, found.behind) == (3, 8)
    assert "8 rows stand behind a missing draw and do not count: draws were left out" in found.sentences()
    assert not any("left out" in sentence for sentence in recheck(written[1], sample=0).sentences())
    assert found.conclusion.findings[0].verdict is UNDECIDED


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"\x80\x04]",
        b"[1]\n",
        b"{}\n",
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
        b'{"type": NaN}\n',
        b"x" * 3_000_000,
    ],
)
def test_what_is_no_file_of_draws_is_refused(tmp_path, text):
    file = tmp_path / "hostile.jsonl"
    file.write_bytes(text)
    with pytest.raises(Refused, match="is no manifest"):
        recheck(file)


def test_lines_that_are_no_json_are_counted_and_endless_ones_refused(written, tmp_path):
    file = tmp_path / "noise.jsonl"
    whole = written[1].read_bytes()
    file.write_bytes(whole + b"[" * 100_000 + b"\n" + b'{"a": 1, "a": 2}\n' + b"\xff\n" + b"7\n\n" + b'{"torn')
    assert recheck(file, sample=0).damaged == 5
    assert read(file).torn
    file.write_bytes(whole + b"x" * 3_000_000)
    with pytest.raises(Refused, match="more than"):
        recheck(file, sample=0)
    with pytest.raises(FileNotFoundError):
        recheck(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    "change",
    [
        {"theorem": "toy"},
        {"theorem": "os.path"},
        {"theorem": "../pensia2020_subset_sum"},
        {"theorem": 7},
        {"target": "os:listdir"},
        {"target": "/etc/hosts.npz#0"},
        {"question": "builtins:print"},
        {"assignment": "shutil:rmtree"},
        {"success": "builtins:bool"},
        {"success": "key"},
    ],
)
def test_a_file_that_is_not_trusted_runs_nothing_outside_the_package(tmp_path, change):
    plan = plan_of()
    success = change.pop("success", plan.success)
    cell = json.dumps(json.loads(plan.cell) | change, sort_keys=True, separators=(",", ":"))
    file = tmp_path / "foreign.jsonl"
    file.write_bytes(head(dataclasses.replace(plan, cell=cell, success=success)))
    with pytest.raises(Refused, match="outside slth"):
        recheck(file)


def test_the_chance_to_miss_false_rows_is_that_of_enumeration(written):
    found = Recheck(run(*written), tuple((5, i) for i in range(3)), 12, 0, 0)
    for false in range(13):
        passed = sum(min(chosen) >= false for chosen in itertools.combinations(range(12), 3))
        assert found.missed(false) == Fraction(passed, math.comb(12, 3))
    for confidence in (0.5, 0.95):
        worst = found.false_rows(confidence)
        assert found.missed(worst) > 1 - confidence >= found.missed(worst + 1)


def test_the_margin_is_the_fewest_outcomes_that_change_a_verdict():
    plan = plan_of(draws=60, claimed=0.6)
    for good in (0, 10, 30, 50, 60):
        outcomes = [True] * good + [False] * (60 - good)
        found = conclude(plan, {5: outcomes})
        verdict, margin = found.findings[0].verdict, margin_of(found)
        if verdict is UNDECIDED:
            assert margin is None
            continue
        step = -1 if verdict is HOLDS else 1
        others = [conclude(plan, {5: [True] * k + [False] * (60 - k)}) for k in range(61)]
        assert others[good + step * margin].findings[0].verdict is not verdict
        assert others[good + step * (margin - 1)].findings[0].verdict is verdict
    assert margin_of(conclude(plan_of(draws=60, claimed=0.6, rule="anytime"), {5: [True] * 60})) is None
    doubtful = conclude(plan, {5: [False] * 50 + [None] * 10})
    assert margin_of(doubtful) == margin_of(conclude(plan, {5: [False] * 50 + [True] * 10}))


def test_the_command_says_accepted_or_refused(written, tmp_path):
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(written[1]), "--sample", "2", "--seed", "3"])
    assert result.exit_code == 0
    assert "accepted" in result.output
    assert "2 of 12 draws made again (seed 3)" in result.output
    result = CliRunner().invoke(app, [str(written[1]), "--sample", "1", "--json"])
    assert json.loads(result.output)["accepted"] is True
    file = edited(written, tmp_path, lambda lines: [flipped(line) for line in lines[1:]])
    result = CliRunner().invoke(app, [str(file), "--sample", "1"])
    assert result.exit_code == 1
    assert "refused: draw" in result.output
    result = CliRunner().invoke(app, [str(file), "--sample", "1", "--json"])
    assert json.loads(result.output)["accepted"] is False


def test_rows_behind_a_gap_do_not_count(written):
    plan, file = written
    rows = dict(read(file).rows)
    del rows[5, 7]
    assert concluded(plan, rows).drawn == (7,)
    assert isinstance(plan, Manifest)
