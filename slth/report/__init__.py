"""One self-contained HTML file from a folder of results: every theorem touched, what it says and what was measured."""

from slth.report.page import page, write

__all__ = ["page", "write"]
