/** A data directory with files and accounts of all kinds, and what the tests compare of one. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { BargeError } from "../../../core/error.ts";
import { openDirectory } from "../../../core/migrate/source.ts";
import { readLocalPeople } from "../../../core/migrate/local_people.ts";
import { readSharedPeople } from "../../../core/migrate/shared_people.ts";
import type { People } from "../../../core/migrate/people.ts";
import { changeProperties } from "../../../core/session/property.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { setModified } from "../../../core/session/set_modified.ts";
import { decodePath } from "../../../core/shared/database/name.ts";
import type { SharedStorage } from "../../../core/shared/storage.ts";
import { type Place, relative } from "../../../core/storage/place.ts";
import type { Scope } from "../../../core/storage/scope.ts";
import { begin, bytes, request, type Setup, upload, verifier, write } from "../_setup.ts";

export const largeBytes = 3 * 1024 * 1024;
const yearAgo = Date.parse("2025-10-01T12:00:00Z");

/** The names of files that are hard to keep. */
const oddNames = [
  "with space",
  "ümlaut",
  "\u{1F600}",
  "\uE000",
  "quote'\"",
  "back\\slash",
  "-dash",
  "100%",
  ".hidden",
  "a".repeat(200),
];

/** Fills a data directory: about 300 files. @returns the text of a token of anna's */
export async function fill(
  setup: Setup,
): Promise<{ readonly token: string; readonly link: string }> {
  const { store } = setup;
  store.accounts.add({ name: "root", role: "admin", limit: null, verifier });
  const anna = setup.user("anna", 50_000_000);
  const bert = setup.user("Bert", 20_000);
  const carla = setup.user("carla", null);
  const dora = setup.user("dora", 1_000_000);
  for (let i = 0; i < 240; i++) {
    const dir = `/home/d${i % 6}/e${i % 4}`;
    if (i < 24) await mkdir(anna, { verb: "mkdir", path: dir, parents: true });
    await write(anna, `${dir}/f${i}`, `content ${i} `.repeat(i), { modified: yearAgo + i * 1000 });
  }
  for (const name of oddNames) await write(anna, `/home/${name}`, name);
  await write(anna, "/home/empty", "");
  await mkdir(anna, { verb: "mkdir", path: "/home/no files", parents: false });
  await upload(anna, "/home/large", large(1));
  await upload(anna, "/home/d0/middle", large(2).subarray(0, 300_000));
  for (const session of [anna, bert, carla]) {
    const { name } = session;
    await mkdir(session, { verb: "mkdir", path: `/public/of ${name}`, parents: false });
    for (let i = 0; i < 8; i++) await write(session, `/public/of ${name}/p${i}`, `${name} ${i}`);
  }
  await write(bert, "/public/of anna/by bert", "shared folder").catch(() => {});
  await setModified(anna, "/home/d1", yearAgo);
  for (let i = 0; i < 5; i++) await write(dora, `/home/left${i}`, `left ${i}`);
  const always = () => {};
  await changeProperties(anna, "/home/empty", [
    { space: "urn:a", local: "color", xml: "<color xmlns='urn:a'>ü</color>" },
    { space: "", local: "plain", xml: "<plain/>" },
  ], always);
  await changeProperties(anna, "/home/d1", [{ space: "s", local: "l", xml: "<l/>" }], always);
  const { token, link } = await addSecrets(setup);
  await addPartial(setup, 40_000, "/home/partial");
  await addPartial(setup, 400_000, "/home/empty");
  await store.people.accounts.remove("dora", { purge: false });
  store.accounts.change("carla", { disabled: true });
  store.accounts.change("Bert", { limit: 100, entryLimit: 3 });
  Deno.writeTextFileSync(`${setup.data}/public/by hand`, "by hand");
  return { token, link };
}

/** The scope of a token of anna's. */
export const phoneScope: Scope = {
  access: "append-only",
  path: "/home/phone",
  doors: ["native", "sftp"],
  from: ["127.0.0.0/8", "2001:db8::/32"],
  expires: Date.UTC(2100, 0, 1),
};

