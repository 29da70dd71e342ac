/** Maps failures to the few statuses of version 3; most clients show only these, not the text. */
import type { Kind } from "../../error.ts";
import { printable } from "../../protocol/printable.ts";
import { explain } from "../failure.ts";
import { Status, statusPacket } from "./packet.ts";
import type { SftpRequest } from "./request.ts";

const statuses = {
  usage: Status.FAILURE,
  "no-directory": Status.NO_SUCH_FILE,
  "not-found": Status.NO_SUCH_FILE,
  unavailable: Status.FAILURE,
  "no-space": Status.FAILURE,
  refused: Status.FAILURE,
  protocol: Status.BAD_MESSAGE,
  unsupported: Status.OP_UNSUPPORTED,
  fatal: Status.FAILURE,
  io: Status.FAILURE,
  denied: Status.PERMISSION_DENIED,
  unauthenticated: Status.PERMISSION_DENIED,
  "code-needed": Status.PERMISSION_DENIED,
  "over-quota": Status.FAILURE,
  digest: Status.FAILURE,
  exists: Status.FAILURE,
  changed: Status.FAILURE,
  identity: Status.FAILURE,
  interrupted: Status.FAILURE,
} as const satisfies Record<Kind, number>;

/** Returns the answer to a failed request, and the failure's kind. */
export function failed(
  { id, op, path }: SftpRequest,
  error: unknown,
): { reply: Uint8Array; kind: Kind } {
  const { kind, message, hint } = explain(error, { op, path });
  const text = hint ? `${message} (${hint})` : message;
  return { reply: statusPacket(id, statuses[kind], printable(text).slice(0, 500)), kind };
}
