"""Views of the side panels of a running hearing: listen back, remedies, closed since, decisions."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.api.recorder import Mark, Microphone, RecorderState, RunningHearing
from kiosk.ui.actions.side_panel_actions import (
    ClosedSincePanel,
    DecisionPanel,
    ListenPanel,
    Panel,
    RemedyPanel,
)
from kiosk.ui.formatting import sentence_case
from kiosk.ui.secretary.running_hearing.decision_panel import decision_view
from kiosk.ui.secretary.running_hearing.panel_view import Choice, PanelView, Style
from kiosk.ui.secretary.running_hearing.sources import repairable_microphones
from kiosk.ui.view_context import ViewContext

LISTEN_SECONDS = (30, 60, 300)
LATEST_SPEAKERS = 2
LEAD_S = 0.5
"""Played before the first word."""
CLOCK = "clock-outline"
CLOSED_SINCE_MINUTES = (2, 5, 10, 20, 30, 60)


def panel_view(
    context: ViewContext, recorder: RecorderState, panel: Panel | None
) -> PanelView | None:
    """Return the view of the open side panel; None: no panel is open."""
    hearing = recorder.hearing or RunningHearing(id="")
    match panel:
        case ListenPanel():
            return _listen_view(context, recorder, hearing, panel)
        case RemedyPanel():
            return _remedy_view(context, recorder, panel)
        case ClosedSincePanel():
            return _closed_since_view(context, hearing, panel)
        case DecisionPanel():
            return decision_view(context, hearing, panel)
        case None:
            return None


# -- listening -----------------------------------------------------------------------------------


def _listen_view(
    context: ViewContext, recorder: RecorderState, hearing: RunningHearing, panel: ListenPanel
) -> PanelView:
    _ = context.translate.gettext
    if hearing.closed:
        return PanelView(_("Listen"), context.alarm_text("listening_refused"), ())
    if panel.choosing:
        sources = tuple(
            Choice(f"source:{m.name}", context.role_label(m), "microphone")
            for m in recorder.microphones
        )
        return PanelView(_("Which microphone?"), "", sources, panel.page)
    lasting = (_("Last 30 seconds"), _("Last minute"), _("Last 5 minutes"))
    choices = [
        Choice(f"seconds:{seconds}", label, "headphones")
        for seconds, label in zip(LISTEN_SECONDS, lasting, strict=True)
    ]
    text = _("It plays in the headset only. The recording goes on.")
    if panel.source:
        name = _microphone_name(context, recorder, panel.source)
        choices.append(Choice("source:", _("All microphones"), "account-voice"))
        return PanelView(_("Listen: {name}", name=name), text, tuple(choices))
    choices.append(Choice("one:", _("One microphone only"), "microphone"))
    return PanelView(_("Listen"), text, (*_latest_words(context, recorder, hearing), *choices))


def _latest_words(
    context: ViewContext, recorder: RecorderState, hearing: RunningHearing
) -> Iterator[Choice]:
    """Yield what was said last in this part, by the two who spoke last, the newest first."""
    spoken = [row for row in hearing.speech if row.latest.part == hearing.part]
    spoken.sort(key=lambda row: row.latest.part_seconds, reverse=True)
    for row in spoken[:LATEST_SPEAKERS]:
        begin = max(0.0, row.latest.part_seconds - LEAD_S)
        seconds = min(600.0, row.latest.seconds + LEAD_S + 1)
        label = context.translate.gettext(
            "Again: {name}", name=_microphone_name(context, recorder, row.source)
        )
        choice = f"said:{row.source}:{begin:.2f}:{seconds:.2f}"
        yield Choice(choice, label, "account-voice")


def playing_text(context: ViewContext, recorder: RecorderState) -> str:
    """Return what plays in the headset now, in words; empty: nothing."""
    _, playing = context.translate.gettext, recorder.listening
    if playing is None:
        return ""
    name = _microphone_name(context, recorder, playing.source) if playing.source else ""
    progress = {"n": round(playing.seconds), "of": round(playing.of_seconds)}
    if name:
        return _("Playing in the headset: {name}, {n} of {of} s", name=name, **progress)
    return _("Playing in the headset: {n} of {of} s", **progress)


def _microphone_name(context: ViewContext, recorder: RecorderState, name: str) -> str:
    found = next((m for m in recorder.microphones if m.name == name), None)
    return context.role_label(found) if found else name


# -- microphones ---------------------------------------------------------------------------------


def _remedy_view(context: ViewContext, recorder: RecorderState, panel: RemedyPanel) -> PanelView:
    _ = context.translate.gettext
    repairable = repairable_microphones(recorder)
    microphone = next((m for m in repairable if m.name == panel.name), None)
    if microphone is None:
        choices = tuple(
            Choice(f"source:{m.name}", sentence_case(context.microphone_label(m)), "microphone")
            for m in repairable
        )
        text = "" if repairable else _("The microphones need nothing now.")
        return PanelView(_("Which microphone?"), text, choices, panel.page)
    text, name = "", context.microphone_label(microphone)
    if microphone.without:
        text = _("The hearing goes on without it, by your decision.")
    elif microphone.state.is_failing:
        text = context.microphone_fault(microphone, name)
    choices = _remedy_choices(context, recorder, microphone)
    return PanelView(_("Microphone: {name}", name=name), text, choices, panel.page)


def _remedy_choices(
    context: ViewContext, recorder: RecorderState, microphone: Microphone
) -> tuple[Choice, ...]:
    _, found = context.translate.gettext, list[Choice]()
    by_name = {m.name: m for m in recorder.microphones}
    for remedy in microphone.remedies:
        targets = microphone.remedy_targets.get(remedy, ())
        if remedy == "spare":
            for n, to in enumerate(targets):
                label = _("Use the spare microphone")
                label = f"{label}: {to}" if len(targets) > 1 else label
                style: Style = "plain" if n else "primary"
                found.append(Choice(f"spare:{to}", label, "swap-horizontal", style))
        elif remedy == "move":
            for other in (by_name[to] for to in targets if to in by_name):
                label = _("Take it with: {name}", name=context.microphone_label(other))
                found.append(Choice(f"move:{other.name}", label, "microphone"))
        elif remedy == "without":
            found.append(Choice("without:", _("Go on without it"), "microphone-off"))
        elif remedy == "back":
            found.append(Choice("back:", _("As it was before"), "undo"))
    if len(repairable_microphones(recorder)) > 1:
        found.append(Choice("which:", _("Another microphone"), "microphone"))
    return tuple(found)


# -- closed since --------------------------------------------------------------------------------


def _closed_since_view(
    context: ViewContext, hearing: RunningHearing, panel: ClosedSincePanel
) -> PanelView:
    _ = context.translate.gettext
    if panel.chosen:
        return PanelView(
            _("Closed since {time}?", time=_chosen_moment(context, hearing, panel)),
            _(
                "Everything recorded openly since then is encrypted, here and in the central "
                "system. Only the court can open it. This cannot be undone."
            ),
            (
                Choice("cancel:", _("Another time"), "arrow-left"),
                Choice("confirm:", _("Encrypt since then"), "lock", "danger"),
            ),
            is_confirmation=True,
        )
    marks = [
        Choice(
            f"mark:{m.id}", f"{context.clock_text(m.at, True)} {_event_label(context, m)}", CLOCK
        )
        for m in reversed(hearing.marks)
        if not m.withdrawn
    ]
    minutes = [
        Choice(f"minutes:{n}", _("{n} min ago", n=n), CLOCK)
        for n in CLOSED_SINCE_MINUTES
        if n * 60 <= max(hearing.seconds, CLOSED_SINCE_MINUTES[0] * 60)
    ]
    text = _("Since which moment was the hearing closed already?")
    return PanelView(_("Closed earlier"), text, (*minutes, *marks), panel.page)


def _chosen_moment(context: ViewContext, hearing: RunningHearing, panel: ClosedSincePanel) -> str:
    kind, _colon, number = panel.chosen.partition(":")
    if kind != "mark":
        return context.clock_text(panel.since, True)
    found = next((m for m in hearing.marks if str(m.id) == number), None)
    if found is None:
        return ""
    return f"{context.clock_text(found.at, True)} ({_event_label(context, found)})"


def _event_label(context: ViewContext, mark: Mark) -> str:
    return sentence_case(context.labels.event(mark.type))
