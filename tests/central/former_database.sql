CREATE TABLE courts (
  id VARCHAR(40) NOT NULL, 
  name JSON NOT NULL, 
  timezone VARCHAR(64) NOT NULL, 
  PRIMARY KEY (id)
);
CREATE TABLE exposed_credentials (
  court VARCHAR(40) NOT NULL, 
  person VARCHAR(100) NOT NULL, 
  kind VARCHAR(10) NOT NULL, 
  hash VARCHAR(200) NOT NULL, 
  kiosk VARCHAR(63) NOT NULL, 
  at VARCHAR(32) NOT NULL, 
  PRIMARY KEY (court, person, kind, hash)
);
CREATE TABLE problems (
  delivery VARCHAR(36) NOT NULL, 
  code VARCHAR(40) NOT NULL, 
  detail VARCHAR(400) NOT NULL, 
  at VARCHAR(32) NOT NULL, 
  accepted_at VARCHAR(32), 
  reason TEXT, 
  PRIMARY KEY (delivery)
);
CREATE TABLE incidents (
  id INTEGER NOT NULL, 
  at VARCHAR(32) NOT NULL, 
  kiosk VARCHAR(63) NOT NULL, 
  code VARCHAR(40) NOT NULL, 
  subject VARCHAR(36) NOT NULL, 
  detail VARCHAR(400) NOT NULL, 
  PRIMARY KEY (id)
);
CREATE INDEX incidents_by_time ON incidents (at);
CREATE TABLE kiosks (
  id VARCHAR(63) NOT NULL, 
  court VARCHAR(40) NOT NULL, 
  room VARCHAR(100) NOT NULL, 
  last_seen VARCHAR(32), 
  state JSON, 
  state_at VARCHAR(32), 
  PRIMARY KEY (id), 
  FOREIGN KEY(court) REFERENCES courts (id)
);
CREATE TABLE staff (
  court VARCHAR(40) NOT NULL, 
  person VARCHAR(100) NOT NULL, 
  name VARCHAR(300) NOT NULL, 
  roles JSON NOT NULL, 
  rooms JSON, 
  pin VARCHAR(200), 
  badge VARCHAR(200), 
  seed_pin VARCHAR(200), 
  seed_badge VARCHAR(200), 
  PRIMARY KEY (court, person), 
  FOREIGN KEY(court) REFERENCES courts (id)
);
CREATE TABLE schedule (
  id VARCHAR(36) NOT NULL, 
  court VARCHAR(40) NOT NULL, 
  room VARCHAR(100) NOT NULL, 
  scheduled_at VARCHAR(32) NOT NULL, 
  hearing JSON NOT NULL, 
  PRIMARY KEY (id), 
  FOREIGN KEY(court) REFERENCES courts (id)
);
CREATE INDEX schedule_by_room ON schedule (court, room, scheduled_at);
CREATE TABLE counters (
  court VARCHAR(40) NOT NULL, 
  year INTEGER NOT NULL, 
  last INTEGER NOT NULL, 
  PRIMARY KEY (court, year), 
  FOREIGN KEY(court) REFERENCES courts (id)
);
CREATE TABLE enrolment_codes (
  secret_sha256 VARCHAR(64) NOT NULL, 
  kiosk VARCHAR(63) NOT NULL, 
  replaces BOOLEAN NOT NULL, 
  expires_at VARCHAR(32) NOT NULL, 
  used_at VARCHAR(32), 
  public_key_sha256 VARCHAR(64), 
  certificate TEXT, 
  PRIMARY KEY (secret_sha256), 
  FOREIGN KEY(kiosk) REFERENCES kiosks (id)
);
CREATE TABLE certificates (
  serial VARCHAR(64) NOT NULL, 
  kiosk VARCHAR(63) NOT NULL, 
  pem TEXT NOT NULL, 
  issued_at VARCHAR(32) NOT NULL, 
  not_after VARCHAR(32) NOT NULL, 
  revoked_at VARCHAR(32), 
  PRIMARY KEY (serial), 
  FOREIGN KEY(kiosk) REFERENCES kiosks (id)
);
CREATE TABLE staff_lists (
  kiosk VARCHAR(63) NOT NULL, 
  digest VARCHAR(64) NOT NULL, 
  issued_at VARCHAR(32) NOT NULL, 
  value JSON NOT NULL, 
  PRIMARY KEY (kiosk), 
  FOREIGN KEY(kiosk) REFERENCES kiosks (id)
);
CREATE TABLE issued_credentials (
  kiosk VARCHAR(63) NOT NULL, 
  court VARCHAR(40) NOT NULL, 
  person VARCHAR(100) NOT NULL, 
  kind VARCHAR(10) NOT NULL, 
  hash VARCHAR(200) NOT NULL, 
  PRIMARY KEY (kiosk, court, person, kind, hash), 
  FOREIGN KEY(kiosk) REFERENCES kiosks (id)
);
CREATE TABLE deliveries (
  id VARCHAR(36) NOT NULL, 
  kind VARCHAR(10) NOT NULL, 
  kiosk VARCHAR(63) NOT NULL, 
  manifest JSON NOT NULL, 
  digest VARCHAR(64) NOT NULL, 
  final BOOLEAN NOT NULL, 
  created_at VARCHAR(32) NOT NULL, 
  completed_at VARCHAR(32), 
  receipt JSON, 
  PRIMARY KEY (id), 
  FOREIGN KEY(kiosk) REFERENCES kiosks (id)
);
CREATE INDEX deliveries_by_kiosk ON deliveries (kiosk, kind, created_at);
CREATE INDEX deliveries_open ON deliveries (completed_at, final);
CREATE TABLE uploads (
  id VARCHAR(36) NOT NULL, 
  kiosk VARCHAR(63) NOT NULL, 
  kind VARCHAR(10) NOT NULL, 
  owner VARCHAR(36) NOT NULL, 
  path VARCHAR(400) NOT NULL, 
  size BIGINT NOT NULL, 
  sha256 VARCHAR(64) NOT NULL, 
  state VARCHAR(10) NOT NULL, 
  address TEXT, 
  server_sha256 VARCHAR(64), 
  receipt JSON, 
  created_at VARCHAR(32) NOT NULL, 
  ended_at VARCHAR(32), 
  PRIMARY KEY (id), 
  FOREIGN KEY(kiosk) REFERENCES kiosks (id)
);
CREATE INDEX uploads_by_owner ON uploads (owner, path);
CREATE INDEX uploads_by_state ON uploads (state);
CREATE TABLE heads (
  hearing VARCHAR(36) NOT NULL, 
  part INTEGER NOT NULL, 
  lines INTEGER NOT NULL, 
  hash VARCHAR(64) NOT NULL, 
  signature VARCHAR(1024) NOT NULL, 
  kiosk VARCHAR(63) NOT NULL, 
  received_at VARCHAR(32) NOT NULL, 
  PRIMARY KEY (hearing, part, lines), 
  FOREIGN KEY(kiosk) REFERENCES kiosks (id)
);
CREATE TABLE closures (
  hearing VARCHAR(36) NOT NULL, 
  path VARCHAR(400) NOT NULL, 
  sha256 VARCHAR(64) NOT NULL, 
  "by" VARCHAR(400), 
  by_sha256 VARCHAR(64), 
  kiosk VARCHAR(63) NOT NULL, 
  at VARCHAR(32) NOT NULL, 
  PRIMARY KEY (hearing, path, sha256), 
  FOREIGN KEY(kiosk) REFERENCES kiosks (id)
);
CREATE TABLE filings (
  id VARCHAR(36) NOT NULL, 
  court VARCHAR(40) NOT NULL, 
  year INTEGER NOT NULL, 
  sequence INTEGER NOT NULL, 
  number VARCHAR(100) NOT NULL, 
  provisional VARCHAR(100), 
  registered_at VARCHAR(32) NOT NULL, 
  state VARCHAR(20) NOT NULL, 
  state_since VARCHAR(32) NOT NULL, 
  reason TEXT, 
  PRIMARY KEY (id), 
  UNIQUE (court, year, sequence), 
  FOREIGN KEY(id) REFERENCES deliveries (id), 
  FOREIGN KEY(court) REFERENCES courts (id), 
  UNIQUE (number)
);
CREATE TABLE files (
  delivery VARCHAR(36) NOT NULL, 
  path VARCHAR(400) NOT NULL, 
  size BIGINT NOT NULL, 
  sha256 VARCHAR(64) NOT NULL, 
  upload VARCHAR(36) NOT NULL, 
  PRIMARY KEY (delivery, path), 
  FOREIGN KEY(delivery) REFERENCES deliveries (id), 
  FOREIGN KEY(upload) REFERENCES uploads (id)
);
CREATE TABLE searchable (
  upload VARCHAR(36) NOT NULL, 
  delivery VARCHAR(36) NOT NULL, 
  path VARCHAR(400) NOT NULL, 
  state VARCHAR(10) NOT NULL, 
  attempts INTEGER NOT NULL, 
  next_at VARCHAR(32), 
  problem VARCHAR(400), 
  "key" VARCHAR(36), 
  size BIGINT, 
  sha256 VARCHAR(64), 
  made_at VARCHAR(32), 
  PRIMARY KEY (upload), 
  FOREIGN KEY(upload) REFERENCES uploads (id), 
  FOREIGN KEY(delivery) REFERENCES deliveries (id)
);
CREATE INDEX searchable_by_delivery ON searchable (delivery);
