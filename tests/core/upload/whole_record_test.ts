/** The record of an upload's whole bytes, compared with a model of its bytes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { WholeRecord } from "../../../core/upload/whole_record.ts";

/** A model of a body: which bytes were written, and which are copied. */
class Body {
  readonly written: boolean[];

  constructor(readonly copied: number) {
    this.written = Array.from({ length: copied }, () => true);
  }

  get size(): number {
    const gap = this.written.findIndex((byte) => !byte);
    return gap < 0 ? this.written.length : gap;
  }

  get length(): number {
    return this.written.length;
  }

  write(position: number, end: number): void {
    while (this.written.length < end) this.written.push(false);
    this.written.fill(true, position, end);
  }

  truncate(length: number): void {
    while (this.written.length < length) this.written.push(false);
    this.written.length = length;
  }
}

Deno.test("nothing is recorded of an upload that is only appended to", () => {
  const record = new WholeRecord(3);
  record.beginAppend(5);
  assert.deepEqual(record.beginWrite(5, 9), { gap: false, record: false });
  assert.equal(record.wholeNow({ size: 9, length: 9 }), undefined);
  assert.equal(record.truncate(4), false);
  assert.deepEqual(record.beginWrite(4, 5), { gap: false, record: false });
});

Deno.test("a write over copied bytes leaves nothing to resume", () => {
  const record = new WholeRecord(0);
  record.noteCopied(10);
  assert.deepEqual(record.beginWrite(3, 5), { gap: false, record: true });
  assert.equal(record.wholeBefore({ size: 10, length: 10 }, 10), 0);
  record.noteRecorded(0, { size: 10, length: 10 });
  assert.equal(record.wholeNow({ size: 20, length: 20 }), 0);
  assert(record.inPlace);
});

Deno.test("the recorded number is never larger than that of the whole bytes", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ at: fc.nat(20), bytes: fc.integer({ min: 1, max: 8 }) }) },
    { weight: 2, arbitrary: fc.record({ append: fc.integer({ min: 1, max: 8 }) }) },
    { weight: 1, arbitrary: fc.record({ cut: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.constant("beat" as const) },
  );
  fc.assert(
    fc.property(fc.nat(10), fc.array(step, { maxLength: 30 }), (copied, steps) => {
      const body = new Body(copied);
      const record = new WholeRecord(copied);
      record.noteCopied(copied);
      let stored: number | null = null;
      const store = (whole: number | null) => {
        stored = whole;
        record.noteRecorded(whole, body);
      };
      let changed = false;
      let left = copied;
      for (const step of steps) {
        if (step === "beat") {
          const whole = record.wholeNow(body);
          if (whole !== undefined) store(whole);
        } else if ("cut" in step) {
          if (record.truncate(step.cut)) store(record.wholeBefore(body, step.cut));
          body.truncate(step.cut);
          left = Math.min(left, step.cut);
        } else if ("append" in step) {
          record.beginAppend(body.size + step.append);
          body.write(body.size, body.size + step.append);
        } else {
          const { gap, record: first } = record.beginWrite(step.at, step.at + step.bytes);
          if (first) store(record.wholeBefore(body, body.length));
          changed ||= step.at < left;
          body.write(step.at, step.at + step.bytes);
          record.endWrite(gap);
        }
        const whole = Math.min(stored ?? Infinity, body.length);
        assert(whole <= body.size, `${whole} of ${body.size} whole bytes`);
        if (changed) assert.equal(stored, 0);
      }
    }),
    { numRuns: 500 },
  );
});
