import assert from "node:assert/strict";
import { framed, Unframer } from "../../../core/demo/lessons/stream.ts";

Deno.test("messages with a length come out as they were, wherever the stream is cut", () => {
  const messages = ["", "ab", "消息", "", "cde"];
  const bytes = new Uint8Array(messages.flatMap((message) => [...framed(message)]));
  for (let size = 1; size <= bytes.length; size++) {
    const unframer = new Unframer();
    const got: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      got.push(...unframer.push(bytes.subarray(at, at + size)));
    }
    assert.deepEqual(got, messages, `pieces of ${size}`);
  }
});