async function addSecrets(setup: Setup) {
  const { store } = setup;
  const { id } = store.accounts.get("anna");
  const first = await store.tokens.issue(id, "laptop");
  const second = await store.tokens.issue(id, "phone", phoneScope, () => first.id);
  store.webSessions.begin(id, { agent: "browser", address: "192.0.2.1" }, () => first.id);
  const type = "ssh-ed25519";
  store.keys.add(id, { type, blob: bytes("blob"), comment: "key ü", ignored: [] });
  const expires = Date.now() + 3600_000;
  const place = { dir: "homes/anna", name: "empty" };
  const { token: link } = store.shares.add(id, {
    place,
    kind: "file",
    expires,
    maxDownloads: 5,
    verifier,
  });
  const other = { place: { dir: "homes/anna", name: "moved away" }, kind: "dir" } as const;
  store.shares.add(id, { ...other, expires, maxDownloads: null, verifier: null });
  store.shares.lose(other.place);
  store.shares.count(store.shares.find(link)!, "192.0.2.1", "v1");
  for (const name of ["anna", "nobody"]) {
    const account = store.accounts.find(name);
    const attempt = { account, name, mechanism: "password", host: "198.51.100.1" } as const;
    for (let i = 0; i < 12; i++) store.bans.failed(attempt);
  }
  const account = store.accounts.get("anna");
  store.bans.succeeded({ account, name: "anna", mechanism: "password", host: "203.0.113.9" });
  store.locks.enter({
    token: "urn:lock",
    account: id,
    ...place,
    shared: false,
    deep: false,
    owner: "",
    until: expires,
  });
  store.db.run(
    `UPDATE account SET granted = 7, totp_secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
       totp_step = 5, recovery_codes = 'ab cd' WHERE id = ?`,
    id,
  );
  return { token: second.token, link };
}

/** Begins an upload that is cut off. */
export async function addPartial(setup: Setup, size: number, path: string): Promise<void> {
  const going = await begin(setup.login("anna"), request(path, { size }));
  await going.write(large(3).subarray(0, size / 2));
  await going.fail(new BargeError("unavailable", "cut off"));
}

/** Bytes that differ by their seed. */
export function large(seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(largeBytes / 4);
  for (let i = 0, x = seed; i < words.length; i++) words[i] = x = (x * 1664525 + 1013904223) >>> 0;
  return new Uint8Array(words.buffer);
}

/** What a storage holds, as the tests compare it. */
export interface Snapshot {
  /** By path: type, size, time, owner, digest of the bytes. */
  readonly entries: Readonly<Record<string, string>>;
  readonly properties: readonly string[];
  readonly uploads: readonly string[];
  readonly people: unknown;
  readonly sums: Readonly<Record<string, string>>;
}

export async function localSnapshot(data: string): Promise<Snapshot> {
  using parts = openDirectory(data);
  const { db } = parts;
  const names = new Map(parts.accounts.list().map(({ id, name }) => [id, name]));
  const entries: Record<string, string> = {};
  const walk = async (dir: string): Promise<void> => {
    for (const entry of Deno.readDirSync(`${data}/${dir}`)) {
      const place = { dir, name: entry.name };
      const path = relative(place);
      const { size, mtime, isDirectory } = Deno.statSync(`${data}/${path}`);
      const row = isDirectory ? parts.folders.find(place) : parts.ledger.file(place);
      const owner = row?.owner ? names.get(row.owner)! : null;
      const digest = isDirectory ? "" : digestOf(Deno.readFileSync(`${data}/${path}`));
      entries[path] = factsOf(isDirectory, size, mtime!.getTime(), owner, digest);
      if (isDirectory) await walk(path);
    }
  };
  for (const space of ["homes", "public", "removed"]) {
    if (existsSync(`${data}/${space}`)) await walk(space);
  }
  const properties = db.all<Place & Record<string, string>>(
    "SELECT dir, property.name, space, local, xml, account.name AS account FROM property " +
      "JOIN account ON account.id = account",
  ).map(({ dir, name, space, local, xml, account }) =>
    `${dir}/${name} {${space}}${local} ${xml} ${account}`
  );
  const uploads = [...parts.reservations.eachUpload()].map((row) => {
    const staged = Deno.readFileSync(`${data}/staging/${row.id}`);
    const { size, modified, touched } = row;
    const facts = [names.get(row.account), relative(row), size, modified, touched];
    return [...facts, staged.length, digestOf(staged)].join(" ");
  });
  return snapshot(entries, properties, uploads, readLocalPeople(db), parts.accounts.list());
}

