/** The addresses that a worker may connect to, by the options of FTP's active mode. */
import assert from "node:assert/strict";
import type { DoorSpec, FtpSpec } from "../../../core/door/door.ts";
import { outgoingAddresses } from "../../../core/serve/outgoing.ts";
import { workerPermissions } from "../../../core/serve/worker_permissions.ts";

const door = (ftp: Partial<FtpSpec> = {}): DoorSpec => ({
  ...{ name: "ftp", address: { host: "0.0.0.0", port: 2121 }, tls: "off" },
  ftp: {
    ...{ passive: [22_000, 22_001], publicAddress: undefined, sessionReuse: "tickets" },
    ...{ active: false, activeLoopback: false, ...ftp },
  },
});

/** Tries to connect with a worker's permissions. @returns the addresses that were allowed */
async function reachable(spec: DoorSpec, hosts: readonly string[]): Promise<string[]> {
  const code = `self.onmessage = async ({ data: { hosts, port } }) => {
    const through = [];
    for (const hostname of hosts) {
      try {
        (await Deno.connect({ hostname, port })).close();
        through.push(hostname);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotCapable)) through.push(hostname);
      }
    }
    self.postMessage(through);
  };`;
  using service = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const permissions = workerPermissions("/nonexistent", [spec]);
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, {
    type: "module",
    deno: { permissions },
  });
  try {
    const answer = Promise.withResolvers<string[]>();
    worker.onmessage = ({ data }) => answer.resolve(data);
    worker.onerror = (event) => answer.reject(new Error(event.message));
    worker.postMessage({ hosts, port: service.addr.port });
    return await answer.promise;
  } finally {
    worker.terminate();
  }
}

const own = Deno.networkInterfaces().map(({ address }) => address)
  .filter((address) => !address.includes(":"));
const here = ["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::ffff:127.0.0.1", "localhost", ...own];

Deno.test("without active mode a worker may connect only to the doors' own ports", async () => {
  assert.deepEqual(outgoingAddresses([door()]), []);
  const { net } = workerPermissions("/nonexistent", [door()]) as Deno.PermissionOptionsObject;
  assert.deepEqual(net, [
    "0.0.0.0:2121",
    "0.0.0.0:22000",
    "0.0.0.0:22001",
  ]);
  assert.deepEqual(await reachable(door(), here), []);
});

Deno.test("with active mode a worker may not connect to this machine", async () => {
  assert.deepEqual(await reachable(door({ active: true }), here), []);
  const ranges = outgoingAddresses([door({ active: true })], ["192.0.2.7", "fd00::1"]);
  assert.ok(ranges.every((range) => /^[\d.]+\/\d+$/.test(range)), ranges.join(" "));
  const within = (address: string) =>
    ranges.filter((range) => {
      const [first, bits] = range.split("/");
      const shift = 2 ** (32 - Number(bits));
      const number = (text: string) => text.split(".").reduce((sum, n) => sum * 256 + Number(n), 0);
      return Math.floor(number(first) / shift) === Math.floor(number(address) / shift);
    }).length;
  for (const address of ["1.0.0.0", "10.1.2.3", "126.255.255.255", "128.0.0.0", "192.0.2.6"]) {
    assert.equal(within(address), 1, address);
  }
  for (const address of ["192.0.2.8", "169.253.0.1", "169.255.0.1", "223.255.255.255"]) {
    assert.equal(within(address), 1, address);
  }
  for (const address of ["0.0.0.1", "127.0.0.1", "192.0.2.7", "169.254.169.254", "224.0.0.1"]) {
    assert.equal(within(address), 0, address);
  }
});

Deno.test("active mode on loopback opens only this machine", async () => {
  const spec = door({ activeLoopback: true });
  assert.deepEqual(await reachable(spec, ["127.0.0.1", "127.9.9.9", ...own]), [
    ...["127.0.0.1", "127.9.9.9", ...own],
  ]);
  assert.deepEqual(outgoingAddresses([spec], ["127.0.0.1", "192.0.2.7", "::1"]), [
    ...["127.0.0.0/8", "[::1]", "127.0.0.1", "192.0.2.7"],
  ]);
});
