"""The written proofs: each says that nobody reviewed it, and every test that it names exists where it says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROOFS = sorted((ROOT / "docs" / "proofs").glob("*.md"))
OWN = ("random_subset_sum", "quantised", "fixed_size_subset_sum", "neuron_pruning", "softmax", "ticket_counts")
"""Where R0 and R1, Q1, F1, the bound for neurons, the one for softmax and the counting law are proved."""

FILES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}


def test_every_result_of_our_own_has_its_proof():
    assert set(OWN) <= {proof.stem for proof in PROOFS}


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.stem)
def test_a_proof_is_marked_and_names_tests_that_exist(proof):
    text = proof.read_text(encoding="utf-8")
    assert "Not peer reviewed." in text.split("\n\n")[1]
    named = set(re.findall(r"\btest_\w+", text))
    files = named & set(FILES)
    tests = named - files
    assert files, "the proof names no file of tests"
    assert len(tests) >= 10
    defined = {name for file in files for name in re.findall(r"^def (test_\w+)\(", FILES[file], re.MULTILINE)}
    assert not tests - defined
