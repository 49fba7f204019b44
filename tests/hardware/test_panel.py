"""Panel: lamp and button on gpiozero's mock pins, and honesty without GPIO."""

import threading

import pytest
from gpiozero import Device  # type: ignore[import-untyped]

from kiosk.config import PanelSettings
from kiosk.hardware.panel import Panel
from kiosk.hardware.virtual.panel import VirtualPanel


def test_lamp_and_button_on_mock_pins() -> None:
    settings = PanelSettings()
    presses: list[int] = []
    with VirtualPanel(settings) as virtual:
        panel = Panel(settings, on_press=lambda: presses.append(1)).open()
        assert panel.state == "ok"
        assert not virtual.lamp
        panel.lamp = True
        assert virtual.lamp
        assert panel.lamp
        panel.lamp = False
        assert not virtual.lamp
        virtual.press()
        virtual.press()
        assert len(presses) == 2
        assert panel.describe().back_end == "MockFactory"
        assert panel.describe().virtual is True
        panel.close()


def test_a_button_that_nobody_presses_takes_no_thread() -> None:
    with VirtualPanel(PanelSettings()):
        before = set(threading.enumerate())
        panel = Panel(PanelSettings()).open()
        assert panel.state == "ok"
        assert set(threading.enumerate()) == before
        panel.close()


def test_a_failing_action_does_not_break_the_button() -> None:
    settings = PanelSettings()
    presses: list[int] = []

    def act() -> None:
        presses.append(1)
        raise RuntimeError("busy")

    with VirtualPanel(settings) as virtual:
        panel = Panel(settings, on_press=act).open()
        virtual.press()
        virtual.press()
        assert len(presses) == 2
        panel.close()


def test_without_gpio_it_is_absent_and_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "no_such_factory")
    panel = Panel(PanelSettings()).open()
    assert panel.state == "absent"
    assert panel.problem
    panel.lamp = True
    assert panel.lamp
    assert not panel.is_pressed
    assert panel.describe().back_end == "none"
    panel.close()


def test_switched_off_by_the_settings() -> None:
    assert Panel(PanelSettings(enabled=False)).state == "off"
