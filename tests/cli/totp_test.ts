/** The second factor: `barge totp`, logins with it, and a server that requires it. */
import assert from "node:assert/strict";
import { parseAddress } from "../../core/net/address.ts";
import { codeAt, stepMs } from "../../core/protocol/totp.ts";
import { onTwoNodes, startServer, totpSecret } from "../_server.ts";
import { hasWrongClock, wrongClock } from "../_wrong_clock.ts";
import { Home, lines } from "./_barge.ts";
import { Client as FtpClient } from "../core/door/ftp/_client.ts";
import { has } from "./_sftp.ts";
import { logInto, saveLogin, secret } from "./_logged_in.ts";
import { Runner } from "./_runner.ts";
import { answering } from "./_terminal.ts";

/**
 * Returns the code of a time step.
 *
 * @param steps its distance from the current one: -1 would be refused if the next step began before its use
 */
const code = (steps: number) => codeAt(totpSecret, Date.now() + steps * stepMs);

type Person = Pick<Awaited<ReturnType<typeof logInto>>, "home" | "account" | "remote">;

/** Enables the second factor of somebody, as a script does. @returns the recovery codes */
async function enable({ home, account, remote }: Person): Promise<string[]> {
  await Deno.writeTextFile(`${home.path}/secret`, `${totpSecret}\n`);
  const args = ["totp", "enable", "--server", remote, "--secret-file", "secret", "--json"];
  const env = { ...secret, BARGE_CODE: code(0) };
  const outcome = await home.barge(args, { env });
  assert.equal(outcome.code, 0, outcome.stderr);
  const [enabled] = lines(outcome);
  assert.equal(enabled.account, account);
  const { codes } = enabled;
  assert.equal(codes.length, 10);
  return codes;
}

/** Runs a command in a pseudo-terminal, which has 0 rows and 0 columns, and presses Ctrl-C at its prompt. */
const interrupted = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
text = b""
while True:
    try: part = os.read(terminal, 4096)
    except OSError: break
    if b"P" not in text and b"P" in part: os.write(terminal, b"\\x03")
    text += part
