/** ABOR as clients send it: behind Telnet's IP and DM, a byte of which is urgent data. */
import assert from "node:assert/strict";
import { sizeOf, until } from "../_observe.ts";
import { onTwoNodes } from "../_server.ts";
import { has, SharedServerTest, type Stage } from "./_ftp.ts";

const shared = new SharedServerTest("an aborted transfer leaves the FTP connection in step");

/** Each way to send it: the replies, and whether the connection goes on. */
const script = `
import socket, sys
IAC, IP, DM, OOB = b"\\xff", b"\\xf4", b"\\xf2", socket.MSG_OOB
def tnftp(s): s.send(IAC + IP + IAC, OOB); s.sendall(DM + b"ABOR\\r\\n")
def together(s): s.send(IAC + IP + IAC + DM, OOB); s.sendall(b"ABOR\\r\\n")
def lftp(s): s.sendall(IAC + IP + IAC); s.send(DM, OOB); s.sendall(b"ABOR\\r\\n")
def ftplib(s): s.send(b"ABOR\\r\\n", OOB)
def pipelined(s): s.send(b"ABOR\\r\\n", OOB); s.sendall(b"NOOP\\r\\n")
def behind(s): s.sendall(b"NOOP\\r\\n" + IAC + IP); s.send(IAC + DM, OOB); s.sendall(b"ABOR\\r\\n")
ways = [tnftp, "426 226"], [together, "426 226"], [lftp, "426 226"], [ftplib, "426 226"], \\
    [pipelined, "426 226 200"], [behind, "200 426 226"]
for send, expected in ways:
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = s.makefile("rb")
    def reply(): return lines.readline().decode()
    def ask(line): s.sendall(line.encode() + b"\\r\\n"); return reply()
    reply(); ask("USER " + sys.argv[2]); ask("PASS " + sys.argv[3]); ask("TYPE I")
    port = int(ask("EPSV").split("|||")[1].split("|")[0])
    data = socket.create_connection(("127.0.0.1", port))
    assert ask("RETR /home/big")[:3] == "150"
    data.recv(1000)
    try:
        send(s)
        replies = " ".join(reply()[:3] for _ in expected.split())
        assert replies == expected, replies
        assert ask("PWD")[:3] == "257"
    except TimeoutError:
        print(send.__name__, "was not answered")
    data.close()
    s.close()
print("done")
`;

shared.add("ABOR with urgent data is answered, whatever part of it is urgent", {
  ignore: !has("python3") || onTwoNodes, // the balancer of the tests drops the urgent mark
}, async (stage) => {
  await big(stage);
  assert.equal(
    await stage.run("python3", ["-c", script, stage.port, stage.account, stage.token]),
    "done\n",
  );
});

shared.add("tnftp: Ctrl-C ends a download, and the connection goes on", {
  ignore: !has("tnftp"),
}, async (stage) => {
  await big(stage);
  stage.netrc();
  const words = [
    ...[`open 127.0.0.1 ${stage.port}`, "cd /home", "rate get 500000", "get big back"],
    ...["rate get 0", "get big again", "bye"],
  ];
  Deno.writeTextFileSync(`${stage.folder}/words`, words.join("\n") + "\n");
  const child = new Deno.Command("sh", {
    args: ["-c", "exec tnftp -i -v < words"],
    cwd: stage.folder,
    env: { HOME: stage.folder },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const output = child.output();
  await until(() => sizeOf(`${stage.folder}/back`) > 0);
  child.kill("SIGINT");
  const { code, stdout } = await output;
  assert.equal(code, 0, new TextDecoder().decode(stdout));
  await stage.same("big", "again");
});

shared.add("lftp: a reader that ends a download early leaves the connection in step", {
  ignore: !has("lftp"),
}, async (stage) => {
  await big(stage);
  const log = `${stage.folder}/log`;
  const listed = await stage.lftp(
    `debug -o ${log} 9; set ftp:ssl-allow no; cd /home; cat big | head -c 100 | wc -c; cls -1`,
  );
  assert.deepEqual(listed.split("\n").map((line) => line.trim()), ["100", "big", ""]);
  const told = Deno.readTextFileSync(log);
  assert.match(told, /ABOR/);
  assert.equal(told.match(/<--- 220 /g)?.length, 1, told);
});

/** Puts a file there that no buffer holds. */
async function big(stage: Stage): Promise<void> {
  stage.large("big", 30_000_000);
  await stage.curl("-T", "big", `ftp://${stage.server.facts.ftp}/home/`);
}
