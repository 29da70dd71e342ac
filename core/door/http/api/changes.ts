/** Operations that move, copy and create folders. */
import { copyTree } from "../../../session/copy.ts";
import { mkdir } from "../../../session/mkdir.ts";
import { move } from "../../../session/move.ts";
import { json, operation } from "./operation.ts";
import * as schemas from "./schemas.ts";

const taken = { 409: "The name is taken, or its folder does not exist" };
const relocationProblems = { 404: "There is nothing at the old path", ...taken };

export const changes = [
  operation("POST", "/move", {
    id: "move",
    verb: "move",
    summary: "Move a file or folder, in one step for every reader",
    body: schemas.relocation,
    answers: { 200: { description: "It was moved", schema: schemas.relocated } },
    problems: relocationProblems,
    async handle(exchange, { body: { from, to, overwrite } }) {
      Object.assign(exchange.logEntry, { path: from, to });
      await move(exchange.session, from, to, overwrite);
      return json({ from, to });
    },
  }),
  operation("POST", "/copy", {
    id: "copy",
    verb: "copy",
    summary: "Copy a file, or a folder with its contents",
    body: schemas.relocation,
    answers: { 200: { description: "It was copied", schema: schemas.relocated } },
    problems: { ...relocationProblems, 507: "The quota or the disk is too small" },
    async handle(exchange, { body: { from, to, overwrite } }) {
      Object.assign(exchange.logEntry, { path: from, to });
      const { session, ended } = exchange;
      const { files } = await copyTree(session, from, to, overwrite, { signal: ended.signal });
      return json({ from, to, files });
    },
  }),
  operation("POST", "/mkdir", {
    id: "makeFolder",
    verb: "mkdir",
    summary: "Create a folder",
    body: schemas.newFolder,
    answers: {
      200: {
        description: "The folder exists already, and `parents` is set",
        schema: schemas.madeFolder,
      },
      201: { description: "The folder was created", schema: schemas.madeFolder },
    },
    problems: taken,
    async handle(exchange, { body: { path, parents } }) {
      exchange.logEntry.path = path;
      const created = await mkdir(exchange.session, { verb: "mkdir", path, parents });
      return json({ path, created }, { status: created ? 201 : 200 });
    },
  }),
];
