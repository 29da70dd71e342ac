/**
 * The migration that makes folders rows, and counts entries. A folder's row holds its parent's id and its
 * name, so that a rename changes one row, and an account can't fill the database with long paths.
 *
 * Triggers hold, after every statement:
 *
 *   account.entries = its rows in `file` and `folder`, and those in `upload` with `entry` 1
 *   upload.entry    = 0 for an upload that replaces a file of its own account, since both are one
 *                     entry; at most one upload to a path has 0, the one that may have `credit`
 *
 * When that file is removed or moves away, the same statement makes the upload an entry of its own.
 * Of the two, only a move can so raise the entries above the limit. So the code that moves a file calls
 * `UploadsAt.uncredit` before.
 */

/** The columns of a file that do not name it. */
export const fileFacts = `
  owner    INTEGER REFERENCES account (id) ON DELETE SET NULL,  -- who is charged
  size     INTEGER NOT NULL,
  sha256   TEXT NOT NULL,
  modified INTEGER NOT NULL,
  ino      INTEGER NOT NULL,                        -- identifies the file, with size and modified
  verified INTEGER NOT NULL DEFAULT 1,              -- 0: the door could not prove that all bytes arrived`;

export const foldersAndEntries = `
DROP TRIGGER file_insert;
DROP TRIGGER file_delete;
DROP TRIGGER file_update;
DROP TRIGGER upload_insert;
DROP TRIGGER upload_delete;
DROP TRIGGER upload_update;

ALTER TABLE account ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;  -- files, folders, partial uploads
ALTER TABLE account ADD COLUMN entry_limit INTEGER CHECK (entry_limit >= 0);  -- null: none
ALTER TABLE account ADD COLUMN entry_limit_set INTEGER NOT NULL DEFAULT 0;  -- 0: follows the quota

-- The folders that hold files, or that an account has made.
CREATE TABLE folder (
  id     INTEGER PRIMARY KEY,
  parent INTEGER REFERENCES folder (id),            -- null: the data directory itself, which is 0
  name   TEXT NOT NULL,
  owner  INTEGER REFERENCES account (id) ON DELETE SET NULL,  -- whose entry it is; null: no account's
  UNIQUE (parent, name)
) STRICT;
CREATE INDEX folder_owner ON folder (owner) WHERE owner IS NOT NULL;
INSERT INTO folder (id, parent, name) VALUES (0, NULL, ''), (1, 0, 'homes'), (2, 0, 'public');

-- All folders of files, and those above them.
CREATE TABLE old_folder (dir TEXT PRIMARY KEY, id INTEGER, parent TEXT) STRICT, WITHOUT ROWID;
INSERT INTO old_folder (dir)
  WITH RECURSIVE up (dir) AS (
    SELECT DISTINCT dir FROM file
    UNION
    SELECT rtrim(rtrim(dir, replace(dir, '/', '')), '/') FROM up WHERE dir <> ''
  ) SELECT dir FROM up;
INSERT OR IGNORE INTO old_folder (dir) VALUES (''), ('homes'), ('public');
UPDATE old_folder SET parent = rtrim(rtrim(dir, replace(dir, '/', '')), '/') WHERE dir <> '';
UPDATE old_folder SET id = CASE dir WHEN '' THEN 0 WHEN 'homes' THEN 1 WHEN 'public' THEN 2 END;
UPDATE old_folder SET id = numbered.number
  FROM (SELECT dir, 2 + row_number() OVER (ORDER BY dir) AS number
        FROM old_folder WHERE id IS NULL) AS numbered
  WHERE numbered.dir = old_folder.dir;

-- A folder in a home gets its account; the makers of folders in public were not recorded.
INSERT INTO folder (id, parent, name, owner)
  SELECT here.id, above.id,
    CASE here.parent WHEN '' THEN here.dir ELSE substr(here.dir, length(here.parent) + 2) END,
    CASE WHEN here.parent LIKE 'homes/%' THEN (
      SELECT account.id FROM account WHERE account.name = substr(here.dir, 7,
        instr(substr(here.dir, 7), '/') - 1)) END
  FROM old_folder AS here JOIN old_folder AS above ON above.dir = here.parent
  WHERE here.id > 2;

DROP INDEX file_owner;
ALTER TABLE file RENAME TO old_file;
CREATE TABLE file (
  folder   INTEGER NOT NULL REFERENCES folder (id),
  name     TEXT NOT NULL,${fileFacts}
  PRIMARY KEY (folder, name)
) STRICT, WITHOUT ROWID;
INSERT INTO file (folder, name, owner, size, sha256, modified, ino, verified)
  SELECT old_folder.id, name, owner, size, sha256, modified, ino, verified
  FROM old_file JOIN old_folder USING (dir);
DROP TABLE old_file;
CREATE INDEX file_owner ON file (owner);

-- folder: null if it has no row.
ALTER TABLE upload ADD COLUMN folder INTEGER REFERENCES folder (id) ON DELETE SET NULL;
ALTER TABLE upload ADD COLUMN entry INTEGER NOT NULL DEFAULT 1;
UPDATE upload SET folder = (SELECT id FROM old_folder WHERE old_folder.dir = upload.dir),
  entry = credit = 0;
CREATE INDEX upload_folder ON upload (folder, name);
DROP TABLE old_folder;

UPDATE account SET entries = (SELECT count(*) FROM file WHERE owner = account.id)
  + (SELECT count(*) FROM folder WHERE owner = account.id)
  + (SELECT count(*) FROM upload WHERE upload.account = account.id AND entry = 1);
-- An account beyond its limit gets twice its number of entries.
UPDATE account SET entry_limit = 100000 + 10000 * (quota / 1073741824) WHERE quota IS NOT NULL;
UPDATE account SET entry_limit = 2 * entries, entry_limit_set = 1 WHERE entries > entry_limit;

CREATE TRIGGER file_insert AFTER INSERT ON file BEGIN
  UPDATE account SET used = used + NEW.size, entries = entries + 1 WHERE id = NEW.owner;
END;
CREATE TRIGGER file_delete AFTER DELETE ON file BEGIN
  UPDATE account SET used = used - OLD.size, entries = entries - 1 WHERE id = OLD.owner;
  UPDATE upload SET credit = 0, entry = 1
    WHERE folder = OLD.folder AND name = OLD.name AND entry = 0;
END;
CREATE TRIGGER file_update AFTER UPDATE ON file BEGIN
  UPDATE account SET used = used - OLD.size, entries = entries - 1 WHERE id = OLD.owner;
  UPDATE account SET used = used + NEW.size, entries = entries + 1 WHERE id = NEW.owner;
  UPDATE upload SET credit = 0, entry = 1
    WHERE folder = OLD.folder AND name = OLD.name AND entry = 0
    AND (account IS NOT NEW.owner OR OLD.folder <> NEW.folder OR OLD.name <> NEW.name);
  UPDATE upload SET credit = NEW.size
    WHERE folder = NEW.folder AND name = NEW.name AND credit > NEW.size;
END;

CREATE TRIGGER folder_insert AFTER INSERT ON folder WHEN NEW.owner IS NOT NULL BEGIN
  UPDATE account SET entries = entries + 1 WHERE id = NEW.owner;
END;
CREATE TRIGGER folder_delete AFTER DELETE ON folder WHEN OLD.owner IS NOT NULL BEGIN
  UPDATE account SET entries = entries - 1 WHERE id = OLD.owner;
END;
CREATE TRIGGER folder_update AFTER UPDATE OF owner ON folder BEGIN
  UPDATE account SET entries = entries - 1 WHERE id = OLD.owner;
  UPDATE account SET entries = entries + 1 WHERE id = NEW.owner;
END;

CREATE TRIGGER upload_insert AFTER INSERT ON upload BEGIN
  UPDATE account SET reserved = reserved + max(0, NEW.want - NEW.credit),
    entries = entries + NEW.entry WHERE id = NEW.account;
END;
CREATE TRIGGER upload_delete AFTER DELETE ON upload BEGIN
  UPDATE account SET reserved = reserved - max(0, OLD.want - OLD.credit),
    entries = entries - OLD.entry WHERE id = OLD.account;
END;
CREATE TRIGGER upload_update AFTER UPDATE OF want, credit, entry ON upload BEGIN
  UPDATE account SET reserved = reserved - max(0, OLD.want - OLD.credit)
    + max(0, NEW.want - NEW.credit), entries = entries - OLD.entry + NEW.entry
    WHERE id = NEW.account;
END;
`;
