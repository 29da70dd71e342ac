/**
 * The tables, as numbered migrations from a database's `user_version` to the newest. A released migration
 * never changes what it does.
 *
 * Triggers keep the sums after every statement:
 *
 *   account.used     = the sum of size over the account's rows in `file`
 *   account.reserved = the sum of max(0, want - credit) over its rows in `upload`
 *   upload.credit   <= the size of the file that the upload replaces, if its account owns that; only
 *                      one upload to a path has credit
 *
 * When that file shrinks or is removed, its credit becomes reservation in the same statement: `used` falls
 * by at least as much as `reserved` rises. A file that moves away frees nothing, so the code that moves it
 * calls `UploadsAt.uncredit` before. schema_folders.ts has the same rules for entries.
 */
import { auditAndVerification } from "./schema_audit.ts";
import { fileFacts, foldersAndEntries } from "./schema_folders.ts";

/** "barg" in ASCII, by which `file` and barge recognize the database. */
export const applicationId = 0x62617267;

/** Returns the triggers on properties. @param sizeOf SQL for the size of a property in a trigger's row */
function propertyTriggers(sizeOf: (row: "NEW" | "OLD") => string, updated = ""): string {
  const [newSize, oldSize] = [sizeOf("NEW"), sizeOf("OLD")];
  const add = `
  INSERT INTO property_sum (account, count, size) VALUES (NEW.account, 1, ${newSize})
    ON CONFLICT DO UPDATE SET count = count + 1, size = size + excluded.size;`;
  const subtract = `
  UPDATE property_sum SET count = count - 1, size = size - (${oldSize}) WHERE account = OLD.account;`;
  return `
CREATE TRIGGER property_insert AFTER INSERT ON property BEGIN ${add} END;
CREATE TRIGGER property_delete AFTER DELETE ON property BEGIN ${subtract} END;
CREATE TRIGGER property_update AFTER UPDATE ${updated} ON property BEGIN ${subtract} ${add} END;
`;
}

const octetsOf = (row: string) =>
  ["dir", "name", "space", "local", "xml"].map((c) => `octet_length(${row}${c})`).join(" + ");

const revocationTriggers = Object.entries({
  account_revoked: "UPDATE OF epoch, disabled ON account",
  account_removed: "DELETE ON account",
  token_revoked: "DELETE ON token",
  public_key_revoked: "DELETE ON public_key",
  web_session_revoked: "DELETE ON web_session",
  share_revoked: "DELETE ON share",
}).map(([name, event]) =>
  `CREATE TRIGGER ${name} AFTER ${event} BEGIN UPDATE revocation SET count = count + 1; END;`
).join("\n");