sys.stdout.buffer.write(text)
`;

Deno.test("second factors of accounts", async (t) => {
  await using server = await startServer();
  await using runner = new Runner();

  await t.step("a script enables a second factor, and logs in with a code, once", async () => {
    await using all = await logInto(server, "anna");
    const { home, remote } = all;
    const place = runner.at(home);
    const codes = await enable(all);
    const login = (env: Record<string, string>, ...args: string[]) =>
      place.barge(["login", remote, ...args], { env: { ...secret, ...env } });

    // The saved token of a cron job goes on.
    assert.equal((await home.barge(["ls"])).code, 0);
    const status = lines(await place.barge(["totp", "status", "--json"]));
    assert.deepEqual(status, [
      { account: "anna", enabled: true, required: false, recoveryCodes: 10 },
    ]);

    const without = await login({});
    assert.equal(without.code, 11);
    assert.match(without.stderr, /the account needs a code of its second factor/);
    assert.match(without.stderr, /--code-file or BARGE_CODE.*a token/);
    const now = code(1);
    assert.equal((await login({ BARGE_CODE: now })).code, 0);
    const used = await login({ BARGE_CODE: now });
    assert.equal(used.code, 11);
    assert.match(used.stderr, /wrong name, password or code\n\(.*compare the clock of its device/);

    await Deno.writeTextFile(`${home.path}/code`, `${codes[0]}\n`);
    assert.equal((await login({}, "--code-file", "code")).code, 0);
    assert.equal((await login({}, "--code-file", "code")).code, 11);
    assert.equal((await home.barge(["ls"])).code, 0);
    assert.match((await place.barge(["totp", "status"])).stdout, /^on, 9 recovery codes left\n/);

    // A token serves where a verb opens several connections, and a code does not.
    await Deno.writeTextFile(`${home.path}/f`, "hello");
    await Deno.writeTextFile(`${home.path}/g`, "hello");
    const put = ["put", "f", "g", "/home/", "--server", remote, "--jobs", "2"];
    const several = await home.barge(put, { env: { ...secret, BARGE_CODE: codes[1] } });
    assert.equal(several.code, 2, several.stderr);
    assert.match(several.stderr, /a code logs in once.*\n.*barge login/);
    const token = await server.issueToken("anna");
    assert.equal((await home.barge(put, { env: { BARGE_PASSWORD: token } })).code, 0);
  });

  await t.step(
    "recovery codes are replaced, and the second factor is disabled, with a code",
    async () => {
      await using all = await logInto(server, "bella");
      const { home, remote } = all;
      const place = runner.at(home);
      const old = await enable(all);
      const totp = (verb: string, env: Record<string, string>) =>
        home.barge(["totp", verb, "--server", remote, "--json"], { env: { ...secret, ...env } });
      const login = (BARGE_CODE: string) =>
        place.barge(["login", remote], { env: { ...secret, BARGE_CODE } });

      assert.equal((await totp("enable", {})).code, 2); // there is no terminal
      assert.equal((await totp("recovery", {})).code, 11);
      assert.equal((await totp("recovery", { BARGE_CODE: code(3) })).code, 11);
      const [{ codes }] = lines(await totp("recovery", { BARGE_CODE: code(1) }));
      assert.equal((await login(old[0])).code, 11);
      assert.equal((await login(codes[0])).code, 0);

      const passwd = ["passwd", "--server", remote];
      const env = { ...secret, BARGE_CODE: codes[1], BARGE_NEW_PASSWORD: "anna-second" };
      const changed = await home.barge(passwd, { env });
      assert.equal(changed.code, 0, changed.stderr);
      const second = { BARGE_PASSWORD: "anna-second" };
      assert.equal((await totp("disable", { ...second })).code, 11);
      const disabled = await totp("disable", { ...second, BARGE_CODE: codes[2] });
      assert.deepEqual(lines(disabled), [{ account: "bella", enabled: false }]);
      assert.equal((await place.barge(["login", remote], { env: second })).code, 0);
      assert.match((await place.barge(["totp", "status"])).stdout, /^off\n/);
      const again = await totp("disable", { ...second, BARGE_CODE: codes[3] });
      assert.equal(again.code, 0, again.stderr);

      const audit = await place.barge(["audit", "--json", "--account", "bella", ...server.storage]);
      const changes = lines(audit).filter(({ event, by }) => event === "account-changed" && by);
      assert.deepEqual(changes.map(({ by, door, details }) => [by, door, details]), [
        ["bella", "native", { totp: { from: true, to: false } }],
        ["bella", "native", { password: true }],
        ["bella", "native", { recoveryCodes: true }],
        ["bella", "native", { totp: { from: false, to: true } }],
      ]);
      await server.verify();
    },
  );

  await t.step({
    name: "verbs ask for the password in the same words, also in a terminal of no size",
    ignore: !has("python3"),
    fn: async () => {
      await using all = await logInto(server, "petra");
      const { home, remote } = all;
      const under = ["python3", "-c", interrupted];
      const at = remote.replace("petra@", "");
      for (const words of [["login", remote], ["totp", "enable", "--server", remote]]) {
        const { stdout } = await home.barge(words, { under });
        assert.match(stdout, new RegExp(`Password of petra at ${at}\\s`));
      }
    },
  });

  await t.step("an operator sees and removes the second factor of an account", async () => {
    await using all = await logInto(server, "carla");
    const { home, remote } = all;
    await server.enableTotp("carla");
    const place = runner.at(home);
    const user = (...args: string[]) => place.barge(["user", ...args, ...server.storage]);
    await server.addUser("dora", { password: secret.BARGE_PASSWORD });
    const listed = lines(await user("list", "--json"));
    const totpOf = Object.fromEntries(listed.map(({ name, totp }) => [name, totp]));
    assert.deepEqual([totpOf.carla, totpOf.dora], [true, false]);
    assert.match((await user("list")).stdout, / TOTP +CREATED\n[^]*^carla .* on +\d{4}-/m);
    assert.match((await user("show", "carla")).stdout, /\n {2}totp {6}on\n/);
    assert.equal((await place.barge(["login", remote], { env: secret })).code, 11);
    const [removed] = lines(await user("set", "carla", "--no-totp", "--json"));
    assert.equal(removed.totp, false);
    assert.equal((await home.barge(["login", remote], { env: secret })).code, 0);
  });
});

Deno.test("an account whose role requires a second factor can only enable one", async () => {
  await using home = new Home();
  await using server = await startServer({
    args: [
      ...["--require-totp", "user", "--http", "127.0.0.1:0", "--ftp", "127.0.0.1:0"],
      ...["--sftp", "127.0.0.1:0"],
    ],
  });
  await server.addUser("anna");
  const remote = `barge://anna@${server.address}`;
  await saveLogin(home, server, "anna");
  for (const args of [["ls"], ["token", "list"], ["totp", "status"]]) {
    const refused = await home.barge([...args, "--server", remote]);
    assert.equal(refused.code, 11);
    assert.match(refused.stderr, /must enable a second factor first/);
    assert.ok(
      refused.stderr.includes(`(use \`barge totp enable --server ${remote}\`, or log in at`),
    );
  }
  await saveLogin(home, server, "anna", { tls: true });
  const plain = await home.barge(["ls", "--server", remote, "--plaintext"]);
  assert.ok(plain.stderr.includes(`totp enable --server ${remote} --plaintext\``), plain.stderr);
  await saveLogin(home, server, "anna");
  const login = (env: Record<string, string>) =>
    home.barge(["login", remote], { env: { ...secret, ...env } });
  const enableHint = `(use \`barge totp enable --server ${remote}\`, or log in at the web page)`;
  for (const verb of ["login", "shell"]) {
    const { stderr } = await home.barge([verb, remote], { env: secret, stdin: "ls\n" });
    assert.match(stderr, /must enable a second factor first/);
    assert.ok(stderr.includes(enableHint), stderr);
  }
  const api = await fetch(`http://${server.facts.http}/api/v1/quota`, {
    headers: { authorization: `Basic ${btoa("anna:anna-secret")}` },
  });
  const generalHint =
    "use `barge totp enable --server barge://anna@HOST`, or log in at the web page";
  const { kind, hint } = await api.json();
  assert.deepEqual([api.status, kind, hint], [403, "denied", generalHint]);

  const why = "the account must enable a second factor first";
  using ftp = await FtpClient.open(parseAddress(server.facts.ftp!));
  await ftp.ask("USER anna", 331);
  assert.ok((await ftp.ask("PASS anna-secret", 530)).includes(`${why}; ${generalHint}`));
  if (has("sftp") && has("python3")) {
    const port = server.facts.sftp!.split(":")[1];
    const host = ["-o", "StrictHostKeyChecking=no", "-o", `UserKnownHostsFile=${home.path}/hosts`];
    const options = [...host, "-F", "none", "-P", port, "anna@127.0.0.1"];
    const [python, ...args] = answering(["assword:", "anna-secret\r"], ["assword:", "\x03"]);
    for (const methods of ["keyboard-interactive", "password"]) {
      const line = ["sftp", "-o", `PreferredAuthentications=${methods}`, ...options];
      const { stdout } = await new Deno.Command(python, { args: [...args, ...line] }).output();
      const shown = new TextDecoder().decode(stdout);
      assert.ok(shown.includes(`${why} (${generalHint})`), shown);
    }
  }

  const refusals = lines(
    await home.barge(["audit", "--json", "--account", "anna", ...server.storage]),
  ).filter(({ event }) => event === "login-failed");
  for (const record of [{ door: "native", with: "token" }, { door: "http", with: "password" }]) {
    const { door, ...secrets } = record;
    const { details } = refusals.find((refusal) =>
      refusal.door === door && refusal.details.with === secrets.with
    );
    assert.deepEqual(details, { ...secrets, why });
  }

  await enable({ home, account: "anna", remote });
  assert.equal((await home.barge(["ls"])).code, 0);
  const status = lines(await home.barge(["totp", "status", "--json"]));
  assert.equal(status[0].required, true);
  assert.equal((await login({ BARGE_CODE: code(1) })).code, 0);
});

