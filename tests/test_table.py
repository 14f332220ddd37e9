"""Tables: every answer is right for the floats as they are written, bad rows are named, files are whole or absent."""

import csv
import io
import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth import cli, table
from slth.subset_sum import ladder
from slth.table import exact, files, rows


def solve(text, question, **options):
    out = io.StringIO()
    data = text if isinstance(text, bytes) else text.encode()
    tally = table.solve_lines(io.BytesIO(data), out, question, **options)
    return list(csv.DictReader(io.StringIO(out.getvalue()))), tally


def line(target, samples):
    return ",".join(map(repr, (target, *samples))) + "\n"


def subsets(samples):
    """Every subset: (indices, exact sum)."""
    for size in range(len(samples) + 1):
        for chosen in itertools.combinations(range(len(samples)), size):
            yield chosen, sum((Fraction(samples[i]) for i in chosen), Fraction(0))


def check_subset(row, target, samples):
    """The printed subset has the printed size, sum and residual; returns its exact |residual|."""
    chosen = [int(i) for i in row["indices"].split()]
    total = sum((Fraction(samples[i]) for i in chosen), Fraction(0))
    assert len(set(chosen)) == len(chosen) == int(row["size"])
    assert float(row["sum"]) == float(total)
    assert float(row["residual"]) == float(total - Fraction(target))
    return abs(total - Fraction(target))


dyadic = st.integers(-40, 40).map(lambda i: i / 8)
decimal = st.integers(-30, 30).map(lambda i: i / 10)
anything = st.floats(-1e3, 1e3, allow_subnormal=True)
values = st.one_of(dyadic, decimal, anything, st.sampled_from([1e300, -1e300, 5e-324, 1e-300, 0.1, 0.3, 2.0**-60, 0.0]))
samples_of = st.lists(values, min_size=1, max_size=7)


@given(values, samples_of)
def test_the_nearest_subset_is_nearest_for_the_floats_themselves(target, samples):
    [row], tally = solve(line(target, samples), table.nearest())
    assert row["status"] == "found"
    assert tally.complete
    assert check_subset(row, target, samples) == min(abs(s - Fraction(target)) for _, s in subsets(samples))


@given(values, samples_of, st.integers(0, 8))
def test_the_nearest_subset_of_a_size_is_nearest_for_the_floats_themselves(target, samples, size):
    [row], _ = solve(line(target, samples), table.nearest_of_size(size))
    if size > len(samples):
        assert row["status"] == "impossible"
        return
    assert check_subset(row, target, samples) == min(
        abs(s - Fraction(target)) for chosen, s in subsets(samples) if len(chosen) == size
    )
    assert int(row["size"]) == size


@given(values, samples_of, st.one_of(st.sampled_from([0.0, 0.1, 0.5, 5.551115123125783e-17]), st.floats(0, 2)))
def test_answers_within_epsilon_are_exact_to_the_last_bit(target, samples, epsilon):
    fits = [chosen for chosen, s in subsets(samples) if abs(s - Fraction(target)) <= Fraction(epsilon)]
    reach = [s for _, s in subsets(samples)]
    beyond = Fraction(target) > max(reach) + Fraction(epsilon) or Fraction(target) < min(reach) - Fraction(epsilon)
    text = line(target, samples)
    questions = {None: table.within(epsilon), "least": table.smallest_within(epsilon)}
    questions |= {size: table.within_of_size(size, epsilon) for size in (0, 2)}
    for kind, question in questions.items():
        [row], _ = solve(text, question)
        able = [c for c in fits if not isinstance(kind, int) or len(c) == kind]
        if able:
            assert row["status"] == "found"
            assert check_subset(row, target, samples) <= Fraction(epsilon)
            if kind == "least":
                assert int(row["size"]) == min(map(len, able))
            if isinstance(kind, int):
                assert int(row["size"]) == kind
        else:
            assert row["status"] in ("impossible", "unreachable")
            assert row["indices"] == row["sum"] == row["residual"] == row["size"] == ""
            assert beyond or row["status"] == "impossible"
    [row], _ = solve(text, table.count(epsilon))
    assert row["status"] == "found"
    assert int(row["count"]) == len(fits)
    assert row["size"] == row["sum"] == row["indices"] == ""


