/** `barge demo` on a terminal, in a pipe and in a script. */
import assert from "node:assert/strict";
import { englishIn } from "../core/demo/_chinese.ts";
import { Home, lines } from "./_barge.ts";
import { type Place, Runner } from "./_runner.ts";

Deno.test("lessons' texts and refusals", async (t) => {
  await using runner = new Runner();

  await t.step("demo lists its lessons in both languages", async () => {
    await using home = new Home();
    const [plain, chinese, json] = await Promise.all([
      home.barge(["demo"]),
      runner.at(home).barge(["demo", "--lang", "zh"]),
      runner.at(home).barge(["demo", "--json"]),
    ]);
    const names = lines(json).map(({ lesson }) => lesson);
    assert.equal(names.length, 25);
    assert.deepEqual(plain.stdout.trim().split("\n").map((line) => line.split(" ")[0]), names);
    assert.match(chinese.stdout, /^deadlock +先 A 后 B/m);
  });

  await t.step(
    "demo prints the same text for the same seed, and no colors into a pipe",
    async () => {
      await using home = new Home();
      const run = (seed: string, place: Place) =>
        place.barge(["demo", "deadlock", "--seed", seed, "--threads", "4", "--kind", "task"]);
      const [first, second, other] = await Promise.all([
        run("5", home),
        run("5", runner.at(home)),
        run("6", runner.at(home)),
      ]);
      assert.equal(first.code, 0, first.stderr);
      assert.equal(second.stdout, first.stdout);
      assert.notEqual(other.stdout, first.stdout);
      assert.match(first.stdout, /^ {2}a circle: t[12] -> t[12] -> t[12]$/m);
      assert.match(first.stdout, /^ok: two threads, and one alone, got stuck/m);
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(first.stdout, /\x1b/);
    },
  );

  await t.step("demo --explain prints the idea and code, without a run", async () => {
    await using home = new Home();
    const [en, zh] = await Promise.all([
      home.barge(["demo", "lock", "--explain"]),
      runner.at(home).barge(["demo", "lock", "--explain", "--lang", "zh"]),
    ]);
    assert.match(en.stdout, /read, subtract, write/);
    assert.match(en.stdout, /^ {4}using _ = lock\.hold\(\);/m);
    assert.match(zh.stdout, /读、减、写/);
    assert.doesNotMatch(en.stdout, /^ok: /m);
  });

  await t.step("demo refuses wrong arguments, and names the right ones", async () => {
    await using home = new Home();
    const place = runner.at(home);
    const cases: readonly [string[], RegExp][] = [
      [["deadlok"], /did you mean `barge demo deadlock`\?/],
      [["lock", "--threads", "-1"], /"-1" is not a whole number/],
      [["lock", "--threads", "1000"], /from 2 to 500 threads, not 1000/],
      [["queue", "--threads", "3"], /an even number, not 3/],
      [["thread", "--threads", "2"], /fixed number/],
      [["rlock", "--kind", "task"], /cannot be tasks/],
      [["lock", "--seed", "-5"], /"-5" is not a whole number/],
      [["lock", "--speed", "0"], /not a number from 0.01/],
      [["lock", "--step"], /needs a terminal/],
      [["lock", "more"], /takes no argument "more"/],
      [["all", "--svg", "x.svg"], /name one/],
      [["crawl", "gopher://x"], /not an http or https URL/],
      [["event", "--wait-for", "nowhere"], /not HOST:PORT/],
      [["lock", "--wait-for", "127.0.0.1:1"], /is for event only/],
    ];
    for (const [i, [args, why]] of cases.entries()) {
      const { code, stdout, stderr } = await (i === 0 ? home : place).barge(["demo", ...args]);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, why);
      assert.equal(stdout, "");
    }
  });

  await t.step("demo reports a port in use", async () => {
    await using home = new Home();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = String(listener.addr.port);
    for (const lesson of ["echo", "stream", "crawl", "clients", "select"]) {
      const { code, stderr } = await runner.at(home).barge(["demo", lesson, "--port", port]);
      assert.equal(code, 5, lesson);
      assert.match(stderr, /127\.0\.0\.1:\d+: the port is in use\n\(leave --port out/);
    }
  });
});

