/**
 * The algorithms of the door: none with SHA-1, CBC or a group below 2048 bits. The client's order of
 * preference decides among these (RFC 4253, section 7.1).
 *
 * ChaCha20-Poly1305 and AES-GCM need the least CPU time (cipher/), AES-CTR with an HMAC more.
 */
export const algorithms = {
  // No finite-field groups: an exchange with 2048 bits blocks the worker for milliseconds, one with 4096
  // bits for a quarter of a second, and the client would choose between them.
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
  ],
  cipher: [
    "chacha20-poly1305@openssh.com",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
  ],
  hmac: [
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
  ],
  serverHostKey: ["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"],
  // Compressed bytes can expand a thousandfold before they are counted.
  compress: ["none"],
} as const;