@given(samples_of, st.sampled_from([0.5, 1.0, 0.1, 3.0]))
def test_the_worst_error_is_never_below_the_exact_one_and_next_to_it(samples, window):
    [row], _ = solve("not read," + line(*samples[:1], samples[1:]), table.worst_case(window))
    sums = sorted({s for _, s in subsets(samples)})
    ends = [Fraction(window), -Fraction(window)]
    middles = [(a + b) / 2 for a, b in itertools.pairwise(sums)]
    places = ends + [m for m in middles if abs(m) <= Fraction(window)]
    worst = max(min(abs(s - t) for s in sums) for t in places)
    given_error = Fraction(float(row["worst_error"]))
    spread = sum(abs(Fraction(x)) for x in samples) + Fraction(window)
    assert 0 <= given_error - worst <= spread * Fraction(2) ** -50


def test_far_targets_are_told_from_gaps():
    found, tally = solve("9,1,2\n-1,1,2\n0.5,1,2\n1,1,2\n", table.within(0.25))
    assert [row["status"] for row in found] == ["unreachable", "unreachable", "impossible", "found"]
    assert tally.complete
    assert str(tally) == "4 rows, 1 found, 1 impossible, 2 unreachable"


def test_many_samples_end_found_unreachable_or_unresolved(monkeypatch):
    monkeypatch.setattr(ladder, "LONGEST_PREFIX", 20)
    monkeypatch.setattr(ladder, "WINDOWS", ((18, 2),))
    rng = np.random.default_rng(0)
    text = line(0.25, rng.uniform(-1, 1, 200).tolist()) + line(99.0, rng.uniform(0, 1, 60).tolist())
    text += line(1.0, (2.0 * rng.integers(-(2**40), 2**40, 35)).tolist())
    found, tally = solve(text, table.within(1e-6))
    assert [row["status"] for row in found] == ["found", "unreachable", "unresolved"]
    assert "not all subsets" in found[2]["reason"]
    assert not tally.complete


def test_beyond_34_samples_a_residual_above_epsilon_by_less_than_the_rounding_stays_open():
    samples = [0.4, -1e-12, *[4.0] * 34]
    [row], _ = solve(line(0.5, samples), table.within(math.nextafter(0.5 - 0.4, 0)))
    assert row["status"] == "unresolved"
    assert "up to rounding" in row["reason"]
    [row], _ = solve(line(0.5, samples), table.within(0.5 - 0.4))
    assert row["status"] == "found"
    assert check_subset(row, 0.5, samples) <= Fraction(0.5 - 0.4)


def test_beyond_34_samples_a_subset_in_doubt_gives_way_to_one_beyond_doubt():
    epsilon = math.nextafter(0.5 - 0.4, 0)
    samples = [0.4, -1e-12, 0.55, *[4.0] * 34]
    for question in (table.within(epsilon), table.within_of_size(1, epsilon)):
        [row], _ = solve(line(0.5, samples), question)
        assert row["status"] == "found"
        assert row["indices"] == "2"


def test_a_count_that_depends_on_the_rounding_is_settled_up_to_34_samples():
    samples = [0.1] * 6 + [0.3, 1e-12, 1e-12, 7.7]
    for epsilon in (0.1, 0.2, math.nextafter(0.1, 0)):
        [row], tally = solve(line(0.3, samples), table.count(epsilon))
        assert int(row["count"]) == sum(abs(s - Fraction(0.3)) <= Fraction(epsilon) for _, s in subsets(samples))
        assert tally.complete
    [row], tally = solve(line(0.0, [0.1, 1e-12, *[8.0] * 34]), table.count(0.1))
    assert row["status"] == "unresolved"
    assert row["count"] == ""
    assert not tally.complete


