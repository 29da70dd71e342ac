/** Checks as root that the user of the server can read a file of the operator's. */
import { resolve } from "node:path";
import type { Verdict } from "./finding.ts";
import { barrierOf, serverUser } from "./server_user.ts";
import type { LocalSetup, Setup } from "./setup.ts";

/**
 * Returns the verdict on a file that the user of the server can't read; undefined if it can, or if doctor does not
 * run as root.
 *
 * @param label the file in a sentence: `the file of --tls-key`
 */
export function unreadable(
  setup: Setup | LocalSetup,
  label: string,
  path: string,
): Verdict | undefined {
  const user = Deno.uid() === 0 ? serverUser(setup) : undefined;
  if (user === undefined) return undefined;
  let barrier: string | undefined;
  try {
    barrier = barrierOf(user, path);
  } catch {
    return undefined; // root can't read the file either
  }
  if (barrier === undefined) return undefined;
  const message =
    `The server's user, ${user.name}, can't read ${label}: the mode or the owner of ` +
    `${barrier} does not admit it.`;
  const advice = barrier === resolve(path)
    ? `Run chown ${user.name} ${path}, or chgrp and chmod g+r for a group of that user.`
    : `Move the file to a folder that ${user.name} can enter.`;
  return { severity: "bad", message, advice, path };
}
