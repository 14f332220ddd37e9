"""The toy theorem, importable here and in the processes that the tests start."""

import os
import sys
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([HERE, str(Path(HERE).parents[1])]))
    import toy

    yield toy
    sys.modules.pop("toy")
