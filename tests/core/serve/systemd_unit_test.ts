/** The systemd unit: systemd accepts it, and the server runs in it. */
import assert from "node:assert/strict";
import { bargeCommand } from "../../_program.ts";
import { systemdUnit } from "../../../core/serve/systemd/unit.ts";
import { barge } from "../../_server.ts";
import { eager, Peer, text } from "../door/_peer.ts";

/** Runs a tool. @returns its output; undefined if it is not installed */
async function tool(name: string, ...args: string[]): Promise<string | undefined> {
  try {
    const output = await new Deno.Command(name, { args }).output();
    const said = new TextDecoder().decode(output.stdout) + new TextDecoder().decode(output.stderr);
    assert.ok(output.success, said);
    return said;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    skip(`${name} is not here`);
    return undefined;
  }
}

function skip(why: string): void {
  new Deno.Command("printf", { args: ["skipped: %s\n", why] }).outputSync();
}

Deno.test("--print-unit prints a unit that systemd accepts, with the given options", async () => {
  const dir = await Deno.makeTempDir({ prefix: "barge unit-" });
  const cases = [
    [],
    ["--data", dir, "--grace=5", "--native", "0.0.0.0:990", "--ready-fd", "9", "--adopt"],
    ["--tls-cert", "a $b%.pem", "--tls-key=k.pem", "--workers", "2"],
    ["--on-commit=sh -c 'cat >> /tmp/x' %i", "--check-upload", 'true "a b" \\$c'],
  ];
  for (const [i, args] of cases.entries()) {
    const { code, stdout, stderr } = await barge(["serve", "--print-unit", ...args]);
    assert.equal(code, 0, stderr);
    const start = /^ExecStart=(.*)$/m.exec(stdout)?.[1] ?? "";
    assert.doesNotMatch(start, /print-unit|ready-fd|adopt/);
    const own = i === 1;
    assert.equal(stdout.includes("\nDynamicUser=yes\nStateDirectory=barge\n"), !own);
    assert.equal(stdout.includes(`\nReadWritePaths="${dir}"\n`), own);
    assert.equal(stdout.includes("\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"), own);
    assert.match(stdout, own ? /^TimeoutStopSec=20$/m : /^TimeoutStopSec=45$/m);
    assert.match(stdout, /^CacheDirectory=barge\nEnvironment=XDG_CACHE_HOME=%C$/m);
    assert.match(stdout, /^MemoryDenyWriteExecute=no$/m);
    if (i === 2) assert.ok(start.includes(`"${Deno.cwd()}/a $$b%%.pem"`), start);

    if (i === 3) {
      assert.match(start, / --on-commit "\/\S+\/sh -c 'cat >> \/tmp\/x' %%i" /);
      assert.match(start, / --check-upload "\/\S+\/true 'a b' '\$\$c'" /);
    }
    assert.equal(stdout.includes("\n# The programs of --on-commit"), i === 3);
    assert.equal(stdout.includes(`\n#   ${Deno.cwd()}/k.pem\n`), i === 2);

    // Verified with an existing program.
    const path = `${dir}/barge-test-${i}.service`;
    Deno.writeTextFileSync(path, stdout.replaceAll("/usr/local/bin/barge", "/bin/true"));
    const said = await tool("systemd-analyze", "verify", "--man=no", path);
    if (said !== undefined) assert.equal(said, "");
  }
  await Deno.remove(dir, { recursive: true });
});

/** The options of a unit that names no files and no programs. */
const plain = { args: [], grace: 30, lowPort: false, files: [], secrets: [], hooks: [] };

Deno.test("the unit opens the folders that the options name", () => {
  const options = { ...plain, user: "1000" };
  const at = (program: string, data?: string) => systemdUnit({ ...options, program, data });
  assert.match(at("/usr/bin/barge"), /^ProtectHome=yes$/m);
  assert.match(at("/home/anna/barge"), /^ProtectHome=read-only$/m);
  assert.match(at("/usr/bin/barge", "/home/anna/data"), /^ProtectHome=read-only$/m);
  assert.match(at("/usr/bin/barge", "/srv/barge"), /^PrivateTmp=yes$/m);
  assert.match(at("/usr/bin/barge", "/tmp/barge"), /^PrivateTmp=no$/m);
});

