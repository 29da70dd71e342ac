/** Completes commands, flags, remote and local paths. Does no I/O of its own. */
import { printable } from "../../core/protocol/printable.ts";
import { baseIn, expandHome, home, resolveRemote, shared } from "./paths.ts";
import { findRow, type Kind, repeats, type Row } from "./command.ts";
import { quoteRest, scan, type Word } from "./words.ts";

/** An entry of a folder. */
export interface Item {
  readonly name: string;
  readonly folder: boolean;
}

/** Lists folders; a folder that can't be read is empty. */
export interface Sources {
  /** The remote working folder. */
  readonly folder: string;
  remote(folder: string): Promise<readonly Item[]>;
  local(folder: string): Promise<readonly Item[]>;
}

/** The candidates, and the part of the line that they replace, as node:readline expects them. */
export type Offer = [candidates: string[], replaced: string];

const none: Offer = [[], ""];

/**
 * Completes a line's last word. Candidates are quoted as the start of the word is.
 *
 * @param line the line up to the cursor
 */
export async function complete(
  line: string,
  rows: readonly Row[],
  sources: Sources,
): Promise<Offer> {
  const words = scan(line);
  const last = words.at(-1);
  const isNewWord = !last || !line.endsWith(last.raw);
  const word: Word = isNewWord ? { text: "", raw: "", open: "" } : last;
  const before = isNewWord ? words : words.slice(0, -1);
  if (word.open === "\\") return none;
  if (before.length === 0) return offer(word, names(rows).map((text) => ({ text })));
  const row = findRow(rows, before[0].text);
  if (!row) return none;
  let index = 0;
  let onlyArguments = false;
  for (const { raw } of before.slice(1)) {
    if (!onlyArguments && raw === "--") onlyArguments = true;
    else if (onlyArguments || raw === "-" || !raw.startsWith("-")) index++;
  }
  if (word.raw.startsWith("-") && !onlyArguments) {
    return offer(word, Object.keys(row.flags ?? {}).map((letter) => ({ text: `-${letter}` })));
  }
  const kind = repeats(row) ? row.takes?.[0] : row.takes?.[index];
  return kind === undefined ? none : offer(word, await ofKind(kind, word.text, rows, sources));
}

interface Candidate {
  readonly text: string;
  /** The word may continue, as after a folder's slash. */
  readonly open?: boolean;
}

async function ofKind(
  kind: Kind,
  text: string,
  rows: readonly Row[],
  sources: Sources,
): Promise<Candidate[]> {
  const { folder } = sources;
  const remote = (base: string) => sources.remote(resolveRemote(base, folderOf(text)));
  switch (kind) {
    case "text":
      return [];
    case "command":
      return names(rows).map((text) => ({ text }));
    case "algorithm":
      return [{ text: "sha256" }, { text: "md5" }];
    case "remote":
    case "remote-folder":
      return paths(text, await remote(folder), kind === "remote-folder");
    case "home":
    case "public":
      return paths(text, await remote(baseIn(kind === "home" ? home : shared, folder)), false);
    case "local":
    case "local-folder":
      if (text === "~") return [{ text: "~/", open: true }];
      return paths(
        text,
        await sources.local(expandHome(folderOf(text)) || "."),
        kind === "local-folder",
      );
  }
}

/** Returns the part of a path up to its last slash. */
function folderOf(text: string): string {
  return text.slice(0, text.lastIndexOf("/") + 1);
}

function paths(text: string, items: readonly Item[], foldersOnly: boolean): Candidate[] {
  const folder = folderOf(text);
  const start = text.slice(folder.length);
  return items
    .filter((entry) => entry.folder || !foldersOnly)
    .filter(({ name }) => start.startsWith(".") || !name.startsWith("."))
    .filter(({ name }) => printable(name) === name) // a line can't hold control characters
    .map(({ name, folder: isFolder }) => ({
      text: `${folder}${name}${isFolder ? "/" : ""}`,
      open: isFolder,
    }));
}

function offer({ text, raw, open }: Word, candidates: readonly Candidate[]): Offer {
  const fit = candidates.filter((candidate) => candidate.text.startsWith(text));
  const lines = fit.map((candidate) => {
    const rest = candidate.text.slice(text.length);
    const start = raw === "" && /^[#-]/.test(rest) ? "./" : ""; // else it would be a flag
    return raw + start + quoteRest(rest, open);
  });
  // A single candidate completes the word.
  if (lines.length === 1 && !fit[0].open) lines[0] += `${open} `;
  return [lines, raw];
}

function names(rows: readonly Row[]): string[] {
  return rows.map(({ name }) => name);
}
