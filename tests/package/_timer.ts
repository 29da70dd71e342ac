/** The service and the timer of docs/cron.md, as they are written, under the systemd of a user. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { files } from "../_cron_page.ts";
import type { Machine } from "./_debian.ts";

const user = "ops";
const address = "barge://backup@127.0.0.1";
const passwordFile = "/srv/password";
/** The next night is too far away for a test. */
const soon = "[Timer]\nOnCalendar=\nOnActiveSec=1\nRandomizedDelaySec=0\nAccuracySec=100ms\n";

/** Backs a folder up by its service, then once more by its timer. */
export async function backUpByTimer(machine: Machine): Promise<void> {
  await machine.must("useradd", "--create-home", user);
  const home = `${machine.root}/home/${user}`;
  const write = async (path: string, text: string, mode = 0o600) => {
    await Deno.mkdir(dirname(`${home}/${path}`), { recursive: true });
    await Deno.writeTextFile(`${home}/${path}`, text, { mode });
    await machine.must("chown", "--recursive", `${user}:`, `/home/${user}`);
  };
  for (const [path, text] of files(address)) await write(path, text, 0o700);
  const units = [...files().keys()].filter((path) => path.startsWith(".config/systemd/user/"));
  const timer = units.find((path) => path.endsWith(".timer"))!;
  await write(`${timer}.d/soon.conf`, soon);
  await write("www/first", "1");
  await Deno.writeTextFile(machine.root + passwordFile, "back up all");
  const account = ["backup", "--quota", "1GB", "--password-file", passwordFile];
  const add = ["barge", "user", "add", ...account, "--data", "/var/lib/barge"];
  await machine.must("runuser", "-u", "barge", "--", ...add);

  await machine.must("loginctl", "enable-linger", user);
  const uid = await machine.must("id", "-u", user);
  await machine.must("systemctl", "start", `user@${uid}.service`);
  const asUser = (line: string) =>
    machine.mustAs(user, `export XDG_RUNTIME_DIR=/run/user/${uid}; ${line}`);
  await asUser(`barge login ${address} --password-file ${passwordFile}`);
  await asUser("barge mkdir -p /home/backups/www");
  const backup = () => asUser("barge ls /home/backups/www");

  await asUser("systemctl --user start backup-folder.service");
  assert.match(await backup(), /first/);

  await write("www/second", "2");
  const ended = secondEnd(`${home}/backup.log`);
  await asUser("systemctl --user enable --now backup-folder.timer");
  await ended;
  assert.match(await backup(), /second/);
  assert.match(await asUser("systemctl --user list-timers"), /backup-folder\.timer +backup-folder/);
}

/** Resolves when a log of jobs, which has one run, has the end of another one. */
async function secondEnd(log: string): Promise<void> {
  using watcher = Deno.watchFs(log);
  for await (const _ of watcher) {
    if ((await Deno.readTextFile(log)).match(/ended with exit code 0/g)?.length === 2) return;
  }
}
