"""Formats times, dates, ages and sizes in the language on the screen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date

from kiosk.clocks import EARLIEST_VALID, parse_wall
from kiosk.locale import Translator


def timer_text(seconds: float) -> str:
    """Return ``seconds`` as ``0:42:17``."""
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def clock_text(when: datetime | str | None, zone: ZoneInfo, seconds: bool = False) -> str:
    """Return a time of day in the court's zone: ``09:42``; empty: none, or of an unset clock."""
    value = parse_wall(when) if isinstance(when, str) or when is None else when
    if value is None or value < EARLIEST_VALID:
        return ""
    return value.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def day_text(day: date, translate: Translator) -> str:
    """Return ``day`` in words: ``22 ноября, воскресенье``."""
    pattern = "d MMMM, EEEE" if translate.language != "en" else "EEEE, d MMMM"
    return str(format_date(day, pattern, locale=translate.language))


def date_text(day: date, translate: Translator) -> str:
    """Return ``day`` with its year in words."""
    pattern = {"kk": "y 'ж'. d MMMM", "ru": "d MMMM y 'г'.", "en": "d MMMM y"}[translate.language]
    return str(format_date(day, pattern, locale=translate.language))


def iso_date(typed: str) -> str:
    """Return ``23.11.2026`` as ``2026-11-23``; empty for anything that is no day."""
    try:
        day, month, year = (int(part) for part in typed.split("."))
        return date(year, month, day).isoformat() if year > 2000 else ""
    except ValueError:
        return ""


def age_text(seconds: float, translate: Translator) -> str:
    """Return a length of time in one unit: ``14 s``, ``5 min``, ``3 h``, ``2 days``."""
    whole = max(0, int(seconds))
    _ = translate
    if whole < 100:
        return translate.gettext("{n} s", n=whole)
    if whole < 100 * 60:
        return translate.gettext("{n} min", n=whole // 60)
    if whole < 48 * 3600:
        return translate.gettext("{n} h", n=whole // 3600)
    return translate.ngettext("{n} day", "{n} days", whole // 86400)


def size_text(count: int, translate: Translator) -> str:
    """Return bytes as megabytes or gigabytes."""
    mark = "." if translate.language == "en" else ","
    _ = translate
    if count < 10**9:
        text = f"{count / 10**6:.1f}" if count < 10**8 else f"{count / 10**6:.0f}"
        return translate.gettext("{n} MB", n=text.replace(".", mark))
    return translate.gettext("{n} GB", n=f"{count / 10**9:.1f}".replace(".", mark))


def sentence_case(text: str) -> str:
    """Return ``text`` with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def shift_date(day: date, unit: str, by: int) -> date:
    """Return ``day`` moved by ``by`` units; the day of the month is kept if it exists."""
    if unit == "day":
        return day + timedelta(days=by)
    months = day.year * 12 + day.month - 1 + (by if unit == "month" else 12 * by)
    year, month = divmod(months, 12)
    for number in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    return day


def append_key(text: str, key: str, most: int) -> str:
    """Return ``text`` with one more character, at most ``most``; ``""`` deletes the last."""
    return (text + key)[:most] if key else text[:-1]


def group_thousands(digits: str) -> str:
    """Return an amount with its thousands apart: ``1 000 000``."""
    whole, mark, rest = digits.partition(".")
    try:
        return f"{int(whole):,}".replace(",", " ") + (f",{rest}" if mark else "")
    except ValueError:
        return digits
