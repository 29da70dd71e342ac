/**
 * A TCP proxy that delays all bytes, as a long way does. Each direction of a connection has a window: no more
 * bytes are under way, as with TCP.
 */

export interface DelayLine extends Disposable {
  readonly port: number;
}

/**
 * @param target HOST:PORT
 * @param delayMs of one direction
 * @param windowBytes of one direction of a connection
 */
export function delayLine(target: string, delayMs: number, windowBytes: number): DelayLine {
  const [hostname, port] = target.split(":");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  void (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname, port: Number(port) });
      client.setNoDelay();
      server.setNoDelay();
      void pass(client, server, delayMs, windowBytes);
      void pass(server, client, delayMs, windowBytes);
    }
  })().catch(() => {/* the listener is closed */});
  return {
    port: (listener.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => listener.close(),
  };
}

async function pass(from: Deno.Conn, to: Deno.Conn, delayMs: number, windowBytes: number) {
  let underWay = 0;
  let writing = Promise.resolve();
  let wake = () => {};
  try {
    for (;;) {
      const piece = new Uint8Array(64 * 1024);
      const n = await from.read(piece);
      if (n === null) break;
      underWay += n;
      const due = new Promise((resolve) => setTimeout(resolve, delayMs));
      writing = Promise.all([writing, due]).then(async () => {
        for (let sent = 0; sent < n;) sent += await to.write(piece.subarray(sent, n));
        // The sender learns of it after the way back.
        setTimeout(() => {
          underWay -= n;
          wake();
        }, delayMs);
      });
      writing.catch(() => {
        underWay = 0; // the next read or write fails
        wake();
      });
      while (underWay >= windowBytes) {
        await new Promise<void>((resolve) => wake = resolve);
      }
    }
    await writing;
  } catch { /* one side has closed */ }
  for (const conn of [from, to]) {
    try {
      conn.close();
    } catch { /* closed already */ }
  }
}
