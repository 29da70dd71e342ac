/**
 * Passwords of the tests' accounts, with the results of their scrypt, which takes a tenth of a
 * second. Each file of tests is loaded anew, so it can't use what another has derived.
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import type { Verifier } from "../core/protocol/message.ts";
import { authMessage, costs, type Exchange } from "../core/protocol/scram.ts";
import { makeVerifier } from "../core/protocol/verifier.ts";

/** The result of {@link makeVerifier} for a password and a salt, in base64. */
interface Derived {
  readonly salt: string;
  readonly clientKey: string;
  readonly serverKey: string;
}

const derived: Readonly<Record<string, Derived>> = {
  "anna-secret": {
    salt: "EbXnaCYuFU6GIrFu2T0EpA==",
    clientKey: "HXRK1MRxVyZjbACCDV+gj1DcJeRdilejLA7NRVTlTXc=",
    serverKey: "zCnkv9JAKoTZm5+Nsanp5WvZxv7hlyIV4GBZhH1Kxks=",
  },
  "alice-secret": {
    salt: "uCr1GFaGJbIkI6ROHCoApQ==",
    clientKey: "oWv1LgUNl6LqFvw9uttx9PQ7DyMelE8knKTJrNXBfgc=",
    serverKey: "wI4ymLA9Vpg7Gjo4lGzYoOIPBSfVY45kU8vo0cv5ZaE=",
  },
  "bob-secret": {
    salt: "MqLYQejZkSokjdT0KfMb0A==",
    clientKey: "3SAWhyeGj56aZdBnt4LiE2mGz1drrfKXGODlQ8VYMkQ=",
    serverKey: "/WpRKM7MnLeP9eTnpTEFhAmL8dR4WU+f76Wwb7Ya3xw=",
  },
  "contract-secret": {
    salt: "t1CdO6geeHr3EXTiJlmyRQ==",
    clientKey: "UaAjzEyEgKa6J5Z3wwf2b0VbUovYAZbucXcyIIAmC74=",
    serverKey: "Da6XDa0Z1Hhl3GgryUvbUNTW+E4paa7/dXXhttz6lB0=",
  },
  "sécret": {
    salt: "7kPZ0cB1qUu2nq9mJrX5gw==",
    clientKey: "LpQxtCvc8kkByRjEh1g+HGzh6BgUJCfS5gH+AZH6Ld4=",
    serverKey: "Y9KU3kaLvEdwUTGXIplsGNbBE2EYab7SQCF9prr6Iq4=",
  },
};

/** Verifiers of other passwords, made in this process. */
const made = new Map<string, Promise<Verifier>>();

/** Returns the verifier of a password; accounts with the same password have the same one. */
export async function verifierOf(password: string): Promise<Verifier> {
  if (!Object.hasOwn(derived, password)) {
    return await made.getOrInsertComputed(password, () => makeVerifier("password", password));
  }
  const { salt, clientKey, serverKey } = derived[password];
  return { salt, ...costs, storedKey: sha256(clientKey).toString("base64"), serverKey };
}

/** Computes the proof of a login from the prepared keys; undefined for another password or salt. */
export function quickProof(password: string, exchange: Exchange): string | undefined {
  if (exchange.mechanism !== "password" || !Object.hasOwn(derived, password)) return undefined;
  const { salt, clientKey } = derived[password];
  const { n, r, p } = exchange;
  if (exchange.salt !== salt || n !== costs.n || r !== costs.r || p !== costs.p) return undefined;
  const mask = createHmac("sha256", sha256(clientKey)).update(authMessage(exchange)).digest();
  return Buffer.from(clientKey, "base64").map((byte, i) => byte ^ mask[i]).toBase64();
}

function sha256(base64: string): Buffer {
  return createHash("sha256").update(Buffer.from(base64, "base64")).digest();
}
