import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import {
  aliveChunkLength,
  Decoder,
  encodeChunkHead,
  encodeFrame,
} from "../../../core/protocol/frame.ts";
import {
  type AnswerName,
  type BodyFrame,
  parseAnswer,
  parseBodyFrame,
  parseRequest,
  verbs,
} from "../../../core/protocol/message.ts";

const folder = new URL("../../../fixtures/frames/", import.meta.url);

interface Failure {
  kind: string;
  message?: string;
}
interface Event {
  frame?: Record<string, unknown>;
  as?: string;
  parsed?: unknown;
  fails?: Failure;
  data?: string;
  end?: true;
  alive?: true;
  error?: Failure;
}

const names = [...Deno.readDirSync(folder)].map((f) => f.name).filter((f) => f.endsWith(".json"))
  .map((f) => f.replace(/\.json$/, "")).sort();

function load(name: string) {
  const { about, events } = JSON.parse(Deno.readTextFileSync(new URL(`${name}.json`, folder)));
  return {
    about: about as string,
    events: events as Event[],
    bytes: Deno.readFileSync(new URL(`${name}.bin`, folder)),
  };
}

function parse(as: string, frame: Record<string, unknown>): unknown {
  if (as === "request") return parseRequest(frame);
  if (as.startsWith("answer")) return parseAnswer((as.slice(7) || "ping") as AnswerName, frame);
  return parseBodyFrame(as as BodyFrame, frame);
}

function assertFails(run: () => unknown, { kind, message }: Failure): void {
  assert.throws(run, (e) => {
    assert.ok(e instanceof BargeError, String(e));
    assert.equal(e.kind, kind);
    if (message !== undefined) assert.equal(e.message, message);
    return true;
  });
}

/** Returns the events of the bytes in the fixture's form, data as text. */
function decoded(bytes: Uint8Array<ArrayBuffer>): Event[] {
  const decoder = new Decoder();
  const events: Event[] = [];
  decoder.push(bytes);
  try {
    for (let event = decoder.next(); event; event = decoder.next()) {
      if (event.type === "frame") events.push({ frame: event.value });
      else if (event.type === "end") events.push({ end: true });
      else if (event.type === "alive") events.push({ alive: true });
      else events.push({ data: new TextDecoder().decode(event.bytes) });
    }
    assert.ok(decoder.idle);
  } catch (e) {
    assert.ok(e instanceof BargeError, String(e));
    events.push({ error: { kind: e.kind } });
  }
  return events;
}

function encoded(events: readonly Event[]): number[] {
  let chunked = false;
  return events.flatMap(({ frame, data, alive }) => {
    if (frame) {
      chunked = frame.body === "chunked";
      return [...encodeFrame(frame)];
    }
    if (alive) return [...encodeChunkHead(aliveChunkLength)];
    const bytes = new TextEncoder().encode(data ?? "");
    return chunked ? [...encodeChunkHead(bytes.length), ...bytes] : [...bytes];
  });
}

for (const name of names) {
  const { about, events, bytes } = load(name);
  Deno.test(`golden ${name}: ${about}`, () => {
    assert.deepEqual(
      decoded(bytes),
      events.map(({ frame, data, end, alive, error }) => {
        if (frame) return { frame };
        if (data !== undefined) return { data };
        return end ? { end } : alive ? { alive } : { error };
      }),
    );
    for (const { frame, as, parsed, fails } of events) {
      if (!frame || !as) continue;
      if (fails) assertFails(() => parse(as, frame), fails);
      else assert.deepEqual(parse(as, frame), parsed);
    }
    if (!events.some((e) => e.error)) assert.deepEqual(encoded(events), [...bytes]);
  });
}

Deno.test("golden frames: every verb has a request and an answer", () => {
  const all = names.flatMap((name) => load(name).events).filter((e) => e.parsed !== undefined);
  const asked = new Set(all.filter((e) => e.as === "request").map((e) => e.frame?.verb));
  const answered = new Set(all.map((e) => e.as));
  for (const verb of verbs) {
    assert.ok(asked.has(verb), `no request ${verb}`);
    assert.ok(answered.has(`answer ${verb}`), `no answer to ${verb}`);
  }
  for (const as of ["answer go", "from", "alive", "trailer"]) assert.ok(answered.has(as), as);
});
