/** Operations on the own share links. The page serves the links themselves, at /s/TOKEN. */
import { BargeError } from "../../../error.ts";
import { parseTime } from "../../../protocol/time.ts";
import { type Link, revokeShare, share, shares as listShares } from "../../../session/share.ts";
import { json, operation } from "./operation.ts";
import * as schemas from "./schemas.ts";

export const shares = [
  operation({
    method: "GET",
    path: "/shares",
    id: "shares",
    summary: "List the own share links, newest first, without their tokens",
    login: true,
    answers: { 200: { description: "The links", schema: schemas.shares } },
    handle: async ({ session }) => json({ shares: (await listShares(session)).map(factsOf) }),
  }),
  operation({
    method: "POST",
    path: "/shares",
    id: "share",
    summary:
      "Create a link to a file or folder, for visitors without an account; only this response has it",
    login: true,
    body: schemas.newShare,
    answers: {
      201: { description: "The link was created", schema: schemas.madeShare },
      403: { description: "The account may not share it", schema: schemas.problem },
      404: { description: "There is nothing at the path", schema: schemas.problem },
    },
    async handle(exchange, { body: { path, expires, password, downloads } }) {
      exchange.asked.path = path;
      const made = await share(exchange.session, {
        path,
        password,
        most: downloads,
        expires: expires === undefined ? undefined : timeOf(expires),
      });
      const url = `${exchange.base}/s/${made.token}`;
      return json({ ...factsOf(made.link), token: made.token, url }, { status: 201 });
    },
  }),
  operation({
    method: "DELETE",
    path: "/shares/{id}",
    id: "revokeShare",
    summary: "Revoke a link",
    login: true,
    answers: {
      204: { description: "The link was revoked" },
      404: { description: "There is no such link", schema: schemas.problem },
    },
    async handle({ session }, { rest }) {
      await revokeShare(session, rest);
      return new Response(null, { status: 204 });
    },
  }),
];

/** @throws {BargeError} `usage` */
function timeOf(expires: string): number {
  const time = parseTime(expires);
  if (time !== undefined) return time;
  throw new BargeError("usage", "`expires` is not a time", {
    hint: "write it as in RFC 3339: 2026-03-01T12:00:00Z",
  });
}

function factsOf({ id, path, kind, created, expires, most, downloads, password, state }: Link) {
  return {
    id,
    path,
    type: kind,
    state,
    password,
    downloads,
    limit: most,
    created: new Date(created).toISOString(),
    expires: new Date(expires).toISOString(),
  };
}
