"""The seed file: a court, its kiosks, staff and schedule.

It is TOML (or JSON of the same shape)::

    [court]
    id = "7514"
    name = {kk = "…", ru = "…", en = "…"}
    timezone = "Asia/Almaty"

    [[kiosks]]
    id = "kiosk-0001"
    room = "1"

    [[staff]]
    person = "p-1"
    name = "…"
    roles = ["secretary"]
    rooms = ["1"]        # or "all": the whole court; []: no kiosk (the person has left)
    badge = "…"          # kept only as an argon2id hash; may be left out
    pin = "…"            # likewise

    [[hearings]]
    room = "1"
    case_number = "…"
    time = "09:30"       # today; day = 1 for tomorrow; or scheduled_at = RFC 3339
    …                    # all else as in docs/interfaces.md, Hearing

Reading the same file twice changes nothing; a PIN or badge that was set since by ``kiosk central``
stays until the file names another one. Hearings without an id get one from room, case and day. A
schedule from the court's own system arrives in the same form.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from kiosk.central.contract import Id, Participant
from kiosk.central.identity.pin_rules import check_pin
from kiosk.errors import ConfigError

Role = Literal["secretary", "judge", "technician"]
Room = Annotated[str, Field(min_length=1, max_length=100)]


class SeedModel(BaseModel):
    """A table of the seed file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SeedCourt(SeedModel):
    """``[court]``."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,40}$")]
    name: dict[Literal["kk", "ru", "en"], str]
    timezone: str = "Asia/Almaty"


class SeedKiosk(SeedModel):
    """``[[kiosks]]``."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")]
    room: Room


class SeedPerson(SeedModel):
    """``[[staff]]``."""

    person: Annotated[str, Field(min_length=1, max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=300)]
    roles: list[Role]
    rooms: list[Room] | Literal["all"]
    badge: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    pin: Annotated[str, AfterValidator(check_pin)] | None = None


class SeedHearing(SeedModel):
    """``[[hearings]]``."""

    id: Id | None = None
    room: str
    time: Annotated[str, Field(pattern=r"^[0-2][0-9]:[0-5][0-9]$")] | None = None
    day: int = 0
    scheduled_at: AwareDatetime | None = None
    case_number: str
    title: str
    kind: str = "civil"
    duration_minutes: int = 60
    format: str = "offline"
    publicity: str = "open"
    judge: str = ""
    participants: list[Participant] = []


class Seed(SeedModel):
    """The whole file."""

    court: SeedCourt
    kiosks: list[SeedKiosk] = []
    staff: list[SeedPerson] = []
    hearings: list[SeedHearing] = []


def load_seed(path: Path) -> Seed:
    """Read a seed file.

    Raises:
        ConfigError: it cannot be read, or a key or value is not allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        seed = Seed.model_validate(data)
        ZoneInfo(seed.court.timezone)
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(str(key) for key in item['loc'])}: {item['msg']}"
            for item in error.errors(include_input=False)
        ]
        raise ConfigError("\n".join(lines)) from error
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return seed
