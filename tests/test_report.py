"""The report of a folder: everything that was measured, the right verdicts, and nothing that a row can break."""

import json
import math
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from slth import theorems
from slth.commands_report import figures, report
from slth.experiments.measure import Outcome, row, row_hash
from slth.experiments.points import axes, key, points
from slth.experiments.search import smallest_n
from slth.experiments.store import Store
from slth.experiments.summaries import sums_met
from slth.report import html, page, save_figures, write
from slth.report.formulas import formula
from slth.report.judged import fits
from slth.report.page import POLICY
from slth.report.rows import read, usable
from slth.theorems import malach2020_weights, pensia2020_subset_sum

BAIT = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&\x00\u202e"


def point(**changes):
    plain = {
        "theorem": "pensia2020_subset_sum", "target": "random", "widths": [3, 2], "target_seed": 0, "epsilon": 0.1,
        "delta": 0.2, "samples": 8, "question": None, "assignment": "block", "law": None, "options": {}, "seed": 0,
        "trial": 0,
    }  # fmt: skip
    return plain | changes


def result(good=True, **changes):
    plain = {
        "verdict": "holds" if good else "fails", "lower": 0.05 if good else 0.4, "upper": 0.06 if good else 0.5,
        "subset_sums": 12, "failed_sums": 0 if good else 1, "worst_residual": 0.01, "candidates": 8, "kept": 30,
        "density": 0.2, "kept_per_target_weight": 5.0, "source_weights": 150, "hypotheses": True, "scale": 1.0,
    }  # fmt: skip
    return plain | changes


def line(good=True, found=None, **changes):
    return row(point(**changes), Outcome.DONE, found or result(good), None, 0.25)


def broken(status=Outcome.FAILED, error="ValueError: no such number", **changes):
    return row(point(**changes), status, None, error, 0.25)


def folder_of(path, *lines):
    with Store(path) as store:
        store.add(lines)
    return path


