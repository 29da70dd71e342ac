/**
 * The functions and triggers of the first tables (schema.ts): the sums of accounts, the notes of garbage, and
 * paths.
 */
export const sumsAndPaths = `
CREATE FUNCTION discard(contents bigint[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO garbage (content, after)
  SELECT DISTINCT id, now() + interval '1 day' FROM unnest(contents) AS id WHERE id IS NOT NULL
  ORDER BY id
  ON CONFLICT (content) DO UPDATE SET after = greatest(garbage.after, excluded.after);
$$;

CREATE FUNCTION node_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE account SET used = account.used + sums.size, entries = account.entries + sums.entries
  FROM (SELECT owner, sum(size)::bigint AS size, count(*) AS entries FROM added
    WHERE owner IS NOT NULL GROUP BY owner) AS sums
  WHERE account.id = sums.owner;
  RETURN NULL;
END $$;
CREATE FUNCTION node_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE upload SET credit = 0, entry = 1 FROM gone
  WHERE upload.parent = gone.parent AND upload.name = gone.name AND upload.entry = 0;
  UPDATE account SET used = account.used - sums.size, entries = account.entries - sums.entries
  FROM (SELECT owner, sum(size)::bigint AS size, count(*) AS entries FROM gone
    WHERE owner IS NOT NULL GROUP BY owner) AS sums
  WHERE account.id = sums.owner;
  PERFORM discard(array_agg(content)) FROM gone WHERE content IS NOT NULL;
  RETURN NULL;
END $$;
CREATE FUNCTION node_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE upload SET credit = 0, entry = 1
  FROM gone JOIN added USING (id)
  WHERE upload.parent = gone.parent AND upload.name = gone.name AND upload.entry = 0
    AND (upload.account IS DISTINCT FROM added.owner
      OR gone.parent <> added.parent OR gone.name <> added.name);
  UPDATE upload SET credit = added.size FROM added
  WHERE upload.parent = added.parent AND upload.name = added.name AND upload.credit > added.size;
  UPDATE account SET used = account.used + sums.size, entries = account.entries + sums.entries
  FROM (SELECT owner, sum(rows.size)::bigint AS size, sum(n) AS entries FROM (
      SELECT owner, size, 1 AS n FROM added UNION ALL SELECT owner, -size, -1 FROM gone
    ) AS rows WHERE owner IS NOT NULL GROUP BY owner) AS sums
  WHERE account.id = sums.owner AND (sums.size <> 0 OR sums.entries <> 0);
  PERFORM discard(array_agg(gone.content)) FROM gone JOIN added USING (id)
    WHERE gone.content IS DISTINCT FROM added.content HAVING count(gone.content) > 0;
  RETURN NULL;
END $$;
CREATE TRIGGER node_added AFTER INSERT ON node REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION node_added();
CREATE TRIGGER node_gone AFTER DELETE ON node REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION node_gone();
CREATE TRIGGER node_changed AFTER UPDATE ON node REFERENCING OLD TABLE AS gone NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION node_changed();

CREATE FUNCTION reserve_uploads(account_id bigint, bytes bigint, more bigint) RETURNS void
LANGUAGE sql AS $$
  UPDATE account SET reserved = reserved + bytes, entries = entries + more WHERE id = account_id;
$$;
CREATE FUNCTION upload_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reserve_uploads(account, sum(greatest(0, want - credit))::bigint, sum(entry))
  FROM added GROUP BY account;
  RETURN NULL;
END $$;
CREATE FUNCTION upload_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reserve_uploads(account, -sum(greatest(0, want - credit))::bigint, -sum(entry))
  FROM gone GROUP BY account;
  PERFORM discard(array_agg(content)) FROM gone
    WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.content = gone.content)
    HAVING count(*) > 0;
  RETURN NULL;
END $$;
CREATE FUNCTION upload_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reserve_uploads(added.account,
    sum(greatest(0, added.want - added.credit) - greatest(0, gone.want - gone.credit))::bigint,
    sum(added.entry - gone.entry))
  FROM added JOIN gone USING (id) GROUP BY added.account
  HAVING sum(greatest(0, added.want - added.credit) - greatest(0, gone.want - gone.credit)) <> 0
    OR sum(added.entry - gone.entry) <> 0;
  RETURN NULL;
END $$;
CREATE TRIGGER upload_added AFTER INSERT ON upload REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION upload_added();
CREATE TRIGGER upload_gone AFTER DELETE ON upload REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION upload_gone();
CREATE TRIGGER upload_changed AFTER UPDATE ON upload REFERENCING OLD TABLE AS gone NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION upload_changed();

-- Returns the id of a folder by its path, whose names are in hex between slashes; null for none.
CREATE FUNCTION folder_at(path text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  at bigint := 0;
  part text;
BEGIN
  IF path = '' THEN RETURN 0; END IF;
  FOREACH part IN ARRAY string_to_array(path, '/') LOOP
    SELECT id INTO at FROM node WHERE parent = at AND name = decode(part, 'hex') AND folder;
    IF at IS NULL THEN RETURN NULL; END IF;
  END LOOP;
  RETURN at;
END $$;

-- Returns the ids of the folders along a path, and of the entry at its end as the last one.
CREATE FUNCTION nodes_along(path text) RETURNS TABLE (id bigint, last boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  at bigint := 0;
  part text;
  parts text[] := string_to_array(path, '/');
BEGIN
  FOR i IN 1 .. array_length(parts, 1) LOOP
    SELECT node.id INTO at FROM node WHERE node.parent = at AND node.name = decode(parts[i], 'hex');
    IF at IS NULL THEN RETURN; END IF;
    id := at;
    last := i = array_length(parts, 1);
    RETURN NEXT;
  END LOOP;
END $$;

-- Returns the path of a folder, as folder_at takes it.
CREATE FUNCTION path_of(start bigint) RETURNS text LANGUAGE sql STABLE AS $$
  WITH RECURSIVE above (id, parent, name, depth) AS (
    SELECT id, parent, name, 0 FROM node WHERE id = start
    UNION ALL SELECT node.id, node.parent, node.name, depth + 1
    FROM node JOIN above ON node.id = above.parent
  )
  SELECT coalesce(string_agg(encode(name, 'hex'), '/' ORDER BY depth DESC), '')
  FROM above WHERE parent IS NOT NULL;
$$;
`;
