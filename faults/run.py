"""Run every ``faults/fault_*.py``, print a table, write ``build/faults.json``.

Each of those files has ``run(tries: int, random: Random) -> Outcome``: it starts the real
services on virtual devices, does the damage, and checks with ``kiosk verify`` what is left.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import traceback
from pathlib import Path
from random import Random

from faults.trial import Outcome

HERE = Path(__file__).resolve().parent
RESULT = HERE.parent / "build" / "faults.json"


def names() -> list[str]:
    """Return the names of all faults."""
    return sorted(file.stem.removeprefix("fault_") for file in HERE.glob("fault_*.py"))


def line(outcome: Outcome) -> str:
    """Return one line of the table."""
    worst = "-" if outcome.worst is None else f"{outcome.worst:.2f} {outcome.unit}"
    return f"{outcome.name:44}  {outcome.survived:>3} of {outcome.tries:<3}  worst {worst}"


def main() -> int:
    """Run the faults; exit status 1 when one was not survived or not tried."""
    parser = argparse.ArgumentParser(prog="python -m faults.run", description=__doc__)
    parser.add_argument("--only", action="append", choices=names(), help="this one (repeatable)")
    parser.add_argument("--tries", type=int, default=3, help="tries of each (default: 3)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments (default: 1)")
    arguments = parser.parse_args()
    outcomes: list[Outcome] = []
    broken: list[str] = []
    for name in arguments.only or names():
        print(f"faults: {name} …", file=sys.stderr, flush=True)
        module = importlib.import_module(f"faults.fault_{name}")
        try:
            outcomes.append(module.run(arguments.tries, Random(f"{name} {arguments.seed}")))
        except Exception:
            traceback.print_exc()
            broken.append(name)
    RESULT.parent.mkdir(exist_ok=True)
    text = json.dumps([one.as_json() for one in outcomes], indent=1, ensure_ascii=False)
    RESULT.write_text(text + "\n", encoding="utf-8")
    print("\n".join(map(line, outcomes)))
    if broken:
        print(f"could not be tried: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken or any(one.survived < one.tries for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
