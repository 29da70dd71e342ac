/**
 * Reads the first bytes of each connection to an HTTPS door before TLS begins, which then reads the same bytes. A
 * request in plain HTTP gets an answer that names the scheme: TLS could send only an alert, which clients do not
 * understand. A challenge by TLS is answered (net/challenge/challenge.ts).
 */
import type { Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import { type FindChallenge, Hello } from "../../net/challenge/challenge.ts";
import { beginsPlainHttp } from "../../net/plain_http.ts";
import { showChallenge } from "./challenge.ts";
import { Refusal } from "./problem.ts";
import { refuse } from "./refuse.ts";

const why = "this port speaks HTTPS, and the request is plain HTTP";
const hint = "use https:// in place of http://";
const plainHttp = new Refusal(400, "protocol", why, { hint });

/**
 * Makes a server look at the first bytes of its connections.
 *
 * @param server before it has connections
 * @param find finds the answers to challenges; undefined: it answers none
 * @param timeoutMs the longest time until these bytes are there, in ms
 */
export function lookBeforeTls(
  server: TlsServer,
  find: FindChallenge | undefined,
  timeoutMs: number,
): void {
  const [begin] = server.listeners("connection");
  server.removeListener("connection", begin as () => void);
  server.on("connection", (socket: Socket) => {
    const hello = find && new Hello();
    const end = () => socket.destroy();
    const late = setTimeout(end, timeoutMs);
    socket.once("close", () => clearTimeout(late));
    socket.once("end", end);
    let isFirst = true;
    const read = (bytes: Uint8Array) => {
      const isPlain = isFirst && beginsPlainHttp(bytes);
      isFirst = false;
      if (!isPlain && hello && !hello.feed(bytes)) return;
      clearTimeout(late);
      socket.off("data", read);
      socket.off("end", end);
      if (isPlain) return refuse(socket, plainHttp);
      socket.pause();
      socket.unshift(hello?.bytes ?? bytes);
      if (find && hello?.isChallenge) void showChallenge(socket, hello.host, find, timeoutMs);
      else begin.call(server, socket);
    };
    socket.on("data", read);
  });
}
