"""Panel: lamp and button on gpiozero's mock pins, and honesty without GPIO."""

import threading
from pathlib import Path
from unittest import mock

import pytest
from gpiozero import Device, DigitalInputDevice  # type: ignore[import-untyped]

from kiosk.api.states import LampState
from kiosk.cli import main
from kiosk.config import MuteSettings, PanelSettings
from kiosk.hardware.panel import Panel
from kiosk.hardware.virtual.panel import VirtualPanel


def test_lamp_and_button_on_mock_pins() -> None:
    settings = PanelSettings()
    presses: list[int] = []
    with VirtualPanel(settings) as virtual:
        panel = Panel(settings, on_press=lambda: presses.append(1)).open()
        assert panel.state == "ok"
        assert not virtual.lamp, "dark at boot"
        panel.lamp = LampState.STEADY
        assert virtual.lamp
        assert panel.lamp is LampState.STEADY
        panel.lamp = LampState.OFF
        assert not virtual.lamp
        virtual.press()
        virtual.press()
        assert len(presses) == 2
        assert panel.describe().back_end == "MockFactory"
        assert panel.describe().virtual is True
        panel.close()


def test_a_lamp_that_blinks_is_lit_at_once_and_only_goes_on_while_somebody_watches() -> None:
    with VirtualPanel(PanelSettings()) as virtual:
        panel = Panel(PanelSettings()).open()
        panel.lamp = LampState.SLOW
        lit = [virtual.lamp]
        for _ in range(3):
            panel.blink()
            panel.renew(LampState.SLOW)
            lit.append(virtual.lamp)
            assert panel.lamp is LampState.SLOW, "dark or lit"
        assert lit == [True, False, True, False]
        panel.renew(LampState.STEADY)
        panel.blink()
        assert virtual.lamp
        panel.lamp = LampState.OFF
        panel.renew(LampState.STEADY)
        panel.blink()
        assert not virtual.lamp, "what a step has darkened stays dark"
        panel.close()


def shown_by(panel: Panel) -> LampState | None:
    return panel.lamp


def test_a_level_that_nobody_has_driven_tells_for_itself() -> None:
    settings = PanelSettings()
    with VirtualPanel(settings):
        panel = Panel(settings).open()
        pin = Device.pin_factory.pin(settings.lamp_pin)
        pin.state = True
        assert panel.lamp is LampState.STEADY
        panel.lamp = LampState.SLOW
        pin.state = False
        assert shown_by(panel) is LampState.OFF
        panel.close()


def test_a_lamp_that_was_left_lit_is_darkened_by_the_command(tmp_path: Path) -> None:
    """A pin that was driven stays so on a Pi; whoever comes next finds it lit."""
    settings = tmp_path / "kiosk.toml"
    settings.write_text(f'[paths]\ndata = "{tmp_path}/data"\nrun = "{tmp_path}/run"\n')
    with VirtualPanel(PanelSettings()):
        pin = Device.pin_factory.pin(PanelSettings().lamp_pin)
        pin.function, pin.state = "output", True
        assert main(["--config", str(settings), "recorder", "--lamp-off"]) == 0
        assert (pin.function, pin.state) == ("input", False)


SEATS = PanelSettings(
    call_pin=22,
    mutes=(MuteSettings(pin=5, microphone="witness"), MuteSettings(pin=6, microphone="defendant")),
)


def test_a_button_held_at_boot_calls_nobody_until_it_is_pressed_again() -> None:
    calls: list[int] = []
    with VirtualPanel(SEATS) as virtual:
        virtual.close_contact(22)
        panel = Panel(SEATS, on_call=lambda: calls.append(1)).open()
        assert (panel.pressed, calls) == (("call",), [])
        virtual.open_contact(22)
        assert (panel.pressed, calls) == ((), [])
        virtual.call()
        assert calls == [1]
        panel.close()


def test_a_switch_counts_as_it_stands_and_is_of_one_seat_alone() -> None:
    changes: list[list[str]] = []
    with VirtualPanel(SEATS) as virtual:
        virtual.close_contact(6)
        panel = Panel(SEATS, on_switch=lambda: changes.append(sorted(panel.switched_off))).open()
        assert (sorted(panel.switched_off), changes) == (["defendant"], []), "as it stands at boot"
        virtual.close_contact(5)
        virtual.open_contact(6)
        assert changes == [["defendant", "witness"], ["witness"]]
        panel.close()
        assert panel.switched_off == frozenset()


def test_pins_that_are_named_twice_cost_neither_the_lamp_nor_the_first() -> None:
    wrong = SEATS.model_copy(
        update={
            "call_pin": SEATS.button_pin,
            "mutes": (*SEATS.mutes, MuteSettings(pin=5, microphone="judge")),
        }
    )
    with VirtualPanel(wrong) as virtual:
        panel = Panel(wrong).open()
        assert panel.state == "ok"
        virtual.close_contact(5)
        assert sorted(panel.switched_off) == ["witness"], "never two seats by one pin"
        panel.close()


def test_a_contact_that_cannot_be_read_is_open() -> None:
    with VirtualPanel(SEATS) as virtual:
        panel = Panel(SEATS).open()
        virtual.close_contact(5)
        failing = mock.PropertyMock(side_effect=OSError("GPIO busy"))
        with mock.patch.object(DigitalInputDevice, "is_active", failing):
            assert (panel.switched_off, panel.pressed) == (frozenset(), ())
        assert sorted(panel.switched_off) == ["witness"]
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
    panel.lamp = LampState.STEADY
    assert panel.lamp is LampState.STEADY
    assert not panel.is_pressed
    assert panel.describe().back_end == "none"
    panel.close()


def test_switched_off_by_the_settings() -> None:
    assert Panel(PanelSettings(enabled=False)).state == "off"
