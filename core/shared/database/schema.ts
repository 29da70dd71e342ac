/**
 * The tables in PostgreSQL, as numbered migrations. One that has been released is never edited.
 *
 * Old and new nodes run side by side for one version, so a change takes two migrations. The first one expands:
 * it adds what new programs need, and its `oldest` is the version before. The second one, in a later version,
 * removes what only old programs used, and its `oldest` is the version of the first one. An added column has a
 * default, or may be null: old programs do not write it. Statements name their columns, so that an added one does
 * not change the result of a prepared statement. Each statement ends within the deadline of all statements (5 s),
 * because it locks its table: a migration rewrites no large table, and indexes none.
 *
 * Triggers keep the sums, once for each statement, whatever code changes the rows:
 *
 *   account.used     = the sum of size over the account's files in `node`
 *   account.reserved = the sum of greatest(0, want - credit) over its rows in `upload`
 *   account.entries  = the number of its rows in `node`, plus the sum of entry over its rows in `upload`
 *
 * `want` is the number of bytes that an upload may have in all. `credit` is the size of the file of the same
 * account that the upload replaces, or 0; `entry` is 0 if it replaces such a file, else 1 (tree/claim.ts).
 *
 * Content is immutable: `content` has its size and digest once it is whole, `piece` lists where its bytes
 * lie. Files and uploads refer to content; copies share it. Content that loses a reference gets a row in
 * `garbage`, with the time after which the collector checks whether anything still refers to it.
 *
 * An object of the bucket has a row in `object` before its first byte is sent. Until a piece refers to it,
 * `until` says when the collector may delete it.
 *
 * Times of type bigint are in ms since 1970; the others are timestamptz.
 */
import { auditAndVerification } from "./schema_audit.ts";
import { sumsAndPaths } from "./schema_functions.ts";

/** One step from a version of the tables to the next one. */
export interface Migration {
  /**
   * The oldest version of the tables whose programs can use these tables, too. The number of this step itself
   * means none but its own.
   */
  readonly oldest: number;
  readonly sql: string;
}

