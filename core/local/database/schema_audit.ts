/** The migration that adds the audit trail, and the state of the regular verification. */

export const auditAndVerification = `
-- See core/storage/audit/audit.ts. Accounts are named, and not referred to: records outlive them.
CREATE TABLE audit (
  id      INTEGER PRIMARY KEY,
  class   TEXT NOT NULL,                            -- whose bound it counts against
  event   TEXT NOT NULL,
  account TEXT COLLATE NOCASE,                      -- the account that the event is about
  actor   TEXT COLLATE NOCASE,                      -- the account that acted
  address TEXT,
  door    TEXT,
  details TEXT NOT NULL,                            -- JSON, without secrets
  at      INTEGER NOT NULL,
  last    INTEGER NOT NULL,                         -- the last of several events that are alike
  count   INTEGER NOT NULL,
  merged  TEXT UNIQUE                               -- the same for these events; null: never merged
) STRICT;
CREATE INDEX audit_class ON audit (class, id);
CREATE INDEX audit_last ON audit (last);
CREATE INDEX audit_account ON audit (account, id) WHERE account IS NOT NULL;
CREATE INDEX audit_actor ON audit (actor, id) WHERE actor IS NOT NULL;

-- One row: the regular verification of all files (serve --verify-every).
CREATE TABLE verification (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  began    INTEGER,                                 -- the round under way; null: none
  position TEXT NOT NULL DEFAULT '',                -- the last file that it has checked
  files    INTEGER NOT NULL DEFAULT 0,              -- what it has checked and found so far
  bytes    INTEGER NOT NULL DEFAULT 0,
  bad      INTEGER NOT NULL DEFAULT 0,
  finished INTEGER,                                 -- the end of the last whole round
  summary  TEXT                                     -- its numbers, in JSON
) STRICT;
INSERT INTO verification (id) VALUES (1);
`;
