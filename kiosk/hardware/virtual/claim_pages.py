"""Paper for the virtual scanner: a three-page statement of claim in Kazakh.

All people and the court are invented; the foot of each page says so. The pages look like real
scans: off-white, slightly skewed, with sensor noise. The last one has a signature and a stamp in
colour. ``python -m kiosk.hardware.virtual.claim_pages DIR`` writes them.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from kiosk import fonts
from kiosk.fonts.drawing import load_font, wrap_text

WIDTH, HEIGHT, DPI = 2480, 3508, 300
_MARGIN_LEFT, _MARGIN_RIGHT, _TOP = 354, 177, 260
_PAPER, _INK = (250, 249, 245), (28, 28, 32)
_NOISE_TILE = 509
_STAMP, _PEN = (38, 62, 148), (22, 38, 120)
_FOOT = "Үлгі: барлық аты-жөн, мекенжай мен мән-жайлар ойдан алынған."

_HEAD = (
    "Көктөбе қаласының №2 аудандық сотына",
    "Талапкер: Әбдіғалиева Гүлнұр Өмірханқызы",
    "Көктөбе қаласы, Жеңіс көшесі, 14-үй, 27-пәтер",
    "Жауапкер: «Ұлытау Құрылыс» ЖШС",
    "Көктөбе қаласы, Қобыланды батыр көшесі, 5",
    "Талап қою бағасы: 1 000 000 (бір миллион) теңге",
)
_TITLE = ("ТАЛАП ҚОЮ АРЫЗЫ", "шарт бойынша төленген соманы өндіру туралы")
_PAGE_1 = (
    "2026 жылғы 12 ақпанда мен жауапкермен тұрғын үйге күрделі жөндеу жүргізу туралы "
    "№ 18/26 шарт жасастым. Шарттың талаптарына сәйкес жауапкер жұмысты 2026 жылғы 30 мамырға "
    "дейін өз материалымен орындап, қабылдау-тапсыру актісі бойынша тапсыруға міндеттенді.",
    "Мен шарттың 3.1-тармағына сәйкес 1 000 000 теңге мөлшеріндегі алдын ала төлемді толық "
    "көлемде төледім, бұл банктің төлем тапсырмасымен расталады. Алайда белгіленген мерзімде "
    "жауапкер жұмысты бастаған жоқ, құрылыс материалдарын жеткізбеді және телефон арқылы "
    "жасалған өтініштеріме жауап бермеді.",
    "2026 жылғы 15 маусымда мен жауапкерге шартты бұзу және төленген соманы он күнтізбелік күн "
    "ішінде қайтару туралы сотқа дейінгі талап хатты тапсырысты хатпен жібердім. Хат жауапкерге "
    "22 маусымда табыс етілді, бірақ ақша осы уақытқа дейін қайтарылған жоқ.",
)
_PAGE_2 = (
    "Жауапкердің әрекетсіздігі салдарынан отбасым жөнделмеген үйде тұруға мәжбүр болды, "
    "сондықтан мен өз құқықтарым мен заңды мүдделерімді қорғау үшін сотқа жүгінемін.",
    "Тараптардың арасындағы даудың мәнін анықтау үшін маңызы бар мән-жайлар мынадай құжаттармен "
    "расталады: шарттың көшірмесі, төлем тапсырмасы, талап хаттың көшірмесі және оның "
    "жауапкерге табыс етілгені туралы хабарлама, үйдің қазіргі жай-күйін көрсететін "
    "фотосуреттер.",
    "Мен дауды медиация тәртібімен реттеуге қарсы емеспін және татуласу рәсіміне қатысуға "
    "дайынмын. Сот отырысына онлайн қатысуға техникалық мүмкіндігім бар.",
    "Жоғарыда баяндалғанның негізінде соттан өтінемін:",
    "1. Жауапкерден менің пайдама 1 000 000 (бір миллион) теңге өндірілсін.",
    "2. Жауапкерден төленген мемлекеттік баж сомасы 10 000 (он мың) теңге өндірілсін.",
    "3. Куә ретінде көршім шақырылсын, ол жұмыстың басталмағанын растай алады.",
)
_PAGE_3 = (
    "Қоса берілетін құжаттар:",
    "1. № 18/26 шарттың көшірмесі — 4 парақ.",
    "2. Төлем тапсырмасының көшірмесі — 1 парақ.",
    "3. Сотқа дейінгі талап хаттың көшірмесі және пошта хабарламасы — 2 парақ.",
    "4. Фотосуреттер — 3 парақ.",
    "5. Мемлекеттік баж төленгенін растайтын түбіртек — 1 парақ.",
    "6. Талап қою арызының жауапкерге арналған көшірмесі — 3 парақ.",
    "",
    "Осы арыздағы мәліметтердің дұрыстығын растаймын.",
    "",
    "2026 жылғы 23 қараша",
    "Талапкер                                        Г. Ө. Әбдіғалиева",
)


def make_claim(folder: Path, *, skew: Sequence[float] = (0.4, -0.6, 0.3)) -> list[Path]:
    """Write the claim's three pages into ``folder`` as ``page-1.png`` …; return their paths.

    Args:
        folder: created if it is absent.
        skew: degrees of skew of each page, counter-clockwise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, angle in enumerate(skew, start=1):
        path = folder / f"page-{number}.png"
        page = simulate_scan(draw_claim_page(number), angle, seed=number)
        page.save(path, compress_level=1, dpi=(DPI, DPI))
        paths.append(path)
    return paths