Deno.test("demo --json prints events as lines, and a verdict", async () => {
  await using home = new Home();
  const outcome = await home.barge(["demo", "queue", "--json", "--lang", "zh", "--kind", "task"]);
  const [start, ...rest] = lines(outcome);
  assert.deepEqual(Object.keys(start), ["lesson", "act", "title", "clock"]);
  assert.equal(start.clock, "lesson");
  const verdict = rest.pop();
  assert.deepEqual(Object.keys(verdict), ["lesson", "seed", "ok", "said", "measured"]);
  assert.equal(verdict.ok, true);
  assert.match(verdict.said, /都送到了/);
  const kinds = ["starts", "runs", "holds", "releases", "waits", "sleeps", "notes", "ends"];
  for (const event of rest) {
    if ("clock" in event) continue; // the next part starts
    assert.deepEqual(Object.keys(event), ["lesson", "act", "t", "lane", "what", "of", "text"]);
    assert.ok(kinds.includes(event.what));
    assert.equal(typeof event.t, "number");
  }
});

Deno.test("demo --svg writes the picture", async () => {
  await using home = new Home();
  const path = `${home.path}/picture.svg`;
  const { code, stderr } = await home.barge(["demo", "rlock", "--svg", path]);
  assert.equal(code, 0, stderr);
  assert.match(await Deno.readTextFile(path), /^<svg [\s\S]*has lock[\s\S]*<\/svg>\n$/);
});

Deno.test("demo --lang zh prints no English in headings, captions, verdict and figures", async () => {
  await using home = new Home();
  const [async, lock] = await Promise.all([
    home.barge(["demo", "async", "--lang", "zh", "--speed", "10"]),
    home.barge(["demo", "lock", "--lang", "zh", "--kind", "task", "--svg", "lock.svg"]),
  ]);
  const code = new Set("async sleep lock from main".split(" "));
  const texts = [async, lock].flatMap(({ stdout, stderr }) => [stdout, stderr]);
  for (const line of texts.join("\n").split("\n")) {
    // Skips the lanes of a picture.
    if (!/[─~·]{3}|([A-Za-z])\1\1/.test(line)) assert.deepEqual(englishIn(line, code), [], line);
  }
  assert.match(async.stdout, /^通过：/m);
  assert.match(async.stderr, /^用 await，毫秒：\d/m);
  assert.match(lock.stdout, /（还有 \d+ 条；--json 打印全部）\n/);
  assert.match(lock.stdout, /^ +（还有 \d+ 个）$/m);
  assert.match(await Deno.readTextFile(`${home.path}/lock.svg`), /（还有 \d+ 个）/);
});

