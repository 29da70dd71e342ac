/** The programs that people have, at the FTP door of the real server. */
import assert from "node:assert/strict";
import { parseAddress } from "../../core/net/address.ts";
import { until } from "../_observe.ts";
import { onTwoNodes, startServer } from "../_server.ts";
import { eager, pattern, Peer } from "../core/door/_peer.ts";
import { Client } from "../core/door/ftp/_client.ts";
import { has, SharedServerTest, Stage, startFtpServer } from "./_ftp.ts";

const shared = new SharedServerTest("programs transfer files at the FTP doors of one server");

shared.add("curl: plain, with TLS asked for, inside TLS, in active mode", {
  ignore: !has("curl"),
}, async (stage) => {
  stage.large("big", 3_000_000);
  const plain = `ftp://${stage.server.facts.ftp}/home`;
  const ways: [string, string, string[]][] = [
    ["plain", plain, []],
    ["explicit", plain, ["--ssl-reqd"]],
    ["implicit", `ftps://${stage.server.facts.ftps}/home`, []],
    ["active", plain, ["-P", "127.0.0.1"]],
    ["old", plain, ["-P", "127.0.0.1", "--disable-eprt"]],
    ["four", plain, ["--disable-epsv", "--tls-max", "1.2", "--ssl-reqd"]],
  ];
  for (const [name, url, args] of ways) {
    await stage.curl(...args, "-T", "big", `${url}/${name}`);
    await stage.curl(...args, "-o", "back", `${url}/${name}`);
    await stage.same("big", "back");
  }
  const listed = await stage.curl("-l", `${plain}/`);
  assert.deepEqual(listed.trim().split("\n").map((name) => name.trim()).sort(), [
    ...["active", "explicit", "four", "implicit", "old", "plain"],
  ]);
  assert.match(await stage.curl("-I", `${plain}/plain`), /Content-Length: 3014656/);
});

shared.add(
  "curl -C -: goes on where it was cut, both ways",
  { ignore: !has("curl") },
  async (stage) => {
    const big = stage.large("big", 2_000_000);
    const url = `ftp://${stage.server.facts.ftp}/home/big`;
    await kill(stage, big, url);
    await stage.curl("-C", "-", "-T", "big", url);
    await stage.curl("-o", "back", url);
    await stage.same("big", "back");
    await Deno.truncate(`${stage.folder}/back`, 700_000);
    await stage.curl("-C", "-", "-o", "back", url);
    await stage.same("big", "back");
  },
);

shared.add("curl: killed in the midst of plain uploads, it replaces no file", {
  ignore: !has("curl"),
}, async (stage) => {
  const big = stage.large("big", 2_000_000);
  Deno.writeTextFileSync(`${stage.folder}/old`, "the old file");
  const url = `ftp://${stage.server.facts.ftp}/home/big`;
  await stage.curl("-T", "old", url);
  for (let i = 0; i < 5; i++) {
    await kill(stage, big, url);
    assert.equal(await stage.curl(url), "the old file");
  }
  await stage.curl("-T", "big", url);
  await stage.curl("-o", "back", url);
  await stage.same("big", "back");
});

shared.add(
  "an upload below a file is refused before its data, also by a confined worker",
  {},
  async (stage) => {
    using client = await Client.open(parseAddress(stage.server.facts.ftp!));
    await client.login(stage.token, stage.account);
    await client.put("STOR /home/plain", "a file");
    for (const [verb, before] of [["STOR"], ["APPE"], ["STOR", "REST 3"], ["STOR", "ALLO 9"]]) {
      await client.ask("TYPE I", 200);
      using _data = await client.passive();
      if (before) await client.ask(before, 200, 350);
      await client.ask(`${verb} /home/plain/x`, 550);
    }
    await client.ask("SIZE /home/plain/x", 550);
    assert.match(await client.ask("SITE QUOTA", 211), /used 6\n reserved 0\n/);
  },
);

shared.add("lftp: a hundred files there and back, in parallel, and with TLS", {
  ignore: !has("lftp"),
}, async (stage) => {
  stage.tree("tree", 4, 30);
  await stage.lftp("set ftp:ssl-allow no; mirror -R -P 4 tree /home/tree");
  await stage.lftp("set ftp:ssl-allow no; mirror -P 4 /home/tree back");
  await stage.same("tree", "back");
  const [{ mtime: there }, { mtime: here }] = ["back", "tree"].map((name) =>
    Deno.statSync(`${stage.folder}/${name}/folder 3 ü/file 4`)
  );
  assert.equal(Math.floor(there!.getTime() / 1000), Math.floor(here!.getTime() / 1000));
  stage.tree("few", 2, 8);
  const tls = "set ftp:ssl-force yes; set ftp:ssl-protect-data yes";
  await stage.lftp(`${tls}; mirror -R -P 3 few /home/few; mirror /home/few few2`);
  await stage.same("few", "few2");
  assert.match(await stage.lftp("cls -1 /home"), /few\/?\n.*tree/);
});