def draw_claim_page(number: int) -> Image.Image:
    """Return page 1, 2 or 3 of the claim, clean and straight."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    y = _TOP
    if number == 1:
        y = _draw_head(draw, y)
        y = _draw_paragraphs(draw, _PAGE_1, y)
    elif number == 2:
        y = _draw_paragraphs(draw, _PAGE_2, y)
    else:
        y = _draw_paragraphs(draw, _PAGE_3, y)
        _draw_signature(draw, 1180, y - 60)
        _draw_stamp(image, (1080, y + 420))
    small = load_font(fonts.REGULAR, 30)
    draw.text((_MARGIN_LEFT, HEIGHT - 150), f"{_FOOT}   {number} / 3", (110, 110, 112), small)
    return image


def simulate_scan(image: Image.Image, angle: float, *, seed: int = 0) -> Image.Image:
    """Return ``image`` like a scan: skewed by ``angle`` degrees, with noise."""
    turned = image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=_PAPER)
    tile = np.random.default_rng(seed).normal(0.0, 1.6, (_NOISE_TILE, _NOISE_TILE, 1))
    repeats = (-(-image.height // _NOISE_TILE), -(-image.width // _NOISE_TILE), 1)
    noise = np.tile(np.rint(tile).astype(np.int16), repeats)[: image.height, : image.width]
    pixels = np.asarray(turned, dtype=np.int16) + noise
    return Image.fromarray(np.clip(pixels, 0, 254).astype(np.uint8))


def _draw_head(draw: ImageDraw.ImageDraw, y: int) -> int:
    font, bold = load_font(fonts.REGULAR, 46), load_font(fonts.SEMI_BOLD, 54)
    for line in _HEAD:
        draw.text((1180, y), line, _INK, font)
        y += 68
    y += 120
    for text, face in zip(_TITLE, (bold, font), strict=True):
        draw.text(((WIDTH - draw.textlength(text, face)) / 2, y), text, _INK, face)
        y += 84
    return y + 60


def _draw_paragraphs(draw: ImageDraw.ImageDraw, paragraphs: Sequence[str], y: int) -> int:
    font, width = load_font(fonts.REGULAR, 48), WIDTH - _MARGIN_LEFT - _MARGIN_RIGHT
    for paragraph in paragraphs:
        is_laid_out = "  " in paragraph
        for line in [paragraph] if is_laid_out else wrap_text(paragraph, font, width) or [""]:
            draw.text((_MARGIN_LEFT, y), line, _INK, font)
            y += 76
        y += 34
    return y


def _draw_signature(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    """Draw a signature with a blue pen."""
    points = [
        (x + 4.2 * t, y + 46 * math.sin(t / 9) * math.exp(-t / 90) - t / 6) for t in range(110)
    ]
    draw.line(points, fill=_PEN, width=7, joint="curve")


def _draw_stamp(image: Image.Image, centre: tuple[int, int]) -> None:
    """Draw a round blue stamp with a ring of letters, in uneven ink."""
    size = 560
    stamp = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(stamp)
    for inset, width in ((6, 9), (26, 3), (120, 4)):
        draw.ellipse((inset, inset, size - inset, size - inset), outline=255, width=width)
    _letter_ring(stamp, "ТҮПНҰСҚАМЕН ДҰРЫС · КӨКТӨБЕ ҚАЛАСЫ · ", size / 2 - 72)
    face = load_font(fonts.SEMI_BOLD, 44)
    for row, word in enumerate(("ҮЛГІ", "№ 2")):
        left = (size - draw.textlength(word, face)) / 2
        draw.text((left, size / 2 - 56 + 60 * row), word, 255, face)
    worn = np.random.default_rng(7).uniform(0.62, 0.92, (size, size))
    mask = Image.fromarray((np.asarray(stamp) * worn).astype(np.uint8))
    corner = (centre[0] - size // 2, centre[1] - size // 2)
    image.paste(Image.new("RGB", (size, size), _STAMP), corner, mask)


def _letter_ring(stamp: Image.Image, text: str, radius: float) -> None:
    face, middle = load_font(fonts.SEMI_BOLD, 42), stamp.width / 2
    for index, letter in enumerate(text):
        angle = 2 * math.pi * index / len(text)
        tile = Image.new("L", (64, 64), 0)
        ImageDraw.Draw(tile).text((32, 32), letter, 255, face, anchor="mm")
        tile = tile.rotate(-math.degrees(angle), Image.Resampling.BICUBIC)
        x = round(middle + radius * math.sin(angle) - 32)
        y = round(middle - radius * math.cos(angle) - 32)
        stamp.paste(255, (x, y), tile)


def main(argv: list[str] | None = None) -> int:
    """Write the pages into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for path in make_claim(parser.parse_args(argv).folder):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
