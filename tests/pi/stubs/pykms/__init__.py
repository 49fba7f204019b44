"""Stand-in for the Pi's ``pykms``: picamera2 imports it for a preview that is not used here.

The ``kms`` on the package index is something else and must never be installed.
"""


class _AnyFormat:
    def __getattr__(self, name: str) -> str:
        return name


PixelFormat = _AnyFormat()