/** The steps, from an empty database on; step i makes version i + 1. */
export const migrations: readonly Migration[] = [
  {
    oldest: 1,
    sql: `
-- Returns the time in ms since 1970, by the clock of the database, which all nodes use.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
$$;

-- Secrets that all nodes share, sealed with the key of the cluster: see secrets.ts.
CREATE TABLE secret (name text PRIMARY KEY, sealed bytea NOT NULL);

CREATE TABLE account (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text NOT NULL,
  role        text NOT NULL CHECK (role IN ('user', 'admin')),
  disabled    boolean NOT NULL DEFAULT false,
  quota       bigint CHECK (quota >= 0),
  used        bigint NOT NULL DEFAULT 0,
  reserved    bigint NOT NULL DEFAULT 0,
  entries     bigint NOT NULL DEFAULT 0,
  entry_limit bigint,
  entry_limit_set boolean NOT NULL DEFAULT false,
  epoch       integer NOT NULL DEFAULT 0,
  granted     bigint,
  verifier    jsonb NOT NULL,
  created     timestamptz NOT NULL DEFAULT now(),
  last_login  timestamptz
);
CREATE UNIQUE INDEX account_name ON account (lower(name));

-- The credentials of accounts beside passwords. Their secrets are not stored.
CREATE TABLE token (
  id        text PRIMARY KEY,
  account   bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  label     text NOT NULL,
  verifier  jsonb NOT NULL,
  created   bigint NOT NULL DEFAULT now_ms(),
  used      bigint,
  issued_by text REFERENCES token (id) ON DELETE CASCADE
);
CREATE INDEX token_account ON token (account);
CREATE INDEX token_issued_by ON token (issued_by);
CREATE TABLE public_key (
  account     bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  fingerprint text NOT NULL,
  type        text NOT NULL,
  blob        text NOT NULL,
  comment     text NOT NULL,
  added       bigint NOT NULL DEFAULT now_ms(),
  used        bigint,
  PRIMARY KEY (account, fingerprint)
);
CREATE TABLE web_session (
  digest  text PRIMARY KEY,
  account bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  agent   text NOT NULL,
  address text NOT NULL,
  created bigint NOT NULL DEFAULT now_ms(),
  seen    bigint NOT NULL DEFAULT now_ms(),
  token   text REFERENCES token (id) ON DELETE CASCADE
);
CREATE INDEX web_session_account ON web_session (account);
CREATE INDEX web_session_token ON web_session (token);

-- One row: the number of times that a credential or an account has ended.
CREATE TABLE revocation (id integer PRIMARY KEY CHECK (id = 1), count bigint NOT NULL);
INSERT INTO revocation (id, count) VALUES (1, 0);
CREATE FUNCTION revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE revocation SET count = count + 1;
  RETURN NULL;
END $$;

-- Logins that failed in the last hour, and the bans that follow: see core/storage/ban_rules.ts.
CREATE TABLE failure (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account  text NOT NULL,
  address  text NOT NULL,
  familiar boolean NOT NULL,
  at       bigint NOT NULL
);
CREATE INDEX failure_address ON failure (address, at);
CREATE INDEX failure_account ON failure (account, at);
CREATE INDEX failure_at ON failure (at);
CREATE TABLE ban (
  account text NOT NULL,
  address text NOT NULL,
  since   bigint NOT NULL,
  until   bigint NOT NULL,
  times   integer NOT NULL,
  PRIMARY KEY (account, address)
);
CREATE INDEX ban_until ON ban (until);
CREATE TABLE familiar (
  account bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  address text NOT NULL,
  seen    bigint NOT NULL,
  PRIMARY KEY (account, address)
);
CREATE TABLE registration (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  address text NOT NULL,
  made    boolean NOT NULL DEFAULT false,
  at      bigint NOT NULL DEFAULT now_ms()
);
CREATE INDEX registration_address ON registration (address, at);
CREATE INDEX registration_at ON registration (at);

CREATE TABLE content (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  size     bigint,
  sha256   bytea,
  verified boolean NOT NULL DEFAULT true
);

-- name is UTF-8 with F5 for each byte EE and F6 for each EF, so that it sorts by UTF-16 code units: see name.ts.
CREATE TABLE node (
  id       bigint GENERATED BY DEFAULT AS IDENTITY (START 16) PRIMARY KEY,
  parent   bigint REFERENCES node (id),
  name     bytea NOT NULL,
  folder   boolean NOT NULL,
  owner    bigint REFERENCES account (id) ON DELETE SET NULL,
  size     bigint NOT NULL DEFAULT 0,
  sha256   bytea,
  content  bigint REFERENCES content (id),
  modified bigint NOT NULL,
  created  timestamptz NOT NULL DEFAULT now(),
  UNIQUE (parent, name)
);
CREATE INDEX node_owner ON node (owner);
CREATE INDEX node_content ON node (content);
INSERT INTO node (id, parent, name, folder, modified) VALUES (0, NULL, '', true, 0);
INSERT INTO node (id, parent, name, folder, modified) VALUES
  (1, 0, 'homes', true, 0), (2, 0, 'public', true, extract(epoch FROM now()) * 1000),
  (3, 0, 'removed', true, 0);

CREATE TABLE upload (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account  bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  parent   bigint REFERENCES node (id),
  name     bytea NOT NULL,
  size     bigint,
  want     bigint NOT NULL,
  credit   bigint NOT NULL DEFAULT 0,
  entry    integer NOT NULL DEFAULT 1,
  content  bigint NOT NULL REFERENCES content (id),
  whole    bigint,
  modified bigint,
  holder   text,
  recorded boolean NOT NULL DEFAULT false,
  touched  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX upload_path ON upload (parent, name);
CREATE INDEX upload_account ON upload (account);
CREATE INDEX upload_content ON upload (content);
CREATE UNIQUE INDEX upload_credit ON upload (parent, name) WHERE entry = 0;

CREATE TABLE finished_upload (
  account  bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  parent   bigint NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  name     bytea NOT NULL,
  content  bigint NOT NULL,
  finished timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account, parent, name)
);

CREATE TABLE object (
  id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  until timestamptz
);
CREATE INDEX object_until ON object (until) WHERE until IS NOT NULL;

-- The bytes [at, at + size) of the content are the bytes [start, start + size) of the object.
CREATE TABLE piece (
  content bigint NOT NULL REFERENCES content (id),
  at      bigint NOT NULL,
  size    integer NOT NULL,
  object  bigint NOT NULL REFERENCES object (id),
  start   integer NOT NULL,
  sha256  bytea,                 -- null: not computed yet, for a part of a former piece or zeros in a gap
  PRIMARY KEY (content, at)
);
CREATE INDEX piece_object ON piece (object);

CREATE TABLE garbage (
  content bigint PRIMARY KEY REFERENCES content (id),
  after   timestamptz NOT NULL
);
CREATE INDEX garbage_after ON garbage (after);

-- WebDAV's locks. Times are in ms since 1970, by the clock of the database.
CREATE TABLE lock (
  token   text PRIMARY KEY,
  account bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  node    bigint NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  shared  boolean NOT NULL,
  deep    boolean NOT NULL,
  owner   text NOT NULL,
  until   bigint NOT NULL
);
CREATE INDEX lock_node ON lock (node);
CREATE INDEX lock_account ON lock (account);
CREATE INDEX lock_until ON lock (until);

-- WebDAV's dead properties. octets: the bytes of namespace, name and value together, which are bounded for each
-- file and each account (core/storage/bounds.ts).
CREATE TABLE property (
  node    bigint NOT NULL REFERENCES node (id) ON DELETE CASCADE,
  space   text NOT NULL,
  local   text NOT NULL,
  account bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  xml     text NOT NULL,
  octets  integer GENERATED ALWAYS AS
    (octet_length(space) + octet_length(local) + octet_length(xml)) STORED,
  PRIMARY KEY (node, space, local)
);
CREATE INDEX property_account ON property (account) INCLUDE (octets);

-- Share links. node is null once the file or folder was moved or removed.
CREATE TABLE share (
  digest    text PRIMARY KEY,
  account   bigint NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  dir       text NOT NULL,
  name      text NOT NULL,
  node      bigint REFERENCES node (id) ON DELETE SET NULL,
  kind      text NOT NULL CHECK (kind IN ('file', 'dir')),
  created   bigint NOT NULL DEFAULT now_ms(),
  expires   bigint NOT NULL,
  most      bigint CHECK (most > 0),
  downloads bigint NOT NULL DEFAULT 0 CHECK (most IS NULL OR downloads <= most),
  verifier  jsonb
);
CREATE INDEX share_account ON share (account);
CREATE INDEX share_node ON share (node);
CREATE TABLE share_visit (
  share   text NOT NULL REFERENCES share (digest) ON DELETE CASCADE,
  address text NOT NULL,
  version text NOT NULL,
  parts   integer NOT NULL,
  at      bigint NOT NULL,
  PRIMARY KEY (share, address, version)
);
CREATE INDEX share_visit_at ON share_visit (at);

CREATE TRIGGER account_revoked AFTER UPDATE OF epoch, disabled ON account
  FOR EACH STATEMENT EXECUTE FUNCTION revoked();
CREATE TRIGGER account_removed AFTER DELETE ON account FOR EACH STATEMENT EXECUTE FUNCTION revoked();
CREATE TRIGGER token_revoked AFTER DELETE ON token FOR EACH STATEMENT EXECUTE FUNCTION revoked();
CREATE TRIGGER key_revoked AFTER DELETE ON public_key FOR EACH STATEMENT EXECUTE FUNCTION revoked();
CREATE TRIGGER web_revoked AFTER DELETE ON web_session FOR EACH STATEMENT EXECUTE FUNCTION revoked();
CREATE TRIGGER share_revoked AFTER DELETE ON share FOR EACH STATEMENT EXECUTE FUNCTION revoked();

${sumsAndPaths}
`,
  },
  {
    oldest: 1,
    sql: `
-- The oldest version whose programs can use the tables since this version, and the barge that made it.
ALTER TABLE migration ADD COLUMN oldest integer NOT NULL DEFAULT 1;
ALTER TABLE migration ADD COLUMN program text NOT NULL DEFAULT '';

-- The nodes that run, and for a while those that died. tables: the newest version that the program makes.
CREATE TABLE cluster_node (
  id       text PRIMARY KEY,
  name     text NOT NULL,
  version  text NOT NULL,
  tables   integer NOT NULL,
  doors    jsonb NOT NULL,
  started  timestamptz NOT NULL,
  seen     timestamptz NOT NULL,
  stopping boolean NOT NULL,
  bucket   boolean NOT NULL,       -- whether it reaches the bucket
  report   jsonb NOT NULL          -- NodeReport of core/watch/nodes.ts
);
`,
  },
  {
    oldest: 3, // an older program would ignore the limits of tokens and accounts
    sql: `
-- The scope of a token: see core/login/scope.ts. Lists are items with spaces between them.
ALTER TABLE token ADD COLUMN access text NOT NULL DEFAULT 'full'
  CHECK (access IN ('full', 'append-only', 'read-only'));
ALTER TABLE token ADD COLUMN path text;
ALTER TABLE token ADD COLUMN doors text;
ALTER TABLE token ADD COLUMN networks text;
ALTER TABLE token ADD COLUMN expires bigint;
ALTER TABLE token ADD COLUMN used_from text;
CREATE INDEX token_expires ON token (expires) WHERE expires IS NOT NULL;

-- When an account ends, and the networks that it may log in from, with spaces between them.
ALTER TABLE account ADD COLUMN expires bigint;
ALTER TABLE account ADD COLUMN networks text;
CREATE INDEX account_expires ON account (expires) WHERE expires IS NOT NULL;
CREATE TRIGGER account_limited AFTER UPDATE OF expires, networks ON account
  FOR EACH STATEMENT EXECUTE FUNCTION revoked();
`,
  },
  {
    oldest: 3, // an older program writes no events
    sql: `
-- Programs and servers that events are delivered to. One node at a time, the leader, delivers those of a target.
CREATE TABLE event_target (
  name         text PRIMARY KEY,
  commits_only boolean NOT NULL,
  seen         timestamptz NOT NULL DEFAULT now(),   -- when a node with this target last reported
  leader       text,
  until        timestamptz NOT NULL DEFAULT now(),   -- the end of its lead
  generation   bigint NOT NULL DEFAULT 0             -- the number of retries and drops by operators
);

-- Events that wait for their delivery, each for one target: see core/storage/events.ts.
CREATE TABLE event (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  target   text NOT NULL,
  places   text NOT NULL,                            -- a list, in JSON
  facts    text NOT NULL,                            -- an object, in JSON
  at       bigint NOT NULL DEFAULT now_ms(),
  attempts integer NOT NULL DEFAULT 0,               -- that failed
  due      bigint NOT NULL DEFAULT 0,                -- when it is tried again
  error    text                                      -- of the last attempt
);
`,
  },
  {
    oldest: 5, // an older program would ask for no code
    sql: `
-- The second factor: see core/storage/second_factor.ts. The secret is sealed: see people/factors.ts. totp_step
-- is the last time step whose code was used; recovery_codes are digests, with spaces between them.
ALTER TABLE account ADD COLUMN totp_secret text;
ALTER TABLE account ADD COLUMN totp_step bigint;
ALTER TABLE account ADD COLUMN recovery_codes text;
`,
  },
  { oldest: 5, sql: auditAndVerification },
  {
    oldest: 5,
    sql: `
-- Work that one node does for all, and which node holds it until when.
CREATE TABLE lease (
  name   text PRIMARY KEY,
  holder text NOT NULL,
  until  timestamptz NOT NULL
);
`,
  },
];
