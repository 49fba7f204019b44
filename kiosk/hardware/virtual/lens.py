"""The lens and sensor of the virtual camera: what a setting of the picture does to a scene.

The scene is sharp at :data:`SCENE_DIOPTRES`; the automatic focus finds it at once. It is bright as
it should be at :data:`SCENE_EXPOSURE_MS` and gain 1, which the automatic exposure finds, too.
"""

from __future__ import annotations

import av
from av.filter import Graph

from kiosk.hardware.camera.picture import Picture, PictureHolds

SCENE_DIOPTRES = 0.5
"""The scene is two metres away."""
SCENE_EXPOSURE_MS = 10.0
_BLUR_PIXELS = 4.0
"""Blur of 1280 pixels of width for each dioptre beside the scene."""


class VirtualLens:
    """Changes the pictures of a scene as ``picture`` asks.

    Args:
        width, height: of the pictures in pixels.
        fps: pictures a second, for what it tells of itself.
    """

    def __init__(self, width: int, height: int, fps: int, picture: Picture) -> None:
        self._width, self._height, self._fps = width, height, fps
        self._transform = picture.transform
        self.set_picture(picture)

    def set_picture(self, picture: Picture) -> None:
        """Take the next pictures so; rotation and mirror stay as they were at the beginning."""
        self._dioptres = picture.focus_dioptres if picture.focus == "fixed" else SCENE_DIOPTRES
        self._picture = picture
        self._graph = self._make_graph()

    def focus_once(self) -> None:
        """Find the scene."""
        self._dioptres = SCENE_DIOPTRES
        self._graph = self._make_graph()

    @property
    def holds(self) -> PictureHolds:
        """What holds for its pictures."""
        picture, is_fixed = self._picture, self._picture.exposure == "fixed"
        return PictureHolds(
            focus="idle" if picture.focus == "fixed" else "focused",
            focus_dioptres=self._dioptres,
            exposure_ms=picture.exposure_ms if is_fixed else SCENE_EXPOSURE_MS,
            gain=picture.gain if is_fixed else 1.0,
            fps=float(self._fps),
            zoom=picture.zoom,
            centre_x=picture.centre_x,
            centre_y=picture.centre_y,
            rotation=self._transform[0],
            mirror=self._transform[1],
        )

    def apply(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the picture of ``frame`` (planar YUV 4:2:0)."""
        graph = self._graph
        if graph is None:
            return frame
        graph.vpush(frame)
        return graph.vpull()

    def _make_graph(self) -> Graph | None:
        """Return the filters; None: the scene is shown as it is."""
        filters = [*self._flips(), *self._crop(), *self._light(), *self._blur()]
        if not filters:
            return None
        graph = Graph()
        shape = f"video_size={self._width}x{self._height}:pix_fmt=yuv420p"
        last = graph.add("buffer", f"{shape}:time_base=1/1000000:pixel_aspect=1")
        for name, arguments in filters:
            step = graph.add(name, arguments)
            last.link_to(step)
            last = step
        last.link_to(graph.add("buffersink"))
        graph.configure()
        return graph

    def _crop(self) -> list[tuple[str, str]]:
        picture = self._picture
        if picture.zoom <= 1:
            return []
        width, height = (round(size / picture.zoom) & ~1 for size in (self._width, self._height))

        def begin(size: int, part: int, centre: float) -> int:
            return max(0, min(size - part, round(size * centre - part / 2)))

        x = begin(self._width, width, picture.centre_x)
        y = begin(self._height, height, picture.centre_y)
        return [
            ("crop", f"{width}:{height}:{x}:{y}"),
            ("scale", f"{self._width}:{self._height}"),
        ]

    def _flips(self) -> list[tuple[str, str]]:
        is_turned = self._transform[0] == 180
        found = [("hflip", "")] if is_turned != self._transform[1] else []
        return [*found, ("vflip", "")] if is_turned else found

    def _light(self) -> list[tuple[str, str]]:
        picture = self._picture
        light = float(2**picture.brightness_ev)
        if picture.exposure == "fixed":
            light = picture.exposure_ms * picture.gain / SCENE_EXPOSURE_MS
        return [("lutyuv", f"y=clip(16+(val-16)*{light:.3f}\\,16\\,235)")] if light != 1 else []

    def _blur(self) -> list[tuple[str, str]]:
        sigma = abs(self._dioptres - SCENE_DIOPTRES) * _BLUR_PIXELS * self._width / 1280
        return [("gblur", f"sigma={sigma:.2f}")] if sigma > 0.05 else []
