"""The growing recording in a real browser, as it is played while the hearing goes on.

With hls.js, which asks for exactly the bytes of a segment. Chromium's own player shows what was
there when it first asked for a file: it keeps the length that the file had then (Chromium 156).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.browser import Browser, serve_folder
from tests.support.fake_media import FakeCamera, FakeMicrophone, WriterRig
from tests.support.npm import install

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SECOND = 1_000_000_000
RATES = {"judge": 48_000, "witness": 48_000}
PAGE = """<video muted></video><script src="hls.js"></script><script>
const player = new Hls(), video = document.querySelector("video");
window.faults = [];
player.on(Hls.Events.ERROR, (_event, data) => data.fatal && faults.push(data.details));
player.loadSource("main/index.m3u8");
player.attachMedia(video);
video.play();
</script>"""
TIME = "return document.querySelector('video').currentTime"


@pytest.fixture(scope="module")
def hls_js(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = install(Path(__file__).parent / "hls-js", tmp_path_factory.mktemp("hls-js"))
    return folder / "node_modules/hls.js/dist/hls.light.min.js"


def test_the_recording_plays_while_it_grows(hls_js: Path, tmp_path: Path) -> None:
    start = 5 * SECOND
    recorded = WriterRig(tmp_path, start)
    writer = recorded.create_writer(RATES)
    camera, microphones = FakeCamera(start), {name: FakeMicrophone(start) for name in RATES}
    (tmp_path / "index.html").write_text(PAGE)
    shutil.copy(hls_js, tmp_path / "hls.js")
    playlist = tmp_path / "main" / "index.m3u8"
    recorded.run(writer, start + 10 * SECOND, camera, microphones)
    with serve_folder(tmp_path) as url, Browser() as browser:
        browser.open(f"{url}/index.html")
        browser.wait(f"{TIME} > 0.2", "the first pictures")
        assert browser.run(TIME) < 8
        known = playlist.read_text().count("#EXTINF")
        browser.run("document.querySelector('video').playbackRate = 4")
        seconds = 10
        while browser.run(TIME) < 17 and seconds < 300:
            seconds += 1
            recorded.run(writer, start + seconds * SECOND, camera, microphones)
            assert browser.run("return faults") == []
        assert browser.run(TIME) >= 17  # nothing after 10 s existed when it began to play
        assert playlist.read_text().count("#EXTINF") > known
        assert "ENDLIST" not in playlist.read_text()
        bytes_heard = browser.run(
            "return document.querySelector('video').webkitAudioDecodedByteCount"
        )
        assert bytes_heard > 0
    writer.stop_at(start + seconds * SECOND)
    writer.finish(start + seconds * SECOND)