Deno.test("a server that is killed before the code leaves the account without a second factor", {
  ignore: onTwoNodes, // it starts again on its data directory
}, async () => {
  await using home = new Home();
  const args = ["--http", "127.0.0.1:0", "--allow-register"];
  await using killed = await startServer({ args });
  await killed.addUser("anna");
  const answer = await fetch(`http://${killed.facts.http}/api/v1/account/totp/secret`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "anna" }),
  });
  const { secret: made, url } = await answer.json();
  assert.match(url, new RegExp(`^otpauth://totp/127\\.0\\.0\\.1:anna\\?.*secret=${made}&`));
  await killed.kill("SIGKILL");
  await using server = await startServer({ args, data: killed.data });
  const remote = `barge://anna@${server.address}`;
  assert.equal((await home.barge(["login", remote], { env: secret })).code, 0);
});

Deno.test("codes are of the server's time", {
  ignore: onTwoNodes || !hasWrongClock, // the cluster's time is that of its database
}, async () => {
  await using server = await startServer({ env: wrongClock("+1h") });
  await using home = new Home();
  await server.addUser("anna");
  await server.enableTotp("anna");
  const login = (BARGE_CODE: string) =>
    home.barge(["login", `barge://anna@${server.address}`], { env: { ...secret, BARGE_CODE } });
  assert.equal((await login(code(0))).code, 11);
  assert.equal((await login(code(120))).code, 0);
});
