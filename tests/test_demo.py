"""The tour: it runs, its figure shows what it says, and it leaves two files."""

import pytest

from slth import demo
from slth.networks.files import load_ticket
from slth.theorems.certificate import Verdict


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(demo, "CANDIDATES", (4, 8))
    monkeypatch.setattr(demo, "DRAWS", 2)


def test_the_demo_proves_its_ticket_and_leaves_ticket_and_figure(quick, tmp_path, capsys):
    assert demo.run(tmp_path / "out", seed=0) is Verdict.HOLDS
    words = " ".join(capsys.readouterr().out.split())
    for part in ("Training", "hypotheses", "accuracy", "HOLDS", "candidates", "What to try next"):
        assert part in words
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == ["digits.ticket.safetensors", "error_against_candidates.png"]
    assert load_ticket(tmp_path / "out" / files[0]).kept > 0
    assert (tmp_path / "out" / files[1]).read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_cannot_be_made_is_an_error_before_any_work(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OSError):
        demo.run(blocked, seed=0)
