/**
 * Tells a service manager how the server is, as sd_notify(3) does: datagrams to the Unix socket that
 * NOTIFY_SOCKET names. Never throws, and never waits long: who can't be told is mentioned in the log.
 */
import { getLogger } from "@logtape/logtape";

const log = getLogger(["barge", "serve"]);
/** How long a full queue is waited for, in ms. */
const patience = 2_000;

export class Notifier {
  readonly #path: string;
  #number = 0;

  /** @param socket a path, or with `@` in front an abstract name; undefined: nobody is told */
  constructor(socket: string | undefined) {
    this.#path = socket?.startsWith("/") ? socket : socket?.replace(/^@/, "\0") ?? "";
    if (this.#path === "" || /^[/\0]/.test(this.#path)) return;
    log.warn("NOTIFY_SOCKET={socket} is none that barge can tell", { socket });
    this.#path = "";
  }

  /**
   * @param state assignments, as in sd_notify(3)
   *
   * @example
   * ```ts no-eval
   * import { Notifier } from "./service_manager.ts";
   * await new Notifier(Deno.env.get("NOTIFY_SOCKET")).tell("READY=1", "STATUS=serving");
   * ```
   */
  async tell(...state: readonly string[]): Promise<void> {
    if (this.#path === "") return;
    // The sender's end needs a name; an abstract one leaves nothing on the disk.
    const own = `\0barge-notify-${Deno.pid}-${crypto.randomUUID()}-${this.#number++}`;
    let socket: Deno.DatagramConn | undefined;
    let late: ReturnType<typeof setTimeout> | undefined;
    try {
      const conn = Deno.listenDatagram({ transport: "unixpacket", path: own });
      socket = conn;
      const gone = new Promise<never>((_, reject) => {
        late = setTimeout(() => reject(new Error("it takes nothing")), patience);
      });
      const message = new TextEncoder().encode(state.join("\n"));
      const to: Deno.UnixAddr = { transport: "unixpacket", path: this.#path };
      await Promise.race([conn.send(message, to), gone]);
    } catch (error) {
      log.warn("can't tell the service manager: {why}", { why: String(error) });
    } finally {
      clearTimeout(late);
      socket?.close();
    }
  }
}
