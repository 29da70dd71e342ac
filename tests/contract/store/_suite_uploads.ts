/** The promises of every storage about uploads (core/storage/uploads.ts). */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BargeError, type Kind } from "../../../core/error.ts";
import type { AuditEntry } from "../../../core/storage/audit/audit.ts";
import type { Place } from "../../../core/storage/place.ts";
import {
  LostUpload,
  type NewUpload,
  type OpenUpload,
  type StoredFile,
  type Uploads,
  type UploadStart,
  type WriteGuard,
} from "../../../core/storage/uploads.ts";

/** Steps at which a process can be killed. */
export type Step = string;

/** One storage, empty but for its accounts. */
export interface StoreUnderTest extends AsyncDisposable {
  /** Opens one more connection, as another worker has it. It is closed with the storage. */
  connect(): Promise<Uploads>;
  /** Adds an account with a home. @returns its id */
  addAccount(name: string, quota: number | null): Promise<number>;
  sums(account: number): Promise<{ used: number; reserved: number }>;
  /** Returns the bytes of a file; undefined for none. */
  content(place: Place): Promise<Uint8Array | undefined>;
  /** Returns the number of uploads whose bytes are staged. */
  staged(): Promise<number>;
  /**
   * Stores small files from other processes at the same time.
   *
   * @returns the number of files that each could store
   */
  race(account: number, processes: number, files: number, bytes: number): Promise<number[]>;
  /** The steps of {@link kill}. */
  readonly steps: Record<"store" | "commit", readonly Step[]>;
  /** A step at which the change has begun, and is not committed. */
  readonly midway: Step;
  /**
   * Has another process store a file, at once or in pieces, and kills it at a step; then does what a
   * start of the server does.
   */
  kill(how: "store" | "commit", at: Step, account: number, bytes: Uint8Array): Promise<void>;
}

/** The file that {@link StoreUnderTest.kill} writes. */
export const file: Place = { dir: "homes/anna", name: "f" };

export const guard = (place: Place): WriteGuard => ({
  places: [place],
  check(view) {
    view.needFolder(place);
    return view.entry(place);
  },
});

export const text = (content: string) => new TextEncoder().encode(content);

export function declared(
  account: number,
  size: number | null,
  facts: Partial<NewUpload> = {},
): NewUpload {
  return { ...file, account, size, modified: null, ...facts };
}

const contentOf = (bytes: Uint8Array) => ({
  size: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
  verified: true,
});

/** Stores a small file at once. */
export function store(
  uploads: Uploads,
  account: number,
  bytes: Uint8Array,
  place = file,
): Promise<StoredFile> {
  const upload = declared(account, bytes.length, place);
  return uploads.store(upload, contentOf(bytes), bytes, guard(place));
}

/** Stores a file of 5 bytes, with a record in the audit trail. */
export function storeRecorded(
  uploads: Uploads,
  account: number,
  place: Place,
  record: AuditEntry,
): Promise<StoredFile> {
  const bytes = text("12345");
  const upload = declared(account, bytes.length, place);
  return uploads.store(upload, contentOf(bytes), bytes, { ...guard(place), record });
}

/** Finishes an upload and makes it a file. */
export async function commit(open: OpenUpload, place = file): Promise<StoredFile> {
  const { body } = open;
  const sha256 = await body.digest();
  const modified = await body.finish(null, sha256);
  const content = { size: body.length, sha256, modified, verified: true };
  const stored = await open.commit(content, guard(place));
  await open.detach();
  return stored;
}

const fresh: UploadStart = { keep: 0 };
const resumed: UploadStart = { keep: Infinity };

async function fails(kind: Kind, work: () => Promise<unknown>): Promise<BargeError> {
  try {
    await work();
  } catch (error) {
    assert(error instanceof BargeError, String(error));
    assert.equal(error.kind, kind, error.message);
    return error;
  }
  throw new assert.AssertionError({ message: `did not fail with ${kind}` });
}

