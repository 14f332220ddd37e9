"""A folder of results as one self-contained HTML file, or as figures."""

from slth.report.drawings import save_figures
from slth.report.page import page, write

__all__ = ["page", "save_figures", "write"]
