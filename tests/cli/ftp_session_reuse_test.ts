/** `--ftp-session-reuse`: data connections of clients that take no session tickets. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { has } from "./_ftp.ts";

/** Lists a folder as a client that takes no tickets, and prints the reply. */
const script = `
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.options |= ssl.OP_NO_TICKET
port, token = int(sys.argv[1]), sys.argv[2]
control = socket.create_connection(("127.0.0.1", port), 30)
lines = control.makefile("rb")
def ask(line):
    control.sendall(line.encode() + b"\\r\\n")
    return lines.readline().decode()
lines.readline()
ask("AUTH TLS")
control = context.wrap_socket(control)
lines = control.makefile("rb")
for line in "USER anna", "PASS " + token, "PBSZ 0", "PROT P": ask(line)
data = socket.create_connection(("127.0.0.1", int(ask("EPSV").split("|")[3])), 30)
reply = ask("NLST /")
if reply.startswith("150"):
    try:
        data = context.wrap_socket(data)
        while data.recv(1000): pass
    except OSError:
        pass
    reply = lines.readline().decode()
print(reply[:3])
`;

Deno.test("a client that takes no session tickets transfers nothing under `always`", {
  ignore: !has("python3"),
}, async () => {
  const expected = { tickets: "226", never: "226", always: "522" };
  for (const [value, code] of Object.entries(expected)) {
    await using server = await startServer({
      args: ["--workers", "1", "--ftp", "127.0.0.1:0", "--ftp-session-reuse", value],
    });
    await server.addUser("anna");
    const [, port] = server.facts.ftp!.split(":");
    const { stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", script, port, await server.issueToken("anna")],
    }).output();
    const text = new TextDecoder();
    assert.equal(text.decode(stdout).trim(), code, `${value}: ${text.decode(stderr)}`);
  }
});