def draws(failures, of, **changes):
    return [line(seed >= failures, seed=seed, **changes) for seed in range(of)]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A folder with all that can happen: every verdict, failed and lost rows, two theorems and a foreign one."""
    lines = []
    for samples, failures in ((4, 40), (8, 12), (16, 0)):
        for epsilon in (0.1, 0.2):
            lines += draws(failures, 40, samples=samples, epsilon=epsilon)
    lines += [line(seed=seed, samples=2, found=result(False, hypotheses=False)) for seed in range(5)]
    lines += draws(0, 9, theorem="malach2020_weights", epsilon=0.3)
    lines += [broken(seed=100 + seed) for seed in range(3)]
    lines += [broken(Outcome.LOST, "the worker was killed", seed=200), line(theorem="nobody2030.own")]
    return folder_of(tmp_path_factory.mktemp("folders") / "widths", *lines)


@pytest.fixture(scope="module")
def text(full):
    return page(full)


class Reader(HTMLParser):
    """Checks that every element is closed in turn and that no identifier stands twice; collects the text."""

    def __init__(self, source):
        super().__init__()
        self.open, self.names, self.ids, self.links, self.words = [], [], [], [], []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        held = dict(attributes)
        self.names.append(tag)
        self.ids += [held["id"]] if "id" in held else []
        self.links += [held[name] for name in ("href", "xlink:href", "src") if name in held]
        assert not any(name.startswith("on") for name in held)
        if tag not in html.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def words(source):
    return " ".join("".join(Reader(source).words).split())


def test_the_page_is_well_formed_and_no_identifier_stands_twice(text):
    read = Reader(text)
    assert len(read.ids) == len(set(read.ids)) > 100
    assert {"math", "svg", "table", "figure"} <= set(read.names)


def test_the_page_needs_nothing_from_outside(text):
    read = Reader(text)
    assert "script" not in read.names
    assert POLICY in text.replace("&#x27;", "'")
    targets = {f"#{name}" for name in read.ids}
    assert all(link in targets or link.startswith("data:image/png;base64,") for link in read.links)


@pytest.mark.slow
def test_the_same_rows_give_the_same_bytes_in_another_process(full, text, tmp_path):
    code = "import sys; from slth.report import write; write(*sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, full, tmp_path / "r.html"], check=True)
    assert (tmp_path / "r.html").read_bytes() == text.encode()


def test_every_theorem_stands_with_its_claim_statement_paper_and_bounds(text):
    said = words(text)
    for module in (pensia2020_subset_sum, malach2020_weights):
        assert theorems.claim(module) in said
        assert module.REFERENCE.full() in said
        for label, bound in theorems.bounds(module).items():
            assert label in said
            assert formula(bound) in text
            assert f"{bound.provenance}, {bound.reference.cite()}" in said
    assert "With probability at least 1 - delta, for every such f at once, masks of g exist" in said


@pytest.mark.parametrize(
    ("samples", "failures", "share", "verdict"),
    [
        (2, "5 of 5", r"1 \[0\.478, 1\] ?nothing", "vacuous"),
        (4, "40 of 40", r"1 \[0\.912, 1\] ?0\.2", "violated"),
        (8, "12 of 40", r"0\.3 \[0\.15, 0\.522\] ?0\.2", "undecided"),  # and 4 without a result
        (16, "0 of 40", r"0 \[0, 0\.0881\] ?0\.2", "holds"),
    ],
)
def test_every_cell_has_its_numbers_and_its_verdict(text, samples, failures, share, verdict):
    lines = [" ".join(re.sub("<[^>]+>", " ", found).split()) for found in text.split("<tr>")]
    assert any(re.search(rf"0\.1 {samples} {failures} \d {share} .* {verdict}$", found) for found in lines)


def test_a_violated_claim_is_told_in_a_sentence_with_its_error_probability(text):
    found = re.search(r"violated epsilon 0\.1, samples 4: (.*?)\.violated", words(text))[1]
    assert found.startswith("failure probability <= 0.2 (delta of the theorem): violated; measured 1 [")
    assert "from 40 failures in 40 draws; wrong with probability at most" in found


def test_failed_and_lost_rows_are_listed_with_their_first_cause(text):
    said = words(text)
    assert "ValueError: no such number" in said
    assert re.search(r"failed ?3 ?ValueError: no such number ?widths 3-2, epsilon 0.1, samples 8, seed 100", said)
    assert re.search(r"lost ?1 ?the worker was killed", said)


def test_draws_that_are_not_proved_have_their_first_cause(tmp_path):
    cases = [
        result(False, hypotheses=False), result(False), result(False, failed_sums=0),
        result(True, verdict="undecided", upper=0.5), result(True, verdict="undecided", upper=None),
    ]  # fmt: skip
    said = words(page(folder_of(tmp_path / "f", *(line(found=one, seed=i) for i, one in enumerate(cases)))))
    for count, cause in ((1, "a hypothesis of the theorem"), (1, "a subset sum missed"), (2, "undecided: the proved"),
                         (1, "the error exceeds epsilon though")):  # fmt: skip
        assert re.search(rf"{count} ?{cause}", said)


def test_a_theorem_that_is_not_known_keeps_its_rows_and_is_not_imported(text, tmp_path, monkeypatch):
    assert "There is no theorem &#x27;nobody2030.own&#x27; in this package" in text
    (tmp_path / "trap2030.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    bad = [line(theorem="trap2030"), line(theorem="trap2030", target="os:system", question="os:system", seed=1)]
    assert "0.05 to 0.05" not in page(folder_of(tmp_path / "f", *bad))


def test_a_theorem_of_one_s_own_stands_with_its_statement_if_it_is_named(tmp_path, monkeypatch):
    (tmp_path / "own2030.py").write_text('"""Nobody (2030): everything is possible.\n\nStatement.  It is.\n"""')
    monkeypatch.syspath_prepend(tmp_path)
    import own2030

    found = page(folder_of(tmp_path / "f", line(theorem="own2030")), [own2030])
    assert "everything is possible" in found
    assert "There is no theorem" not in found


def test_markup_and_unprintable_text_in_names_stay_text(tmp_path):
    lines = [line(theorem=BAIT, target=BAIT, assignment=BAIT, law=BAIT), line(theorem=BAIT, law="x"),
             line(options={BAIT: BAIT}), broken(error=BAIT, seed=5)]  # fmt: skip
    folder = folder_of(tmp_path / "a<b>&c", *lines)
    found = page(folder)
    read = Reader(found)
    assert not {"script", "img"} & set(read.names)
    assert found.encode()
    assert not set("\x00\u202e") & set(found)
    assert "a<b>&c" in "".join(read.words)


@given(st.text(st.characters(), max_size=60))
def test_no_text_turns_into_markup(given):
    made = html.element("p", given, of={"title": given})
    assert Reader(made).names == ["p"]
    assert made.encode()


def test_long_text_is_cut_with_a_mark():
    assert html.text("x" * 5000).endswith("(3000 more characters)")


def test_an_empty_folder_gives_a_page_that_says_so(tmp_path):
    found = page(tmp_path)
    Reader(found)
    assert "There are no rows in this folder" in found


def test_the_same_rows_in_other_parts_and_another_order_give_the_same_page(tmp_path):
    lines = [line(), line(seed=1), line(epsilon=0.2), broken(seed=2), line(theorem="malach2020_weights")]
    one = page(folder_of(tmp_path / "a" / "f", *lines))
    for backwards in reversed(lines):
        folder_of(tmp_path / "b" / "f", backwards)
    assert page(tmp_path / "b" / "f") == one


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of results"):
        page(tmp_path / "nothing")


def test_torn_damaged_and_foreign_lines_are_counted_and_do_not_count(tmp_path):
    folder = folder_of(tmp_path / "f", line(), row({"seed": 1}, Outcome.DONE, {"upper": 1}, None, 0.1))
    (folder / "foreign.jsonl").write_text(
        '{"a": 1}\n[]\n17\n{"type": "plan", "plan": {"axes": 3, "search": null}}\n{"ty'
    )
    said = words(page(folder))
    assert "2 rows or plans are not of the form of this version" in said
    assert "3 lines cannot be read" in said
    assert "1 parts end in the middle of a line" in said
    assert "1 draws took 0.25 s" in said


plain = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner)
                     | st.dictionaries(st.sampled_from(["axes", "search", "network", "x"]), inner))  # fmt: skip


@settings(max_examples=30)
@given(st.lists(st.binary() | plain.map(lambda held: json.dumps({"type": "plan", "plan": held}).encode()), max_size=5))
def test_no_file_in_the_folder_breaks_the_page(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("f")
    (folder / "part.jsonl").write_bytes(b"\n".join(parts) + b"\n")
    assert "There are no rows in this folder" in page(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: one["point"].update(widths="os"),
        lambda one: one["point"].update(epsilon=-1.0),
        lambda one: one["point"].update(seed="0"),
        lambda one: one["point"].pop("law"),
        lambda one: one["point"].update(options=[1]),
        lambda one: one["result"].update(lower=2.0),
        lambda one: one["result"].update(verdict="certain"),
        lambda one: one["result"].pop("density"),
        lambda one: one["run"].update(seconds="1"),
        lambda one: one["run"].update(error=7),
        lambda one: one["run"].update(error="\ud800"),
        lambda one: one["point"].update(target="\ud800"),
        lambda one: one.update(status="failed"),
        lambda one: one.update(key="0" * 64),
    ],
)
def test_rows_of_another_form_are_refused_though_their_hash_fits(spoil, tmp_path):
    one = line()
    spoil(one)
    if one["key"] != "0" * 64:
        one["key"] = key(one["point"])
    one["hash"] = row_hash(one)
    assert not usable(one["key"], one)
    found = page(folder_of(tmp_path / "f", one))
    assert "There are no rows in this folder" in found
    assert "1 rows or plans" in found


def test_points_that_were_planned_and_have_no_row_are_counted(tmp_path):
    table = axes(
        pensia2020_subset_sum, {"widths": (3, 2), "epsilon": 0.1, "delta": 0.2, "samples": 8, "seed": range(4)}
    )
    with Store(tmp_path) as store:
        store.plan({"axes": table, "search": None})
        store.add([line()])
        store.start([key(one) for one in points(table)][1:2])
    assert "3 points of sweeps have no row, 1 of them begun" in page(tmp_path)


def search_plan(most=64, success="slth.experiments.summaries:proved", **changes):
    grid = {"widths": (1, 1), "epsilon": 0.2, "delta": 0.5}
    table = axes(pensia2020_subset_sum, grid) | changes
    return {"axes": table, "search": {"success": success, "confidence": 0.95, "most": most, "largest": None}}


def test_a_search_stands_with_its_bracket_and_the_theorem_s_number_apart_from_the_sweeps(tmp_path):
    from slth.experiments.search import smallest_n

    grid = {"widths": (1, 1), "epsilon": 0.2, "delta": 0.5}
    found = smallest_n(pensia2020_subset_sum, grid, tmp_path, most=64, progress=False)
    said = words(page(tmp_path))
    assert "Smallest number of candidates" in said
    assert f"{found.n_low[0]} to {found.n_high[0]}" in said
    assert f"{found.theorem_n[0]} ?holds".replace(" ?", "") in said.replace(" ", "")
    assert "Measured" not in said  # the search's own draws stop early: no fixed-number test fits them


def test_searches_at_several_epsilons_have_a_line_that_is_said_to_be_a_fit():
    epsilon = [2.0**-4, 2.0**-8, 2.0**-12] * 2
    brackets = pd.DataFrame(
        {"target": "random", "epsilon": epsilon, "option density": [0.1] * 3 + [0.25] * 3, "seed": 0,
         "confidence": 0.99, "n_low": [4, 8, 13, 4, 8, 30], "n_high": [4.0, 9, 13, 4, 8, 30]}
    )  # fmt: skip
    straight, bent = fits(brackets)
    assert straight.startswith("density 0.1: fit: smallest n = 1.125 [1, 1.25] log2(1/epsilon)")
    assert "for log2(1/epsilon) from 4 to 12 at confidence 0.97" in straight
    assert bent.startswith("density 0.25: no line fits smallest n")
    assert all(said.endswith("No theorem gives it.") for said in (straight, bent))
    assert fits(brackets.iloc[[0, 1]]) == []
    assert fits(brackets.assign(n_high=math.inf)) == []


def test_the_brackets_of_searches_name_every_axis_that_varies(tmp_path):
    grid = {"widths": (1, 1), "epsilon": 0.5, "delta": 0.5, "law": ["uniform", "uniform:-0.5,0.5"]}
    smallest_n(pensia2020_subset_sum, grid, tmp_path, success=sums_met, most=16)
    said = words(page(tmp_path))
    assert "uniform:-1.0,1.0" in said
    assert "uniform:-0.5,0.5" in said


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (search_plan(), "its draws are missing"),
        (search_plan(success="os:system"), "a function that is not of this package"),
        (search_plan(most=1 << 40), "its rule is not of this form"),
        (search_plan(network=[["os:system", [1, 1]]]), "only random targets"),
        (search_plan(network=[["random", [1 << 20, 1 << 20]]]), "only random targets"),
        (search_plan(theorem=["trap2030"]), "its theorem is not known here"),
        (search_plan(delta=[1e-9]), "ValueError"),
    ],
)
def test_a_search_that_cannot_or_should_not_be_gone_through_is_named_with_the_reason(plan, why, tmp_path):
    with Store(tmp_path) as store:
        store.plan(plan)
    said = words(page(tmp_path))
    assert "Not evaluated: the search at epsilon 0.2" in said
    assert why in said


def test_a_file_of_draws_stands_with_its_manifest_and_verdict_apart_from_the_sweeps(tmp_path):
    from slth.experiments.draws import manifest, run

    grid = {"widths": (1, 1), "epsilon": 0.1, "delta": 0.5, "samples": 8}
    plan = manifest(pensia2020_subset_sum, grid, draws=20)
    run(plan, tmp_path / "draws.jsonl")
    said = words(page(tmp_path))
    assert "Claim fixed before its draws: draws.jsonl" in said
    assert f"Manifest {plan.digest[:16]}" in said
    assert "holds 8 candidates: failure probability <= 0.5 (the manifest): holds" in said
    assert "Measured" not in said
    assert "cannot be read" not in said
    text = (tmp_path / "draws.jsonl").read_text(encoding="utf-8")
    (tmp_path / "draws.jsonl").write_text(text.replace('"alpha":0.05', '"alpha":0.04'), encoding="utf-8")
    assert "draws.jsonl is refused. Refused: the manifest" in words(page(tmp_path))


TAGS = {"math", "mrow", "mi", "mn", "mo", "msup", "msub", "mfrac", "msqrt", "mroot", "mtable", "mtr", "mtd", "mtext"}


@pytest.mark.parametrize("module", theorems.ALL, ids=theorems.name)
def test_every_bound_is_well_formed_mathml_in_common_characters(module):
    for bound in theorems.bounds(module).values():
        found = formula(bound)
        tags = {node.tag for node in ElementTree.fromstring(found).iter()}
        assert tags <= TAGS
        assert not set(found) & set("\u2147\u2148\u2061")
        assert "piecewise" not in found


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    folder, out = folder_of(tmp_path / "rows", line(), broken(seed=1)), tmp_path / "out"
    out.mkdir()
    path, counts = write(folder, out / "r.html")
    assert path.read_text(encoding="utf-8") == page(folder)
    assert {kind: count for kind, count in counts.items() if count} == {"done": 1, "failed": 1, "undecided": 1}
    assert [found.name for found in out.iterdir()] == ["r.html"]
    with pytest.raises(ValueError, match=r"end in .html"):
        write(folder, out / "r.txt")


def test_every_figure_of_a_report_is_drawn_as_files_too(full, text, tmp_path):
    found = save_figures(full, tmp_path / "figures", [".svg"])
    assert sorted(path.name for path, _ in found) == sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert len(found) == len(set(found)) == text.count("<figure>") > 3
    words = Reader(text).words
    assert all(any(caption in said for said in words) for _, caption in found)
    again = save_figures(full, tmp_path / "again", [".svg"])
    assert [path.read_bytes() for path, _ in again] == [path.read_bytes() for path, _ in found]


def test_candidates_that_the_theorem_chooses_do_not_vary(tmp_path):
    held = [line(epsilon=epsilon, samples=None) for epsilon in (0.1, 0.2)]
    found = save_figures(folder_of(tmp_path / "rows", *held), tmp_path / "out", [".svg"])
    assert [caption for _, caption in found] == [
        "Error against epsilon.",
        "Success probability against epsilon.",
        "Density of the tickets against overparameterisation.",
    ]


def test_an_option_that_varies_has_every_figure(tmp_path):
    held = [line(options={"density": density}, samples=None) for density in (0.1, 0.2)]
    found = save_figures(folder_of(tmp_path / "rows", *held), tmp_path / "out", [".svg"])
    assert [path.stem.partition("-")[2] for path, _ in found] == ["error", "success", "density"]
    assert all("at density" not in caption for _, caption in found)


def test_a_folder_that_is_named_like_a_part_is_passed_over(tmp_path):
    folder = folder_of(tmp_path / "rows", line())
    (folder / "old.jsonl").mkdir()
    assert "pensia2020_subset_sum" in page(folder)


def test_the_figure_of_a_search_has_its_brackets(tmp_path):
    grid = {"widths": (1, 1), "epsilon": [0.3, 0.15], "delta": 0.5}
    smallest_n(pensia2020_subset_sum, grid, tmp_path / "rows", most=16)
    ((path, caption),) = save_figures(tmp_path / "rows", tmp_path / "out", [".svg"])
    assert (path.name, caption) == (
        "pensia2020_subset_sum-smallest_n.svg",
        "Smallest number of candidates against epsilon.",
    )
    assert caption in page(tmp_path / "rows")


def test_a_second_axis_has_a_line_for_each_value_though_it_is_a_width(tmp_path):
    grid = {"width": [1, 2], "depth": 1, "epsilon": [0.6, 0.5, 0.4], "delta": 0.5}
    smallest_n(pensia2020_subset_sum, grid, tmp_path / "rows", success=sums_met, most=16)
    ((_, caption),) = save_figures(tmp_path / "rows", tmp_path / "out", [".svg"])
    assert caption == "Smallest number of candidates against epsilon."  # no width is left out
    swept = [line(widths=[width, width], samples=n) for width in (1, 2) for n in (4, 8, 16)]
    found = save_figures(folder_of(tmp_path / "swept", *swept), tmp_path / "out", [".svg"])
    assert "Success probability against candidates." in [caption for _, caption in found]


def test_rows_stand_in_the_order_of_their_points_whatever_varies(tmp_path):
    cells = [
        line(target_seed=seed, law=law, options={"density": density})
        for seed in (0, 1)
        for law in ("dyadic:4", "signs")
        for density in (0.1, 0.25, 1)
    ]
    found = read(folder_of(tmp_path, *cells[::-1])).swept
    wanted = [row["point"] for row in cells]
    shown = found[["target_seed", "law", "option density"]].itertuples(index=False, name=None)
    assert list(shown) == [(one["target_seed"], one["law"], one["options"]["density"]) for one in wanted]


def test_a_name_in_a_row_cannot_leave_the_folder_of_the_figures(tmp_path):
    held = [line(theorem="../../up.own", samples=samples) for samples in (2, 4)]
    found = save_figures(folder_of(tmp_path / "rows", *held), tmp_path / "deep" / "out", [".svg"])
    assert found
    assert {path.parent.resolve() for path, _ in found} == {(tmp_path / "deep" / "out").resolve()}


def test_figures_that_cannot_be_written_are_refused(full, tmp_path):
    with pytest.raises(ValueError, match=r"must end in .png or .svg or .pdf"):
        save_figures(full, tmp_path / "out", [".tiff"])
    with pytest.raises(FileNotFoundError, match="no folder of results"):
        save_figures(tmp_path / "nowhere", tmp_path / "out")


def test_the_figures_command_lists_what_it_drew(full, tmp_path):
    found = run(full, "-o", tmp_path / "out", "--format", "png,svg", "--json", command=figures)
    drawn = json.loads(found.stdout)
    assert found.exit_code == 0
    assert {Path(name).suffix for name in drawn} == {".png", ".svg"}
    assert all(Path(name).stat().st_size > 1000 for name in drawn)
    nothing = run(folder_of(tmp_path / "one", line()), "-o", tmp_path / "none", command=figures)
    assert nothing.exit_code == 3
    assert not (tmp_path / "none").exists()


def run(*arguments, command=report):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_says_what_it_found_and_exits_by_it(full, tmp_path):
    found = run(full, "-o", tmp_path / "r.html", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["violated"] == 2
    assert (tmp_path / "r.html").exists()
    good = folder_of(tmp_path / "good", *draws(0, 40))
    assert run(good, "-o", tmp_path / "good.html").exit_code == 0
    assert run(folder_of(tmp_path / "few", line()), "-o", tmp_path / "few.html").exit_code == 3
    assert isinstance(run(good, "--theorem", "nobody2030", "-o", tmp_path / "x.html").exception, ValueError)


# A browser's word ----------------------------------------------------------------------------------------------------

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PROBE = """<script>
const pen = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
function drawn(letter) {
  pen.canvas.width = pen.canvas.height = 40;
  pen.font = "24px " + getComputedStyle(document.body).fontFamily;
  pen.fillText(letter, 8, 28);
  return pen.getImageData(0, 0, 40, 40).data.join();
}
const none = drawn("\\u{10FFFD}");
const letters = [...new Set(document.querySelector("main").textContent)].filter(letter => letter.trim());
document.title = "missing: " + letters.filter(letter => drawn(letter) === none).join("") + ".";
</script>"""


def browse(source, folder):
    """The page as headless Chromium has it after loading, and what stood on its console."""
    (folder / "page.html").write_text(source, encoding="utf-8")
    profile, address = f"--user-data-dir={folder / 'profile'}", f"file://{folder / 'page.html'}"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    done = subprocess.run(
        [CHROMIUM, *flags, "--enable-logging=stderr", profile, address],
        capture_output=True,
        text=True,
        timeout=99,
        check=True,
    )
    return done.stdout, [found for found in done.stderr.splitlines() if "CONSOLE" in found]


def with_script(source, script):
    return source.replace(html.text(POLICY), "").replace("</body>", f"{script}</body>")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
def test_chromium_shows_the_page_without_a_console_message_or_a_missing_glyph(text, tmp_path):
    assert browse(text, tmp_path)[1] == []
    seen, console = browse(with_script(text, PROBE), tmp_path)
    assert (console, re.search("<title>(.*?)</title>", seen)[1]) == ([], "missing: .")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
def test_chromium_would_tell_of_a_script_and_of_a_missing_glyph(text, tmp_path):
    planted = text.replace("</body>", "<script>1</script></body>")
    assert any("Content Security Policy" in found for found in browse(planted, tmp_path)[1])
    planted = with_script(text.replace("Results of widths</h1>", "Results of \U0010fffc</h1>"), PROBE)
    assert "<title>missing: \U0010fffc.</title>" in browse(planted, tmp_path)[0]