shared.add("lftp: names with control characters, there and back, renamed and removed", {
  ignore: !has("lftp"),
}, async (stage) => {
  Deno.mkdirSync(`${stage.folder}/tree/d\te`, { recursive: true });
  for (const name of ["a\tb", "a?b", "c\x1bd", "e\x7ff", "g\u0085h", "d\te/i\u2028j"]) {
    Deno.writeTextFileSync(`${stage.folder}/tree/${name}`, name);
  }
  for (const [i, facts] of ["off", "on"].entries()) {
    const plain = `set ftp:ssl-allow no; set ftp:use-mlsd ${facts}`;
    await stage.lftp(`${plain}; mirror -R tree /home/tree; mirror /home/tree back${i}`);
    await stage.same("tree", `back${i}`);
    await stage.lftp(`${plain}; mv "/home/tree/a\tb" "/home/tree/k\tl"; rm -r /home/tree`);
    assert.equal(await stage.lftp("set ftp:ssl-allow no; cls -1 /home"), "");
  }
});

Deno.test("lftp: README's block works as it stands", { ignore: !has("lftp") }, async () => {
  const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  const [, serve, command] =
    /^ {4}\$ barge serve (--ftp \S+)\n {4}\$ (lftp (?:[^\n]*\\\n)*[^\n]*)\n/m.exec(readme)!;
  const home = await Deno.makeTempDir({ prefix: "barge-ftp-readme-" });
  try {
    const data = `${home}/.local/share/barge`;
    const args = serve.replace(":2121", ":0").split(" ");
    await using server = await startServer({ data, args });
    await server.addUser("alice");
    Deno.mkdirSync(`${home}/photos`);
    for (const name of ["1", "2", "3"]) Deno.writeTextFileSync(`${home}/photos/${name}.jpg`, name);
    const line = command.replace("-u alice", "-u alice,alice-secret")
      .replace("127.0.0.1:2121", server.facts.ftp!);
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", line],
      cwd: home,
      env: { HOME: home },
      stdin: "null",
    }).output();
    const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(code, 0, said);
    assert.match(out, /^-rw-r--r-- +1 alice +barge +1 \w+ +\d+ \d\d:\d\d 3\.jpg$/m, said);
    assert.equal(Deno.readTextFileSync(`${data}/homes/alice/album/3.jpg`), "3");
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

shared.add("wget, and a tree of it", { ignore: !has("wget") }, async (stage) => {
  stage.large("big", 1_000_000);
  const { ftp, ftps } = stage.server.facts;
  const url = (at: string) => `${at}/home`;
  const up = `ftp://${ftp}/home/`;
  await stage.curl("-T", "big", up);
  using peer = await Peer.open(stage.server.address, stage.token);
  const files = Array.from({ length: 10 }, (_, f) => f);
  for (const d of [0, 1]) {
    const folder = `/home/tree/folder ${d} ü`;
    await peer.ask({ verb: "mkdir", path: folder, parents: true });
    for (const f of files) await peer.ask(eager(`${folder}/file ${f}`, pattern(f * 101, d)));
  }
  const login = [
    `--user=${stage.account}`,
    `--password=${stage.token}`,
    "--no-check-certificate",
    "-q",
    "-t",
    "1",
  ];
  await stage.run("wget", [...login, "-r", "-nH", "--cut-dirs=1", url(`ftp://${ftp}`) + "/tree/"]);
  await stage.run("wget", [...login, "-O", "b1", `ftps://${ftp}/home/big`]);
  await stage.run("wget", [...login, "--ftps-implicit", "-O", "b2", `ftps://${ftps}/home/big`]);
  await stage.same("big", "b1");
  await stage.same("big", "b2");
  for (const d of [0, 1]) {
    const read = (f: number) => Deno.readFileSync(`${stage.folder}/tree/folder ${d} ü/file ${f}`);
    assert.deepEqual(files.map(read), files.map((f) => pattern(f * 101, d)));
  }
});

shared.add("Python's ftplib, plain and with TLS", { ignore: !has("python3") }, async (stage) => {
  const script = `
import ftplib, io, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
class Resuming(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        return conn, size
for kind in "plain", "tls":
    ftp = ftplib.FTP() if kind == "plain" else Resuming(context=context)
    ftp.connect("127.0.0.1", int(sys.argv[1]), timeout=30)
    ftp.login(sys.argv[2], sys.argv[3])
    if kind == "tls": ftp.prot_p()
    ftp.cwd("/home")
    ftp.mkd(kind)
    ftp.cwd(kind)
    assert ftp.pwd() == "/home/" + kind, ftp.pwd()
    data = bytes(range(256)) * 4000
    ftp.storbinary("STOR a", io.BytesIO(data))
    got = []
    ftp.retrbinary("RETR a", got.append, rest=1000)
    assert b"".join(got) == data[1000:]
    assert ftp.size("a") == len(data)
    ftp.storlines("STOR lines", io.BytesIO(b"one\\ntwo\\n"))
    lines = []
    ftp.retrlines("RETR lines", lines.append)
    assert lines == ["one", "two"], lines
    assert sorted(ftp.nlst()) == ["a", "lines"]
    assert {name: facts["type"] for name, facts in ftp.mlsd(facts=["type"])} == {"a": "file", "lines": "file"}
    ftp.sendcmd("TYPE I")
    conn = ftp.transfercmd("RETR a")
    conn.recv(100)
    ftp.abort() if kind == "plain" else ftp.sendcmd("NOOP")
    conn.close()
    if kind == "tls":
        ftp.close()
        continue
    assert ftp.getresp()[:3] in ("225", "226")
    ftp.rename("a", "b")
    ftp.delete("b")
    ftp.delete("lines")
    ftp.cwd("..")
    ftp.rmd(kind)
    ftp.quit()
print("done")
`;
  assert.equal(
    await stage.run("python3", ["-c", script, stage.port, stage.account, "anna-secret"]),
    "done\n",
  );
});

Deno.test("rclone's ftp backend, plain and with TLS", { ignore: !has("rclone") }, async () => {
  // Its connections share TLS sessions, which no worker or node resumes for another one.
  const options = onTwoNodes ? ["--ftp-session-reuse", "never"] : [];
  await using server = await startFtpServer(1, options);
  await using stage = await Stage.open(server, "anna");
  stage.tree("tree", 3, 8);
  const hidden = (await stage.run("rclone", ["obscure", stage.token])).trim();
  for (const tls of ["false", "true"]) {
    const env = {
      ...{ RCLONE_CONFIG_BOX_TYPE: "ftp", RCLONE_CONFIG_BOX_HOST: "127.0.0.1" },
      ...{ RCLONE_CONFIG_BOX_PORT: stage.port, RCLONE_CONFIG_BOX_USER: "anna" },
      ...{ RCLONE_CONFIG_BOX_PASS: hidden, RCLONE_CONFIG_BOX_EXPLICIT_TLS: tls },
      ...{ RCLONE_CONFIG_BOX_NO_CHECK_CERTIFICATE: "true", RCLONE_CONFIG: "" },
    };
    await stage.run("rclone", ["copy", "tree", `box:home/${tls}`], env);
    await stage.run("rclone", ["copy", `box:home/${tls}`, `back-${tls}`], env);
    await stage.same("tree", `back-${tls}`);
    await stage.run("rclone", ["purge", `box:home/${tls}`], env);
  }
});

shared.add("tnftp: put, get, mput, mget", { ignore: !has("tnftp") }, async (stage) => {
  stage.large("big", 1_000_000);
  for (const name of ["one.txt", "two.txt"]) {
    Deno.writeTextFileSync(`${stage.folder}/${name}`, `${name}\n`);
  }
  stage.netrc();
  const words = [
    `open 127.0.0.1 ${stage.port}`,
    ...["cd /home", "put big", "get big back", "mput *.txt", "mkdir d", "cd d"],
    ...["put one.txt", "cd ..", "lcd down", "mget *.txt", "passive", "ls", "bye"],
  ];
  Deno.mkdirSync(`${stage.folder}/down`);
  Deno.writeTextFileSync(`${stage.folder}/words`, words.join("\n") + "\n");
  await stage.run("sh", ["-c", "tnftp -i < words"]);
  await stage.same("big", "back");
  await stage.same("two.txt", "down/two.txt");
});

/** Kills curl in the midst of an upload, and waits until the server has noticed. */
async function kill(stage: Stage, file: string, url: string): Promise<void> {
  const curl = new Deno.Command("curl", {
    args: [
      "-sS",
      "-k",
      "--user",
      `${stage.account}:${stage.token}`,
      "--limit-rate",
      "500k",
      "-T",
      file,
      url,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const { server } = stage;
  await until(async () => await server.heldUploads() > 0 && await server.stagedBytes() > 200_000);
  curl.kill("SIGKILL");
  await curl.status;
  await until(async () => await server.heldUploads() === 0);
}
