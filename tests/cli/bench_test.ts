import assert from "node:assert/strict";
import schema from "../../fixtures/bench-result.schema.json" with { type: "json" };
import { allowedDescriptors } from "../../core/echo/descriptors.ts";
import { Home, lines } from "./_barge.ts";

const quick = ["-d", "250ms", "--warm-up", "10ms", "-c", "4"];

/** Returns every byte that a TCP client sends: `barge bench tcp` starts no server of its own then. */
function echo() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const { readable, writable } of listener) {
      readable.pipeTo(writable).catch(() => {/* the client is gone */});
    }
  })();
  return {
    address: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

Deno.test("bench without a subject lists the subjects", async () => {
  await using home = new Home();
  const { code, stdout } = await home.barge(["bench"]);
  assert.equal(code, 2);
  for (const name of ["tcp", "udp", "http"]) assert.match(stdout, new RegExp(`^  ${name} `, "m"));
});

Deno.test("without a server the command starts one, and --json follows its schema", async () => {
  await using home = new Home();
  const outcome = await home.barge(["bench", "tcp", ...quick, "--json", "--verify"]);
  assert.equal(outcome.code, 0, outcome.stderr);
  const [result] = lines(outcome);
  assert.deepEqual(Object.keys(result).sort(), [...schema.required].sort());
  assert.deepEqual(Object.keys(result.latency), schema.properties.latency.required);
  assert.deepEqual(Object.keys(result.generator), schema.properties.generator.required);
  assert(result.requests > 0 && result.errors === 0 && result.verified);
  const counted = result.histogram.reduce(
    (sum: number, bar: { count: number }) => sum + bar.count,
    0,
  );
  assert.equal(counted, result.requests);
});

Deno.test("the output is text with bars, or a row of CSV", async () => {
  await using home = new Home();
  const [people, row] = await Promise.all([
    home.barge(["bench", "udp", ...quick]),
    home.barge(["bench", "tcp", ...quick, "--csv"]),
  ]);
  assert.equal(people.code, 0, people.stderr);
  assert.match(people.stdout, /answers in .* a second/);
  assert.match(people.stdout, /p99\.99 /);
  assert.match(people.stdout, /% █/);
  const [heading, values, ...more] = row.stdout.trim().split("\n");
  assert.deepEqual(more, []);
  assert.equal(heading.split(",").length, values.split(",").length);
});

Deno.test("--fail-if ends with exit code 1, and --compare reads an earlier result", async () => {
  await using home = new Home();
  await using server = echo();
  const load = ["bench", "tcp", server.address, "-n", "200", "-c", "2", "--warm-up", "0"];
  const first = await home.barge([...load, "--json"]);
  assert.equal(lines(first)[0].requests, 200);
  await Deno.writeTextFile(`${home.path}/before.json`, first.stdout);
  const again = [...load, "--compare", "before.json"];
  const [held, compared, none] = await Promise.all([
    home.barge([...again, "--fail-if", "requests>10", "--fail-if", "errors>0"]),
    home.barge(again),
    home.barge([...load, "--compare", "nothing.json"]),
  ]);
  assert.equal(held.code, 1);
  assert.match(held.stderr, /requests>10: it is 200/);
  assert.equal(compared.code, 0, compared.stderr);
  assert.match(compared.stdout, /answers\/s .*x$/m);
  assert.equal(none.code, 4);
});

Deno.test("Ctrl-C prints the result so far and ends with 130", async () => {
  await using home = new Home();
  const server = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  const args = ["bench", "udp", `127.0.0.1:${port}`, "-d", "600", "--warm-up", "0", "-c", "2"];
  const child = home.spawn([...args, "--json"]);
  const serving = (async () => {
    for (let count = 0; count < 200; count++) {
      const [bytes, from] = await server.receive();
      await server.send(bytes, from);
    }
  })();
  await serving;
  child.kill("SIGINT");
  const { code, stdout } = await child.output();
  assert.equal(code, 130);
  const result = JSON.parse(new TextDecoder().decode(stdout));
  assert(result.interrupted && result.requests > 100, `${result.requests} requests`);
  server.close();
});

Deno.test("errors name the reason and a remedy", async () => {
  await using home = new Home();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${closed.addr.port}`;
  closed.close();
  const cases: [string[], number, RegExp][] = [
    [["tcp", address], 5, /nothing listens there/],
    [["tcp", "no-such-host.invalid:7"], 5, /there is no such host/],
    [["udp", "--size", "65508"], 2, /1 to 65507 bytes over UDP, not 65508/],
    [["tcp", "--fail-if", "p99>5"], 2, /is not a condition/],
    [["http", "ftp://x"], 2, /it is no http/],
    [["http", `http://${address}/`, "-d", "20ms", "--warm-up", "0"], 5, /no answer at all/],
  ];
  // Some systems allow that number of descriptors.
  if ((await allowedDescriptors() ?? Infinity) < 60_064) {
    cases.push([["tcp", "-c", "60000"], 5, /descriptors[^]*`ulimit -n 60064` allows them/]);
  }
  const outcomes = await Promise.all(cases.map(([line]) => home.barge(["bench", ...line])));
  for (const [i, { code, stderr }] of outcomes.entries()) {
    assert.match(stderr, cases[i][2]);
    assert.equal(code, cases[i][1], stderr);
  }
});

