/** Commands that set or return state of the connection, and commands without effect. */
import { counted } from "../../counted.ts";
import type { Connection, Request, Row } from "./row.ts";
import { activeFor } from "./channel.ts";
import { facts } from "./listing.ts";
import { Failed, type Reply, reply } from "./reply.ts";
import { digestNames } from "./state.ts";

export const settingRows: Record<string, Row> = {
  TYPE: {
    help: ["A|I", "transfer text, or bytes unchanged"],
    run(c, { argument }) {
      const type = argument.trim().toUpperCase();
      if (/^(A( N)?|L ?7)$/.test(type)) c.state.ascii = true;
      else if (/^(I|L ?8)$/.test(type)) c.state.ascii = false;
      else throw new Failed(504, "unsupported", "Only TYPE A and TYPE I are supported");
      return reply(200, c.state.ascii ? "Type is A: text" : "Type is I: bytes");
    },
  },
  MODE: only("MODE", "S", "stream"),
  STRU: only("STRU", "F", "files"),
  ALLO: {
    help: ["BYTES", "reserve bytes for the next upload"],
    async run(c, { argument }) {
      const [, bytes] = /^\s*(\d{1,15})(\s+R\s+\d+)?\s*$/i.exec(argument) ?? [];
      if (bytes === undefined) throw new Failed(501, "usage", "not a number of bytes");
      const { limit } = await c.session.account();
      if (limit !== null && Number(bytes) > limit) {
        throw new Failed(
          552,
          "over-quota",
          `${counted(Number(bytes), "byte")} needed, but the quota is ${limit}`,
        );
      }
      c.state.reserve = Number(bytes);
      return reply(200, `The next upload begins with ${counted(Number(bytes), "byte")} reserved`);
    },
  },
  REST: {
    help: ["OFFSET", "set the offset of the next transfer"],
    run(c, { argument }) {
      if (!/^\d{1,15}$/.test(argument.trim())) throw new Failed(501, "usage", "not an offset");
      c.state.restart = Number(argument);
      if (c.state.ascii && c.state.restart > 0) {
        c.state.restart = 0;
        throw new Failed(501, "usage", "No restart in type A", { hint: "send TYPE I first" });
      }
      return reply(350, `The next transfer begins at ${c.state.restart}`);
    },
  },
  FEAT: {
    login: false,
    help: ["", "list the extensions of RFC 959"],
    run: (c) => ({ code: 211, text: "Features:", lines: features(c), last: "End" }),
  },
  OPTS: {
    login: false,
    help: ["COMMAND OPTIONS", "set options of MLST, HASH or UTF8"],
    run: options,
  },
  ACCT: fixed(["TEXT", "accepted and ignored"], 202, "No account information is needed"),
  SYST: fixed(["", "show the format of listings"], 215, "UNIX Type: L8"),
  NOOP: { ...fixed(["", "do nothing"], 200, "Nothing done"), argument: "optional" },
  CLNT: fixed(["NAME", "name the client program"], 200, "Hello"),
  LANG: {
    login: false,
    help: ["[EN]", "choose the language of replies"],
    run(_, { argument }) {
      if (/^(en(-.*)?)?$/i.test(argument.trim())) return reply(200, "Replies are in English");
      throw new Failed(504, "unsupported", "Only English is supported");
    },
  },
};

/** Returns the row of a command that always gets the same reply. */
function fixed(help: Row["help"], code: number, text: string): Row {
  return { login: false, help, run: () => reply(code, text) };
}

/** Returns the row of a command that accepts one value of its argument only, such as MODE S. */
function only(verb: string, letter: string, meaning: string): Row {
  return {
    help: [letter, `${meaning}, the only one supported`],
    run(_, { argument }) {
      if (argument.trim().toUpperCase() === letter) return reply(200, `${verb} is ${letter}`);
      throw new Failed(504, "unsupported", `Only ${verb} ${letter} is supported`);
    },
  };
}

function features(c: Connection): string[] {
  const { algorithm, facts: chosen } = c.state;
  const mark = (name: string, is: boolean) => is ? `${name}*` : name;
  return [
    ...c.door.certificate() ? ["AUTH SSL", "AUTH TLS", "PBSZ", "PROT"] : [],
    ...activeFor(c) ? ["EPRT"] : [],
    ..."AVBL CLNT EPSV MDTM MFMT SIZE TVFS UTF8 XMD5 XSHA256".split(" "),
    ...["LANG EN*", "REST STREAM", "SITE QUOTA", "SITE UTIME"],
    `HASH ${mark("SHA-256", algorithm === "sha256")};${mark("MD5", algorithm === "md5")}`,
    `MLST ${facts.map((fact) => `${mark(fact, chosen.has(fact))};`).join("")}`,
  ].sort();
}

/** Sets the options of a command (OPTS, RFC 2389). */
function options(c: Connection, { argument }: Request): Reply {
  const [command, ...rest] = argument.trim().split(" ");
  const wanted = rest.join(" ").trim();
  switch (command.toUpperCase()) {
    case "MLST": {
      const named = wanted.split(";").filter(Boolean).map((fact) => fact.toLowerCase());
      if (/\s/.test(wanted)) {
        throw new Failed(501, "usage", "facts are separated by semicolons, without spaces");
      }
      c.state.facts = new Set(facts.filter((fact) => named.includes(fact)));
      if (named.length > 0 && c.state.facts.size === 0) {
        throw new Failed(501, "usage", `Unknown fact: ${named[0]}`);
      }
      return reply(200, `MLST OPTS ${Array.from(c.state.facts, (fact) => `${fact};`).join("")}`);
    }
    case "HASH":
      if (/^SHA-256$/i.test(wanted)) c.state.algorithm = "sha256";
      else if (/^MD5$/i.test(wanted)) c.state.algorithm = "md5";
      else if (wanted) throw new Failed(501, "unsupported", "Only SHA-256 and MD5 are supported");
      return reply(200, digestNames[c.state.algorithm]);
    case "UTF8":
    case "UTF-8":
      if (/^(ON)?$/i.test(wanted)) return reply(200, "UTF-8 is always on");
      throw new Failed(504, "unsupported", "UTF-8 cannot be turned off");
    default:
      throw new Failed(501, "unsupported", "This command has no options");
  }
}
