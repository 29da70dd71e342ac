/** The package's barge.socket under systemd. */
import assert from "node:assert/strict";
import type { Machine } from "./_debian.ts";

/**
 * Asks the server on connections of their own, four at a time, while commands run, and once after each command.
 * Prints each outcome.
 */
const clients = `
ask() {
  if ! exec 3<>/dev/tcp/127.0.0.1/8080; then echo refused; return; fi
  printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3
  IFS= read -r line <&3 || line='no answer'
  echo "\${line%$'\\r'}"
  exec 3>&-
}
for _ in 1 2 3 4; do
  (while [ ! -e /run/stop ]; do ask; done) &
done
for command; do
  $command >/dev/null || echo "failed: $command"
  ask
done
touch /run/stop
wait
rm /run/stop`;

/** Enables the socket as its comment describes, lets a connection start the server, and restarts the server. */
export async function restartUnderClients(machine: Machine): Promise<void> {
  await machine.must("systemctl", "stop", "barge.service");
  await machine.must("systemctl", "enable", "--now", "barge.socket");
  const state = () => machine.run(["systemctl", "is-active", "barge.service"]);
  assert.equal((await state()).stdout, "inactive\n");
  await machine.must("barge", "ping", "barge://127.0.0.1:7171");
  assert.match((await state()).stdout, /^activ(e|ating)$/m);

  const restart = "systemctl restart barge.service";
  await refusesNone(machine, restart, restart);
}

/** Runs commands in their order while clients connect, and checks that each client gets its answer. */
export async function refusesNone(machine: Machine, ...commands: readonly string[]): Promise<void> {
  const shown = await machine.must("bash", "-c", clients, "clients", ...commands);
  assert.deepEqual([...new Set(shown.split("\n"))], ["HTTP/1.1 200 OK"]);
}
