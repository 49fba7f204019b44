"""What the panels beside a running hearing say: listening, remedies, closed since. No Kivy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.alarms import alarm_of
from kiosk.ui.facts import Microphone, Recorder, RunningHearing
from kiosk.ui.here import Here
from kiosk.ui.secretary.panels import ListenPanel, Panel, RemedyPanel, SincePanel
from kiosk.ui.secretary.readiness import role_of
from kiosk.ui.words import sentence_case

SECONDS = (30, 60, 300)
MINUTES = (2, 5, 10, 20, 30, 60)


@dataclass(frozen=True)
class Choice:
    """One button of a panel; ``id`` is what :meth:`Conduct.choose` understands."""

    id: str
    label: str
    icon: str = ""
    style: Literal["plain", "primary", "danger"] = "plain"


@dataclass(frozen=True)
class PanelView:
    """A panel: title, a sentence or two, choices."""

    title: str
    text: str
    choices: tuple[Choice, ...]
    page: int = 0
    asks: bool = False


def panel_view(here: Here, recorder: Recorder, panel: Panel | None) -> PanelView | None:
    """Return what is open beside the hearing; None: nothing."""
    hearing = recorder.hearing or RunningHearing(id="")
    match panel:
        case ListenPanel():
            return _listen(here, recorder, hearing, panel)
        case RemedyPanel():
            return _remedies(here, recorder, panel)
        case SincePanel():
            return _since(here, hearing, panel)
        case None:
            return None


def mendable(recorder: Recorder) -> tuple[Microphone, ...]:
    """Return the microphones something can be done about."""
    return tuple(m for m in recorder.microphones if m.remedies)


# -- listening -----------------------------------------------------------------------------------


def _listen(
    here: Here, recorder: Recorder, hearing: RunningHearing, panel: ListenPanel
) -> PanelView:
    _ = here.say.gettext
    if hearing.closed:
        refused = alarm_of("listening_refused")
        text = f"{refused.say(here.say)} {refused.remedy(here.say, staff=True)}"
        return PanelView(_("Listen"), text, ())
    if panel.choosing:
        sources = tuple(
            Choice(f"source:{m.name}", role_of(here, m), "microphone") for m in recorder.microphones
        )
        return PanelView(_("Which microphone?"), "", sources, panel.page)
    lasting = (_("Last 30 seconds"), _("Last minute"), _("Last 5 minutes"))
    choices = [
        Choice(f"seconds:{seconds}", label, "headphones")
        for seconds, label in zip(SECONDS, lasting, strict=True)
    ]
    text = _("It plays in the headset only. The recording goes on.")
    if panel.source:
        name = _microphone_name(here, recorder, panel.source)
        choices.append(Choice("source:", _("All microphones"), "account-voice"))
        return PanelView(_("Listen: {name}", name=name), text, tuple(choices))
    choices.append(Choice("one:", _("One microphone only"), "microphone"))
    return PanelView(_("Listen"), text, tuple(choices))


def playing_text(here: Here, recorder: Recorder) -> str:
    """Return what plays in the headset now, in words; empty: nothing."""
    _, playing = here.say.gettext, recorder.listening
    if playing is None:
        return ""
    name = _microphone_name(here, recorder, playing.source) if playing.source else ""
    seconds = {"n": round(playing.seconds), "of": round(playing.of_seconds)}
    if name:
        return _("Playing in the headset: {name}, {n} of {of} s", name=name, **seconds)
    return _("Playing in the headset: {n} of {of} s", **seconds)


def _microphone_name(here: Here, recorder: Recorder, name: str) -> str:
    found = next((m for m in recorder.microphones if m.name == name), None)
    return role_of(here, found) if found else name


# -- microphones ---------------------------------------------------------------------------------


def _remedies(here: Here, recorder: Recorder, panel: RemedyPanel) -> PanelView:
    _ = here.say.gettext
    ill = mendable(recorder)
    one = next((m for m in ill if m.name == panel.name), None)
    if one is None:
        choices = tuple(
            Choice(f"source:{m.name}", sentence_case(_name(here, m)), "microphone") for m in ill
        )
        text = "" if ill else _("The microphones need nothing now.")
        return PanelView(_("Which microphone?"), text, choices, panel.page)
    state = f"microphone_{one.state}"
    told = ""
    if one.without:
        told = _("The hearing goes on without it, by your decision.")
    elif one.state not in ("ok", "starting"):
        told = alarm_of(state).say(here.say, _name(here, one))
    return PanelView(
        _("Microphone: {name}", name=_name(here, one)),
        told,
        _remedy_choices(here, recorder, one),
        panel.page,
    )


def _name(here: Here, microphone: Microphone) -> str:
    """Return what it is called: by its role, or its own name when it serves nobody."""
    return microphone.name if microphone.is_spare else role_of(here, microphone)


def _remedy_choices(here: Here, recorder: Recorder, one: Microphone) -> tuple[Choice, ...]:
    _, found = here.say.gettext, list[Choice]()
    by_name = {m.name: m for m in recorder.microphones}
    for remedy in one.remedies:
        targets = one.remedy_targets.get(remedy, ())
        if remedy == "spare":
            for n, to in enumerate(targets):
                label = _("Use the spare microphone")
                label = f"{label}: {to}" if len(targets) > 1 else label
                found.append(
                    Choice(f"spare:{to}", label, "swap-horizontal", "plain" if n else "primary")
                )
        elif remedy == "move":
            found += [
                Choice(
                    f"move:{to}",
                    _("Take it with: {name}", name=_name(here, by_name[to])),
                    "microphone",
                )
                for to in targets
                if to in by_name
            ]
        elif remedy == "without":
            found.append(Choice("without:", _("Go on without it"), "microphone-off"))
        elif remedy == "back":
            found.append(Choice("back:", _("As it was before"), "undo"))
    if len(mendable(recorder)) > 1:
        found.append(Choice("which:", _("Another microphone"), "microphone"))
    return tuple(found)


# -- closed since --------------------------------------------------------------------------------


def _since(here: Here, hearing: RunningHearing, panel: SincePanel) -> PanelView:
    _ = here.say.gettext
    if panel.chosen:
        return PanelView(
            _("Closed since {time}?", time=_moment(here, hearing, panel)),
            _(
                "Everything recorded openly since then is encrypted, here and in the central "
                "system. Only the court can open it. This cannot be undone."
            ),
            (
                Choice("cancel:", _("Another time"), "arrow-left"),
                Choice("confirm:", _("Encrypt since then"), "lock", "danger"),
            ),
            asks=True,
        )
    marks = [
        Choice(f"mark:{m.id}", f"{here.time(m.at, True)} {_event(here, m.type)}", "clock-outline")
        for m in reversed(hearing.marks)
        if not m.withdrawn
    ]
    minutes = [
        Choice(f"minutes:{n}", _("{n} min ago", n=n), "clock-outline")
        for n in MINUTES
        if n * 60 <= max(hearing.seconds, MINUTES[0] * 60)
    ]
    text = _("Since which moment was the hearing closed already?")
    return PanelView(_("Closed earlier"), text, (*minutes, *marks), panel.page)


def _moment(here: Here, hearing: RunningHearing, panel: SincePanel) -> str:
    kind, _colon, number = panel.chosen.partition(":")
    if kind != "mark":
        return here.time(panel.since, True)
    found = next((m for m in hearing.marks if str(m.id) == number), None)
    return f"{here.time(found.at, True)} ({_event(here, found.type)})" if found else ""


def _event(here: Here, event: str) -> str:
    return sentence_case(here.labels.event(event))
