"""The schema of ``kiosk.db``, step by step.

``PRAGMA user_version`` counts the steps that a database has had. A step is never changed once
released: a new one is appended. What is in the database can be rebuilt from the folders, the
receipts and the kept registrations, so that a step may also throw away and let be rebuilt.
"""

from __future__ import annotations

SCHEMA_1 = """
CREATE TABLE items (
    id          TEXT PRIMARY KEY,           -- UUID of the hearing, filing or report
    kind        TEXT NOT NULL CHECK (kind IN ('hearing', 'filing', 'report')),
    state       TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'delivered', 'failed')),
    registered  INTEGER NOT NULL DEFAULT 0, -- the central system knows id, paths, sizes, hashes
    problem     TEXT,                       -- code of what stands in the way now
    attempts    INTEGER NOT NULL DEFAULT 0, -- failures since the last success
    added_at    TEXT NOT NULL,
    delivered_at TEXT,
    sha256_match INTEGER                    -- the central system's own hashes agree (NULL: unknown)
) STRICT;

CREATE TABLE files (
    item_id     TEXT NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    path        TEXT NOT NULL,              -- relative to the item's folder, '/' between names
    size        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    lane        INTEGER NOT NULL,           -- 0 urgent, 1 journals and channels, 2 video
    upload_url  TEXT,
    sent        INTEGER NOT NULL DEFAULT 0, -- bytes the central system has confirmed
    state       TEXT NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'confirmed', 'damaged')),
    fresh_tries INTEGER NOT NULL DEFAULT 0, -- uploads begun anew after hashes disagreed
    PRIMARY KEY (item_id, path)
) STRICT;
CREATE INDEX files_waiting ON files (state, lane);

CREATE TABLE registrations (
    filing_id   TEXT PRIMARY KEY,
    provisional TEXT,                       -- number given by the kiosk while without network
    number      TEXT,                       -- number given by the central system
    state       TEXT NOT NULL,              -- queued, sent, registered, accepted, returned, ...
    at          TEXT NOT NULL,
    as_of       TEXT
) STRICT;

CREATE TABLE heads (
    hearing_id  TEXT NOT NULL,
    part        INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    body        TEXT NOT NULL,              -- the head as it goes out (JSON)
    sent_at     TEXT,
    problem     TEXT,                       -- why the central system will never take it
    PRIMARY KEY (hearing_id, part, count)
) STRICT;

CREATE TABLE link_checks (
    at          TEXT PRIMARY KEY,
    result      TEXT NOT NULL
) STRICT;

CREATE TABLE facts (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL
) STRICT;
"""

SCHEMA_2 = """
-- route: 'network', or 'courier': never by network
ALTER TABLE items ADD COLUMN route TEXT NOT NULL DEFAULT 'network';

CREATE TABLE closures (
    hearing_id  TEXT NOT NULL,
    line        INTEGER NOT NULL,           -- of the hearing's chain
    body        TEXT NOT NULL,              -- what the central system is told (JSON)
    sent_at     TEXT,
    problem     TEXT,                       -- why it will never take it
    PRIMARY KEY (hearing_id, line)
) STRICT;

CREATE TABLE early (                        -- finished minutes of running hearings
    hearing_id  TEXT NOT NULL,
    path        TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    size        INTEGER NOT NULL,
    state       TEXT NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'complete', 'closed', 'given_up')),
    tries       INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hearing_id, path, sha256)
) STRICT;
"""

#: Why the registry returned a filing.
SCHEMA_3 = """
ALTER TABLE registrations ADD COLUMN reason TEXT;
"""

#: Refused closings were dropped: they are sent until the central system takes them.
SCHEMA_4 = """
UPDATE closures SET sent_at = NULL, problem = NULL WHERE problem IS NOT NULL;
"""

#: The next file is found without reading all that wait: a hearing has thousands.
SCHEMA_5 = """
CREATE INDEX files_of_item ON files (item_id, state, lane, path);
CREATE INDEX items_by_state ON items (state);
"""

MIGRATIONS: tuple[str, ...] = (SCHEMA_1, SCHEMA_2, SCHEMA_3, SCHEMA_4, SCHEMA_5)