/** Runs the suite on a storage. */
export function uploadsContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const test = (
    promise: string,
    work: (storage: StoreUnderTest, uploads: Uploads, anna: number) => Promise<void>,
    quota: number | null = null,
  ) =>
    Deno.test(`${name}: ${promise}`, async () => {
      await using storage = await make();
      const anna = await storage.addAccount("anna", quota);
      await work(storage, await storage.connect(), anna);
    });

  test(
    "a file is absent until it is whole, and the old one stays until then",
    async (s, up, anna) => {
      const stored = await store(up, anna, text("old"));
      assert.deepEqual([stored.replaced, stored.sha256], [false, contentOf(text("old")).sha256]);
      const open = await up.begin(declared(anna, 8), fresh);
      await open.body.write(text("the "));
      assert.deepEqual(await s.content(file), text("old"));
      await open.body.write(text("file"));
      assert.deepEqual(await s.content(file), text("old"));
      const replaced = await commit(open);
      assert.deepEqual([replaced.replaced, replaced.size], [true, 8]);
      assert.equal(replaced.sha256, contentOf(text("the file")).sha256);
      assert.deepEqual(await s.content(file), text("the file"));
      assert.deepEqual([await s.sums(anna), await s.staged()], [{ used: 8, reserved: 0 }, 0]);
    },
  );

  test("a drop leaves nothing, and a detach the whole bytes", async (s, up, anna) => {
    const dropped = await up.begin(declared(anna, 8), fresh);
    await dropped.body.write(text("some"));
    await dropped.drop();
    assert.deepEqual([await s.sums(anna), await s.staged()], [{ used: 0, reserved: 0 }, 0]);
    const cut = await up.begin(declared(anna, 8), fresh);
    await cut.body.write(text("some"));
    await cut.body.writeAt(6, text("x"));
    await cut.detach();
    await cut.drop(); // the second end does nothing
    assert.equal(await s.content(file), undefined);
    assert.equal((await s.sums(anna)).reserved, 4);
    assert.equal((await up.partial(anna, file))?.offset, 4);
    assert.equal(await up.dropAt(anna, file), 1);
    assert.deepEqual([await s.sums(anna), await s.staged()], [{ used: 0, reserved: 0 }, 0]);
  });

  test("a guard that refuses changes nothing", async (s, up, anna) => {
    await store(up, anna, text("old"));
    const refuse: WriteGuard = {
      places: [file],
      check() {
        throw new BargeError("denied", "no");
      },
    };
    const bytes = text("newer");
    const upload = declared(anna, bytes.length);
    await fails("denied", () => up.store(upload, contentOf(bytes), bytes, refuse));
    const open = await up.begin(upload, fresh);
    await open.body.write(bytes);
    const content = contentOf(bytes);
    const modified = await open.body.finish(null, await open.body.digest());
    await fails("denied", () => open.commit({ ...content, modified }, refuse));
    await open.drop();
    assert.deepEqual(await s.content(file), text("old"));
    assert.deepEqual([await s.sums(anna), await s.staged()], [{ used: 3, reserved: 0 }, 0]);
  });

  test("a refusal of the guard comes before over-quota", async (_, up, anna) => {
    const place = { dir: "homes/anna/none", name: "f" };
    await fails("no-directory", () => store(up, anna, text("too large for it"), place));
    await fails("over-quota", () => store(up, anna, text("too large for it")));
  }, 5);

  test(
    "of small files stored at the same time, one that fails fails alone",
    async (s, up, anna) => {
      const names = Array.from({ length: 40 }, (_, i) => ({ dir: "homes/anna", name: `f${i}` }));
      const bytes = text("0123456789");
      const ends = await Promise.allSettled(names.map((place) => store(up, anna, bytes, place)));
      assert.equal(ends.filter(({ status }) => status === "fulfilled").length, 33);
      assert.deepEqual([await s.sums(anna), await s.staged()], [{ used: 330, reserved: 0 }, 0]);
    },
    335,
  );

  test(
    "connections and processes that race for a quota win exactly what fits",
    async (s, _, anna) => {
      const others = s.race(anna, 2, 20, 30);
      const connections = await Promise.all([1, 2].map(() => s.connect()));
      const won = await Promise.all(connections.map(async (up, n) => {
        let won = 0;
        for (let i = 0; i < 20; i++) {
          const place = { dir: "homes/anna", name: `${n}-${i}` };
          try {
            const open = await up.begin(declared(anna, i % 2 ? 30 : null, place), fresh);
            try {
              if (open.reserved < 30) await open.reserve(30);
              await open.body.write(new Uint8Array(30));
              await commit(open, place);
              won++;
            } finally {
              await open.drop();
            }
          } catch (error) {
            assert(error instanceof BargeError && error.kind === "over-quota", String(error));
          }
        }
        return won;
      }));
      const sum = [...won, ...await others].reduce((a, b) => a + b);
      // An upload of unknown size reserves ahead where there is room, so that others may be refused.
      assert(sum <= 33, `${sum}`);
      const { used, reserved } = await s.sums(anna);
      assert.deepEqual([used, reserved], [sum * 30, 0]);
    },
    1009,
  );

  test("processes that race with small files win exactly what fits", async (s, _, anna) => {
    const won = await s.race(anna, 3, 20, 30);
    assert.equal(won.reduce((a, b) => a + b), 33, won.join());
    assert.deepEqual(await s.sums(anna), { used: 990, reserved: 0 });
  }, 1009);

  test(
    "an overwrite needs room for the difference alone, and only one upload gets it",
    async (s, up, anna) => {
      await store(up, anna, new Uint8Array(80));
      const open = await up.begin(declared(anna, 100), fresh);
      await fails("over-quota", () => up.begin(declared(anna, 100), fresh));
      await open.body.write(new Uint8Array(100));
      await commit(open);
      assert.deepEqual(await s.sums(anna), { used: 100, reserved: 0 });
    },
    100,
  );

  test(
    "a refusal gives the room that an upload has, with its own reservation, without those of others",
    async (_, up, anna) => {
      await store(up, anna, new Uint8Array(10));
      const elsewhere = (name: string, size: number | null) =>
        declared(anna, size, { dir: "homes/anna", name });
      const other = await up.begin(elsewhere("other", 20), fresh);
      const large = await fails("over-quota", () => up.begin(elsewhere("a", 71), fresh));
      assert.equal(large.message, "needs 71 bytes, 70 are left; 20 are held by other uploads");
      for (const [name, room] of [["b", 70], [file.name, 80]] as const) {
        const growing = await up.begin(elsewhere(name, null), fresh);
        await growing.reserve(60);
        const { message } = await fails("over-quota", () => growing.reserve(90));
        const why = `the upload is larger than the ${room} bytes that are left`;
        assert.equal(message, `${why}; 20 are held by other uploads`);
        await growing.drop();
      }
      await other.drop();
      const alone = await up.begin(elsewhere("c", null), fresh);
      await alone.reserve(60);
      const { message } = await fails("over-quota", () => alone.reserve(91));
      assert.equal(message, "the upload is larger than the 90 bytes that are left");
      await alone.drop();
    },
    100,
  );

  test("an upload resumes where it was cut, on any connection", async (s, up, anna) => {
    const first = await up.begin(declared(anna, 8), fresh);
    await first.body.write(text("the "));
    await first.detach();
    const elsewhere = await s.connect();
    const second = await elsewhere.begin(declared(anna, 8), resumed);
    assert.deepEqual(
      [second.body.size, second.body.prefix()],
      [4, contentOf(text("the ")).sha256],
    );
    await second.body.write(text("file"));
    assert.equal((await commit(second)).sha256, contentOf(text("the file")).sha256);
    assert.deepEqual(await s.content(file), text("the file"));
    const afresh = await up.begin(declared(anna, 8), resumed);
    assert.equal(afresh.body.size, 0);
    await afresh.drop();
  });

  test("a resume keeps no byte behind a gap, also when the writer dies", async (s, up, anna) => {
    const gone = await up.begin(declared(anna, 20), fresh);
    await gone.body.write(text("whole"));
    await gone.recordWhole(5);
    await gone.body.writeAt(10, text("beyond"));
    // Nobody detaches it, as if its process had died.
    const next = await (await s.connect()).begin(declared(anna, 20), resumed);
    assert.deepEqual([next.body.size, next.body.length], [5, 5]);
    await gone.detach();
    await next.drop();
    assert.equal(await s.staged(), 0);
  });

  test("the former holder of an upload changes nothing of it", async (s, up, anna) => {
    for (const end of ["detach", "drop"] as const) {
      const first = await up.begin(declared(anna, 8), fresh);
      await first.body.write(text("the "));
      const second = await up.begin(declared(anna, 8), resumed);
      assert.equal(second.body.size, 4);
      assert(first.takenOver && first.lost);
      assert((await first.whyLost()) instanceof LostUpload);
      assert.equal(await second.whyLost(), undefined);
      await fails("unavailable", () => first.body.write(text("late")));
      await fails("unavailable", () => first.body.truncate(0));
      await fails("unavailable", () => first.reserve(100));
      await fails("unavailable", () => first.recordWhole(0));
      assert.throws(() => first.renewLeaseNow(), BargeError);
      await fails(
        "unavailable",
        () => first.commit({ ...contentOf(text("the ")), modified: 0 }, guard(file)),
      );
      await first[end]();
      await second.body.write(text("file"));
      await commit(second);
      assert.deepEqual(await s.content(file), text("the file"));
      await store(up, anna, text(""));
    }
    assert.deepEqual([await s.sums(anna), await s.staged()], [{ used: 0, reserved: 0 }, 0]);
  });

  test("an upload follows its file to another path, or loses it", async (s, up, anna) => {
    const place = { dir: "homes/anna", name: "g" };
    const open = await up.begin(declared(anna, 3), fresh);
    await open.body.write(text("abc"));
    await open.move(place, guard(place));
    await commit(open, place);
    assert.deepEqual([await s.content(file), await s.content(place)], [undefined, text("abc")]);
    const unlinked = await up.begin(declared(anna, 3), fresh);
    await unlinked.unlink();
    assert.equal(await up.partial(anna, file), undefined);
    await unlinked.drop();
    assert.deepEqual(await s.sums(anna), { used: 3, reserved: 0 });
  });

  test(
    "partial uploads are listed and sampled, and recorded when they are files",
    async (_, up, anna) => {
      const recorded = { ...fresh, recorded: true };
      const open = await up.begin(declared(anna, 8), recorded);
      await open.body.write(text("the "));
      assert((await up.partial(anna, file))?.busy);
      await open.detach();
      const [partial, ...others] = await Array.fromAsync(up.partials(anna));
      assert.deepEqual(others, []);
      const { offset, size, busy } = partial;
      assert.deepEqual({ offset, size, busy }, { offset: 4, size: 8, busy: false });
      assert.equal(await up.sample(partial.id, 4), contentOf(text("the ")).sha256);
      assert.equal(await up.finished(anna, file), undefined);
      const again = await up.begin(declared(anna, 8), { ...recorded, ...resumed });
      await again.body.write(text("file"));
      await commit(again);
      assert.equal(await up.sample(partial.id, 4), undefined);
      assert.equal((await up.finished(anna, file))?.size, 8);
      await store(up, anna, text("another"));
      assert.equal(await up.finished(anna, file), undefined);
    },
  );

  test(
    "a copy without moving bytes is a file of its own, charged and guarded",
    async (s, up, anna) => {
      const place = { dir: "homes/anna", name: "copy" };
      const copy = () => up.copy(file, declared(anna, null, place), guard(place));
      await store(up, anna, text("content"));
      const copied = await copy();
      if (!copied) return; // a storage may leave it to its caller
      assert.deepEqual([copied.sha256, copied.replaced], [
        contentOf(text("content")).sha256,
        false,
      ]);
      assert.equal((await copy())?.replaced, true);
      await store(up, anna, text("new"));
      assert.deepEqual(await s.content(place), text("content"));
      assert.deepEqual(await s.sums(anna), { used: 10, reserved: 0 });
      const tooLarge = { dir: "homes/anna", name: "another" };
      await fails(
        "over-quota",
        () => up.copy(place, declared(anna, null, tooLarge), guard(tooLarge)),
      );
      const nowhere = { dir: "homes/anna/none", name: "f" };
      await fails(
        "no-directory",
        () => up.copy(place, declared(anna, null, nowhere), guard(nowhere)),
      );
    },
    16,
  );

  for (const how of ["store", "commit"] as const) {
    Deno.test(`${name}: kill -9 at each step of ${how}: the file is whole or absent, the sums agree`, async () => {
      const bytes = text("new content");
      const { steps, midway } = await during(make, (s) => s);
      for (
        const [step, old] of [
          ...steps[how].map((s) => [s, text("old")] as const),
          [midway, undefined] as const,
        ]
      ) {
        await during(make, async (s) => {
          const anna = await s.addAccount("anna", null);
          if (old) await store(await s.connect(), anna, old);
          await s.kill(how, step, anna, bytes);
          const now = await s.content(file);
          if (now?.length === bytes.length) assert.deepEqual(now, bytes, step);
          else assert.deepEqual(now, old, step);
          const { used, reserved } = await s.sums(anna);
          assert.equal(used, now?.length ?? 0, step);
          const up = await s.connect();
          const partial = await up.partial(anna, file);
          assert(reserved <= (partial?.offset ?? 0), `${step}: ${reserved} reserved`);
          await up.dropAt(anna, file);
          await store(up, anna, bytes);
          assert.deepEqual(await s.content(file), bytes, step);
          assert.deepEqual(await s.sums(anna), { used: bytes.length, reserved: 0 }, step);
          assert.equal(await s.staged(), 0, step);
        });
      }
    });
  }
}

async function during<T>(
  make: () => Promise<StoreUnderTest>,
  work: (storage: StoreUnderTest) => T | Promise<T>,
): Promise<T> {
  await using storage = await make();
  return await work(storage);
}
