/** The migration that adds the audit trail, and the state of the regular verification. */

export const auditAndVerification = `
-- See core/storage/audit/audit.ts. Accounts are named, and not referred to: records outlive them.
CREATE TABLE audit (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  class   text NOT NULL,                 -- whose bound it counts against
  event   text NOT NULL,
  account text,                          -- the account that the event is about
  actor   text,                          -- the account that acted
  address text,
  door    text,
  details text NOT NULL,                 -- JSON, without secrets
  at      bigint NOT NULL DEFAULT now_ms(),
  last    bigint NOT NULL DEFAULT now_ms(),
  count   bigint NOT NULL DEFAULT 1,
  merged  text UNIQUE                    -- the same for events that are alike, null: never merged
);
CREATE INDEX audit_class ON audit (class, id);
CREATE INDEX audit_last ON audit (last);
CREATE INDEX audit_account ON audit (lower(account), id) WHERE account IS NOT NULL;
CREATE INDEX audit_actor ON audit (lower(actor), id) WHERE actor IS NOT NULL;

-- One row: the regular verification of all files (serve --verify-every), by one node at a time.
CREATE TABLE verification (
  id       integer PRIMARY KEY CHECK (id = 1),
  node     text,                         -- the node that verifies, until the lease ends
  lease    timestamptz,
  began    bigint,                       -- the round under way, null: none
  position text NOT NULL DEFAULT '',     -- the last content that it has checked
  files    bigint NOT NULL DEFAULT 0,    -- what it has checked and found so far
  bytes    bigint NOT NULL DEFAULT 0,
  bad      bigint NOT NULL DEFAULT 0,
  finished bigint,                       -- the end of the last whole round
  summary  text                          -- its numbers, in JSON
);
INSERT INTO verification (id) VALUES (1);
`;
