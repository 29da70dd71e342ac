/** The values of single options of `barge serve`. */
import { isIPv4 } from "node:net";
import { BargeError } from "../../core/error.ts";
import { Networks } from "../../core/net/networks.ts";
import { parsePublicUrl } from "../../core/net/public_url.ts";
import { valueParser } from "../_term/value.ts";

export const maxNodeNameCharacters = 63;

/** The name of a node: printable, since tables and logs show it. */
export function nodeName() {
  const parse = (text: string) =>
    text.length <= maxNodeNameCharacters && /^[\w.-]+$/.test(text) ? text : undefined;
  const wanted = `up to ${maxNodeNameCharacters} letters, digits, dots and dashes`;
  return valueParser("NAME", parse, wanted);
}

/** A range of ports. */
export function portRange() {
  const parse = (text: string): readonly [number, number] | undefined => {
    const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text)?.map(Number) ?? [];
    return first >= 1 && first <= last && last <= 65_535 ? [first, last] : undefined;
  };
  const parser = valueParser("A-B", parse, "a range of ports like 20000-23999");
  return { ...parser, format: ([first, last]: readonly [number, number]) => `${first}-${last}` };
}

/** The permissions of a file, in octal. */
export function fileMode() {
  const parse = (text: string) => /^0?[0-7]{3}$/.test(text) ? parseInt(text, 8) : undefined;
  const parser = valueParser("MODE", parse, "permissions in octal, like 0660");
  return { ...parser, format: (mode: number) => mode.toString(8).padStart(4, "0") };
}

/** Addresses and networks, separated by commas. */
export function networks() {
  const read = (text: string): readonly string[] | undefined => {
    const networks = text.split(",").map((network) => network.trim());
    return isUsable(() => new Networks(networks)) ? networks : undefined;
  };
  return valueParser(
    "ADDR|CIDR",
    read,
    "an address or network like 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32 (not of prefix 0), or unix:",
  );
}

/** The URL of the HTTP door behind a proxy. */
export function publicUrl() {
  const read = (text: string) => isUsable(() => parsePublicUrl(text)) ? text : undefined;
  return valueParser("URL", read, "a URL like https://box.example or https://box.example/files");
}

function isUsable(use: () => unknown): boolean {
  try {
    use();
    return true;
  } catch (error) {
    if (error instanceof BargeError) return false;
    throw error;
  }
}

/** An IPv4 address. */
export function ipv4() {
  return valueParser("IP", (text) => isIPv4(text) ? text : undefined, "an IPv4 address");
}
