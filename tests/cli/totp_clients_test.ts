/** The programs that people have, at the doors of a server, as an account with a second factor. */
import assert from "node:assert/strict";
import { codeAt, stepMs } from "../../core/protocol/totp.ts";
import { startServer } from "../_server.ts";
import { Home } from "./_barge.ts";
import { SharedServerTest } from "./_sftp.ts";

new SharedServerTest("OpenSSH logs in with a second factor").add(
  ["sftp"],
  "sftp asks for the password, then for the code",
  async (at) => {
    const { server, home } = at;
    const secret = await server.enableTotp(at.account);
    const ask = `${home.path}/ask`;
    const script = '#!/bin/sh\ncase "$1" in *Code*) echo "$CODE";; *) echo anna-secret;; esac\n';
    await Deno.writeTextFile(ask, script, { mode: 0o700 });
    const sftp = (method: string, code: string) => {
      const way = ["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"];
      const methods = ["-o", `PreferredAuthentications=${method}`, "-o", "BatchMode=no"];
      const env = { SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: "force", DISPLAY: ":0", CODE: code };
      const args = ["-o", "LogLevel=INFO", ...at.options, ...way, ...methods, at.login];
      return at.run("sftp", args, { stdin: "pwd\n", env });
    };
    const code = codeAt(secret, Date.now());
    const right = await sftp("keyboard-interactive", code);
    assert.equal(right.code, 0, right.stderr);
    assert.match(right.stdout, /Remote working directory: \/home\n/);
    for (const [method, sent] of [["keyboard-interactive", code], ["password", code]]) {
      const refused = await sftp(method, sent);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /Permission denied/);
      const needsCode = /the account needs a code of its second factor \(log in with a token or/;
      assert.equal(needsCode.test(refused.stderr), method === "password", refused.stderr);
    }
    assert.equal((await sftp("keyboard-interactive", codeAt(secret, Date.now() + stepMs))).code, 0);
    assert.match(await at.sftp("pwd"), /\/home\n/); // by the key
  },
);

const programs = ["curl", "lftp", "rclone"];

Deno.test("FTP, WebDAV and Basic refuse the password, name a token, and take it", {
  ignore: programs.some((program) => !has(program)),
}, async () => {
  await using server = await startServer({
    args: ["--http", "127.0.0.1:0", "--ftp", "127.0.0.1:0"],
  });
  await using home = new Home();
  await server.addUser("anna");
  await server.enableTotp("anna");
  const token = await server.issueToken("anna");
  await Deno.writeTextFile(`${home.path}/f`, "hello");
  const run = async (program: string, ...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd: home.path,
      env: { HOME: home.path },
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, said: text(stdout) + text(stderr) };
  };
  const { ftp, http } = server.facts;
  const curl = (secret: string, ...args: string[]) =>
    run("curl", "-sS", "-v", "-m", "60", "-k", "--user", `anna:${secret}`, ...args);

  const ftpPut = ["-T", "f", `ftp://${ftp}/home/by-ftp`];
  const refused = await curl("anna-secret", ...ftpPut);
  assert.notEqual(refused.code, 0);
  assert.match(refused.said, /530 .*needs a code of its second factor.*token/);
  assert.equal((await curl(token, ...ftpPut)).code, 0);
  const lftp = (secret: string) => {
    const open = `open -u anna,${secret} ftp://${ftp}; cat /home/by-ftp`;
    return run("lftp", "-c", `set net:max-retries 1; set ssl:verify-certificate no; ${open}`);
  };
  assert.match((await lftp("anna-secret")).said, /Login failed: 530.*second factor/);
  assert.match((await lftp(token)).said, /hello/);

  const davPut = ["-T", "f", `http://${http}/dav/home/by-dav`];
  const { said } = await curl("anna-secret", ...davPut);
  assert.match(said, /HTTP\/1\.1 401 /);
  assert.match(said, /needs a code of its second factor.*token/);
  assert.match((await curl(token, ...davPut)).said, /HTTP\/1\.1 201 /);
  const api = `http://${http}/api/v1/files/home/by-dav`;
  assert.match((await curl("anna-secret", api)).said, /"kind":"code-needed"/);
  assert.match((await curl(token, api)).said, /hello/);

  const rclone = async (secret: string) => {
    const obscured = (await run("rclone", "obscure", secret)).said.trim();
    const remote = `:webdav,url='http://${http}/dav/',user=anna,pass=${obscured}:home`;
    return await run("rclone", "lsf", "--retries", "1", "--low-level-retries", "1", remote);
  };
  assert.notEqual((await rclone("anna-secret")).code, 0);
  assert.match((await rclone(token)).said, /by-dav\nby-ftp\n/);
});

function has(program: string): boolean {
  return new Deno.Command("which", { args: [program], stdout: "null", stderr: "null" })
    .outputSync().success;
}
