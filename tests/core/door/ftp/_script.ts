/** Plays a conversation: `> line` is sent, `< code text` is expected, other steps act beside it. */
import assert from "node:assert/strict";
import { type Client, Wire } from "./_client.ts";

export interface Step {
  readonly text: string;
  readonly line: number;
}

/** @param password replaces `{password}` */
export async function assertScript(
  client: Client,
  steps: readonly Step[],
  password: string,
): Promise<void> {
  let port = 0;
  let data: Wire | undefined;
  const begun = async () => {
    if (client.protect) await client.join(data!);
    return data!;
  };
  for (const { text, line } of steps) {
    const [, verb, rest] = /^(\S+) ?(.*)$/.exec(text)!;
    try {
      if (verb === ">") {
        await client.wire.send(`${rest.replace("{password}", password)}\r\n`);
      } else if (verb === "<") {
        const reply = await client.reply();
        assert.ok(reply.startsWith(rest), reply);
        const six = /^227 .*,(\d+),(\d+)\)/.exec(reply);
        if (six) port = Number(six[1]) * 256 + Number(six[2]);
      } else if (verb === "tls") {
        await client.beginTls();
      } else if (verb === "private") {
        client.protect = true;
      } else if (verb === "data") {
        data = await Wire.open(port);
      } else if (verb === "send") {
        using open = await begun();
        await open.send(rest);
        open.end();
      } else if (verb === "read") {
        using open = await begun();
        const got = (await open.rest()).toString();
        assert.ok(got.includes(rest), got);
      } else {
        throw new Error(`what is ${verb}?`);
      }
    } catch (error) {
      throw new Error(`line ${line}, ${text}: ${(error as Error).message}`, { cause: error });
    }
  }
}
