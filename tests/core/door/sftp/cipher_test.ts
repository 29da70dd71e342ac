/** The ciphers of the SFTP door, beside the runtime's. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { AesGcmCipher, AesGcmDecipher } from "../../../../core/door/sftp/cipher/aes_gcm.ts";
import { AesCtrCipher, AesCtrDecipher } from "../../../../core/door/sftp/cipher/aes_ctr.ts";
import { ChaChaCipher, ChaChaDecipher } from "../../../../core/door/sftp/cipher/chacha.ts";
import { LaterBytes, LaterPayloads } from "../../../../core/door/sftp/cipher/later.ts";
import type {
  OnWrite,
  PacketCipher,
  PacketDecipher,
} from "../../../../core/door/sftp/cipher/packet_cipher.ts";
import { loadPoly1305, poly1305 } from "../../../../core/door/sftp/cipher/poly1305.ts";

await loadPoly1305();

interface Keys {
  readonly sslName: string;
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly hash?: string;
  readonly macKey?: Buffer;
  readonly isETM?: boolean;
}

const macBytes = { sha256: 32, sha512: 64 } as Record<string, number>;
/** The last counter before all four words of the next one change. */
const lastCounter = Buffer.alloc(16, 0xff);
const suites: Keys[] = [
  { sslName: "chacha20", key: randomBytes(64), iv: Buffer.alloc(0) },
  ...[[16, true, "sha256"], [24, false, "sha256"], [32, true, "sha512"], [32, false, "sha512"]]
    .map(([bytes, isETM, hash]) => ({
      sslName: `aes-${Number(bytes) * 8}-ctr`,
      key: randomBytes(Number(bytes)),
      iv: lastCounter,
      hash: String(hash),
      macKey: randomBytes(macBytes[String(hash)]),
      isETM: Boolean(isETM),
    })),
];
const nameOf = ({ sslName, hash, isETM }: Keys) =>
  [sslName, hash, isETM && "etm"].filter(Boolean).join(" ");

function encryptorOf(
  keys: Keys,
  seqno: number,
  onWrite: OnWrite,
): PacketCipher {
  const outbound = {
    onWrite,
    seqno,
    cipherInfo: keys,
    cipherKey: keys.key,
    cipherIV: keys.iv,
    macInfo: keys.hash
      ? { sslName: keys.hash, len: macBytes[keys.hash], isETM: keys.isETM! }
      : undefined,
    macKey: keys.macKey,
  };
  return keys.hash ? new AesCtrCipher({ outbound }) : new ChaChaCipher({ outbound });
}

function decryptorOf(
  keys: Keys,
  seqno: number,
  onPayload: (bytes: Buffer) => undefined,
): PacketDecipher {
  const inbound = {
    onPayload,
    seqno,
    decipherInfo: keys,
    decipherKey: keys.key,
    decipherIV: keys.iv,
    macInfo: keys.hash
      ? { sslName: keys.hash, len: macBytes[keys.hash], isETM: keys.isETM! }
      : undefined,
    macKey: keys.macKey,
  };
  const outbound = { onWrite: () => assert.fail("it decrypts at once") };
  return keys.hash
    ? new AesCtrDecipher({ inbound, outbound })
    : new ChaChaDecipher({ inbound, outbound });
}

/** Encrypts payloads. @returns the bytes of each packet */
function encrypt(keys: Keys, seqno: number, payloads: readonly Buffer[]): Buffer[] {
  const packets: Buffer[] = [];
  const cipher = encryptorOf(
    keys,
    seqno,
    (bytes) => packets.push(Buffer.from(bytes as Uint8Array)),
  );
  for (const payload of payloads) {
    const packet = cipher.allocPacket(payload.length);
    packet.set(payload, 5);
    cipher.encrypt(packet);
  }
  cipher.free();
  return packets;
}

/** Decrypts a packet of AES-CTR by the runtime's AES-CTR, and checks its MAC. */
function decryptByRuntime(keys: Keys, seqno: number, packet: Buffer): Buffer {
  const macAt = packet.length - macBytes[keys.hash!];
  const clear = keys.isETM ? 4 : 0;
  const decipher = createDecipheriv(keys.sslName, keys.key, keys.iv);
  const plain = Buffer.concat([
    packet.subarray(0, clear),
    decipher.update(packet.subarray(clear, macAt)),
  ]);
  decipher.final();
  const number = Buffer.alloc(4);
  number.writeUInt32BE(seqno);
  const mac = createHmac(keys.hash!, keys.macKey!).update(number)
    .update(keys.isETM ? packet.subarray(0, macAt) : plain).digest();
  assert.deepEqual(packet.subarray(macAt), mac);
  return plain;
}

const payloads = [0, 1, 11, 12, 100, 4096, 32_777, 300_000].map((n) => randomBytes(n));
const acceptable = payloads.slice(1, -1); // `ssh2` sends long packets to clients that ask for them

for (const keys of suites) {
  Deno.test(`${nameOf(keys)} decrypts the packets that it encrypted, however they are cut`, () => {
    const all = Buffer.concat(encrypt(keys, 0xfffffffe, acceptable));
    for (const step of [1, 3, 1000, 40_000, all.length]) {
      const received: Buffer[] = [];
      const decipher = decryptorOf(keys, 0xfffffffe, (payload) => void received.push(payload));
      for (let at = 0; at < all.length; at += step) {
        decipher.decrypt(all, at, Math.min(at + step, all.length));
      }
      decipher.free();
      assert.equal(received.length, acceptable.length);
      for (const [i, payload] of acceptable.entries()) assert(payload.equals(received[i]));
      assert.equal(decipher.inSeqno, acceptable.length - 2);
    }
  });

  Deno.test(`${nameOf(keys)} refuses a packet that was changed, and lengths that no packet has`, () => {
    const [packet] = encrypt(keys, 7, [randomBytes(200)]);
    for (const at of [0, 3, 5, 100, packet.length - 1]) {
      const changed = Buffer.from(packet);
      changed[at] ^= 1;
      const decipher = decryptorOf(keys, 7, () => assert.fail("it was accepted"));
      assert.throws(
        () =>
          decipher.decrypt(
            Buffer.concat([changed, randomBytes(40_000)]),
            0,
            changed.length + 40_000,
          ),
        /Invalid MAC|Bad packet length/,
      );
      decipher.free();
    }
  });
}

