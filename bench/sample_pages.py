"""Sample pages for the benchmarks: Kazakh and Russian text whose every character is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from kiosk import fonts
from kiosk.hardware.virtual.claim_pages import simulate_scan

DPI = 300
_SIZE, _MARGIN, _LINE, _LETTERS = (2480, 3508), 300, 76, 48

KAZAKH = (
    "Жауапкердің әрекетсіздігі салдарынан отбасым жөнделмеген үйде тұруға мәжбүр болды, сондықтан "
    "мен өз құқықтарым мен заңды мүдделерімді қорғау үшін сотқа жүгінемін.",
    "Тараптардың арасындағы даудың мәнін анықтау үшін маңызы бар мән-жайлар мынадай құжаттармен "
    "расталады: шарттың көшірмесі, төлем тапсырмасы, талап хаттың көшірмесі және оның жауапкерге "
    "табыс етілгені туралы хабарлама, үйдің қазіргі жай-күйін көрсететін фотосуреттер.",
    "Мен дауды медиация тәртібімен реттеуге қарсы емеспін және татуласу рәсіміне қатысуға "
    "дайынмын. Сот отырысына онлайн қатысуға техникалық мүмкіндігім бар.",
    "Алайда белгіленген мерзімде жауапкер жұмысты бастаған жоқ, құрылыс материалдарын жеткізбеді "
    "және телефон арқылы жасалған өтініштеріме жауап бермеді. Хат жауапкерге 22 маусымда табыс "
    "етілді, бірақ ақша осы уақытқа дейін қайтарылған жоқ.",
)
RUSSIAN = (
    "Ответчик к выполнению работ не приступил, строительные материалы не доставил и на обращения "
    "по телефону не отвечал, поэтому семья истца вынуждена жить в доме без ремонта.",
    "Обстоятельства, имеющие значение для рассмотрения спора, подтверждаются следующими "
    "документами: копией договора, платёжным поручением, копией претензии и уведомлением о её "
    "вручении, фотографиями, показывающими нынешнее состояние дома.",
    "Истец не возражает против урегулирования спора в порядке медиации и готов участвовать в "
    "примирительных процедурах. Техническая возможность участия в судебном заседании онлайн "
    "имеется.",
    "На основании изложенного прошу взыскать с ответчика 1 000 000 тенге и сумму уплаченной "
    "государственной пошлины, вызвать в качестве свидетеля соседа, который может подтвердить, что "
    "работы не начинались.",
)


def draw_text(paragraphs: Sequence[str], face: Path = fonts.REGULAR) -> Image.Image:
    """Return an A4 page at 300 dpi with ``paragraphs``."""
    image = Image.new("RGB", _SIZE, (250, 249, 245))
    draw, y = ImageDraw.Draw(image), _MARGIN
    font = ImageFont.truetype(str(face), _LETTERS, layout_engine=ImageFont.Layout.BASIC)
    for paragraph in paragraphs:
        line = ""
        for word in [*paragraph.split(), ""]:
            longer = f"{line} {word}".strip()
            if not word or draw.textlength(longer, font) > _SIZE[0] - 2 * _MARGIN:
                draw.text((_MARGIN, y), line, (28, 28, 32), font)
                y, longer = y + _LINE, word
            line = longer
        y += _LINE // 2
    return image


def scan_image(image: Image.Image, folder: Path, *, skew: float, noise: float, seed: int) -> Path:
    """Write ``image`` into ``folder`` as an old scanner reads it: ``0001.jpg`` of that seed."""
    scan = simulate_scan(image, skew, seed=seed).filter(ImageFilter.GaussianBlur(0.6))
    pixels = np.asarray(scan).astype(np.float32)
    pixels += np.random.default_rng(seed).normal(0, noise, pixels.shape[:2])[:, :, None]
    path = folder / f"{seed:04d}.jpg"
    dots = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    dots.save(path, quality=94, subsampling=0, dpi=(DPI, DPI))
    return path
