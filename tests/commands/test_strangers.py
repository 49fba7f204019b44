"""Every command as a stranger types it: one line that says what to do, a documented exit status."""

from __future__ import annotations

import json
import shlex
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.cli import command_names
from kiosk.commands._errors import EVERY_COMMAND, INTERNAL, NO_PERMISSION
from kiosk.storage.paths import Paths
from tests.commands.surroundings import SURROUNDINGS, Place, give, make_place
from tests.support.stranger import Stranger, stranger_or_skip

pytestmark = [pytest.mark.root, pytest.mark.slow]
DOCUMENTED = {0, 1, *EVERY_COMMAND} - {INTERNAL}
CODE = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23"
LINES = f"""
config
courier list
courier pack --to {{own}}
courier pack --to {{own}} unknown
courier pack --to {{own}}/garbage
courier receipt {{own}}
courier receipt {{own}}/garbage
court-keys show
court-keys pin a b
court-keys challenge --out {{own}}
court-keys challenge --out {{own}}/garbage
court-keys answer xxxx
decrypt {{hearing}} --key {{own}}/garbage --out {{own}}/out
decrypt {{hearing}} --key {{own}} --out {{own}}/out
decrypt {{hearing}} --key {{own}}/key --out {{own}}/garbage
decrypt --challenge {{own}} --key {{own}}/key
decrypt --challenge {{own}}/garbage --key {{own}}/key
decrypt --key {{own}}/key
devices
demo --out {{own}}/garbage
demo --live --out {{own}}/garbage
enroll --code ABCD
enroll --code {CODE} --url https://127.0.0.1:1
enroll --code {CODE} --url nonsense
enroll --code {CODE} --url https://127.0.0.1:1 --ca {{own}}/garbage --again
enroll --code {CODE} --url https://127.0.0.1:1 --ca {{own}}
export {{id}} --to {{own}}
export {{id}} --to {{own}}/garbage
export {{hearing}} --to {{own}} --progress-json
export ../.. --to {{own}}
export {{id}} --to {{own}} --settings-from-stdin
fetch {{id}} --to {{own}}
fetch ../x --to {{own}}/garbage
host
host --to {{own}}
host --to {{own}}/garbage/file
minutes {{hearing}}
minutes {{own}}/garbage
minutes {{hearing}} --pdf {{own}}
mirror show
mirror adopt {{own}}
mirror adopt {{own}}/garbage
licences
provision
reindex
screens --out {{own}}/garbage
licences
provision
selftest --no-questions
selftest --latest
selftest --only nothing
selftest --pin-file {{own}} --only storage
selftest --pin-file {{own}}/garbage --only storage
signature {{hearing}} {{own}}/garbage --roots {{own}}/garbage
signature {{own}} {{own}} --roots {{own}}
signature {{own}}/garbage {{own}}/garbage
slip {{id}}
slip unknown
slip {{hearing}} --png {{own}}
slip {{hearing}} --json
state
state --json
watch --seconds 0.2
watch --json --seconds 0.2
verify {{hearing}} --ca {{own}}/garbage
verify {{own}} --ca {{own}}
verify {{hearing}} --ca {{own}}/garbage --stamp {{own}} --slip x --key {{own}}/key
"""
CENTRAL_LINES = """
central --data {own}/garbage
central --data {own}/new --host no.invalid
central --data {own}/new --port 99999
central --data {own}/new --admin-port -1
central --data {own}/new --store nonsense
central --data /central
central init --data {own}/garbage
central init --data {own}/new --seed {own}/garbage
central init --data {own}/new --database nonsense://user:secret@x
central init --data {own}/new --database postgresql+psycopg://user:secret@127.0.0.1:1/x
central enrol-code --data {own}/new unknown
central revoke --data {own}/new unknown
central staff --data {own}/new --seed {own}
central accept --data {own}/new unknown --reason x
central rules-pack --data {own}/new {own}/garbage
central rules-pack --data {own}/new {own}
central filing --data {own}/new unknown accepted
central ingest --data {own}/new {own} --key {own}/garbage
central ingest --data {own}/new {own}/garbage --key {own}/key
central enrol-code
central
"""
SERVICES = ("recorder", "sync", "ui")


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    with tempfile.TemporaryDirectory(prefix="stranger-") as folder:
        made = stranger_or_skip(Path(folder) / "namespace")
        yield made
        made.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody can read."""
    with tempfile.TemporaryDirectory(prefix="stranger-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "place"


def commands(lines: str, place: Place) -> list[list[str]]:
    """Return command lines with the folders of ``place`` in them."""
    return [[place.fill(word) for word in shlex.split(line)] for line in lines.strip().splitlines()]


def assert_ends_well(stranger: Stranger, place: Place, argv: list[str], end: str = "") -> None:
    """Run a command and check what it says: no traceback, one last line, a documented status."""
    ended = stranger.run("--config", str(place.settings), *argv, cwd=place.own, end=end)
    said = f"kiosk {shlex.join(argv)} -> {ended.status}\n{ended.text}"
    assert ended.status in DOCUMENTED, said
    assert "secret" not in ended.text, said
    if argv[0] not in SERVICES:  # a service writes a log
        assert "Traceback" not in ended.text, said
        assert "unexpected" not in ended.text, said
    errors = [line for line in ended.err.splitlines() if line.startswith("kiosk")]
    assert len(errors) <= 1, said
    if ended.status in (2, NO_PERMISSION):
        assert len(errors) == 1, said
    if ended.status == NO_PERMISSION:
        assert "sudo" in errors[0], said
    assert ended.status == 0 or ended.text.strip(), said


@pytest.mark.parametrize("surrounding", SURROUNDINGS)
def test_every_command_ends_well(stranger: Stranger, folder: Path, surrounding: str) -> None:
    place = make_place(folder, surrounding)
    for argv in commands(LINES, place):
        assert_ends_well(stranger, place, argv)


@pytest.mark.parametrize("surrounding", SURROUNDINGS)
@pytest.mark.parametrize("service", SERVICES)
def test_every_service_starts_and_ends_or_says_why_not(
    stranger: Stranger, folder: Path, service: str, surrounding: str
) -> None:
    place = make_place(folder, surrounding)
    assert_ends_well(stranger, place, [service], end="SIGINT")


def test_the_central_system_ends_well(stranger: Stranger, folder: Path) -> None:
    place = make_place(folder, "nothing recorded, no service")
    for argv in commands(CENTRAL_LINES, place):
        assert_ends_well(stranger, place, argv)


def test_every_command_is_typed_here() -> None:
    typed = {line.split()[0] for line in (LINES + CENTRAL_LINES).splitlines() if line}
    assert {name.replace("_", "-") for name in command_names()} == typed | set(SERVICES)


NEEDS_RIGHTS = [
    "courier list",
    "court-keys show",
    f"enroll --code {CODE}",
    "export {id} --to {own}",
    "fetch {id} --to {own}",
    "minutes {hearing}",
    "reindex",
    "selftest --latest",
    "selftest --no-questions",
    "slip {id}",
    "state",
    "watch",
]


@pytest.mark.parametrize("line", NEEDS_RIGHTS)
def test_somebody_without_rights_learns_the_line_to_type(
    stranger: Stranger, folder: Path, line: str
) -> None:
    place = make_place(folder, "no right to the folders")
    (argv,) = commands(line, place)
    ended = stranger.run("--config", str(place.settings), *argv, cwd=place.own)
    assert ended.status == NO_PERMISSION, ended.text
    assert ended.err.endswith(f"; run: sudo kiosk {argv[0]}\n"), ended.text
    assert ended.err.count("\n") == 1, ended.text


def test_a_socket_without_permission_is_not_a_dead_service(
    stranger: Stranger, folder: Path
) -> None:
    place = make_place(folder, "nothing recorded, no service")
    path = Paths(place.data, place.run).recorder_socket
    path.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0o660)
        for command in ("state", "watch"):
            ended = stranger.run("--config", str(place.settings), command)
            assert ended.status == NO_PERMISSION
            assert "recorder  does not answer" not in ended.text
            assert "recorder\n" not in ended.text
            assert f"Permission denied; run: sudo kiosk {command}" in ended.err


# -- input and output ------------------------------------------------------------------------------
PRINTING = ["--help", "state --help", "config", "state", "state --json", "selftest --latest"]


@pytest.mark.parametrize(
    ("stdout", "status"), [("unread", {141}), ("full", {1}), ("closed", {0, 1})]
)
@pytest.mark.parametrize("line", PRINTING)
def test_output_that_nobody_takes(
    stranger: Stranger, folder: Path, line: str, stdout: str, status: set[int]
) -> None:
    place = make_place(folder, "nothing recorded, no service")
    ended = stranger.run("--config", str(place.settings), *line.split(), stdout=stdout)
    assert ended.status in status, ended.text
    assert "Traceback" not in ended.text
    if stdout == "full":
        assert ended.err == "kiosk: output: No space left on device\n"
    else:
        assert ended.err == ""


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_watch_ends_with_its_reader_although_nothing_happens(
    stranger: Stranger, folder: Path, words: tuple[str, ...]
) -> None:
    place = make_place(folder, "nothing recorded, no service")
    ended = stranger.run("--config", str(place.settings), "watch", *words, stdout="unread")
    assert (ended.status, ended.err) == (141, "")


@pytest.mark.parametrize(
    "stdin", ["", None, "\n", "\xff\x00"], ids=["empty", "closed", "newline", "odd"]
)
@pytest.mark.parametrize(
    "line", ["selftest --only storage", "export {id} --to {own} --settings-from-stdin", "state"]
)
def test_input_that_says_nothing(
    stranger: Stranger, folder: Path, line: str, stdin: str | None
) -> None:
    place = make_place(folder, "nothing recorded, no service")
    (argv,) = commands(line, place)
    ended = stranger.run("--config", str(place.settings), *argv, cwd=place.own, stdin=stdin)
    assert ended.status in (1, 2), ended.text
    assert "Traceback" not in ended.text


def test_a_file_of_the_kiosk_does_not_take_the_place_of_closed_output(
    stranger: Stranger, folder: Path
) -> None:
    place = make_place(folder, "nothing recorded, no service")
    ended = stranger.run("--config", str(place.settings), "reindex", stdin=None, stdout="closed")
    assert ended.status == 0, ended.text
    files = [path for path in place.data.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"Nothing to deliver" in path.read_bytes()]


HANGING = ["state", "watch", "selftest --no-questions --only camera"]


@pytest.mark.parametrize("line", HANGING)
def test_ctrl_c_while_a_service_hangs(stranger: Stranger, folder: Path, line: str) -> None:
    place = make_place(folder, "nothing recorded, no service")
    paths = Paths(place.data, place.run)
    with socket.socket(socket.AF_UNIX) as recorder, socket.socket(socket.AF_UNIX) as sync:
        for server, path in ((recorder, paths.recorder_socket), (sync, paths.sync_socket)):
            path.parent.mkdir(exist_ok=True)
            server.bind(str(path))
            server.listen()
            give(path)
        ended = stranger.run("--config", str(place.settings), *line.split(), end="SIGINT")
    assert ended.status == 130, ended.text
    assert "Traceback" not in ended.text


def test_ctrl_c_while_the_central_system_hangs(stranger: Stranger, folder: Path) -> None:
    place = make_place(folder, "nothing recorded, no service")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        argv = ["enroll", "--code", CODE, "--url", url]
        ended = stranger.run("--config", str(place.settings), *argv, end="SIGINT")
    assert ended.status == 130, ended.text
    assert "Traceback" not in ended.text


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "-1", "0", "soon", "1e999"])
def test_watch_refuses_seconds_that_are_none(stranger: Stranger, seconds: str) -> None:
    ended = stranger.run("watch", f"--seconds={seconds}")
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert "--seconds" in ended.err


# -- help ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", command_names())
def test_help_has_an_example_and_the_exit_statuses(stranger: Stranger, command: str) -> None:
    word = command.replace("_", "-")
    ended = stranger.run(word, "--help")
    assert ended.status == 0
    example, _, statuses = ended.out.partition("\nexample:\n")[2].partition("exit status:\n")
    assert f"kiosk {word}" in example or f"systemctl start kiosk-{word}" in example
    for status in (0, 2, NO_PERMISSION, 130):
        assert f"\n  {status:<3} " in "\n" + statuses


@pytest.mark.parametrize("words", ["", "nothing", "--nothing", "state extra", "export", "--config"])
def test_wrong_words_get_one_line(stranger: Stranger, words: str) -> None:
    ended = stranger.run(*words.split())
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert "--help" in ended.err


@pytest.mark.parametrize("order", ["--config {file} config", "config --config {file}"])
def test_general_options_stand_before_or_after_the_command(
    stranger: Stranger, folder: Path, order: str
) -> None:
    place = make_place(folder, "nothing recorded, no service")
    ended = stranger.run(*order.format(file=place.settings).split())
    assert ended.status == 0, ended.text
    assert json.loads(ended.out)["paths"]["data"] == str(place.data)
