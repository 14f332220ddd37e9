import re
from pathlib import Path

import pytest

from slth.references import LUEKER1998, PENSIA2020, REFERENCES, Reference


def test_keys_are_unique_and_in_order_of_years():
    keys = [reference.key for reference in REFERENCES]
    assert len(set(keys)) == len(keys)
    assert [reference.year for reference in REFERENCES] == sorted(reference.year for reference in REFERENCES)


def test_arxiv_identifiers_have_their_form():
    for reference in REFERENCES:
        assert reference.arxiv is None or re.fullmatch(r"\d{4}\.\d{5}(v\d+)?", reference.arxiv)


def test_the_full_citation_leaves_out_what_is_not_known():
    bare = Reference("X2000", ("Author",), 2000, "Title", None, None)
    assert bare.full() == "Author (2000). Title."


def test_a_citation_names_both_authors_of_two():
    assert Reference("XY2000", ("X", "Y"), 2000, "Title", None, None).cite() == "X and Y (2000)"


def test_the_typos_of_corollary_1_are_credited_to_those_who_noted_them():
    (erratum,) = [e for e in PENSIA2020.errata if e.locator == "Corollary 1"]
    assert erratum.noted_by == "Natale et al. (2024)"


def test_a_missing_constant_is_recorded_where_the_theorem_needs_one():
    for reference in (LUEKER1998, PENSIA2020):
        assert any("constant C has no value" in erratum.issue for erratum in reference.errata)


def test_a_reference_without_authors_is_refused():
    with pytest.raises(ValueError, match="at least one author"):
        Reference("nobody", (), 2000, "Title", None, None)


def test_every_erratum_is_in_the_changelog():
    log = " ".join((Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8").split())
    for reference in REFERENCES:
        for erratum in reference.errata:
            assert f"{reference.cite()}, {erratum.locator}:" in log
            assert " ".join(erratum.issue.split()) in log
