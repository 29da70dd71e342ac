import assert from "node:assert/strict";
import { parseAuthorizedKeys } from "../../../../core/storage/public_key.ts";
import { fingerprintOf } from "../../../../core/storage/public_key.ts";
import { BargeError } from "../../../../core/error.ts";

const read = (name: string) =>
  Deno.readTextFileSync(new URL(`../../../../fixtures/sftp/ssh/${name}`, import.meta.url));
const ed25519 = read("ssh_host_ed25519_key.pub").trim();
const rsa = read("ssh_host_rsa_key.pub").trim();

Deno.test("a file's keys are read with their options and comments", () => {
  const text = `# keys\n\n${ed25519}\r\nno-pty,restrict ${rsa} of a friend\n`;
  const [first, second] = parseAuthorizedKeys(text);
  assert.deepEqual([first.type, first.comment, first.ignored], ["ssh-ed25519", "barge", []]);
  assert.deepEqual([second.type, second.ignored], ["ssh-rsa", ["no-pty", "restrict"]]);
  assert.equal(second.comment, "barge of a friend");
  assert.match(fingerprintOf(first.blob), /^SHA256:[A-Za-z0-9+/]{43}$/);
});

Deno.test("an unusable key is refused with the reason", () => {
  const [, blob] = ed25519.split(" ");
  const short = `ssh-rsa ${shortRsa()}`;
  const cases: [string, RegExp][] = [
    ["hello", /not a public key/],
    ["hello world", /not a public key/],
    ["ssh-dss AAAAB3NzaC1kc3M=", /type ssh-dss .*not accepted/],
    [`sk-ssh-ed25519@openssh.com ${blob}`, /not accepted/],
    [`ssh-ed25519 ${blob.slice(0, 40)}`, /not a whole ssh-ed25519 key/],
    [`ssh-ed25519 ${blob.slice(0, 41)}`, /not valid base64/],
    [`ssh-rsa ${blob}`, /not a whole ssh-rsa key/],
    [short, /RSA key of 1024 bits/],
    [`from="10.0.0.0/8,::1" ${ed25519}`, /option from=.*not supported/],
    [`command="echo \\"hi there\\"",no-pty ${ed25519}`, /option command=/],
    ["-----BEGIN OPENSSH PRIVATE KEY-----", /private key/],
  ];
  for (const [line, why] of cases) {
    assert.throws(() => parseAuthorizedKeys(line), (error) => {
      assert(error instanceof BargeError && error.kind === "usage", String(error));
      assert.match(error.message, why);
      return true;
    }, line);
  }
  assert.throws(() => parseAuthorizedKeys(`${ed25519}\nhello`), /line 2: not a public key/);
});

function shortRsa(): string {
  const string = (bytes: number[]) => [0, 0, bytes.length >> 8, bytes.length & 255, ...bytes];
  const type = [...new TextEncoder().encode("ssh-rsa")];
  const modulus = [0, ...new Array(128).fill(0xff)];
  return new Uint8Array([...string(type), ...string([1, 0, 1]), ...string(modulus)]).toBase64();
}