Deno.test("a web server is loaded, and its errors are counted by kind", async () => {
  await using home = new Home();
  let count = 0;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    return new Response("hello", { status: count++ % 10 === 9 ? 503 : 200 });
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const outcome = await home.barge(["bench", "http", url, ...quick, "--json"]);
  assert.equal(outcome.code, 0, outcome.stderr);
  const [result] = lines(outcome);
  assert(result.requests > 0);
  assert.deepEqual(Object.keys(result.failures), ["status 503"]);
});

Deno.test("workers, subprocesses and tasks are measured, the course's figures beside them", async () => {
  await using home = new Home();
  const args = ["bench", "spawn", "--quick", "--repetitions", "1", "--json", "--svg", "a.svg"];
  const outcome = await home.barge(args);
  assert.equal(outcome.code, 0, outcome.stderr);
  const [{ schema, name, scale, rows }] = lines(outcome);
  assert.deepEqual([schema, name], ["barge-bench-local/1", "spawn"]);
  assert.match(scale, /500/);
  assert.deepEqual(rows.map((row: { name: string }) => row.name), [
    "tasks",
    "workers",
    "subprocesses",
  ]);
  assert.deepEqual(rows[1].author, { what: "500 threads", seconds: 0.059 });
  assert.match(await Deno.readTextFile(`${home.path}/a.svg`), /^<svg /);
});

Deno.test("bench io measures reading alone: a subprocess prints that it is ready, and waits", async () => {
  await using home = new Home();
  await Deno.writeTextFile(`${home.path}/file`, "a");
  const job = JSON.stringify({ kind: "io", path: `${home.path}/file`, times: 3 });
  const line = ["bench", "io", "--job", job, "--job-waits"];
  const [begun, left, all] = await Promise.all([
    home.barge(line, { stdin: "\n" }),
    home.barge(line, { stdin: "" }),
    home.barge(["bench", "io", "--quick", "--repetitions", "1", "--json"]),
  ]);
  assert.equal(begun.stdout, "ready\ndone\n", begun.stderr);
  assert.equal(left.stdout, "ready\n", left.stderr);
  assert.equal(all.code, 0, all.stderr);
  const [{ title, scale, rows }] = lines(all);
  assert.match(title, /4 readers that have already started read a small file 1,000 times/);
  assert.match(scale, /includes their start/);
  assert.deepEqual(rows.map((row: { name: string }) => row.name), [
    "tasks",
    "workers",
    "subprocesses",
  ]);
});

Deno.test("bench http without a URL loads a server of its own, which is gone afterwards", async () => {
  await using home = new Home();
  const line = ["bench", "http", "-n", "20", "-c", "2", "--warm-up", "0", "--json"];
  const outcome = await home.barge(line, {
    env: { TMPDIR: home.path },
  });
  assert.equal(outcome.code, 0, outcome.stderr);
  const [{ target, requests, errors }] = lines(outcome);
  assert.match(target, /^http:\/\/127\.0\.0\.1:\d+\/login$/);
  assert.deepEqual([requests, errors], [20, 0]);
  const left = Array.from(Deno.readDirSync(home.path), ({ name }) => name);
  assert.deepEqual(left.filter((name) => name.startsWith("barge-bench-")), []);
});

Deno.test("transfers are measured on servers of its own, which are gone afterwards", async () => {
  await using home = new Home();
  const args = ["bench", "transfer", "--size", "100k", "--files", "3", "--repetitions", "1"];
  const outcome = await home.barge([...args, "--json"], { env: { TMPDIR: home.path } });
  assert.equal(outcome.code, 0, outcome.stderr);
  const titles = lines(outcome).map(({ title }) => title);
  assert.equal(titles.length, 4);
  for (const { rows, scale } of lines(outcome)) {
    assert.match(scale, /^the client's own start, \S+ m?s here, is in each row$/);
    assert.deepEqual(rows.map(({ name }: { name: string }) => name), [
      "synced",
      "synced, unchecked",
      "relaxed",
      "relaxed, unchecked",
    ]);
  }
  const left = Array.from(Deno.readDirSync(home.path), ({ name }) => name);
  assert.deepEqual(left.filter((name) => name.startsWith("barge-bench-")), []);
});
