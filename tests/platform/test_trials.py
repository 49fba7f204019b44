"""The frames of benchmarks and fault trials: how runs become figures."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.measure import Measure, median_of
from bench.processes import cpu_seconds, descendants
from bench.run import table
from faults.part_media import read_part
from faults.run import load_trial, trial_names
from faults.run import table as faults_table
from faults.trial import Cost, NotSurvivedError, Outcome
from kiosk.evidence.chain import Entry
from kiosk.recording.formats.records import Track
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.recording.repair.recovery import recover_hearing
from tests.support.hearing_builder import MICROPHONES, add_part, new_hearing
from tests.support.identity import Court
from tests.support.waiting import wait_for


def test_a_measure_is_the_median_beside_the_peer_s_median() -> None:
    measure = median_of("recording", "s", [3.0, 1.0, 2.0], "ffmpeg", [4.0, 400.0, 3.0])
    assert measure.as_json() == {
        "name": "recording",
        "value": 2.0,
        "unit": "s",
        "peer": "ffmpeg",
        "peer_value": 4.0,
        "ratio": 0.5,
    }


def test_without_a_peer_there_is_no_ratio() -> None:
    assert median_of("alone", "ms", [7.0]).as_json()["ratio"] is None
    assert table([Measure("alone", 7.0, "ms")]).splitlines()[1].split() == ["alone", "7", "ms"]


@pytest.mark.parametrize("name", trial_names())
def test_each_trial_says_how_many_tries_it_makes(name: str) -> None:
    module = load_trial(name)
    assert 1 <= module.QUICK <= module.TRIES
    assert callable(module.run)


def test_an_outcome_counts_what_was_survived_and_what_it_cost() -> None:
    outcome = Outcome("kill")
    costs = iter([Cost({"camera": 0.5, "judge": 0.25}, 2.0), Cost({"camera": 0.7}, 1.0, 0.1)])

    def lost() -> Cost:
        raise NotSurvivedError("gone")

    for trial in (lambda: next(costs), lost, lambda: next(costs)):
        outcome.attempt(trial)
    assert outcome.as_json() == {
        "name": "kill",
        "tries": 3,
        "survived": 2,
        "noticed_s": {"worst": 0.1, "median": 0.1},
        "again_s": {"worst": 2.0, "median": 1.5},
        "lost_s": {
            "camera": {"worst": 0.7, "median": 0.6},
            "judge": {"worst": 0.25, "median": 0.25},
        },
        "not_survived": ["gone"],
        "figures": {},
    }
    assert faults_table([outcome]).splitlines()[1].split() == [
        *("kill", "3", "2"),
        *("0.10", "/", "0.10", "2.00", "/", "1.50", "0.70", "/", "0.60", "0.25", "/", "0.25"),
    ]


def test_an_error_of_the_trial_itself_is_not_taken_for_a_loss() -> None:
    outcome = Outcome("kill")
    with pytest.raises(ZeroDivisionError):
        outcome.attempt(lambda: Cost(recovery_s=1 / 0))


def no_hole(line: Entry) -> Entry:
    """Return an entry of 0.4 s before ``line``, where nothing is missing in the file."""
    start_ns = line["start_ns"] - 700_000_000
    times = {"start_ns": start_ns, "end_ns": start_ns + 400_000_000, "seconds": 0.4}
    return {**line, **times, "number": line["number"] + 100}


@pytest.mark.parametrize("track", ["main", "channels"])
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda line: [line], ""),
        (lambda _line: [], "is missing without a record"),
        (lambda line: [{**line, "seconds": 0.4}], "says the ledger"),
        (lambda line: [line, {**no_hole(line), "what": "overlap"}], ""),
        (lambda line: [line, {**no_hole(line), "what": "gap"}], "says the ledger"),
    ],
)
def test_what_a_crash_cost_a_source_is_compared_with_the_ledger(
    tmp_path: Path, track: Track, change: Callable[[Entry], list[Entry]], refusal: str
) -> None:
    signer = Court.make(tmp_path / "court").device()
    built = new_hearing(tmp_path, signer)
    journal = add_part(built, fragments=2)
    other: Track = "main" if track == "channels" else "channels"
    for _ in range(2):
        journal.add_fragment(built.writers[0].write(other))
    journal.close()
    built.journal.close()
    recover_hearing(built.folder, JournalOptions("kiosk-0001", signer))
    path = journal.folder / "journal.jsonl"
    entries = [json.loads(line) for line in path.read_bytes().splitlines()]
    lost = [entry for entry in entries if entry["kind"] == "interruption" and entry["number"]]
    assert lost
    for entry in lost:
        place = entries.index(entry)
        entries[place : place + 1] = change(entry)
    path.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    if not refusal:
        assert len(read_part(journal.folder).spans) == 1 + len(MICROPHONES)
        return
    with pytest.raises(NotSurvivedError, match=refusal):
        read_part(journal.folder)


@pytest.mark.slow
def test_cpu_time_counts_children_that_run_and_those_that_have_ended() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass\n"
    stay = burn + "time.sleep(99)\n"
    program = (
        "import subprocess, sys, time\n"
        f"subprocess.run([sys.executable, '-c', {burn!r}])\n"
        f"child = subprocess.Popen([sys.executable, '-c', {stay!r}])\n"
        "sys.stdin.read()\nchild.kill()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    try:
        wait_for(lambda: cpu_seconds(process.pid) > 0.75, "both children's time", 30)
        assert len(descendants(process.pid)) == 2
    finally:
        process.communicate(b"", timeout=10)
    started = time.monotonic()
    wait_for(lambda: cpu_seconds(process.pid) == 0, "its end", 10)
    assert time.monotonic() - started < 5
