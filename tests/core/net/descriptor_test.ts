/** Connections that are accepted at a descriptor. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import {
  duplicate,
  requireDescriptors,
  socketAddress,
} from "../../../core/net/descriptor/descriptor.ts";
import { listenDescriptor } from "../../../core/net/descriptor/listen.ts";

const isLinux = Deno.build.os === "linux";
// The C library is loaded once, and stays.
if (isLinux) requireDescriptors();

Deno.test({
  name: "a client that has reset its connection does not count as one at a Unix socket",
  ignore: !isLinux,
  async fn() {
    using waiting = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = waiting.addr;
    const fds = Array.from(Deno.readDirSync("/proc/self/fd"), ({ name }) => Number(name));
    const fd = fds.find((fd) => fd > 2 && socketAddress(fd)?.port === port)!;
    const reset = connect(port, "127.0.0.1");
    await once(reset, "connect");
    reset.resetAndDestroy();
    await once(reset, "close");
    await using other = await connected(port);

    const listener = listenDescriptor(duplicate(fd));
    const conn = await listener.accept();
    const { hostname, port: from } = conn.remoteAddr as Deno.NetAddr;
    assert.deepEqual([hostname, from], ["127.0.0.1", other.port]);
    conn.close();
    listener.close();
  },
});

/** Connects, and ends the connection when it is disposed of. */
async function connected(port: number) {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return {
    port: socket.localPort,
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await once(socket, "close");
    },
  };
}
