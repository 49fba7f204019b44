"""View of the panel of the court's decisions: the format (R20), filming and broadcast (R59-R65)."""

from __future__ import annotations

from kiosk.api.recorder import RunningHearing
from kiosk.ui.actions.side_panel_actions import DecisionPanel
from kiosk.ui.secretary.running_hearing.panel_view import Choice, PanelView
from kiosk.ui.secretary.running_hearing.questions import OPINIONS
from kiosk.ui.view_context import ViewContext

FORMAT_ICONS = {"offline": "gavel", "online": "video-outline", "mixed": "account-group"}


def decision_view(context: ViewContext, hearing: RunningHearing, panel: DecisionPanel) -> PanelView:
    """Return what is decided so far, or the answers to one decision."""
    if panel.about == "format":
        return _format_view(context, hearing)
    if panel.about == "session":
        return _session_view(context, hearing)
    if panel.about:
        return _permission_view(context, hearing, panel)
    return _list_view(context, hearing)


def _list_view(context: ViewContext, hearing: RunningHearing) -> PanelView:
    _, labels = context.translate.gettext, context.labels
    form = labels.form(hearing.format) if hearing.format else _("not said")
    choices = [Choice("about:format", _("Format: {format}", format=form), "gavel")]
    session = labels.form(hearing.session) if hearing.session else _("usual")
    choices.append(
        Choice("about:session", _("Session: {kind}", kind=session), "calendar-clock-outline")
    )
    if hearing.closed is None:
        yes, no = _("allowed"), _("not allowed")
        choices.extend(
            Choice(
                f"about:{kind}",
                _("{what}: {state}", what=label, state=yes if kind in hearing.allowed else no),
            )
            for kind, label in labels.permissions()
        )
        return PanelView(_("Decisions of the court"), "", tuple(choices))
    text = _("In a closed hearing nobody films and nothing is broadcast.")
    return PanelView(_("Decisions of the court"), text, tuple(choices))


def _format_view(context: ViewContext, hearing: RunningHearing) -> PanelView:
    _, labels = context.translate.gettext, context.labels
    choices = tuple(
        Choice(
            f"format:{form}",
            label,
            FORMAT_ICONS.get(form, ""),
            "primary" if form == hearing.format else "plain",
        )
        for form, label in labels.formats()
        if form in hearing.formats
    )
    text = _("Since now. Ground and opinions are asked afterwards.")
    return PanelView(_("In which format is the hearing held?"), text, choices)


def _session_view(context: ViewContext, hearing: RunningHearing) -> PanelView:
    _, labels = context.translate.gettext, context.labels
    rows = (("", _("A usual session")), *labels.sessions())
    choices = tuple(
        Choice(f"session:{session}", label, "check",
               "primary" if session == (hearing.session or "") else "plain")
        for session, label in rows
    )  # fmt: skip
    return PanelView(_("Which session is it?"), "", choices)


def _permission_view(
    context: ViewContext, hearing: RunningHearing, panel: DecisionPanel
) -> PanelView:
    _, labels = context.translate.gettext, context.labels
    title = dict(labels.permissions()).get(panel.about, panel.about)
    needs_consent = labels.needs_consent(panel.about, hearing.kind or "")
    if not panel.opinions:
        choices = tuple(Choice(f"opinions:{value}", _(text)) for value, text in OPINIONS.items())
        text = _("What did the persons in the case say?")
        if needs_consent:
            text = _("What did the persons in the case say? In a criminal case all must agree.")
        return PanelView(title, text, choices)
    text = _("How did the court decide?")
    if needs_consent and panel.opinions != "agreed":
        text = _("Not all agree. If it is allowed, that is written down.")
    allow = Choice("permission:allow", _("Allow"), "check")
    return PanelView(title, text, (Choice("permission:refuse", _("Refuse"), "close"), allow))
