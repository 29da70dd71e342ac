/** Operations that move, copy and create folders. */
import { copyTree } from "../../../session/copy.ts";
import { mkdir } from "../../../session/mkdir.ts";
import { move } from "../../../session/move.ts";
import { json, operation } from "./operation.ts";
import * as schemas from "./schemas.ts";

const refused = {
  404: { description: "There is nothing at the old path", schema: schemas.problem },
  409: { description: "The name is taken, or its folder does not exist", schema: schemas.problem },
};

export const changes = [
  operation({
    method: "POST",
    path: "/move",
    id: "move",
    verb: "move",
    summary: "Move a file or folder, in one step for every reader",
    login: true,
    body: schemas.relocation,
    answers: { 200: { description: "It was moved", schema: schemas.relocated }, ...refused },
    async handle(exchange, { body: { from, to, overwrite } }) {
      Object.assign(exchange.asked, { path: from, to });
      await move(exchange.session, from, to, overwrite);
      return json({ from, to });
    },
  }),
  operation({
    method: "POST",
    path: "/copy",
    id: "copy",
    verb: "copy",
    summary: "Copy a file, or a folder with its contents",
    login: true,
    body: schemas.relocation,
    answers: {
      200: { description: "It was copied", schema: schemas.relocated },
      ...refused,
      507: { description: "The quota or the disk is too small", schema: schemas.problem },
    },
    async handle(exchange, { body: { from, to, overwrite } }) {
      Object.assign(exchange.asked, { path: from, to });
      const { session, ended } = exchange;
      const { files } = await copyTree(session, from, to, overwrite, { signal: ended.signal });
      return json({ from, to, files });
    },
  }),
  operation({
    method: "POST",
    path: "/mkdir",
    id: "makeFolder",
    verb: "mkdir",
    summary: "Create a folder",
    login: true,
    body: schemas.newFolder,
    answers: {
      200: {
        description: "The folder exists already, and `parents` is set",
        schema: schemas.madeFolder,
      },
      201: { description: "The folder was created", schema: schemas.madeFolder },
      409: {
        description: "The name is taken, or its folder does not exist",
        schema: schemas.problem,
      },
    },
    async handle(exchange, { body: { path, parents } }) {
      exchange.asked.path = path;
      const created = await mkdir(exchange.session, { verb: "mkdir", path, parents });
      return json({ path, created }, { status: created ? 201 : 200 });
    },
  }),
];
