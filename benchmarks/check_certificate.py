"""How long does a certificate take to check, and how much memory?  python benchmarks/check_certificate.py

Targets 64-32-10 and 784-500-10 (397,000 weights), 14 candidates per weight and side, best subsets; each certificate is
written once and checked alone by `slth_check.py`, in a process of its own, five times. On a busy machine read the
processor seconds. Writes
benchmarks/results/check_certificate.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import machine

import slth
from slth.certificates import Claim, save_certificate, slth_check
from slth.subset_sum.questions import nearest

RUN = """
import re, resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
    print(used.ru_utime + used.ru_stime, peak, file=sys.stderr)
"""
"""Runs a script and says what it used: seconds of processor time, and kilobytes at most (Linux)."""


def measured(widths: list[int], folder: Path) -> dict[str, object]:
    """Sizes, and seconds and peak memory of the checks."""
    pensia = slth.pensia2020_subset_sum
    target = pensia.normalised(slth.random_target(widths, seed=0))
    started = time.perf_counter()
    made = slth.verify(pensia, target, epsilon=0.1, delta=0.1, seed=1, samples=14, question=nearest)
    spent = time.perf_counter() - started
    path = folder / "t.safetensors"
    proved = save_certificate(Claim.of(made), path)
    seconds, processor, megabytes = [], [], []
    for _ in range(5):
        started = time.perf_counter()
        run = subprocess.run([sys.executable, "-c", RUN, slth_check.__file__, str(path)],
                             capture_output=True, text=True, check=True)  # fmt: skip
        seconds.append(round(time.perf_counter() - started, 3))
        used, peak = run.stderr.split()[-2:]
        processor.append(round(float(used), 3))
        megabytes.append(round(int(peak) / 1000))
    source = made.construction.ticket.source
    return {
        "widths": widths,
        "target_weights": target.parameters,
        "random_weights": source.parameters,
        "kept": made.construction.ticket.kept,
        "file_bytes": path.stat().st_size,
        "construction_and_errors_seconds": round(spent, 2),
        "proved": proved,
        "check_seconds": seconds,
        "check_processor_seconds": processor,
        "check_peak_megabytes": max(megabytes),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [measured(widths, Path(folder)) for widths in ([64, 32, 10], [784, 500, 10])]
    for row in rows:
        print(row)
    result = {"machine": machine(), "rows": rows}
    (Path(__file__).parent / "results" / "check_certificate.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