def test_subsets_are_counted_up_to_forty_samples():
    whole, over = [2.0**i for i in range(40)], [1.0] * 41
    found, _ = solve(line(5.0, whole) + line(5.0, over), table.count(2))
    assert found[0]["count"] == "5"
    assert found[1]["status"] == "malformed"


@pytest.mark.parametrize("size", [0, 1, 3, 5, 100, 197, 200])
def test_a_subset_of_one_size_within_epsilon_is_found_among_many_samples(size):
    rng = np.random.default_rng(size)
    samples = rng.uniform(-1, 1, 200).tolist()
    near = sum(samples[:size]) + 1e-4
    question = table.within_of_size(size, 1e-3)
    found, tally = solve(line(near, samples) + line(99.0, samples) + line(near, samples[:34]), question)
    assert found[0]["status"] == "found"
    assert int(found[0]["size"]) == size
    assert check_subset(found[0], near, samples) <= Fraction(1e-3)
    assert found[1]["status"] in ("impossible", "unreachable")
    assert found[2]["status"] != "unresolved"
    assert tally.complete


def test_a_size_that_is_not_found_among_many_samples_stays_open():
    even = (2.0 * np.random.default_rng(3).integers(-(2**40), 2**40, 60)).tolist()
    [row], tally = solve(line(1.0, even), table.within_of_size(7, 0.5))
    assert row["status"] == "unresolved"
    assert not tally.complete


def test_the_nearest_of_35_samples_is_claimed_only_where_the_grid_holds_them():
    rng = np.random.default_rng(1)
    whole = rng.integers(-100, 100, 35).astype(float).tolist()
    broken = [0.1, *whole[1:-1], 1e-9]
    found, _ = solve(line(0.5, whole) + line(0.5, broken), table.nearest())
    assert [row["status"] for row in found] == ["found", "unresolved"]
    assert check_subset(found[1], 0.5, broken) < 1
    assert "rounding" in found[1]["reason"]


@pytest.mark.parametrize("size", [None, 5])
def test_equal_samples_off_the_grid_are_decided_in_unbounded_integers(size):
    samples = [0.1] * 6 + [0.3, 1e-5, 1e-5, 7.7]
    question = table.nearest() if size is None else table.nearest_of_size(size)
    [row], _ = solve(line(0.35, samples), question)
    best = min(abs(s - Fraction(0.35)) for c, s in subsets(samples) if size in (None, len(c)))
    assert check_subset(row, 0.35, samples) == best


def test_the_nearest_of_35_samples_off_the_grid_is_claimed_where_no_other_is_as_near():
    rng = np.random.default_rng(4)
    samples = rng.uniform(0.5, 1, 35) * 2.0 ** -np.arange(35)
    taken = np.arange(0, 35, 3)
    target = math.fsum(samples[taken]) + 2.0**-40
    [row], tally = solve(line(target, samples.tolist()), table.nearest())
    assert row["status"] == "found"
    assert tally.complete
    assert check_subset(row, target, samples.tolist()) <= Fraction(2) ** -40


def test_unbounded_integers_refuse_what_would_take_hours():
    for ask in (exact.nearest, lambda samples, target: exact.number_within(samples, target, 0.1)):
        with pytest.raises(ValueError, match="at most 34"):
            ask([1.0] * 35, 0.0)
    with pytest.raises(ValueError, match="from 0 to n"):
        exact.nearest([1.0], 0.0, 2)


