import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { fingerprintOf } from "../../../core/net/certificate.ts";
import type { Fingerprint } from "../../../core/net/fingerprint.ts";
import { addPin, readPins, removePins } from "../../../core/net/known_hosts.ts";

class File implements Disposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "barge-hosts-" });
  readonly path = `${this.#folder}/barge/known_hosts`;
  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

const box = { host: "box", port: 7171 };
const mark = (n: number): Fingerprint => fingerprintOf(new Uint8Array([n]));
const marks = (pins: readonly { fingerprint: string }[]) => pins.map((pin) => pin.fingerprint);

Deno.test("pins that are written at the same time are all kept", async () => {
  using file = new File();
  const ports = Array.from({ length: 20 }, (_, i) => i + 1);
  await Promise.all(ports.map((port) => addPin(file.path, { host: "box", port }, mark(port))));
  for (const port of ports) {
    assert.deepEqual(marks(readPins(file.path, { host: "box", port })), [mark(port)]);
  }
});

Deno.test("of two pins of a server at the same time the first one is kept", async () => {
  using file = new File();
  assert.deepEqual(marks(await addPin(file.path, box, mark(1))), [mark(1)]);
  assert.deepEqual(marks(await addPin(file.path, { host: "BOX.", port: 7171 }, mark(2))), [
    mark(1),
  ]);
});

Deno.test("removePins removes the lines of one server, and keeps comments and other lines", async () => {
  using file = new File();
  await addPin(file.path, box, mark(1));
  await addPin(file.path, { host: "::1", port: 7171 }, mark(2));
  const kept = Deno.readTextFileSync(file.path);
  Deno.writeTextFileSync(file.path, `# mine\n\n${kept}box:7171 ${mark(3)}`);
  assert.deepEqual(marks(readPins(file.path, box)), [mark(1), mark(3)]);
  assert.deepEqual(marks(await removePins(file.path, box)), [mark(1), mark(3)]);
  assert.deepEqual(readPins(file.path, box), []);
  assert.match(
    Deno.readTextFileSync(file.path),
    /^# mine\n\n\[::1\]:7171 SHA256:\S{43} \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/,
  );
});

Deno.test("a malformed line is an error", async () => {
  using file = new File();
  await addPin(file.path, box, mark(1));
  Deno.writeTextFileSync(file.path, "box:7171 SHA256:short\n");
  const isReported = (error: unknown) => {
    assert.ok(error instanceof BargeError);
    assert.equal(error.kind, "identity");
    assert.match(error.toString(), /known_hosts: line 1 is malformed/);
    return true;
  };
  assert.throws(() => readPins(file.path, box), isReported);
  await assert.rejects(addPin(file.path, box, mark(1)), isReported);
});
