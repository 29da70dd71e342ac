/** Replays requests of Finder and Windows (fixtures/dav) on a server of two workers. */
import assert from "node:assert/strict";
import { startServer } from "../../../../_server.ts";
import { basic, Client } from "../_client.ts";

const fixtures = new URL("../../../../../fixtures/dav/", import.meta.url);

interface Step {
  readonly method: string;
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly chunked: boolean;
  readonly body: string;
  readonly status: number;
  readonly patterns: readonly { readonly wanted: boolean; readonly pattern: string }[];
}

/** As fixtures/dav/README.md says. */
function parse(text: string): Step[] {
  return text.split(/^>> /m).slice(1).map((block) => {
    const [request, answer] = block.split(/^<< /m);
    const [head, ...rest] = request.split("\n\n");
    const [line, ...lines] = head.trimEnd().split("\n");
    const [method, target] = line.split(" ");
    const chunked = lines.includes("{chunked}");
    const headers = lines.filter((line) => line !== "{chunked}").map((line) => line.split(/: /, 2));
    const [status, ...expected] = answer.trimEnd().split("\n");
    return {
      ...{ method, target, chunked, headers: Object.fromEntries(headers), status: Number(status) },
      body: rest.join("\n\n").trimEnd(),
      patterns: expected.map((line) => ({ wanted: line[0] === "~", pattern: line.slice(2) })),
    };
  });
}

async function replay(client: Client, host: string, step: Step, lock: string) {
  const fill = (text: string) => text.replaceAll("{host}", host).replaceAll("{lock}", lock);
  const headers: Record<string, string> = { host };
  for (const [name, value] of Object.entries(step.headers)) {
    headers[name.toLowerCase()] = fill(value);
  }
  if (!step.chunked) return await client.ask(step.method, step.target, headers, fill(step.body));
  await client.begin(step.method, step.target, { ...headers, "transfer-encoding": "chunked" });
  await client.send(`${step.body.length.toString(16)}\r\n${step.body}\r\n0\r\n\r\n`);
  return await client.answer(step.method);
}

Deno.test("the requests of Finder and Windows are answered as these clients expect", async (t) => {
  await using server = await startServer({ args: ["--http", "127.0.0.1:0", "--workers", "2"] });
  const host = server.facts.http!;
  for (const name of ["finder", "windows"]) {
    await t.step(name, async () => {
      const steps = parse(await Deno.readTextFile(new URL(`${name}.txt`, fixtures)));
      await server.addUser(name, { quota: "1000000" });
      let lock = "";
      for (const step of steps) {
        // Each step has its own connection, and so perhaps another worker.
        using client = await Client.open(host, step.method === "OPTIONS" ? {} : basic(name));
        const answer = await replay(client, host, step, lock);
        const { status, headers, text } = answer;
        const all = [...headers].map((pair) => pair.join(": ")).join("\n") + `\n\n${text}`;
        const which = `${step.method} ${step.target}: ${status}\n${all}`;
        assert.equal(status, step.status, which);
        lock = /^<(.*)>$/.exec(headers.get("lock-token") ?? "")?.[1] ?? lock;
        for (const { wanted, pattern } of step.patterns) {
          const found = new RegExp(pattern.replaceAll("{lock}", lock), "m").test(all);
          assert.equal(found, wanted, `${wanted ? "no" : "a"} ${pattern} in ${which}`);
        }
      }
    });
  }
});
