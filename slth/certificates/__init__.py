"""Certificates: a ticket with its target and a proved error in one file, and the checkers of such files.

The checker, `slth_check.py`, is one file that imports nothing of slth and runs alone; `slth_check_tight.py` runs beside
it and proves tighter claims. The format is specified in docs/certificate-format.md. The names are imported on first
use, so that the checkers load nothing but themselves.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

PUBLIC = {
    "Claim": "slth.certificates.claim",
    "WORDING": "slth.certificates.claim",
    "float32_gap": "slth.certificates.float32",
    "load": "slth.certificates.files",
    "load_certificate": "slth.certificates.files",
    "save_certificate": "slth.certificates.files",
    "target_digest": "slth.certificates.claim",
}

__all__ = sorted(PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'slth.certificates' has no attribute {name!r}; its names: {', '.join(__all__)}")
    return getattr(import_module(PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
