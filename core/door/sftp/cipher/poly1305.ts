/** Poly1305 (RFC 8439, section 2.5), by the WebAssembly module of the package `ssh2`. */
import loadModule from "ssh2/lib/protocol/crypto/poly1305.js";

export const poly1305KeyBytes = 32;

/** The loaded module. Not awaited here: `ssh2.ts` must replace ciphers before its importers go on. */
let module: Module;

type Authenticate = (
  resultAt: number,
  head: Uint8Array,
  headBytes: number,
  body: Uint8Array,
  bodyBytes: number,
  key: Uint8Array,
) => void;

interface Module {
  readonly memory: { readonly HEAPU8: Uint8Array };
  readonly authenticate: Authenticate;
  readonly resultAt: number;
}

/** Loads the module; {@link poly1305} must not be called before. */
export async function loadPoly1305(): Promise<void> {
  const memory = await loadModule();
  const types = ["number", "array", "number", "array", "number", "array"];
  const authenticate: Authenticate = memory.cwrap("poly1305_auth", null, types);
  module = { memory, authenticate, resultAt: memory._malloc(16) };
}

/** Returns the tag of `head` and `body` together; valid until the next call. @param key used only once */
export function poly1305(head: Uint8Array, body: Uint8Array, key: Uint8Array): Uint8Array {
  const { memory, authenticate, resultAt } = module;
  authenticate(resultAt, head, head.length, body, body.length, key);
  return new Uint8Array(memory.HEAPU8.buffer, resultAt, 16);
}
