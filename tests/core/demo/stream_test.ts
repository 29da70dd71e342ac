import assert from "node:assert/strict";
import { encodeMessage, MessageDecoder } from "../../../core/demo/lessons/stream.ts";

Deno.test("messages with a length arrive intact, wherever the stream is split", () => {
  const messages = ["", "ab", "消息", "", "cde"];
  const bytes = new Uint8Array(messages.flatMap((message) => [...encodeMessage(message)]));
  for (let size = 1; size <= bytes.length; size++) {
    const decoder = new MessageDecoder();
    const decoded: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      decoded.push(...decoder.push(bytes.subarray(at, at + size)));
    }
    assert.deepEqual(decoded, messages, `pieces of ${size}`);
  }
});