Deno.test("a unit for a directory without an owner but root describes how to make its user", () => {
  const options = { ...plain, program: "/usr/bin/barge" };
  const unit = systemdUnit({ ...options, user: undefined, data: "/srv/it's" });
  assert.match(unit, /^# {3}useradd --system .* --home-dir \/nonexistent .* barge$/m);
  assert.match(
    unit,
    /^# {3}install -d -m 0700 '\/srv\/it'\\''s' && chown -R barge: '\/srv\/it'\\''s'$/m,
  );
  assert.match(unit, /^User=barge$/m);
  const owned = systemdUnit({ ...options, user: "1000", data: "/srv/barge" });
  assert.match(owned, /^User=1000$/m);
  assert.doesNotMatch(owned, /useradd/);
});

Deno.test("a server makes no system call that the unit forbids", async () => {
  const sets = await tool("systemd-analyze", "syscall-filter", "--no-pager");
  if (sets === undefined || await tool("strace", "--version") === undefined) return;
  const allowed = members(sets, "@system-service").union(members(sets, "@pkey"))
    .difference(members(sets, "@privileged"));
  assert.ok(allowed.has("read") && !allowed.has("chown") && !allowed.has("mount"));

  const dir = await Deno.makeTempDir({ prefix: "barge-unit-" });
  const trace = `${dir}/trace`;
  const server = new Deno.Command("strace", {
    args: [
      // -D: the started process is the server, and strace is its child.
      ...["-D", "-f", "-qq", "-c", "-U", "name", "-o", trace],
      ...bargeCommand([
        ...["serve", "--json", "--data", `${dir}/data`, "--allow-register"],
        ...["--native", "127.0.0.1:0", "--http", "127.0.0.1:0"],
        ...["--on-commit", "true", "--check-upload", "sh -c 'cat >&2'"],
      ]),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { native } = JSON.parse((await reader.read()).value ?? "");
    const home = { BARGE_DATA: `${dir}/data`, BARGE_PASSWORD: "anna-secret" };
    assert.equal((await barge(["user", "add", "anna"], { env: home })).code, 0);
    using peer = await Peer.open(native, "anna");
    await peer.ask(eager("/home/a", text("x")));
    await peer.ask({ verb: "list", path: "/", recursive: true });
    server.kill("SIGTERM");
    await reader.read();
    await reader.cancel();
    assert.equal((await server.status).code, 0);
  } finally {
    try {
      server.kill("SIGKILL");
    } catch { /* it has ended */ }
  }
  const called = await written(trace);
  assert.ok(called.has("fsync") && called.has("accept4"), "the trace is one of a server");
  // SQLite tries it only for root, and works without.
  if (Deno.uid() === 0) called.delete("fchown");
  // The runtime tries it before each program, and works without.
  called.delete("setgroups");
  assert.deepEqual([...called.difference(allowed)], []);
  await Deno.remove(dir, { recursive: true });
});

/** Returns the calls in a set of systemd's list, with those of its subsets. */
function members(list: string, name: string): Set<string> {
  const lines = list.slice(list.indexOf(`\n${name}\n`) + name.length + 2).split("\n");
  const own = lines.slice(0, lines.findIndex((line) => /^\S/.test(line)));
  const names = own.map((line) => line.trim()).filter((line) => /^@?[a-z0-9_-]+$/.test(line));
  return new Set(names.flatMap((n) => n.startsWith("@") ? [...members(list, n)] : [n]));
}

/** Returns the names in strace's summary, which it writes at the end. */
async function written(path: string): Promise<Set<string>> {
  const deadline = performance.now() + 20_000;
  while (true) {
    const names = Deno.readTextFileSync(path).split("\n").map((line) => line.trim());
    if (names.includes("total")) {
      return new Set(names.filter((n) => /^[a-z]\w*$/.test(n) && n !== "total" && n !== "syscall"));
    }
    assert.ok(performance.now() < deadline, "strace wrote nothing");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
