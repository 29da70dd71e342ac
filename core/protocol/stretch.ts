/** The costly part of a login by password. Tokens do not need it, so it is loaded separately. */
import { scrypt } from "node:crypto";

/** scrypt's N, r and p. */
export interface Costs {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** Returns scrypt(NFC(password), salt, n, r, p, 32 bytes): RFC 7914. */
export function stretch(
  password: string,
  salt: Uint8Array,
  { n, r, p }: Costs,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const options = { N: n, r, p, maxmem: 128 * n * r + 128 * r * p + 1024 * 1024 };
    scrypt(password.normalize("NFC"), salt, 32, options, (error, key) => {
      if (error) reject(error);
      else resolve(new Uint8Array(key));
    });
  });
}