export const migrations: readonly string[] = [
  `
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE account (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
  role       TEXT NOT NULL CHECK (role IN ('user', 'admin')),
  disabled   INTEGER NOT NULL DEFAULT 0,
  quota      INTEGER CHECK (quota >= 0),            -- bytes; null: none
  used       INTEGER NOT NULL DEFAULT 0,
  reserved   INTEGER NOT NULL DEFAULT 0,
  salt       TEXT NOT NULL,
  n          INTEGER NOT NULL,
  r          INTEGER NOT NULL,
  p          INTEGER NOT NULL,
  stored_key TEXT NOT NULL,
  server_key TEXT NOT NULL,
  created    INTEGER NOT NULL                       -- ms since 1970, as all times here
) STRICT;

CREATE TABLE token (
  id         TEXT PRIMARY KEY,
  account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  label      TEXT NOT NULL,
  salt       TEXT NOT NULL,
  stored_key TEXT NOT NULL,
  server_key TEXT NOT NULL,
  created    INTEGER NOT NULL,
  used       INTEGER                                -- when it last logged in
) STRICT;
CREATE INDEX token_account ON token (account);

-- dir is the folder on disk below the data directory ('public/a', 'homes/alice'), without a slash at its end.
CREATE TABLE file (
  dir      TEXT NOT NULL,
  name     TEXT NOT NULL,${fileFacts}
  PRIMARY KEY (dir, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_owner ON file (owner);

CREATE TABLE upload (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,       -- its staged bytes lie in staging/ID
  account  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  dir      TEXT NOT NULL,
  name     TEXT NOT NULL,
  size     INTEGER,                                 -- declared; null: unknown
  want     INTEGER NOT NULL,                        -- bytes that it needs on disk
  credit   INTEGER NOT NULL,                        -- bytes that it will give back by replacing
  modified INTEGER,                                 -- the time of the file
  sha256   TEXT,                                    -- set: sealed, about to be renamed into place
  verified INTEGER NOT NULL DEFAULT 1,
  holder   TEXT,                                    -- who writes it; null: nobody, it can be resumed
  touched  INTEGER NOT NULL                         -- when its last byte came
) STRICT;
CREATE INDEX upload_path ON upload (dir, name);
CREATE INDEX upload_account ON upload (account);

-- A rename or removal under way, which the next start settles after a crash.
CREATE TABLE intent (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  verb     TEXT NOT NULL CHECK (verb IN ('move', 'remove')),
  dir      TEXT NOT NULL,
  name     TEXT NOT NULL,
  to_dir   TEXT NOT NULL,
  to_name  TEXT NOT NULL
) STRICT;

CREATE TRIGGER file_insert AFTER INSERT ON file BEGIN
  UPDATE account SET used = used + NEW.size WHERE id = NEW.owner;
END;
CREATE TRIGGER file_delete AFTER DELETE ON file BEGIN
  UPDATE account SET used = used - OLD.size WHERE id = OLD.owner;
  UPDATE upload SET credit = 0 WHERE dir = OLD.dir AND name = OLD.name AND credit > 0;
END;
CREATE TRIGGER file_update AFTER UPDATE ON file BEGIN
  UPDATE account SET used = used - OLD.size WHERE id = OLD.owner;
  UPDATE account SET used = used + NEW.size WHERE id = NEW.owner;
  UPDATE upload SET credit = 0 WHERE dir = OLD.dir AND name = OLD.name AND credit > 0
    AND (account IS NOT NEW.owner OR OLD.dir <> NEW.dir OR OLD.name <> NEW.name);
  UPDATE upload SET credit = NEW.size WHERE dir = NEW.dir AND name = NEW.name AND credit > NEW.size;
END;

CREATE TRIGGER upload_insert AFTER INSERT ON upload BEGIN
  UPDATE account SET reserved = reserved + max(0, NEW.want - NEW.credit) WHERE id = NEW.account;
END;
CREATE TRIGGER upload_delete AFTER DELETE ON upload BEGIN
  UPDATE account SET reserved = reserved - max(0, OLD.want - OLD.credit) WHERE id = OLD.account;
END;
CREATE TRIGGER upload_update AFTER UPDATE OF want, credit ON upload BEGIN
  UPDATE account SET reserved = reserved - max(0, OLD.want - OLD.credit)
    + max(0, NEW.want - NEW.credit) WHERE id = NEW.account;
END;
`,
  `
-- Failed logins of the last hour: see bans.ts.
CREATE TABLE failure (
  id      INTEGER PRIMARY KEY,
  account TEXT NOT NULL,                            -- as bans.ts writes names; '': a token's login
  address TEXT NOT NULL,                            -- as network() in net/address.ts writes it
  known   INTEGER NOT NULL,                         -- 1: the address is familiar to the account
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX failure_address ON failure (address, at);
CREATE INDEX failure_account ON failure (account, at);
CREATE INDEX failure_at ON failure (at);

-- A ban of an account at an address; '' as the account or address: all.
CREATE TABLE ban (
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  since   INTEGER NOT NULL,
  until   INTEGER NOT NULL,                         -- the row is kept for a day longer
  times   INTEGER NOT NULL,
  PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX ban_until ON ban (until);

-- Addresses that accounts have logged in from.
CREATE TABLE familiar (
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  seen    INTEGER NOT NULL,                         -- to the day
  PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
`,
  `
-- The bytes that can be resumed when the writer of an upload with gaps dies. Null: all staged ones.
ALTER TABLE upload ADD COLUMN whole INTEGER;
`,
  `
-- Dead properties, which WebDAV clients attach to files and folders: see properties.ts.
CREATE TABLE property (
  dir     TEXT NOT NULL,
  name    TEXT NOT NULL,
  space   TEXT NOT NULL,                            -- of its name in XML
  local   TEXT NOT NULL,
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,  -- who set it
  xml     TEXT NOT NULL,                            -- the whole element
  PRIMARY KEY (dir, name, space, local)
) STRICT, WITHOUT ROWID;
CREATE INDEX property_account ON property (account);

-- The number of an account's properties, and of characters in them; triggers keep both.
CREATE TABLE property_sum (
  account INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  count   INTEGER NOT NULL,
  size    INTEGER NOT NULL
) STRICT;

${propertyTriggers((row) => `length(${row}.xml)`, "OF account, xml")}
-- WebDAV's locks: see locks.ts.
CREATE TABLE lock (
  token   TEXT PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  dir     TEXT NOT NULL,
  name    TEXT NOT NULL,
  shared  INTEGER NOT NULL,
  deep    INTEGER NOT NULL,                         -- 1: also on everything below
  owner   TEXT NOT NULL,                            -- the client's description of itself, in XML
  until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lock_path ON lock (dir, name);
CREATE INDEX lock_account ON lock (account);
CREATE INDEX lock_until ON lock (until);
`,
  `
-- Logins at the web page, by the digest of their cookie.
CREATE TABLE web_session (
  digest   TEXT PRIMARY KEY,
  account  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  agent    TEXT NOT NULL,                           -- the browser, as it calls itself
  address  TEXT NOT NULL,                           -- where it logged in from
  created  INTEGER NOT NULL,
  seen     INTEGER NOT NULL                         -- to the minute
) STRICT, WITHOUT ROWID;
CREATE INDEX web_session_account ON web_session (account);
`,
  `
ALTER TABLE account ADD COLUMN last_login INTEGER;  -- null: never since this column exists

-- Share links, by the digest of their token.
CREATE TABLE share (
  digest     TEXT PRIMARY KEY,
  account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  dir        TEXT NOT NULL,                         -- its place, as in the table file
  name       TEXT NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('file', 'dir')),
  created    INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  most       INTEGER CHECK (most > 0),              -- downloads; null: any number
  downloads  INTEGER NOT NULL DEFAULT 0 CHECK (most IS NULL OR downloads <= most),
  gone       INTEGER NOT NULL DEFAULT 0,            -- 1: its file or folder was moved or removed
  salt       TEXT,                                  -- of its password, as in account; null: none
  n          INTEGER,
  r          INTEGER,
  p          INTEGER,
  stored_key TEXT,
  server_key TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX share_account ON share (account);
CREATE INDEX share_place ON share (dir, name);

-- Counted downloads that may be resumed.
CREATE TABLE share_visit (
  share   TEXT NOT NULL REFERENCES share (digest) ON DELETE CASCADE,
  address TEXT NOT NULL,                            -- as network() in net/address.ts writes it
  version TEXT NOT NULL,                            -- of the file
  parts   INTEGER NOT NULL,                         -- in which it may still be resumed
  at      INTEGER NOT NULL,
  PRIMARY KEY (share, address, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX share_visit_at ON share_visit (at);
`,
  `
-- Public keys for logins at the SFTP door.
CREATE TABLE public_key (
  account     INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  fingerprint TEXT NOT NULL,                        -- SHA256:..., of the blob
  type        TEXT NOT NULL,
  blob        TEXT NOT NULL,                        -- RFC 4253, section 6.6; in base64
  comment     TEXT NOT NULL,
  added       INTEGER NOT NULL,
  used        INTEGER,                              -- when it last logged in
  PRIMARY KEY (account, fingerprint)
) STRICT, WITHOUT ROWID;
`,
  `
-- Uploads that became files, by path: see finished_uploads.ts.
CREATE TABLE finished_upload (
  account  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  dir      TEXT NOT NULL,
  name     TEXT NOT NULL,
  size     INTEGER NOT NULL,
  sha256   TEXT NOT NULL,
  finished INTEGER NOT NULL,
  PRIMARY KEY (account, dir, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX finished_upload_at ON finished_upload (finished);
`,
  `
-- The credential of a login, which ends with it.
ALTER TABLE account ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;  -- raised with each new password
ALTER TABLE token ADD COLUMN issued_by TEXT                       -- the token that issued it
  REFERENCES token (id) ON DELETE CASCADE;
ALTER TABLE web_session ADD COLUMN token TEXT                     -- its credential; null: a password
  REFERENCES token (id) ON DELETE CASCADE;
CREATE INDEX token_issued_by ON token (issued_by);
CREATE INDEX web_session_token ON web_session (token);
DELETE FROM web_session;  -- their credentials are unknown

-- One row: the number of credentials and accounts that have ended.
CREATE TABLE revocation (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL
) STRICT;
INSERT INTO revocation (id, count) VALUES (1, 0);

${revocationTriggers}
`,
  `
-- Every insertion counts rows by these indexes: see bounds.ts.
CREATE INDEX upload_partial ON upload (account) WHERE sha256 IS NULL;
CREATE INDEX finished_upload_account ON finished_upload (account, finished);

-- property_sum.size counts octets of all columns from here on, not characters of xml alone.
DROP TRIGGER property_insert;
DROP TRIGGER property_delete;
DROP TRIGGER property_update;
CREATE VIEW property_size AS SELECT account, dir, name, ${octetsOf("")} AS octets FROM property;
${propertyTriggers((row) => octetsOf(`${row}.`))}
UPDATE property_sum SET size = coalesce(
  (SELECT sum(octets) FROM property_size WHERE property_size.account = property_sum.account), 0);

-- The bytes that an account took by register and grow; null: an operator made the account.
ALTER TABLE account ADD COLUMN granted INTEGER;

-- Tries to register in the last hour: see registrations.ts.
CREATE TABLE registration (
  id      INTEGER PRIMARY KEY,
  address TEXT NOT NULL,                            -- as network() in net/address.ts writes it
  made    INTEGER NOT NULL DEFAULT 0,               -- 1: the try made an account
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX registration_address ON registration (address, at);
CREATE INDEX registration_at ON registration (at);
`,
  foldersAndEntries,
  `
-- The scope of a token: see core/login/scope.ts. Lists are items with spaces between them.
ALTER TABLE token ADD COLUMN access TEXT NOT NULL DEFAULT 'full'
  CHECK (access IN ('full', 'append-only', 'read-only'));
ALTER TABLE token ADD COLUMN path TEXT;               -- all below, null: no limit
ALTER TABLE token ADD COLUMN doors TEXT;
ALTER TABLE token ADD COLUMN networks TEXT;
ALTER TABLE token ADD COLUMN expires INTEGER;
ALTER TABLE token ADD COLUMN used_from TEXT;          -- the address of its last login
CREATE INDEX token_expires ON token (expires) WHERE expires IS NOT NULL;
`,
  `
-- When an account ends, and the networks that it may log in from, with spaces between them.
ALTER TABLE account ADD COLUMN expires INTEGER;
ALTER TABLE account ADD COLUMN networks TEXT;
CREATE INDEX account_expires ON account (expires) WHERE expires IS NOT NULL;
CREATE TRIGGER account_limited AFTER UPDATE OF expires, networks ON account
BEGIN UPDATE revocation SET count = count + 1; END;
`,
  `
-- Events that wait for their delivery, each for one target: see core/storage/events.ts.
CREATE TABLE event (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  target   TEXT NOT NULL,
  places   TEXT NOT NULL,                           -- a list, in JSON
  facts    TEXT NOT NULL,                           -- an object, in JSON
  at       INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,              -- that failed
  due      INTEGER NOT NULL DEFAULT 0,              -- when it is tried again
  error    TEXT                                     -- of the last attempt
) STRICT;
`,
  `
-- The second factor: see core/storage/second_factor.ts.
ALTER TABLE account ADD COLUMN totp_secret TEXT;     -- in base32; null: the account has none
ALTER TABLE account ADD COLUMN totp_step INTEGER;    -- the last time step whose code was used
ALTER TABLE account ADD COLUMN recovery_codes TEXT;  -- digests of the unused ones, with spaces between them
`,
  auditAndVerification,
];
