"""Fonts that the touch screen and the receipt are drawn with.

Inter has every Kazakh letter and the tenge sign (SIL Open Font License 1.1, ``Inter-OFL.txt``).
``TABULAR_*`` has figures of one width, for clocks and numbers that change in place.
Material Design Icons are Apache-2.0 (``MaterialDesignIcons-LICENSE.txt``); code points are in
the Unicode private use area, as in the upstream ``@mdi/font`` 7.4.47.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
REGULAR = FOLDER / "Inter-Regular.otf"
MEDIUM = FOLDER / "Inter-Medium.otf"
SEMI_BOLD = FOLDER / "Inter-SemiBold.otf"
TABULAR_MEDIUM = FOLDER / "Inter-Tabular-Medium.otf"
TABULAR_SEMI_BOLD = FOLDER / "Inter-Tabular-SemiBold.otf"
ICONS = FOLDER / "MaterialDesignIcons.ttf"
