"""Tables of the central system. Times are RFC 3339 text in UTC with milliseconds: they sort.

A change of a table that exists needs a revision, too (:mod:`.migration`).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HASH_LENGTH = 200
RECEIVING = "receiving"  # state of an upload without a verdict
metadata = MetaData()

courts = Table(
    "courts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", JSON, nullable=False),
    Column("timezone", String(64), nullable=False),
)

kiosks = Table(
    "kiosks",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("court", ForeignKey("courts.id"), nullable=False),
    Column("room", String(100), nullable=False),
    Column("last_seen", String(32)),
    Column("state", JSON(none_as_null=True)),
    Column("state_at", String(32)),
)

enrolment_codes = Table(
    "enrolment_codes",
    metadata,
    Column("secret_sha256", String(64), primary_key=True),
    Column("kiosk", ForeignKey("kiosks.id"), nullable=False),
    Column("replaces", Boolean, nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("used_at", String(32)),
    Column("public_key_sha256", String(64)),
    Column("certificate", Text),
    Index("enrolment_codes_by_kiosk", "kiosk"),
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", String(64), primary_key=True),
    Column("kiosk", ForeignKey("kiosks.id"), nullable=False),
    Column("pem", Text, nullable=False),
    Column("issued_at", String(32), nullable=False),
    Column("not_after", String(32), nullable=False),
    Column("revoked_at", String(32)),
    Index("certificates_by_kiosk", "kiosk"),
)

staff = Table(
    "staff",
    metadata,
    Column("court", ForeignKey("courts.id"), primary_key=True),
    Column("person", String(100), primary_key=True),
    Column("name", String(300), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("rooms", JSON(none_as_null=True)),  # null: the whole court
    Column("pin", String(HASH_LENGTH)),  # argon2id, or a former form that no list holds
    Column("badge", String(HASH_LENGTH)),
    Column("seed_pin", String(HASH_LENGTH)),  # as the seed file last said it
    Column("seed_badge", String(HASH_LENGTH)),
)

staff_lists = Table(  # the list that a kiosk gets until it changes or is a day old
    "staff_lists",
    metadata,
    Column("kiosk", ForeignKey("kiosks.id"), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("issued_at", String(32), nullable=False),
    Column("value", JSON, nullable=False),
)

rules_packs = Table(  # signed monthly indices; kiosks get the highest version
    "rules_packs",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("put_at", String(32), nullable=False),
    Column("value", JSON, nullable=False),
)

issued_credentials = Table(  # every hash that a kiosk was ever given
    "issued_credentials",
    metadata,
    Column("kiosk", ForeignKey("kiosks.id"), primary_key=True),
    Column("court", String(40), primary_key=True),
    Column("person", String(100), primary_key=True),
    Column("kind", String(10), primary_key=True),  # pin | badge
    Column("hash", String(HASH_LENGTH), primary_key=True),
)

exposed_credentials = Table(  # what a revoked kiosk held: never valid again
    "exposed_credentials",
    metadata,
    Column("court", String(40), primary_key=True),
    Column("person", String(100), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("hash", String(HASH_LENGTH), primary_key=True),
    Column("kiosk", String(63), nullable=False),
    Column("at", String(32), nullable=False),
)

schedule = Table(
    "schedule",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("court", ForeignKey("courts.id"), nullable=False),
    Column("room", String(100), nullable=False),
    Column("scheduled_at", String(32), nullable=False),
    Column("hearing", JSON, nullable=False),
    Index("schedule_by_room", "court", "room", "scheduled_at"),
)

counters = Table(
    "counters",
    metadata,
    Column("court", ForeignKey("courts.id"), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)  # of numbers given in a year; year 0: of changes of filings

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("kiosk", ForeignKey("kiosks.id"), nullable=False),
    Column("manifest", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("final", Boolean, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("completed_at", String(32)),
    Column("receipt", JSON(none_as_null=True)),
    Index("deliveries_by_kiosk", "kiosk", "kind", "created_at"),
    Index("deliveries_open", "completed_at", "final"),
)

filings = Table(
    "filings",
    metadata,
    Column("id", ForeignKey("deliveries.id"), primary_key=True),
    Column("court", ForeignKey("courts.id"), nullable=False),
    Column("year", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("number", String(100), nullable=False, unique=True),
    Column("provisional", String(100)),
    Column("registered_at", String(32), nullable=False),
    Column("state", String(20), nullable=False),
    Column("state_since", String(32), nullable=False),
    Column("reason", Text),
    Column("change", BigInteger, nullable=False, server_default="0"),  # counted in the court
    UniqueConstraint("court", "year", "sequence"),
    Index("filings_by_time", "registered_at"),
    Index("filings_by_change", "court", "change"),
)

files = Table(
    "files",
    metadata,
    Column("delivery", ForeignKey("deliveries.id"), primary_key=True),
    Column("path", String(400), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("upload", ForeignKey("uploads.id"), nullable=False),
    Index("files_by_upload", "upload"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kiosk", ForeignKey("kiosks.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("owner", String(36), nullable=False),
    Column("path", String(400), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("state", String(10), nullable=False),  # receiving | complete | mismatch | closed
    Column("server_sha256", String(64)),
    Column("receipt", JSON(none_as_null=True)),
    Column("created_at", String(32), nullable=False),
    Column("ended_at", String(32)),
    Index("uploads_by_owner", "owner", "path"),
    Index("uploads_by_state", "state", "owner"),
)

arrivals = Table(  # uploads that arrive in an S3 store; whoever is named in a row may change it
    "arrivals",
    metadata,
    Column("upload", ForeignKey("uploads.id"), primary_key=True),
    Column("holder", String(36), nullable=False),  # the newest request
    Column("received", BigInteger, nullable=False),
    Column("multipart", Text),
    Column("tail", String(32)),
)

link_checks = Table(  # running link checks; what is counted is read by whoever follows it
    "link_checks",
    metadata,
    Column("token", String(32), primary_key=True),
    Column("kiosk", ForeignKey("kiosks.id"), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("is_upload_used", Boolean, nullable=False),
    Column("count", JSON(none_as_null=True)),
    Column("is_ended", Boolean, nullable=False),
    Index("link_checks_by_kiosk", "kiosk"),
    Index("link_checks_by_end", "expires_at"),
)

searchable = Table(
    "searchable",
    metadata,
    Column("upload", ForeignKey("uploads.id"), primary_key=True),
    Column("delivery", ForeignKey("deliveries.id"), nullable=False),
    Column("path", String(400), nullable=False),
    Column("state", String(10), nullable=False),  # done | failed
    Column("attempts", Integer, nullable=False),
    Column("next_at", String(32)),
    Column("problem", String(400)),
    Column("key", String(36)),  # of the result in the store
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("made_at", String(32)),
    Index("searchable_by_delivery", "delivery"),
)

heads = Table(
    "heads",
    metadata,
    Column("hearing", String(36), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("lines", Integer, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("signature", String(1024), nullable=False),
    Column("kiosk", ForeignKey("kiosks.id"), nullable=False),
    Column("received_at", String(32), nullable=False),
)

closures = Table(
    "closures",
    metadata,
    Column("hearing", String(36), primary_key=True),
    Column("path", String(400), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("by", String(400)),
    Column("by_sha256", String(64)),
    Column("kiosk", ForeignKey("kiosks.id"), nullable=False),
    Column("at", String(32), nullable=False),
)

owners = Table(  # to which kiosk the id of a hearing is bound
    "owners",
    metadata,
    Column("hearing", String(36), primary_key=True),
    Column("kiosk", ForeignKey("kiosks.id"), nullable=False),
    Column("court", String(40), nullable=False),  # of the kiosk, then
    Column("room", String(100), nullable=False),
    Column("at", String(32), nullable=False),
    Column("scheduled_at", String(32)),  # when the schedule named that courtroom first
    Column("decided_at", String(32)),  # by court IT
    Column("reason", Text),
)

set_aside = Table(  # what a kiosk had delivered under an id that is another kiosk's
    "set_aside",
    metadata,
    Column("id", String(36), primary_key=True),  # where it is now
    Column("hearing", String(36), nullable=False),
    Column("kiosk", ForeignKey("kiosks.id"), nullable=False),
    Column("at", String(32), nullable=False),
    Column("is_back", Boolean, nullable=False),
    Column("moved_at", String(32)),  # the published folder, too
    Index("set_aside_by_hearing", "hearing"),
)

quarantine = Table(  # complete files that a closing replaced; court IT decides what becomes of them
    "quarantine",
    metadata,
    Column("upload", ForeignKey("uploads.id"), primary_key=True),
    Column("hearing", String(36), nullable=False),
    Column("at", String(32), nullable=False),
    Column("decision", String(10)),  # null: still to be decided | erased
    Column("decided_at", String(32)),
    Column("reason", Text),
    Index("quarantine_by_hearing", "hearing"),
    Index("quarantine_open", "decided_at"),
)

read_backs = Table(  # hearings that a kiosk reads back; the last day counts
    "read_backs",
    metadata,
    Column("kiosk", ForeignKey("kiosks.id"), primary_key=True),
    Column("hearing", String(36), primary_key=True),
    Column("at", String(32), nullable=False),
)

problems = Table(  # reasons to withhold the receipt of a complete delivery
    "problems",
    metadata,
    Column("delivery", String(36), primary_key=True),
    Column("code", String(40), nullable=False),
    Column("detail", String(400), nullable=False),
    Column("at", String(32), nullable=False),
    Column("accepted_at", String(32)),
    Column("reason", Text),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("kiosk", String(63), nullable=False),
    Column("code", String(40), nullable=False),
    Column("subject", String(36), nullable=False),
    Column("detail", String(400), nullable=False),
    Index("incidents_by_time", "at"),
)