export async function sharedSnapshot(shared: SharedStorage): Promise<Snapshot> {
  const { tree, people, uploads, attached } = shared;
  const entries: Record<string, string> = {};
  const properties: string[] = [];
  const owners = new Map(
    (await shared.parts.db.all<{ path: string; owner: string }>(
      `SELECT path_of(node.id) AS path, account.name AS owner FROM node
       JOIN account ON account.id = owner WHERE folder`,
    )).map(({ path, owner }) => [decodePath(path), owner]),
  );
  const walk = async (place: Place): Promise<void> => {
    for await (const page of tree.pages(place)) {
      for (const { name, entry } of page) {
        const below = { dir: relative(place), name };
        const isDirectory = entry.type === "dir";
        const owner = isDirectory ? owners.get(relative(below)) ?? null : entry.ownerName;
        const digest = isDirectory ? "" : digestOf(await bytesAt(shared, below));
        entries[relative(below)] = factsOf(isDirectory, entry.size, entry.modified, owner, digest);
        for (const { space, local, xml } of await attached.properties.of(below)) {
          properties.push(`${relative(below)} {${space}}${local} ${xml} anna`);
        }
        if (isDirectory) await walk(below);
      }
    }
  };
  for (const name of ["homes", "public", "removed"]) await walk({ dir: "", name });
  const partials: string[] = [];
  const accounts = await people.accounts.list();
  for (const account of accounts) {
    for await (const partial of uploads.partials(account.id)) {
      const { size, modified, expires, offset } = partial;
      const content = await uploads.openStaged(partial.id, 0);
      const staged = await content.rest();
      content.close();
      const facts = [account.name, relative(partial), size, modified, expires - 7 * 86_400_000];
      partials.push([...facts, offset, digestOf(staged)].join(" "));
    }
  }
  const all = await readSharedPeople(shared.parts);
  return snapshot(entries, properties, partials, all, accounts);
}

export async function bytesAt({ tree }: SharedStorage, place: Place): Promise<Uint8Array> {
  const content = await tree.open(place, 0);
  try {
    return await content.rest();
  } finally {
    content.close();
  }
}

function snapshot(
  entries: Record<string, string>,
  properties: string[],
  uploads: string[],
  people: People,
  accounts: readonly {
    readonly name: string;
    readonly used: number;
    readonly reserved: number;
    readonly entries: number;
  }[],
): Snapshot {
  const rows = Object.fromEntries(
    people.rows.entries().map(([table, rows]) => [table, rows.map(sorted).sort()]),
  );
  return {
    entries: Object.fromEntries(Object.entries(entries).sort(([a], [b]) => a < b ? -1 : 1)),
    properties: properties.sort(),
    uploads: uploads.sort(),
    people: { accounts: people.accounts.map(sorted), ...rows },
    sums: Object.fromEntries(
      accounts.map((
        { name, used, reserved, entries },
      ) => [name, `${used} ${reserved} ${entries}`]),
    ),
  };
}

/** Returns a row as JSON with its keys in order. */
function sorted(row: object): string {
  return JSON.stringify(
    row,
    (_, value) =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
        : value,
  );
}

function factsOf(
  isDirectory: boolean,
  size: number,
  modified: number,
  owner: string | null,
  digest: string,
): string {
  return isDirectory
    ? `folder ${modified} ${owner}`
    : `file ${size} ${modified} ${owner} ${digest.slice(0, 16)}`;
}

function digestOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