Deno.test("a picture says whether its times are measured", async () => {
  await using home = new Home();
  const [staged, lesson] = await Promise.all([
    home.barge(["demo", "async", "--json", "--speed", "10"]),
    home.barge(["demo", "rlock"]),
  ]);
  const all = lines(staged);
  const clocks = all.filter((line) => "title" in line).map(({ clock }) => clock);
  assert.deepEqual([...new Set(clocks)], ["staged"]);
  // 3 s of the lesson take 75 ms at this speed, and the machine may add some.
  const { "awaited, ms": ms } = all.at(-1).measured;
  assert.ok(ms >= 70, `${ms} ms`);
  assert.deepEqual(Object.keys(all.at(-1).measured), ["awaited, ms", "blocking, ms"]);
  assert.match(lesson.stdout, /^ {2}times: the lesson's own clock/m);
});

/** Runs a command on a terminal, types the keys of its first argument, and prints the output. */
const onTerminal = `
import fcntl, os, pty, struct, subprocess, sys, termios
keys, command = sys.argv[1], sys.argv[2:]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
os.close(slave)
output = b""
while True:
    try:
        data = os.read(master, 65536)
    except OSError:
        break
    if not data:
        break
    output += data
    # The first frame explains the keys; then all of them are typed ahead.
    if b"[q]" in output and keys:
        os.write(master, keys.encode())
        keys = ""
sys.stdout.buffer.write(output)
sys.exit(child.wait())
`;

Deno.test("demo --step explains its keys, and obeys them", async () => {
  await using home = new Home();
  const step = (keys: string) =>
    home.barge(["demo", "lifo", "--kind", "task", "--step", "--lang", "zh"], {
      under: ["python3", "-c", onTerminal, keys],
    });
  let outcomes;
  try {
    outcomes = await Promise.all([step("  c"), step(" q")]);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    new Deno.Command("printf", { args: ["skipped: python3 is missing\n"] }).outputSync();
    return;
  }
  const [runOn, quit] = outcomes;
  assert.equal(runOn!.code, 0, runOn!.stderr);
  assert.match(runOn!.stdout, /\[任意键\] 下一个事件 {3}\[c\] 不再停顿 {3}\[q\] 退出/);
  assert.match(runOn!.stdout, /通过：/);
  assert.equal(quit!.code, 130, quit!.stdout);
  assert.doesNotMatch(quit!.stdout, /通过：/);
});

Deno.test("demo event --wait-for prints a line once a service listens, and reports the wait", async () => {
  await using home = new Home();
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${free.addr.port}`;
  free.close();
  const tooEarly = await home.barge(["demo", "event", "--wait-for", address, "--timeout", "0.3"]);
  assert.equal(tooEarly.code, 5);
  assert.equal(tooEarly.stdout, "");
  assert.match(tooEarly.stderr, /wait for 127\.0\.0\.1:\d+: nothing listens there within 0\.3 s/);

  const child = home.spawn(["demo", "event", "--wait-for", address]);
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("still waiting")) text += (await reader.read()).value ?? "";
  using _listener = Deno.listen({ hostname: "127.0.0.1", port: Number(address.split(":")[1]) });
  const stdout = new Response(child.stdout).text();
  while (!(await reader.read()).done);
  assert.equal((await child.status).code, 0);
  assert.equal(await stdout, `${address} listens\n`);
});

Deno.test("demo event --wait-for --timeout 0 tries each address exactly once", async () => {
  await using home = new Home();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [open, closed] = [listener, free].map(({ addr }) => `127.0.0.1:${addr.port}`);
  free.close();
  const run = (...addresses: string[]) =>
    home.barge(["demo", "event", "--timeout", "0"].concat(
      addresses.flatMap((address) => ["--wait-for", address]),
    ));
  const outcomes = await Promise.all([
    ...Array.from({ length: 2 }, () => run(open!)),
    run(closed!),
    run(open!, closed!),
  ]);
  assert.deepEqual(outcomes.map(({ code }) => code), [0, 0, 5, 5]);
  assert.equal(outcomes[0]!.stdout, `${open} listens\n`);
  const both = outcomes.at(-1)!;
  assert.equal(both.stdout, `${open} listens\n`);
  assert.match(both.stderr, new RegExp(`wait for ${closed}: nothing listens there$`, "m"));
});

Deno.test("Ctrl-C ends a lesson with exit code 130, whatever its threads do", async () => {
  await using home = new Home();
  for (const [lesson, ...more] of [["semaphore", "--threads", "8"], ["deadlock"], ["async"]]) {
    const child = home.spawn(["demo", lesson, ...more, "--speed", "0.1", "--json"]);
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGINT");
    while (!(await reader.read()).done);
    const stderr = await new Response(child.stderr).text();
    assert.equal((await child.status).code, 130, lesson);
    assert.match(stderr, /interrupted/);
  }
});
