/** SIGHUP with a renewed certificate cuts no transfer at any door. */
import assert from "node:assert/strict";
import { connect } from "node:tls";
import { once } from "node:events";
import { makeSelfSigned } from "../../core/net/self_signed.ts";
import { parseAddress } from "../../core/net/address.ts";
import { Home } from "./_barge.ts";
import { has } from "./_sftp.ts";
import { startServer } from "../_server.ts";

const ignore = Deno.build.os === "windows" || !has("curl"); // Windows has no SIGHUP
const doors = ["native", "http", "ftp", "ftps", "sftp"] as const;

/** Returns the serial number of the certificate at an address. */
async function serialAt(address: string): Promise<string> {
  const { host, port } = parseAddress(address);
  const socket = connect({ host, port, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}

Deno.test({
  name: "a transfer at each door goes on over SIGHUP with a renewed certificate",
  ignore,
}, async () => {
  await using home = new Home();
  const [cert, key] = [`${home.path}/box.pem`, `${home.path}/box.key`];
  const install = async () => {
    const pair = await makeSelfSigned(["127.0.0.1"]);
    await Deno.writeTextFile(key, pair.key);
    await Deno.writeTextFile(cert, pair.cert);
  };
  await install();
  await using server = await startServer({
    args: [
      ...doors.flatMap((door) => [`--${door}`, "127.0.0.1:0"]),
      ...["--tls-cert", cert, "--tls-key", key, "--workers", "2", "--durability", "relaxed"],
    ],
  });
  await server.addUser("anna");
  const { facts } = server;
  const curl = (...args: string[]) =>
    new Deno.Command("curl", {
      args: ["-sS", "--insecure", "--fail", "-u", "anna:anna-secret", "-T", "-", ...args],
      ...{ stdin: "piped", stdout: "null", stderr: "piped" },
    }).spawn();
  const password = `${home.path}/password`;
  await Deno.writeTextFile(password, "anna-secret\n");
  const uploads = {
    native: home.spawn([
      ...["put", "-", "/home/native", "--server", `anna@${facts.native}`, "--tls"],
      ...["--password-file", password],
    ], { stdin: "" }),
    http: curl(`https://${facts.http}/api/v1/files/home/http`),
    ftp: curl("--ssl-reqd", `ftp://${facts.ftp}/home/ftp`),
    ftps: curl(`ftps://${facts.ftps}/home/ftps`),
    sftp: curl(`sftp://${facts.sftp}/home/sftp`),
  };
  const half = new Uint8Array(400_000).fill(1);
  const inputs = doors.map((door) => uploads[door].stdin.getWriter());
  for (const input of inputs) await input.write(half);
  while (await server.heldUploads() < doors.length); // all have begun

  const before = await serialAt(facts.http!);
  for (let round = 0; round < 2; round++) {
    const from = server.stderr().length;
    await install();
    server.signal("SIGHUP");
    await server.said("the certificate was reloaded", from);
    for (const address of [facts.http!, facts.native!, facts.ftps!]) {
      while (await serialAt(address) === before);
    }
  }
  for (const input of inputs) {
    await input.write(half);
    await input.close();
  }
  for (const [i, door] of doors.entries()) {
    const { code, stderr } = await uploads[door].output();
    assert.equal(code, 0, `${door}: ${new TextDecoder().decode(stderr)}`);
    const { size } = await Deno.stat(`${server.data}/homes/anna/${doors[i]}`);
    assert.equal(size, 2 * half.length, door);
  }
});