for (const keys of suites.filter(({ hash }) => hash)) {
  Deno.test(`${nameOf(keys)} is what the runtime's AES-CTR and HMAC make of a packet`, () => {
    for (const payload of payloads) {
      const [packet] = encrypt(keys, 5, [payload]);
      const plain = decryptByRuntime(keys, 5, packet);
      assert.equal(plain.readUInt32BE(0), plain.length - 4);
      assert(plain[4] >= 4);
      assert(payload.equals(plain.subarray(5, plain.length - plain[4])));
    }
  });
}

const gcm: Keys = { sslName: "aes-128-gcm", key: randomBytes(16), iv: randomBytes(12) };

/** Encrypts payloads, the large ones in other threads. @returns the bytes of all packets */
async function encryptGcm(payloads: readonly Buffer[]): Promise<Buffer> {
  const written: (Uint8Array | Promise<Uint8Array>)[] = [];
  const outbound = {
    onWrite: (bytes: Parameters<OnWrite>[0]) => {
      if (bytes instanceof LaterPayloads) assert.fail("a cipher has no payloads");
      written.push(bytes instanceof LaterBytes ? bytes.bytes : bytes);
    },
    ...{ seqno: 0, cipherInfo: gcm, cipherKey: gcm.key, cipherIV: gcm.iv },
  };
  const cipher = new AesGcmCipher({ outbound });
  await crypto.subtle.digest("SHA-256", new Uint8Array()); // its key is imported by then
  for (const payload of payloads) {
    const packet = cipher.allocPacket(payload.length);
    packet.set(payload, 5);
    cipher.encrypt(packet);
  }
  assert(written.some((bytes) => bytes instanceof Promise));
  return Buffer.concat(await Promise.all(written));
}

/** Decrypts bytes in pieces. @returns the payloads, once all are handed on */
async function decryptGcm(bytes: Buffer, step: number): Promise<Buffer[]> {
  const received: Buffer[] = [];
  const later: Promise<void>[] = [];
  const inbound = {
    onPayload: (payload: Buffer) => void received.push(payload),
    ...{ seqno: 0, decipherInfo: gcm, decipherKey: gcm.key, decipherIV: gcm.iv },
  };
  const outbound = {
    onWrite: (bytes: Parameters<OnWrite>[0]) => {
      assert(bytes instanceof LaterPayloads);
      later.push(bytes.done);
    },
  };
  const decipher = new AesGcmDecipher({ inbound, outbound });
  await crypto.subtle.digest("SHA-256", new Uint8Array());
  for (let at = 0; at < bytes.length; at += step) {
    decipher.decrypt(bytes, at, Math.min(at + step, bytes.length));
  }
  await Promise.all(later);
  decipher.free();
  return received;
}

const mixed = [10, 20_000, 30, 32_768, 32_768, 9000, 0, 1].map((n) => randomBytes(n));

Deno.test("aes-128-gcm keeps the order of small and large packets, which threads encrypt", async () => {
  const all = await encryptGcm(mixed);
  for (const step of [7, 1000, 50_000, all.length]) {
    assert.deepEqual(await decryptGcm(all, step), mixed);
  }
});

Deno.test("aes-128-gcm is what the runtime makes of a packet, and each has the next nonce", async () => {
  const all = await encryptGcm(mixed);
  const nonce = Buffer.from(gcm.iv);
  let at = 0;
  for (const payload of mixed) {
    const end = at + 4 + all.readUInt32BE(at);
    const decipher = createDecipheriv("aes-128-gcm", gcm.key, nonce)
      .setAAD(all.subarray(at, at + 4)).setAuthTag(all.subarray(end, end + 16));
    const plain = Buffer.concat([decipher.update(all.subarray(at + 4, end)), decipher.final()]);
    assert(payload.equals(plain.subarray(1, plain.length - plain[0])));
    nonce.writeBigUInt64BE(BigInt.asUintN(64, nonce.readBigUInt64BE(4) + 1n), 4);
    at = end + 16;
  }
  assert.equal(at, all.length);
});

Deno.test("aes-128-gcm hands on no packet from a changed one on, small or large", {
  sanitizeOps: false, // later packets may be under decryption when a changed one has failed
}, async () => {
  const all = await encryptGcm(mixed);
  const large = 4 + 32 + 16 + 500; // within the second packet
  for (const at of [10, large]) {
    const changed = Buffer.from(all);
    changed[at] ^= 1;
    await assert.rejects(decryptGcm(changed, changed.length), /Invalid MAC/);
  }
});

Deno.test("poly1305 computes the tag of RFC 8439, section 2.5.2", () => {
  const key = Buffer.from(
    "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
    "hex",
  );
  const text = Buffer.from("Cryptographic Forum Research Group");
  const tag = poly1305(text.subarray(0, 4), text.subarray(4), key);
  assert.equal(Buffer.from(tag).toString("hex"), "a8061dc1305136c6c22b8baf0c0127a9");
});
