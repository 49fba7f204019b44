"""The translator: three languages, switched live, from compiled or plain catalogues."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiosk.locale import LANGUAGES, LanguageError, Translator
from kiosk.locale.catalogues import (
    compile_catalogues,
    extract_messages,
    list_untranslated,
    update_catalogues,
)

PO = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    '"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && '
    '(n%100<10 || n%100>=20) ? 1 : 2);\\n"\n\n'
)


def catalogue(folder: Path, domain: str, body: str, language: str = "ru") -> Path:
    path = folder / language / "LC_MESSAGES" / f"{domain}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PO + body, encoding="utf-8")
    return path


def test_plain_po_is_read_without_compiling_and_catalogues_are_merged(tmp_path: Path) -> None:
    catalogue(tmp_path, "ui", 'msgid "Next"\nmsgstr "Далее"\n')
    catalogue(tmp_path, "alarms", 'msgid "No paper"\nmsgstr "Нет бумаги"\n')
    ru = Translator("ru", tmp_path)
    assert ru("Next") == "Далее"
    assert ru("No paper") == "Нет бумаги"
    assert ru("Not translated {n}", n=3) == "Not translated 3"
    assert ru("") == ""


def test_switch_is_live_and_tells_observers_once(tmp_path: Path) -> None:
    catalogue(tmp_path, "ui", 'msgid "Back"\nmsgstr "Назад"\n')
    catalogue(tmp_path, "ui", 'msgid "Back"\nmsgstr "Артқа"\n', "kk")
    translate = Translator("kk", tmp_path)
    seen: list[str] = []
    forget = translate.add_observer(lambda: seen.append(translate("Back")))
    for language in ("ru", "ru", "en", "kk"):
        translate.switch_language(language)
    forget()
    translate.switch_language("ru")
    assert seen == ["Назад", "Back", "Артқа"]


def test_russian_plurals(tmp_path: Path) -> None:
    forms = 'msgstr[0] "{n} лист"\nmsgstr[1] "{n} листа"\nmsgstr[2] "{n} листов"\n'
    catalogue(tmp_path, "ui", 'msgid "{n} sheet"\nmsgid_plural "{n} sheets"\n' + forms)
    ru = Translator("ru", tmp_path)
    counted = [ru.ngettext("{n} sheet", "{n} sheets", n) for n in (1, 3, 5, 11, 21)]
    assert counted == ["1 лист", "3 листа", "5 листов", "11 листов", "21 лист"]


def test_fresh_mo_is_used_and_an_older_one_is_not(tmp_path: Path) -> None:
    po = catalogue(tmp_path, "ui", 'msgid "Done"\nmsgstr "Готово"\n')
    (mo,) = compile_catalogues(tmp_path)
    po.write_text(PO + 'msgid "Done"\nmsgstr "Сделано"\n', encoding="utf-8")
    os.utime(po, ns=(0, 0))
    assert Translator("ru", tmp_path)("Done") == "Готово"
    os.utime(mo, ns=(0, 0))
    os.utime(po, ns=(1, 1))
    assert Translator("ru", tmp_path)("Done") == "Сделано"


def test_unknown_language_is_refused() -> None:
    with pytest.raises(LanguageError, match="not one of kk, ru, en"):
        Translator("de")


def test_pick_falls_back_when_a_label_is_missing(tmp_path: Path) -> None:
    ru = Translator("ru", tmp_path)
    assert ru.pick({"kk": "куә", "ru": "свидетель", "en": "witness"}) == "свидетель"
    assert ru.pick({"kk": "куә", "ru": None}) == "куә"
    assert ru.pick({}) == ""


def test_update_extracts_keeps_translations_and_drops_what_left_the_code(tmp_path: Path) -> None:
    package, folder = tmp_path / "app", tmp_path / "locale"
    (package / "ui").mkdir(parents=True)
    source = package / "ui" / "home.py"
    source.write_text('_("Hand in")\nngettext("{n} page", "{n} pages", 2)\n', encoding="utf-8")
    update_catalogues(folder, package)
    assert len(list_untranslated("ru", folder, package)) == 2
    forms = 'msgstr[0] "{n} стр."\nmsgstr[1] "{n} стр."\nmsgstr[2] "{n} стр."\n'
    plural = 'msgid "{n} page"\nmsgid_plural "{n} pages"\n' + forms
    catalogue(folder, "ui", f'msgid "Hand in"\nmsgstr "Подать"\n\n{plural}')
    source.write_text('_("Hand in")\n_("Scan")\n', encoding="utf-8")
    update_catalogues(folder, package)
    assert list_untranslated("ru", folder, package) == ["ui: Scan"]
    assert Translator("ru", folder)("Hand in") == "Подать"
    assert "{n} page" not in (folder / "ru" / "LC_MESSAGES" / "ui.po").read_text(encoding="utf-8")


def test_sentences_of_the_alarms_are_extracted(tmp_path: Path) -> None:
    package = tmp_path / "app"
    (package / "data").mkdir(parents=True)
    (package / "data" / "roles.toml").write_text('[judge]\nsentence = "Judge"\n', encoding="utf-8")
    jam = '[jam]\nseverity = "fault"\nsentence = "Stuck."\nstaff = """\nPull \\\n  it."""\n'
    (package / "alarms.toml").write_text(jam, encoding="utf-8")
    extracted = extract_messages(package)
    assert set(extracted) == {"alarms"}
    assert {message.id for message in extracted["alarms"] if message.id} == {"Stuck.", "Pull it."}


@pytest.mark.slow
def test_code_can_be_extracted() -> None:
    assert {"alarms", "ui"} <= set(extract_messages())
    assert LANGUAGES == ("kk", "ru", "en")
