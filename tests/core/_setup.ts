/** What the tests of accounts, vault and sessions share: a data directory, accounts, small verbs. */
import { sessionOf } from "./_session.ts";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Account, Role } from "../../core/storage/account.ts";
import type { FileRow } from "../../core/local/ledger/ledger.ts";
import { Database } from "../../core/local/database/database.ts";
import { BargeError, type Kind } from "../../core/error.ts";
import { prepareData } from "../../core/serve/data.ts";
import { get } from "../../core/session/get.ts";
import type { Hooks } from "../../core/watch/hooks.ts";
import type { StoredFile } from "../../core/storage/uploads.ts";
import type { Incoming } from "../../core/upload/incoming.ts";
import { receive } from "../../core/upload/receive.ts";
import type { UploadRequest } from "../../core/upload/request.ts";
import type { Session } from "../../core/login/session.ts";
import { type Settings, Store } from "../../core/local/store.ts";

/** No password has this: logins are not what these tests are about. */
export const verifier = {
  salt: "c2FsdHNhbHRzYWx0c2FsdA==",
  n: 32768,
  r: 8,
  p: 1,
  storedKey: "c3RvcmVkIGtleSBzdG9yZWQga2V5IHN0b3JlZCBrZXk=",
  serverKey: "c2VydmVyIGtleSBzZXJ2ZXIga2V5IHNlcnZlciBrZXk=",
};

/** A data directory with an open store, removed at the end. */
export class Setup implements Disposable {
  readonly data: string;
  store: Store;
  readonly #settings: Partial<Settings>;

  constructor(settings: Partial<Settings> = {}) {
    this.#settings = settings;
    this.data = prepareData(Deno.makeTempDirSync({ prefix: "barge-session-" }));
    new Database(this.data, { create: true })[Symbol.dispose]();
    this.store = this.open();
  }

  /** Another connection to the same directory, as another isolate has it. */
  open(settings: Partial<Settings> = {}, worker = 0, hooks: Hooks = {}): Store {
    const all = {
      data: this.data,
      durability: "relaxed",
      allowRegister: true,
      defaultLimit: 1000,
      maxLimit: 10_000,
      ...this.#settings,
      ...settings,
    } as const;
    return new Store(all, worker, hooks);
  }

  /** Makes an account and logs it in. */
  user(name: string, limit: number | null = null, role: Role = "user"): Session {
    this.store.accounts.add({ name, role, limit, verifier });
    return this.login(name);
  }

  login(name: string, store = this.store): Session {
    return sessionOf(store, name);
  }

  account(name: string): Account {
    return this.store.accounts.get(name);
  }

  /** Where a path of an account's lies on disk. */
  disk(path: string, name = "anna"): string {
    return `${this.data}${path.replace(/^\/home/, `/homes/${name}`)}`;
  }

  read(path: string, name?: string): string {
    return Deno.readTextFileSync(this.disk(path, name));
  }

  exists(path: string, name?: string): boolean {
    try {
      Deno.lstatSync(this.disk(path, name));
      return true;
    } catch {
      return false;
    }
  }

  staged(): string[] {
    return Array.from(Deno.readDirSync(`${this.data}/staging`), (entry) => entry.name).sort();
  }

  /** Fails unless every sum agrees with its rows, and every row with the disk. */
  check(): void {
    assert.deepEqual(this.store.ledger.wrongSums(), []);
    const folders = this.store.ledger.folders();
    for (const { dir, name, size } of folders.flatMap((dir) => this.filesIn(dir))) {
      assert.equal(Deno.lstatSync(`${this.data}/${dir}/${name}`).size, size, `${dir}/${name}`);
    }
  }

  /** Returns the ledger's rows of a folder. */
  filesIn(dir: string): FileRow[] {
    return this.store.ledger.filesIn(dir).toArray();
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
    Deno.removeSync(this.data, { recursive: true });
  }
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

export const sha256 = (content: Uint8Array | string): string =>
  createHash("sha256").update(content).digest("hex");

export function request(path: string, facts: Partial<UploadRequest> = {}): UploadRequest {
  return { path, size: null, modified: null, overwrite: "always", ...facts };
}

/** Begins an upload at once, as for a client that announced it. */
export function begin(session: Session, request: UploadRequest): Promise<Incoming> {
  return receive(session, { announced: true, ...request });
}

/** Writes a small file at once. */
export async function write(
  session: Session,
  path: string,
  text: string,
  facts: Partial<UploadRequest> = {},
): Promise<StoredFile> {
  const content = bytes(text);
  const going = await receive(
    session,
    request(path, { size: content.length, base: "fresh", ...facts }),
  );
  await going.write(content);
  return await going.commit(sha256(content), true);
}

/** Uploads in pieces, of a declared size unless facts say otherwise. */
export async function upload(
  session: Session,
  path: string,
  content: Uint8Array,
  facts: Partial<UploadRequest> = {},
  piece = 1 << 16,
): Promise<StoredFile> {
  const going = await begin(session, request(path, { size: content.length, ...facts }));
  try {
    for (let at = going.offset; at < content.length; at += piece) {
      await going.write(content.subarray(at, at + piece));
    }
    return await going.commit(sha256(content), true);
  } catch (error) {
    await going.fail(error as BargeError);
    throw error;
  }
}

/** Reads a file to its end. */
export async function read(session: Session, path: string, offset = 0) {
  const file = await get(session, path, offset);
  try {
    const content = new Uint8Array(file.size - offset);
    for (let at = 0; at < content.length;) at += await file.read(content.subarray(at));
    return { text: new TextDecoder().decode(content), stored: file.sha256, digest: file.digest() };
  } finally {
    await file.close();
  }
}

/** Fails unless `work` fails with that kind; the promise's rejection or the throw. */
export async function fails(kind: Kind, work: () => unknown, pattern = /./): Promise<BargeError> {
  try {
    await work();
  } catch (error) {
    assert(error instanceof BargeError, `not typed: ${(error as Error)?.stack}`);
    assert.equal(error.kind, kind, `${error.kind}: ${error}`);
    assert.match(error.message, pattern);
    return error;
  }
  throw new assert.AssertionError({ message: `did not fail with ${kind}` });
}
