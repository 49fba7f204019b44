"""Run every ``bench/bench_*.py``, print a table, write ``build/bench.json``.

Each of these files has ``run(repeats: int) -> list[Measure]``, which measures ours and the peer in
turn, so that a busy machine burdens both. Everything that runs in production is switched on.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import traceback
from pathlib import Path

from bench.measure import Measure

HERE = Path(__file__).resolve().parent
RESULT = HERE.parent / "build" / "bench.json"


def benchmark_names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(file.stem.removeprefix("bench_") for file in HERE.glob("bench_*.py"))


def table(measures: list[Measure]) -> str:
    """Return the measures as lines of text."""
    rows = [("what", "ours", "unit", "peer", "peer's", "ratio")]
    for measure in measures:
        peer_value = "" if measure.peer_value is None else f"{measure.peer_value:.3g}"
        ratio = "" if measure.ratio is None else f"{measure.ratio:.2f}"
        rows.append(
            (
                measure.name,
                f"{measure.value:.3g}",
                measure.unit,
                measure.peer or "",
                peer_value,
                ratio,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def main() -> int:
    """Run the benchmarks; exit status 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=benchmark_names(), help="this one (repeatable)"
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs of each (default: 3)")
    arguments = parser.parse_args()
    measures: list[Measure] = []
    failed: list[str] = []
    for name in arguments.only or benchmark_names():
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        try:
            measures += importlib.import_module(f"bench.bench_{name}").run(arguments.repeats)
        except Exception:
            traceback.print_exc()
            failed.append(name)
    RESULT.parent.mkdir(exist_ok=True)
    text = json.dumps([measure.as_json() for measure in measures], indent=1, ensure_ascii=False)
    RESULT.write_text(text + "\n", encoding="utf-8")
    print(table(measures))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
