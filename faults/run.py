"""Injects faults into the real services on virtual devices; writes a table and faults.json.

Every faults/fault_NAME.py is one trial: it starts the real services, injects the fault at random
moments, and has `kiosk verify` check what is left. The moments come from the seed: the same seed
does the same damage (the machine's own timing differs). Exit status 1 when one try was not
survived or could not be made.

columns: tries, those survived, and of those survived worst / median seconds: until the fault was
noticed; until everything worked again (a recorder: until every source was recorded again); of
media lost from the camera and from a microphone (each source: build/faults.json).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import traceback
from pathlib import Path
from random import Random
from types import ModuleType

from faults.trial import Outcome

HERE = Path(__file__).resolve().parent
RESULT = HERE.parent / "build" / "faults.json"
COLUMNS = ("noticed", "again", "camera", "microphones")
HEADINGS = ("noticed", "well again", "camera lost", "microph. lost")
WIDTH = 13


def trial_names() -> list[str]:
    """Return the names of all trials."""
    return sorted(file.stem.removeprefix("fault_") for file in HERE.glob("fault_*.py"))


def summary_line(module: ModuleType) -> str:
    """Return the description of a trial in one line."""
    return (module.__doc__ or "").strip().splitlines()[0].replace("``", "")


def load_trial(name: str) -> ModuleType:
    """Return the module of one trial."""
    return importlib.import_module(f"faults.fault_{name}")


def table(outcomes: list[Outcome]) -> str:
    """Return the table."""
    heading = f"{'seconds: worst / median':56} {'tries':>5} {'survived':>8}  "
    lines = [heading + "  ".join(f"{heading:>{WIDTH}}" for heading in HEADINGS)]
    for outcome in outcomes:
        columns = outcome.columns()
        cells = []
        for name in COLUMNS:
            found = columns[name]
            text = f"{found['worst']:.2f} / {found['median']:.2f}" if found else "-"
            cells.append(f"{text:>{WIDTH}}")
        counts = f"{outcome.name:56} {outcome.tries:>5} {outcome.survived:>8}  "
        lines.append(counts + "  ".join(cells))
        lines += [f"  {name}: {value:.3g}" for name, value in outcome.figures.items()]
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(
        prog="make faults ARGS='…'  (python -m faults.run …)",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="trials:\n"
        + "\n".join(f"  {name:15} {summary_line(load_trial(name))}" for name in trial_names()),
    )
    parser.add_argument(
        "--only", action="append", choices=trial_names(), help="this one (repeatable)"
    )
    tries = "tries of each (default: as many as each trial itself names, 50 for kills and cuts)"
    parser.add_argument("--tries", type=int, help=tries)
    parser.add_argument("--quick", action="store_true", help="as few as show anything")
    busy = "limits in seconds do not count: for a machine that other jobs keep busy"
    parser.add_argument("--busy", action="store_true", help=busy)
    parser.add_argument("--seed", type=int, default=1, help="of the random moments (default: 1)")
    return parser.parse_args()


def main() -> int:
    """Run the faults; exit status 1 when one was not survived or not tried."""
    arguments = parse()
    outcomes: list[Outcome] = []
    broken: list[str] = []
    for name in arguments.only or trial_names():
        module, began = load_trial(name), time.monotonic()
        tries = arguments.tries or (module.QUICK if arguments.quick else module.TRIES)
        print(f"faults: {name}, {tries} tries …", file=sys.stderr, flush=True)
        try:
            outcomes += module.run(tries, Random(f"{name} {arguments.seed}"), not arguments.busy)
        except Exception:
            traceback.print_exc()
            broken.append(name)
        print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    RESULT.parent.mkdir(exist_ok=True)
    text = json.dumps([outcome.as_json() for outcome in outcomes], indent=1, ensure_ascii=False)
    RESULT.write_text(text + "\n", encoding="utf-8")
    print(table(outcomes))
    if broken:
        print(f"could not be tried: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken or any(outcome.survived < outcome.tries for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
