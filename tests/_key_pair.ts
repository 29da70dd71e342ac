/** Makes pairs of SSH keys. */
import { ssh2 } from "./core/door/sftp/_peer.ts";

/** A key in OpenSSH's format, with its public key as one line. */
export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** Makes a pair. The package spoils one ed25519 key of 256: see core/net/host_keys.ts. */
export function makeKeyPair(type: "ed25519" | "rsa" | "ecdsa", bits?: number): KeyPair {
  for (;;) {
    const pair: KeyPair = ssh2.utils.generateKeyPairSync(type, { bits });
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}
