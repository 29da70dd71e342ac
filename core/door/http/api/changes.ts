/** Moving, copying, making folders. */
import { copyTree } from "../../../session/copy_tree.ts";
import { mkdir } from "../../../session/mkdir.ts";
import { move } from "../../../session/move.ts";
import { json, operation } from "./operation.ts";
import * as schemas from "./schemas.ts";

const refused = {
  404: { description: "There is nothing at the old path", schema: schemas.problem },
  409: { description: "The name is taken, or its folder is not there", schema: schemas.problem },
};

export const changes = [
  operation({
    method: "POST",
    path: "/move",
    id: "move",
    verb: "move",
    summary: "Give a file or folder another path, in one step for every reader",
    login: true,
    body: schemas.relocation,
    answers: { 200: { description: "It is there", schema: schemas.relocated }, ...refused },
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
    summary: "Copy a file, or a folder with all that is in it",
    login: true,
    body: schemas.relocation,
    answers: {
      200: { description: "It is there", schema: schemas.relocated },
      ...refused,
      507: { description: "There is no room for it", schema: schemas.problem },
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
    summary: "Make a folder",
    login: true,
    body: schemas.newFolder,
    answers: {
      200: { description: "It was there, and `parents` was set", schema: schemas.madeFolder },
      201: { description: "It was made", schema: schemas.madeFolder },
      409: {
        description: "The name is taken, or its folder is not there",
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
