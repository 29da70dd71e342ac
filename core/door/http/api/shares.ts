/** Operations on the share links of the account that is logged in. Visitors use a link at /s/TOKEN. */
import { type Link, revokeShare, share, shares as listShares } from "../../../session/share.ts";
import { json, operation, timeIn, tokenProblem } from "./operation.ts";
import * as schemas from "./schemas.ts";

export const shares = [
  operation("GET", "/shares", {
    id: "shares",
    summary: "List the account's share links, newest first, without their tokens",
    answers: { 200: { description: "The links", schema: schemas.shares } },
    problems: tokenProblem,
    handle: async ({ session }) => json({ shares: (await listShares(session)).map(linkJson) }),
  }),
  operation("POST", "/shares", {
    id: "share",
    summary: "Create a link to a file or folder, for visitors without an account; only this " +
      "response has the link's token and URL",
    body: schemas.newShare,
    answers: { 201: { description: "The link was created", schema: schemas.madeShare } },
    problems: {
      403: "The account may not share that path, or the link would outlive the token of the login",
      404: "There is nothing at the path",
    },
    async handle(exchange, { body: { path, expires, password, downloads } }) {
      exchange.logEntry.path = path;
      const made = await share(exchange.session, {
        path,
        password,
        maxDownloads: downloads,
        expires: expires === undefined ? undefined : timeIn(expires, "`expires`"),
      });
      const url = `${exchange.base}/s/${made.token}`;
      return json({ ...linkJson(made.link), token: made.token, url }, { status: 201 });
    },
  }),
  operation("DELETE", "/shares/{id}", {
    id: "revokeShare",
    summary: "Revoke a link",
    answers: { 204: { description: "The link was revoked" } },
    problems: { ...tokenProblem, 404: "There is no such link" },
    async handle({ session }, { pathParameter: id }) {
      await revokeShare(session, id);
      return new Response(null, { status: 204 });
    },
  }),
];

function linkJson({ kind, maxDownloads, created, expires, ...link }: Link) {
  return {
    ...link,
    type: kind,
    limit: maxDownloads,
    created: new Date(created).toISOString(),
    expires: new Date(expires).toISOString(),
  };
}
