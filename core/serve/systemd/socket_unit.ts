/** Makes a systemd socket unit for the doors of `barge serve` (systemd.socket(5)). */
import { isIP } from "node:net";
import { BargeError } from "../../error.ts";
import { type Address, formatAddress, socketPathOf } from "../../net/address.ts";

/**
 * Returns the text of a socket unit. systemd keeps its sockets open while the server restarts, so that no
 * client is refused.
 *
 * @param mode the permissions of the files of Unix sockets
 * @throws {BargeError} `usage` for an address without a port, or with a name in place of a number
 *
 * @example
 * ```ts
 * import { socketUnit } from "./socket_unit.ts";
 * const doors = [{ host: "::1", port: 7171 }, { host: "unix:/run/barge/http.sock", port: 0 }];
 * const unit = socketUnit(doors, 0o660);
 * if (!unit.includes("ListenStream=[::1]:7171\nListenStream=/run/barge/http.sock\n")) throw unit;
 * ```
 */
export function socketUnit(addresses: readonly Address[], mode: number): string {
  const lines = addresses.map((address) => `ListenStream=${streamOf(address)}`);
  const hasPath = addresses.some((address) => socketPathOf(address) !== undefined);
  const modeLines = hasPath
    ? `# A proxy that is in this group can connect: SocketGroup=www-data
SocketMode=${mode.toString(8).padStart(4, "0")}
`
    : "";
  return `# Put this into /etc/systemd/system/barge.socket, beside barge.service, then:
# systemctl daemon-reload; systemctl enable --now barge.socket barge.service.
# Each address is that of a door in barge.service. A connection that arrives while the server restarts
# waits; while the server is stopped, it starts the server.
[Unit]
Description=barge file server sockets

[Socket]
${lines.join("\n")}
${modeLines}Backlog=4096
NoDelay=yes

[Install]
WantedBy=sockets.target
`;
}

function streamOf(address: Address): string {
  const path = socketPathOf(address);
  if (path !== undefined) return path.replaceAll("%", "%%");
  const numeric = address.host === "localhost" ? "127.0.0.1" : address.host;
  if (isIP(numeric) !== 0 && address.port !== 0) {
    return formatAddress({ ...address, host: numeric });
  }
  throw new BargeError("usage", `systemd cannot listen at ${formatAddress(address)}`, {
    hint: "name the door's numeric address and its port, like 0.0.0.0:7171",
  });
}
