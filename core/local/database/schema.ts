/**
 * The tables, as numbered migrations: a database is brought from its `user_version` to the newest,
 * one transaction a step. A migration that has been released is never edited.
 *
 * The sums are kept by the database itself: triggers hold, after every statement of whatever code,
 *
 *   account.used     = the sum of size over the account's rows in `file`
 *   account.reserved = the sum of max(0, want - credit) over its rows in `upload`
 *   upload.credit   <= the size of the file it will replace, if the same account is charged for that,
 *                      and at most one upload a path holds credit
 *
 * When a file shrinks or goes while an upload holds credit for it, the credit is turned into
 * reservation in the same statement: used falls by at least as much as reserved rises, so that
 * `used + reserved <= quota` can't be broken from the side. Only a file that moves away takes the
 * credit without giving the room: `UploadsAt.uncredit` is asked first.
 * Entries are kept in the same way: schema_folders.ts.
 */
import { foldersAndEntries } from "./schema_folders.ts";

/** "barg", so that `file accounts.db` and we ourselves know it for ours. */
export const applicationId = 0x62617267;

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
  name     TEXT NOT NULL,
  owner    INTEGER REFERENCES account (id) ON DELETE SET NULL,  -- who is charged
  size     INTEGER NOT NULL,
  sha256   TEXT NOT NULL,
  modified INTEGER NOT NULL,
  ino      INTEGER NOT NULL,                        -- with size and modified: is it still that file?
  verified INTEGER NOT NULL DEFAULT 1,              -- 0: the door could not prove that it was complete
  PRIMARY KEY (dir, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_owner ON file (owner);

CREATE TABLE upload (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,       -- its staged bytes lie in staging/ID
  account  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  dir      TEXT NOT NULL,
  name     TEXT NOT NULL,
  size     INTEGER,                                 -- declared; null: not known
  want     INTEGER NOT NULL,                        -- bytes that it needs on disk
  credit   INTEGER NOT NULL,                        -- bytes that it will give back by replacing
  modified INTEGER,                                 -- the time that the file is to have
  sha256   TEXT,                                    -- set: sealed, about to be renamed into place
  verified INTEGER NOT NULL DEFAULT 1,
  holder   TEXT,                                    -- who is writing; null: nobody, it can be continued
  touched  INTEGER NOT NULL                         -- when it last moved
) STRICT;
CREATE INDEX upload_path ON upload (dir, name);
CREATE INDEX upload_account ON upload (account);

-- A rename or removal that is under way: settled on start if it was cut short.
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
-- Logins that failed in the last hour, and what follows from them: see bans.ts.
CREATE TABLE failure (
  id      INTEGER PRIMARY KEY,
  account TEXT NOT NULL,                            -- as bans.ts writes names; '': a token's login
  address TEXT NOT NULL,                            -- as network() in net/address.ts writes it
  known   INTEGER NOT NULL,                         -- 1: the account is at home there
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX failure_address ON failure (address, at);
CREATE INDEX failure_account ON failure (account, at);
CREATE INDEX failure_at ON failure (at);

-- A ban of an address ('' as the account), an account ('' as the address), or one at the other.
CREATE TABLE ban (
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  since   INTEGER NOT NULL,
  until   INTEGER NOT NULL,                         -- kept for a day longer: the next one is longer
  times   INTEGER NOT NULL,
  PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX ban_until ON ban (until);

-- Where accounts have logged in from.
CREATE TABLE familiar (
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  seen    INTEGER NOT NULL,                         -- to the day
  PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
`,
  `
-- Of an upload that is not written from its start to its end: how many bytes can be continued when
-- its writer is gone without a word. Null: all that are staged.
ALTER TABLE upload ADD COLUMN whole INTEGER;
`,
  `
-- What WebDAV clients say of a file or folder, which means nothing to us: its dead properties.
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

-- How many an account has set, and characters in them: kept by the triggers below.
CREATE TABLE property_sum (
  account INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  count   INTEGER NOT NULL,
  size    INTEGER NOT NULL
) STRICT;

CREATE TRIGGER property_insert AFTER INSERT ON property BEGIN
  INSERT INTO property_sum (account, count, size) VALUES (NEW.account, 1, length(NEW.xml))
    ON CONFLICT DO UPDATE SET count = count + 1, size = size + excluded.size;
END;
CREATE TRIGGER property_delete AFTER DELETE ON property BEGIN
  UPDATE property_sum SET count = count - 1, size = size - length(OLD.xml)
    WHERE account = OLD.account;
END;
CREATE TRIGGER property_update AFTER UPDATE OF account, xml ON property BEGIN
  UPDATE property_sum SET count = count - 1, size = size - length(OLD.xml)
    WHERE account = OLD.account;
  INSERT INTO property_sum (account, count, size) VALUES (NEW.account, 1, length(NEW.xml))
    ON CONFLICT DO UPDATE SET count = count + 1, size = size + excluded.size;
END;

-- WebDAV's locks: see locks.ts.
CREATE TABLE lock (
  token   TEXT PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  dir     TEXT NOT NULL,
  name    TEXT NOT NULL,
  shared  INTEGER NOT NULL,
  deep    INTEGER NOT NULL,                         -- 1: also what is below
  owner   TEXT NOT NULL,                            -- who it is, in XML, as the client says
  until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lock_path ON lock (dir, name);
CREATE INDEX lock_account ON lock (account);
CREATE INDEX lock_until ON lock (until);
`,
  `
-- Who is logged in at the web page: of the cookie, only a digest is kept.
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
ALTER TABLE account ADD COLUMN last_login INTEGER;  -- null: never since this is kept

-- Links for strangers to one file or folder: of the token, only a digest is kept.
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
  gone       INTEGER NOT NULL DEFAULT 0,            -- 1: what it led to was moved or removed
  salt       TEXT,                                  -- of its password, as in account; null: none
  n          INTEGER,
  r          INTEGER,
  p          INTEGER,
  stored_key TEXT,
  server_key TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX share_account ON share (account);
CREATE INDEX share_place ON share (dir, name);

-- Downloads that were counted, and may be gone on with.
CREATE TABLE share_visit (
  share   TEXT NOT NULL REFERENCES share (digest) ON DELETE CASCADE,
  address TEXT NOT NULL,                            -- as network() in net/address.ts writes it
  version TEXT NOT NULL,                            -- of the file
  parts   INTEGER NOT NULL,                         -- that may still be asked for
  at      INTEGER NOT NULL,
  PRIMARY KEY (share, address, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX share_visit_at ON share_visit (at);
`,
  `
-- Public keys that accounts log in with at the SFTP door.
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
-- Uploads that became files, by the path that they were sent to: for clients that lost the last answer.
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
-- What a login began with, so that it ends together with that.
ALTER TABLE account ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;  -- raised with each new password
ALTER TABLE token ADD COLUMN issued_by TEXT                       -- the token that had it issued
  REFERENCES token (id) ON DELETE CASCADE;
ALTER TABLE web_session ADD COLUMN token TEXT                     -- that it began with; null: a password
  REFERENCES token (id) ON DELETE CASCADE;
CREATE INDEX token_issued_by ON token (issued_by);
CREATE INDEX web_session_token ON web_session (token);
DELETE FROM web_session;  -- of these, nobody knows what they began with

-- One row: how often something has ended that somebody may be logged in with.
CREATE TABLE revocation (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL
) STRICT;
INSERT INTO revocation (id, count) VALUES (1, 0);

CREATE TRIGGER account_revoked AFTER UPDATE OF epoch, disabled ON account BEGIN
  UPDATE revocation SET count = count + 1;
END;
CREATE TRIGGER account_removed AFTER DELETE ON account BEGIN
  UPDATE revocation SET count = count + 1;
END;
CREATE TRIGGER token_revoked AFTER DELETE ON token BEGIN
  UPDATE revocation SET count = count + 1;
END;
CREATE TRIGGER public_key_revoked AFTER DELETE ON public_key BEGIN
  UPDATE revocation SET count = count + 1;
END;
CREATE TRIGGER web_session_revoked AFTER DELETE ON web_session BEGIN
  UPDATE revocation SET count = count + 1;
END;
CREATE TRIGGER share_revoked AFTER DELETE ON share BEGIN
  UPDATE revocation SET count = count + 1;
END;
`,
  `
-- The bounds of bounds.ts are asked of these at every insertion.
CREATE INDEX upload_partial ON upload (account) WHERE sha256 IS NULL;
CREATE INDEX finished_upload_account ON finished_upload (account, finished);

-- property_sum.size counts octets of all columns from here on, not characters of xml alone.
DROP TRIGGER property_insert;
DROP TRIGGER property_delete;
DROP TRIGGER property_update;
CREATE VIEW property_size AS SELECT account, dir, name, octet_length(dir) + octet_length(name)
  + octet_length(space) + octet_length(local) + octet_length(xml) AS octets FROM property;
CREATE TRIGGER property_insert AFTER INSERT ON property BEGIN
  INSERT INTO property_sum (account, count, size) VALUES (NEW.account, 1, octet_length(NEW.dir)
    + octet_length(NEW.name) + octet_length(NEW.space) + octet_length(NEW.local) + octet_length(NEW.xml))
    ON CONFLICT DO UPDATE SET count = count + 1, size = size + excluded.size;
END;
CREATE TRIGGER property_delete AFTER DELETE ON property BEGIN
  UPDATE property_sum SET count = count - 1, size = size - octet_length(OLD.dir)
    - octet_length(OLD.name) - octet_length(OLD.space) - octet_length(OLD.local) - octet_length(OLD.xml)
    WHERE account = OLD.account;
END;
CREATE TRIGGER property_update AFTER UPDATE ON property BEGIN
  UPDATE property_sum SET count = count - 1, size = size - octet_length(OLD.dir)
    - octet_length(OLD.name) - octet_length(OLD.space) - octet_length(OLD.local) - octet_length(OLD.xml)
    WHERE account = OLD.account;
  INSERT INTO property_sum (account, count, size) VALUES (NEW.account, 1, octet_length(NEW.dir)
    + octet_length(NEW.name) + octet_length(NEW.space) + octet_length(NEW.local) + octet_length(NEW.xml))
    ON CONFLICT DO UPDATE SET count = count + 1, size = size + excluded.size;
END;
UPDATE property_sum SET size = coalesce(
  (SELECT sum(octets) FROM property_size WHERE property_size.account = property_sum.account), 0);

-- Accounts that registered by themselves: the bytes that they took by register and grow. Null: an operator made it.
ALTER TABLE account ADD COLUMN granted INTEGER;

-- Tries to register in the last hour: see registrations.ts.
CREATE TABLE registration (
  id      INTEGER PRIMARY KEY,
  address TEXT NOT NULL,                            -- as network() in net/address.ts writes it
  made    INTEGER NOT NULL DEFAULT 0,               -- 1: an account came of it
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX registration_address ON registration (address, at);
CREATE INDEX registration_at ON registration (at);
`,
  foldersAndEntries,
];
