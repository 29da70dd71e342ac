/**
 * The Debian package on a Debian of its own: install, upgrade under an upload, removal and purge by apt;
 * its socket, and the timer of docs/cron.md, under systemd.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { DebianFolder, type Machine, output, whyNoDebian } from "./_debian.ts";
import { deb, unless, version } from "./_packages.ts";
import { refusesNone, restartUnderClients } from "./_socket.ts";
import { backUpByTimer } from "./_timer.ts";

const config = "/etc/barge/barge.toml";
const oldVersion = "0.0.1~test";
/** So slow that the upload is not over when the server restarts. */
const slowUpload = 'rate-up = "500kB"';
const uploadBytes = 50_000_000;

Deno.test({
  ...unless(
    await whyNoDebian(),
    "apt installs the package, upgrades it under an upload, removes and purges it",
  ),
  async fn(t) {
    await using debian = await DebianFolder.make();
    const { root } = debian;
    await Deno.copyFile(deb, `${root}/new.deb`);
    await makeOldPackage(`${root}/old.deb`);

    await t.step("without systemd apt installs and purges it, and starts nothing", async () => {
      const installed = await debian.run("apt-get", "install", "-y", "./new.deb");
      assert.equal(installed.code, 0, installed.stdout + installed.stderr);
      assert.equal(await exists(`${root}/var/lib/barge/accounts.db`), false);
      const owner = await debian.run("stat", "-c", "%U:%G %a", "/var/lib/barge");
      assert.equal(owner.stdout, "barge:barge 700\n");
      const shown = await debian.run("barge", "--version");
      assert.match(shown.stdout, new RegExp(`^barge ${version.replaceAll(".", "\\.")} \\(`));
      const checked = await debian.run("barge", "config", "check", config);
      assert.equal(checked.code, 0, checked.stdout + checked.stderr);

      const purged = await debian.run("apt-get", "purge", "-y", "barge");
      assert.equal(purged.code, 0, purged.stdout + purged.stderr);
      assert.equal(await exists(`${root}/etc/barge`), false);
      assert.equal(await exists(`${root}/var/lib/barge`), false, "an empty data directory stayed");
    });

    await using machine = await debian.boot();

    await t.step("apt starts the server, as its user, and enables it", async () => {
      await machine.must("apt-get", "install", "-y", "./old.deb");
      assert.equal(await machine.must("systemctl", "is-active", "barge"), "active");
      assert.equal(await machine.must("systemctl", "is-enabled", "barge"), "enabled");
      const pid = await mainPid(machine);
      assert.equal(await machine.must("stat", "-c", "%U", `/proc/${pid}`), "barge");
      assert.match(await machine.must("barge", "ping", "barge://127.0.0.1:7171"), /./);
    });

    const password = (await machine.must("cat", "/var/lib/barge/admin-password")).trim();
    const login = { BARGE_SERVER: "barge://admin@127.0.0.1", BARGE_PASSWORD: password };

    await t.step("an upload over an upgrade ends whole, and the configuration stays", async () => {
      const settings = (await Deno.readTextFile(root + config)) +
        `grace = 1\nftp = "127.0.0.1:2121"\nftp-active = "on"\n\n[limits]\n${slowUpload}\n`;
      await Deno.writeTextFile(root + config, settings);
      await machine.must("systemctl", "restart", "barge");
      const before = await mainPid(machine);
      const bytes = randomBytes(uploadBytes);
      await Deno.writeFile(`${root}/root/file`, bytes);

      const staged = firstStagedBytes(`${root}/var/lib/barge/staging`);
      const command = ["barge", "put", "--retries", "20", "--retry-delay", "1"];
      const upload = machine.run([...command, "/root/file", "/home/file"], login);
      await staged;
      await machine.must("apt-get", "install", "-y", "./new.deb");
      assert.equal(await installedVersion(machine), version.replace("-", "~"));
      assert.notEqual(await mainPid(machine), before);
      assert.equal(await Deno.readTextFile(root + config), settings);

      await Deno.writeTextFile(root + config, settings.replace(slowUpload, ""));
      await machine.must("systemctl", "reload", "barge");
      const { code, stderr } = await upload;
      assert.equal(code, 0, stderr);
      assert.match(stderr, /trying again/);
      const arrived = await Deno.readFile(`${root}/var/lib/barge/homes/admin/file`);
      assert.equal(digest(arrived), digest(bytes));
    });

    await t.step("the timer of docs/cron.md runs its backup", () => backUpByTimer(machine));

    await t.step("barge.socket starts the server, and a restart refuses no client", async () => {
      assert.equal(
        (await machine.run(["systemctl", "is-enabled", "barge.socket"])).stdout,
        "disabled\n",
      );
      await restartUnderClients(machine);
    });

    await t.step("an upgrade with the socket enabled refuses no client", async () => {
      await machine.must("dpkg", "--install", "/old.deb"); // older, by its version
      const before = await mainPid(machine);
      await refusesNone(machine, "dpkg --install /new.deb");
      assert.equal(await installedVersion(machine), version.replace("-", "~"));
      assert.notEqual(await mainPid(machine), before);
      for (const [word, state] of [["is-active", "active"], ["is-enabled", "enabled"]]) {
        const states = await machine.must("systemctl", word, "barge.socket", "barge.service");
        assert.equal(states, `${state}\n${state}`);
      }
    });

    await t.step(
      "a removal stops the server and its socket, and keeps configuration and files",
      async () => {
        await machine.must("apt-get", "remove", "-y", "barge");
        const states = await machine.run([
          "systemctl",
          "is-active",
          "barge.socket",
          "barge.service",
        ]);
        assert.equal(states.stdout, "inactive\ninactive\n");
        assert.equal(await exists(root + config), true);
        assert.equal(await exists(`${root}/var/lib/barge/homes/admin/file`), true);
        assert.equal(await exists(`${root}/var/cache/barge`), false);
      },
    );

    await t.step("a purge removes the configuration, and names the files that stay", async () => {
      const shown = await machine.must("apt-get", "purge", "-y", "barge");
      assert.match(shown, /barge: \/var\/lib\/barge has the files of the accounts and stays/);
      assert.equal(await exists(`${root}/etc/barge`), false);
      assert.equal(await exists(`${root}/var/lib/barge/homes/admin/file`), true);
      for (
        const link of ["multi-user.target.wants/barge.service", "sockets.target.wants/barge.socket"]
      ) {
        assert.equal(await exists(`${root}/etc/systemd/system/${link}`), false, link);
      }
      // The files belong to that user, whose number must not go to another one.
      await machine.must("getent", "passwd", "barge");
    });
  },
});

