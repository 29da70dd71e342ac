/** The thread of a balancer: gets its options, returns its port, and passes connections on until it is ended. */

export interface BalancerOptions {
  /** The ports of the two servers. */
  readonly ports: readonly number[];
  /** Whether servers are asked to close each connection after the first request by HTTP. */
  readonly closeAfterRequest: boolean;
}

const newline = 10;

async function serve(listener: Deno.TcpListener, options: BalancerOptions): Promise<void> {
  let turn = 0;
  for await (const client of listener) void pass(client, options.ports[turn++ % 2], options);
}

async function pass(
  client: Deno.TcpConn,
  port: number,
  { closeAfterRequest }: BalancerOptions,
): Promise<void> {
  let server: Deno.TcpConn | undefined;
  try {
    server = await Deno.connect({ hostname: "127.0.0.1", port });
    const sent = closeAfterRequest
      ? client.readable.pipeThrough(addCloseHeader())
      : client.readable;
    // Each direction ends by itself: a client may send its last byte and still read.
    await Promise.all([
      sent.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
  } catch {
    // One side is gone, and so is the other.
  } finally {
    for (const each of [client, server]) {
      try {
        each?.close();
      } catch {
        // closed already
      }
    }
  }
}

/** Adds the header to the first request of a connection. */
function addCloseHeader(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let isInFirstLine = true;
  return new TransformStream({
    transform(bytes, controller) {
      const end = isInFirstLine ? bytes.indexOf(newline) + 1 : 0;
      if (end > 0) {
        isInFirstLine = false;
        controller.enqueue(bytes.slice(0, end));
        controller.enqueue(new TextEncoder().encode("Connection: close\r\n"));
      }
      controller.enqueue(bytes.slice(end));
    },
  });
}

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<BalancerOptions>) => void) | null;
  postMessage(port: number): void;
};

scope.onmessage = ({ data: options }) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  void serve(listener, options);
  scope.postMessage(listener.addr.port);
};
