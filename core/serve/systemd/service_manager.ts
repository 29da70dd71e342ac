/**
 * Notifies a service manager of the server's state, as sd_notify(3) does: with datagrams to the Unix
 * socket that NOTIFY_SOCKET names. Never throws and waits for a bounded time; failures are logged.
 */
import { getLogger } from "@logtape/logtape";

const log = getLogger(["barge", "serve"]);
/** How long to wait for a full socket. */
const sendTimeoutMs = 2_000;

export class ServiceManager {
  readonly #path: string;

  /** @param socket a path, or an abstract name with `@` in front; undefined: no service manager */
  constructor(socket: string | undefined) {
    this.#path = socket?.startsWith("/") ? socket : socket?.replace(/^@/, "\0") ?? "";
    if (this.#path === "" || /^[/\0]/.test(this.#path)) return;
    log.warn("NOTIFY_SOCKET={socket}: unsupported type of socket", { socket });
    this.#path = "";
  }

  /** Sends a notification. @param assignments as in sd_notify(3): `READY=1` */
  async notify(...assignments: readonly string[]): Promise<void> {
    if (this.#path === "") return;
    // The sender's socket needs a name; an abstract one leaves no file behind.
    const name = `\0barge-notify-${crypto.randomUUID()}`;
    let socket: Deno.DatagramConn | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      socket = Deno.listenDatagram({ transport: "unixpacket", path: name });
      const timeout = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("its socket is full")), sendTimeoutMs);
      });
      const message = new TextEncoder().encode(assignments.join("\n"));
      const to: Deno.UnixAddr = { transport: "unixpacket", path: this.#path };
      await Promise.race([socket.send(message, to), timeout]);
    } catch (error) {
      log.warn("can't notify the service manager: {why}", { why: String(error) });
    } finally {
      clearTimeout(timer);
      socket?.close();
    }
  }
}