/** Makes a package of a lower version, whose executable unpacks itself into another folder. */
async function makeOldPackage(out: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "barge-old-" });
  try {
    await must("dpkg-deb", "--raw-extract", deb, `${folder}/tree`);
    const replace = async (file: string, from: string, to: string) =>
      await must("sed", "--in-place", "--binary", `s/^${from}$/${to}/`, `${folder}/tree/${file}`);
    await replace("DEBIAN/control", "Version: .*", `Version: ${oldVersion}`);
    await replace("usr/bin/barge", "hash=[0-9a-f]\\{64\\}", `hash=${"0".repeat(64)}`);
    await must("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", `${folder}/tree`, out);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Resolves when a file in a folder that watches for uploads has bytes. */
async function firstStagedBytes(folder: string): Promise<void> {
  using watcher = Deno.watchFs(folder);
  for await (const { paths } of watcher) {
    for (const path of paths) {
      if ((await Deno.stat(path).catch(() => undefined))?.size) return;
    }
  }
}

async function mainPid(machine: Machine): Promise<string> {
  return await machine.must("systemctl", "show", "--property", "MainPID", "--value", "barge");
}

async function installedVersion(machine: Machine): Promise<string> {
  return await machine.must("dpkg-query", "--show", "--showformat", "${Version}", "barge");
}

async function must(program: string, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await output(program, args);
  assert.equal(code, 0, stdout + stderr);
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
