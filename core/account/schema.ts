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
 * credit without giving the room: `Reservations.uncredit` is asked first.
 */

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
];
