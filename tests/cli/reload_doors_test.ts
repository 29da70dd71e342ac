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

/** More than the buffers of a pipe and of sockets on this machine hold. */
const downloadBytes = 24_000_000;

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
  name: "an upload and a download at each door go on over SIGHUP with a renewed certificate",
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
  const token = await server.issueToken("anna");
  const curl = (stdin: "piped" | "null", ...args: string[]) =>
    new Deno.Command("curl", {
      args: ["-sS", "--insecure", "--fail", "-u", `anna:${token}`, ...args],
      stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const password = `${home.path}/password`;
  await Deno.writeTextFile(password, `${token}\n`);
  const login = ["--server", `anna@${facts.native}`, "--tls", "--password-file", password];
  const urls: Record<Exclude<typeof doors[number], "native">, string> = {
    http: `https://${facts.http}/api/v1/files/home/`,
    ftp: `ftp://${facts.ftp}/home/`,
    ftps: `ftps://${facts.ftps}/home/`,
    sftp: `sftp://${facts.sftp}/home/`,
  };
  const uploads = doors.map((door) =>
    door === "native"
      ? home.spawn(["put", "-", "/home/native", ...login], { stdin: "" })
      : curl("piped", "--ssl", "-T", "-", urls[door] + door)
  );
  await Deno.mkdir(`${server.data}/homes/anna`, { recursive: true });
  await Deno.writeFile(`${server.data}/homes/anna/large`, new Uint8Array(downloadBytes));
  const downloads = doors.map((door) =>
    door === "native"
      ? home.spawn(["get", "/home/large", "-", ...login])
      : curl("null", "--ssl", `${urls[door]}large`)
  );
  const outputs = downloads.map(({ stdout }) => stdout.getReader());
  const begun = await Promise.all(outputs.map((output) => output.read()));
  const half = new Uint8Array(400_000).fill(1);
  const inputs = uploads.map(({ stdin }) => stdin.getWriter());
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
    const { code, stderr } = await uploads[i].output();
    assert.equal(code, 0, `${door}: ${new TextDecoder().decode(stderr)}`);
    const { size } = await Deno.stat(`${server.data}/homes/anna/${door}`);
    assert.equal(size, 2 * half.length, door);
    let received = begun[i].value?.length ?? 0;
    for (let piece; (piece = (await outputs[i].read()).value);) received += piece.length;
    assert.equal(received, downloadBytes, door);
    const failure = await new Response(downloads[i].stderr).text();
    assert.equal((await downloads[i].status).code, 0, `${door}: ${failure}`);
  }
});
