/** What only admins may do through a door. */
import { BargeError } from "../error.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";

/** All of the server's accounts, to somebody who may have them. @throws {BargeError} `denied` */
export function asAdmin(session: Session): Store {
  if (session.account().role === "admin") return session.store;
  throw new BargeError("denied", "only an admin may do that");
}
