/** Logins in two steps at the web page: the first proves the password, the second has a ticket of it. */
import { BargeError } from "../error.ts";
import type { Attempt } from "../storage/logins.ts";
import { admit, fail, type Pause } from "./login.ts";
import type { Credentials } from "./password.ts";
import type { FactorNeeded } from "./second_factor.ts";
import type { Service } from "./service.ts";
import type { Session } from "./session.ts";

/** A ticket in place of a name and a password. */
export interface TicketCredentials extends Pick<Credentials, "host" | "door" | "second"> {
  readonly ticket: string;
}

/**
 * Returns the ticket of a client that has proved its password, for the second step of its login.
 *
 * @param host the client's numeric address
 */
export async function loginTicket(
  { people: { factors } }: Service,
  { factorOf, credential }: FactorNeeded,
  host: string,
): Promise<string> {
  if (credential.kind !== "password") throw new TypeError("a ticket is for a password");
  return await factors.makeTicket(JSON.stringify([factorOf.id, credential.epoch, host]));
}

/**
 * Takes the second step of a login.
 *
 * @throws {BargeError} `unauthenticated` also for a ticket that has ended, that was made for another address, or
 *   whose password was changed since; as `logIn`
 */
export async function logInByTicket(
  store: Service,
  { ticket, host, door, second }: TicketCredentials,
  pause: Pause,
): Promise<Session> {
  const { factors, accounts } = store.people;
  const text = await factors.openTicket(ticket);
  const [id, epoch, from] = JSON.parse(text ?? "[]") as [
    id?: number,
    epoch?: number,
    from?: string,
  ];
  const account = id === undefined || from !== host ? undefined : await accounts.byId(id);
  if (!account) {
    // It counts for the address alone: whose ticket it was is unknown.
    await pause(await fail(store, { account, name: "", mechanism: "question", host, door }));
    throw new BargeError("unauthenticated", "the login took too long", {
      op: "log in",
      hint: "begin again with the name and the password",
    });
  }
  const attempt: Attempt = { account, name: account.name, mechanism: "password", host, door };
  const credential = { kind: "password", epoch: epoch! } as const;
  return await admit(store, attempt, account, { credential, door }, pause, second);
}