MALFORMED = {
    "a word": ("1,two,3", "cell 2 is not a number: 'two'"),
    "a hole": ("1,,3", "cell 2 is not a number: ''"),
    "nan": ("1,nan", "NaN"),
    "infinity": ("1,1e999", "NaN or infinite"),
    "an underscore": ("1,1_000", "'1_000'"),
    "no samples": ("0.5", "0 samples"),
    "no samples but commas": ("0.5,,,", "0 samples"),
    "another alphabet": ("1,٣", "cell 2"),
    "a nul": ("1,\x00", "cell 2"),
    "quotes and commas": ('1,"2,5"', "cell 2"),
    "semicolons": ("1;2;3", "cell 1"),
    "too large to add": ("1e308,1e308", "too large"),
    "too many samples": ("1" + ",1" * 35, "35 samples"),
    "too long a line": ("1," * (rows.LONGEST_LINE // 2 + 5), "longer than"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_row_is_named_and_the_others_are_solved(name):
    text, words = MALFORMED[name]
    said = []
    found, tally = solve(f"1,1\n\n{text}\n2,2\n", table.smallest_within(0), complain=said.append)
    assert [row["status"] for row in found] == ["found", "malformed", "found"]
    assert [row["row"] for row in found] == ["0", "1", "2"]
    assert words in found[1]["reason"]
    assert [sentence.startswith("line 3: ") for sentence in said] == [True]
    assert not tally.complete


def test_only_the_first_malformed_rows_are_named_one_by_one():
    said = []
    _, tally = solve("1,1\n" + "x,1\n" * 50, table.nearest(), complain=said.append)
    assert len(said) == files.COMPLAINTS
    assert "further" in said[-1]
    assert tally.by_status["malformed"] == 50


@pytest.mark.parametrize(
    "text", ["t,a,b\n1,1,2\n", "\n\n \nt\n1,1,2\n", "1,1,2", "\ufefft,a\r\n1,1,2\r\n", "\ufeff1,1,2\n", "1, 1 ,2,,\n"]
)
def test_headers_empty_lines_marks_and_trailing_cells_are_passed_over(text):
    found, _ = solve(text, table.nearest())
    assert [(row["row"], row["residual"]) for row in found] == [("0", "0.0")]


def test_a_table_without_rows_is_refused():
    for text in ("", "\n\n", "target,a,b\n"):
        with pytest.raises(ValueError, match="no rows"):
            solve(text, table.nearest())


def test_batches_of_mixed_lengths_keep_the_order_and_report_their_bytes(monkeypatch):
    rng = np.random.default_rng(5)
    lines = [line(float(i), rng.uniform(-1, 1, 1 + i % 5).round(3).tolist()) for i in range(100)]
    whole, _ = solve("".join(lines), table.nearest())
    for rows_at_once, cost in ((7, 1 << 20), (1000, 30)):
        monkeypatch.setattr(files, "BATCH_ROWS", rows_at_once)
        monkeypatch.setattr(files, "BATCH", cost)
        steps = []
        part, _ = solve("".join(lines), table.nearest(), advance=steps.append)
        assert part == whole
        assert len(steps) > 5
        assert sum(steps) <= len("".join(lines).encode())
    assert [row["row"] for row in whole] == [str(i) for i in range(100)]


def test_memory_does_not_grow_with_the_table(monkeypatch):
    import tracemalloc

    monkeypatch.setattr(files, "BATCH_ROWS", 200)
    text = line(0.5, [0.25, 0.125, 0.75, 1.5])

    class Endless(io.RawIOBase):
        left = 0

        def readline(self, limit=-1):
            self.left -= 1
            return text.encode() if self.left >= 0 else b""

    class Nowhere(io.StringIO):
        def write(self, words):
            return len(words)

    peaks = []
    for count in (400, 4000):
        stream = Endless()
        stream.left = count
        tracemalloc.start()
        table.solve_lines(stream, Nowhere(), table.within(0.1))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_questions_out_of_range_are_refused():
    for bad in (-1.0, math.nan, math.inf):
        for question in (table.within, table.smallest_within, table.count, lambda e: table.within_of_size(1, e)):
            with pytest.raises(ValueError, match="epsilon"):
                question(bad)
        with pytest.raises(ValueError, match="window"):
            table.worst_case(bad)
    for question in (table.nearest_of_size, lambda size: table.within_of_size(size, 0.1)):
        with pytest.raises(ValueError, match="size"):
            question(-1)


# The command.


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["slth", "subset-sum", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return run


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("target,a,b,c\n0.5,0.25,0.25,1\n3,1,2\n")
    return path


@pytest.mark.parametrize(
    ("options", "last"),
    [
        (("best",), "1,found,2,3.0,0.0,0 1,"),
        (("any", "--epsilon", "0"), "1,found,2,3.0,0.0,0 1,"),
        (("sparsest", "--epsilon", "1"), "1,found,1,2.0,-1.0,1,"),
        (("exactly", "--size", "1"), "1,found,1,2.0,-1.0,1,"),
        (("exactly", "--size", "1", "--epsilon", "0.5"), "1,impossible,,,,,"),
        (("count", "--epsilon", "1"), "1,found,,,2,,"),
        (("worst-case", "--window", "2"), "1,found,,,2.0,,"),
    ],
)
def test_every_question_can_be_asked(command, source, tmp_path, options, last):
    output = tmp_path / "out.csv"
    code, out, err = command(source, "--question", *options, "-o", output)
    assert code == 0
    assert not out
    assert "2 rows" in err
    text = output.read_text()
    assert text.splitlines()[-1] == last
    column = {"count": "count", "worst-case": "worst_error"}.get(options[0], "residual")
    assert text.splitlines()[0] == f"row,status,size,sum,{column},indices,reason"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_malformed_rows_give_exit_code_three_and_their_line(command, source, tmp_path):
    source.write_text(source.read_text() + "1,x\n")
    code, _, err = command(source, "--question", "best", "--output", tmp_path / "out.csv")
    assert code == 3
    assert "line 4: cell 2 is not a number: 'x'" in err
    assert "1 malformed" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--question", "any"), "needs --epsilon"),
        (("--question", "exactly"), "needs --size"),
        (("--question", "worst-case"), "needs --window"),
        (("--question", "best", "--epsilon", "1"), "no use for --epsilon"),
        (("--question", "any", "--epsilon", "nan"), "epsilon"),
        (("--question", "exactly", "--size", "-1"), "size"),
        (("--question", "magic"), "magic"),
        ((), "question"),
    ],
)
def test_wrong_options_give_exit_code_two(command, source, tmp_path, options, words):
    code, out, err = command(source, *options, "-o", tmp_path / "out.csv")
    assert code == 2
    assert words in err
    assert not out
    assert not (tmp_path / "out.csv").exists()


def test_files_that_cannot_be_are_named(command, source, tmp_path):
    for name, output in ((tmp_path / "none.csv", tmp_path / "o"), (source, tmp_path), (source, tmp_path / "no" / "o")):
        code, _, err = command(name, "--question", "best", "-o", output)
        assert code == 2
        assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_goes_wrong_midway_leaves_the_old_file(command, source, tmp_path, monkeypatch, fault):
    output = tmp_path / "out.csv"
    output.write_text("old")

    def fail(*_):
        raise fault

    monkeypatch.setattr(os, "fsync", fail)
    code, _, err = command(source, "--question", "best", "-o", output)
    assert code == (130 if fault is KeyboardInterrupt else 2)
    assert ("interrupted" if fault is KeyboardInterrupt else "No space") in err
    assert output.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_interrupt_on_standard_output_says_what_was_written(command, source, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "rows", interrupt)
    code, out, err = command(source, "--question", "best", "-o", "-")
    assert code == 130
    assert out.startswith("row,status")
    assert "the rows written are right" in err


def test_a_table_may_replace_itself(command, source):
    assert command(source, "--question", "best", "-o", source)[0] == 0
    assert source.read_text().startswith("row,status")


def test_a_device_is_written_to_and_not_replaced(command, source):
    assert command(source, "--question", "best", "-o", os.devnull)[0] == 0
    assert not os.path.isfile(os.devnull)


def test_standard_input_and_output_make_a_pipe():
    done = subprocess.run(
        [sys.executable, "-m", "slth", "subset-sum", "-", "--question", "best", "-o", "-"],
        input=b"3,1,2\n", capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == b"row,status,size,sum,residual,indices,reason\n0,found,2,3.0,0.0,0 1,\n"
