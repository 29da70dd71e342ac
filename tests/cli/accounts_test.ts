import assert from "node:assert/strict";
import { Home, lines } from "./_barge.ts";
import { Runner } from "./_runner.ts";
import { has } from "./_sftp.ts";
import { answering } from "./_terminal.ts";

const data = ["--data", "data"];

Deno.test("accounts in a data directory", async (t) => {
  await using runner = new Runner();

  await t.step("accounts are made, listed, changed and removed", async () => {
    await using home = new Home();
    const place = runner.at(home);
    const made = await home.barge(["user", "add", "anna", "--generate", "--json", ...data]);
    assert.equal(made.code, 0, made.stderr);
    const [{ password, created, ...account }] = lines(made);
    assert.match(password, /^[2-9a-z]{24}$/);
    assert.match(created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(account, {
      ...{ entries: 0, entryLimit: 100_000, expires: null, expired: false, from: null },
      name: "anna",
      role: "user",
      disabled: false,
      used: 0,
      limit: 1_000_000,
      totp: false,
    });
    if (Deno.build.os !== "windows") {
      assert.equal(Deno.statSync(`${home.path}/data`).mode! & 0o777, 0o700);
    }

    const again = await place.barge(["user", "add", "Anna", "--generate", ...data]);
    assert.equal(again.code, 14);
    assert.match(again.stderr, /exists already/);

    const admin = await home.barge(
      ["user", "add", "root", "--admin", "--quota", "none", "--password-stdin", ...data],
      { stdin: "long enough\nnot this\n" },
    );
    assert.deepEqual([admin.code, admin.stdout], [0, ""]);

    await place.barge(["user", "disable", "anna", ...data]);
    await place.barge(["quota", "set", "anna", "20GiB", ...data]);
    const list = await place.barge(["user", "list", "--json", ...data]);
    assert.deepEqual(
      lines(list).map(({ name, role, disabled, limit }) => [name, role, disabled, limit]),
      [["anna", "user", true, 20 * 1024 ** 3], ["root", "admin", false, null]],
    );
    assert.deepEqual(Object.keys(lines(list)[0]), [
      ...["name", "role", "disabled", "used", "limit", "created", "entries", "entryLimit"],
      ...["expires", "expired", "from", "totp"],
    ]);
    const quotas = lines(await place.barge(["quota", "list", "--json", ...data]));
    assert.deepEqual(quotas[1], {
      ...{ account: "root", used: 0, reserved: 0, limit: null, left: null },
      ...{ entries: 0, entryLimit: null },
    });
    assert.deepEqual([quotas[0].entries, quotas[0].entryLimit], [0, 300_000]);
    const [set] = lines(
      await place.barge(["quota", "set", "anna", "--entries", "5", "--json", ...data]),
    );
    assert.deepEqual([set.limit, set.entryLimit], [20 * 2 ** 30, 5]);
    const [listed] = lines(await place.barge(["user", "list", "--json", ...data]));
    assert.deepEqual([listed.name, listed.entries, listed.entryLimit], ["anna", 0, 5]);
    const neither = await place.barge(["quota", "set", "anna", ...data]);
    assert.equal(neither.code, 2, neither.stderr);

    const setAccount = async (name: string, ...options: string[]) => {
      const { code, stderr } = await place.barge(["user", "set", name, ...options, ...data]);
      return `${code} ${stderr.replace(/^data directory: .*\n/m, "")}`;
    };
    assert.match(await setAccount("root", "--no-admin"), /^6 [^]*user set NAME --admin/);
    assert.equal(await setAccount("anna", "--admin"), "0 anna is now an admin\n");
    assert.equal(await setAccount("anna", "--no-admin"), "0 anna is now a user\n");
    assert.equal(await setAccount("anna", "--no-admin"), "0 anna was already a user\n");
    assert.match(await setAccount("anna", "--admin", "--no-admin"), /^2 .*exclude each other/);
    assert.equal(await setAccount("anna", "--no-totp"), "0 anna had no second factor\n");
    const trail = lines(await place.barge(["audit", "--json", "--account", "anna", ...data]));
    const roles = trail.map(({ details }) => details.role).filter((role) => role?.to);
    assert.deepEqual([...new Set(roles.map(({ to }) => to))].sort(), ["admin", "user"]);

    const purge = ["user", "remove", "anna", "--purge", "--json", ...data];
    const removed = await home.barge(purge);
    assert.equal(removed.code, 0, removed.stderr);
    assert.deepEqual(lines(removed), [{ name: "anna", kept: null, files: 0, bytes: 0 }]);
    const gone = await place.barge(["user", "show", "anna", ...data]);
    assert.equal(gone.code, 4);
    assert.match(gone.stderr, /^barge: user show anna: there is no such account/m);
  });

  await t.step(
    "a password is taken from a file or the environment, and is never empty or short",
    async () => {
      await using home = new Home();
      const place = runner.at(home);
      const short = { BARGE_PASSWORD: "1234567" };
      await Deno.writeTextFile(`${home.path}/pw`, "long enough\r\nmore\n");
      await Deno.writeTextFile(`${home.path}/empty`, "\n");
      const codes = await Promise.all([
        home.barge(["user", "add", "a", "--password-file", "pw", ...data]),
        home.barge(["user", "add", "b", ...data], { env: { BARGE_PASSWORD: "12345678" } }),
        place.barge(["user", "add", "c", "--password-file", "empty", ...data]),
        place.barge(["user", "add", "d", "--password-file", "missing", ...data]),
        place.barge(["user", "add", "e", "--password-file", "pw", "--generate", ...data]),
        place.barge(["user", "add", "f", ...data], { env: { BARGE_PASSWORD: "1234567" } }),
        place.barge(["user", "add", "g", ...data], { env: { ...short, BARGE_MIN_PASSWORD: "7" } }),
        place.barge(["user", "add", "h", "--min-password", "40", "--generate", ...data]),
        place.barge(["user", "add", "i", "--password-file", "-", ...data]),
      ]);
      assert.deepEqual(codes.map(({ code }) => code), [0, 0, 2, 4, 2, 2, 0, 0, 4]);
      assert.match(codes[8].stderr, /-: no such file.*\n\(use --password-stdin\)/i);
      assert.match(codes[5].stderr, /the password has 7 characters, and needs 8 at least/);
      assert.equal(codes[7].stdout.trim().length, 40);
      const changed = await place.barge(["user", "passwd", "a", ...data], { env: short });
      assert.equal(changed.code, 2);
    },
  );

  await t.step({
    name: "on a terminal a refused password is cleared and asked for again, and --purge asks first",
    ignore: !has("python3"),
    async fn() {
      await using home = new Home();
      const place = runner.at(home);
      const at = async (answers: [string, string][], ...args: string[]) => {
        const { code, stdout } = await home.barge([...args, ...data], {
          under: answering(...answers),
        });
        return `${code} ${stdout}`;
      };
      const added = await at(
        [
          ["Password for anna", "short\r"],
          ["the password has 5 characters, and needs 8 at least", "\r"],
          ["the password is empty", "mistyped-long\r"],
          ["Again", "short-and-long\r"],
          ["not the same", ""],
          ["Password for anna", "short-and-long\r"],
          ["Again", "short-and-long\r"],
        ],
        ...["user", "add", "anna"],
      );
      assert.match(added, /^0 [^]*made the account anna/);
      assert.ok(!added.includes("long\r"), added);

      const purge = ["user", "remove", "anna", "--purge"];
      const question = "Remove anna and all of its files (0 B) for good?";
      for (const keys of ["\r", "n", "\x03"]) {
        assert.match(await at([[question, keys]], ...purge), /^130 [^]*nothing was removed/);
      }
      assert.equal((await place.barge(["user", "show", "anna", ...data])).code, 0);
      assert.match(await at([[question, "y"]], ...purge), /^0 [^]*removed anna/);
      const generated = await place.barge(["user", "add", "bob", "--generate", ...data]);
      assert.equal(generated.code, 0, generated.stderr);
      const unasked = await at([], "user", "remove", "bob", "--purge", "--yes");
      assert.match(unasked, /^0 [^]*removed bob/);
      assert.doesNotMatch(unasked, /for good/);
    },
  });

  await t.step(
    "accounts are applied from a file, all or none, and again without change",
    async () => {
      await using home = new Home();
      const place = runner.at(home);
      const file = `${home.path}/accounts.json`;
      const declare = (accounts: object[]) =>
        Deno.writeTextFile(file, JSON.stringify({ accounts }));
      const apply = (...options: string[]) =>
        place.barge(["user", "apply", "accounts.json", "--json", ...options, ...data]);
      await Deno.writeTextFile(`${home.path}/pw`, "from a file\n");
      await declare([
        { name: "anna", quota: "20GiB", passwordFile: "pw" },
        { name: "bob", password: "xxxxxxxx", role: "admin", disabled: true },
      ]);

      const rehearsed = await apply("--dry-run");
      assert.equal(rehearsed.code, 0, rehearsed.stderr);
      assert.deepEqual(lines(rehearsed).map(({ action }) => action), ["created", "created"]);
      assert.equal((await place.barge(["user", "list", ...data])).code, 4);

      assert.deepEqual(lines(await apply()), lines(rehearsed));
      const unchanged = lines(await apply());
      assert.deepEqual(unchanged.map(({ action }) => action), ["unchanged", "unchanged"]);

      // A declared entry limit no longer follows the quota, though it is the number that follows from it now.
      await declare([{ name: "anna", entries: 300_000 }]);
      assert.deepEqual(lines(await apply())[0].changed, ["entries"]);
      assert.deepEqual(lines(await apply())[0].changed, []);
      await declare([{ name: "anna", quota: "50GiB", entries: 300_000 }]);
      assert.deepEqual(lines(await apply())[0].changed, ["quota"]);
      const listed = lines(await place.barge(["user", "list", "--json", ...data]));
      assert.equal(listed.find(({ name }) => name === "anna").entryLimit, 300_000);

      await declare([
        { name: "anna", quota: "none", password: "another one" },
        { name: "bob", state: "absent" },
      ]);
      assert.deepEqual(lines(await apply()), [
        { name: "anna", action: "changed", changed: ["quota", "password"] },
        { name: "bob", action: "removed", changed: [] },
      ]);

      await declare([
        { name: "anna", role: "admin" },
        { name: "dora", password: "xxxxxxxx" },
      ]);
      assert.deepEqual(lines(await apply()).map(({ action }) => action), ["changed", "created"]);
      await declare([{ name: "dora", quota: 5 }, { name: "anna", state: "absent" }]);
      const last = await apply();
      assert.equal(last.code, 6);
      assert.match(last.stderr, /last admin/);
      assert.equal(
        lines(await place.barge(["user", "list", "--json", ...data]))[1].limit,
        1_000_000,
      );

      await declare([{ name: "anna", quota: 5 }, { name: "carl" }]);
      const refused = await apply();
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /^barge: user apply carl: a new account needs a password/m);
      const [anna] = lines(await place.barge(["user", "list", "--json", ...data]));
      assert.equal(anna.limit, null);

      const typo = await home.barge(["user", "apply", "-", ...data], {
        stdin: '{"accounts": [{"name": "anna", "qouta": 5}]}',
      });
      assert.equal(typo.code, 2);
      assert.match(typo.stderr, /accounts\.0\.qouta: there is no such field/);
    },
  );
});
