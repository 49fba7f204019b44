"""An allocator of picamera2 for libcamera's virtual pipeline.

That pipeline wants one plane of a frame buffer per colour plane, where picamera2's own allocator
makes one plane for all. The memory comes from the test shim (``camshim.c``).
"""

from __future__ import annotations

import mmap
import os
from typing import Any

import libcamera
from picamera2.allocators.dmaallocator import DmaAllocator


class VirtualAllocator(DmaAllocator):  # type: ignore[misc]
    """``Picamera2(allocator=VirtualAllocator())``."""

    def allocate(self, libcamera_config: Any, use_case: Any) -> None:
        """Allocate the buffers of every stream of ``libcamera_config`` (picamera2's contract)."""
        del use_case
        self.libcamera_fds: list[int] = []
        self.cleanup()
        for descriptor in self.open_fds:
            os.close(descriptor)
        self.frame_buffers: dict[Any, list[Any]] = {}
        self.open_fds: list[int] = []
        for stream in libcamera_config:
            self.frame_buffers[stream.stream] = [
                self._buffer(index, stream) for index in range(stream.buffer_count)
            ]

    def _buffer(self, index: int, stream: Any) -> Any:
        """Return one mapped two-plane buffer (luminance, then both colour planes)."""
        memory = self.dmaHeap.alloc(f"picamera2-{index}", stream.frame_size).get()
        self.open_fds.append(memory)
        luminance = stream.stride * stream.size.height
        planes = []
        for offset, length in ((0, luminance), (luminance, stream.frame_size - luminance)):
            plane = libcamera.FrameBuffer.Plane()
            plane.fd, plane.offset, plane.length = memory, offset, length
            planes.append(plane)
        # libcamera's setter duplicates the descriptor: its own number is the one picamera2 uses.
        own = planes[0].fd
        self.libcamera_fds.append(own)
        self.mapped_buffers_used[own] = False
        buffer = libcamera.FrameBuffer(planes)
        self.mapped_buffers[buffer] = mmap.mmap(
            memory, stream.frame_size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE
        )
        return buffer
