/** The events of each door: a file that comes, moves and goes, and a login that fails. */
import assert from "node:assert/strict";
import { type Server, startServer } from "../_server.ts";
import { eager, Peer, text } from "../core/door/_peer.ts";
import { Receiver } from "./_receiver.ts";
import { has } from "./_sftp.ts";

const wrong = "not the secret";

/** A client of a door. Each function fails unless the server does what is asked. */
interface DoorClient {
  readonly put: (name: string) => Promise<void>;
  readonly move: (from: string, to: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** Tries to log in with a wrong password, which must fail. */
  readonly failLogin: () => Promise<void>;
}

/** Makes a client of each door, by the label of the test; an event names the door in `door`. */
const clients: Record<string, { door: string; of: (server: Server, token: string) => DoorClient }> =
  {
    native: { door: "native", of: nativeClient },
    HTTP: {
      door: "http",
      of({ facts }, token) {
        const files = `http://${facts.http}/api/v1/files/home/`;
        return {
          put: (name) => curl(token, ["-f", "-T", "-", files + name]),
          move: (from, to) =>
            curl(token, [
              ...["-f", "--json", JSON.stringify({ from: `/home/${from}`, to: `/home/${to}` })],
              `http://${facts.http}/api/v1/move`,
            ]),
          remove: (name) => curl(token, ["-f", "-X", "DELETE", files + name]),
          failLogin: () => assert.rejects(curl(wrong, ["-f", files])),
        };
      },
    },
    WebDAV: {
      door: "http",
      of({ facts }, token) {
        const files = `http://${facts.http}/dav/home/`;
        return {
          put: (name) => curl(token, ["-f", "-T", "-", files + name]),
          move: (from, to) =>
            curl(token, ["-f", "-X", "MOVE", "-H", `Destination: ${files}${to}`, files + from]),
          remove: (name) => curl(token, ["-f", "-X", "DELETE", files + name]),
          failLogin: () => assert.rejects(curl(wrong, ["-f", "-X", "PROPFIND", files])),
        };
      },
    },
    FTP: {
      door: "ftp",
      of({ facts }, token) {
        const files = `ftp://${facts.ftp}/home/`;
        return {
          put: (name) => curl(token, ["-T", "-", files + name]),
          move: (from, to) =>
            curl(token, [...quotes(`RNFR /home/${from}`, `RNTO /home/${to}`), files]),
          remove: (name) => curl(token, [...quotes(`DELE /home/${name}`), files]),
          failLogin: () => assert.rejects(curl(wrong, [files])),
        };
      },
    },
    SFTP: {
      door: "sftp",
      of({ facts }, token) {
        const files = `sftp://${facts.sftp}/home/`;
        return {
          put: (name) => curl(token, ["-T", "-", files + name]),
          move: (from, to) => curl(token, [...quotes(`rename /home/${from} /home/${to}`), files]),
          remove: (name) => curl(token, [...quotes(`rm /home/${name}`), files]),
          failLogin: () => assert.rejects(curl(wrong, [files])),
        };
      },
    },
  };

Deno.test({
  name: "a webhook gets the events of every door",
  ignore: !has("curl"),
  async fn(t) {
    await using receiver = new Receiver();
    const doors = ["--http", "127.0.0.1:0", "--ftp", "127.0.0.1:0", "--sftp", "127.0.0.1:0"];
    const options = { args: [...receiver.args, ...doors], env: receiver.env };
    await using server = await startServer(options);
    await server.addUser("anna");
    const token = await server.issueToken("anna");
    await receiver.took(({ event }) => event === "account-added");
    for (const [label, { door, of }] of Object.entries(clients)) {
      await t.step(label, async () => {
        const before = receiver.taken.length;
        const client = of(server, token);
        const moved = `${label}-moved`;
        await client.put(label);
        await client.move(label, moved);
        await client.remove(moved);
        await client.failLogin();
        const kinds = () => new Set(receiver.taken.slice(before).map(({ event }) => event));
        await receiver.took(() => kinds().size === 4);
        const facts = receiver.taken.slice(before).map((
          { event, account, path, from, size, door, mechanism },
        ) => JSON.stringify({ event, account, path, from, size, door, mechanism }));
        const account = "anna";
        assert.deepEqual(
          // curl tries a wrong password by SFTP twice: as a password, and by keyboard-interactive.
          [...new Set(facts)].sort(),
          [
            { event: "commit", account, path: `/home/${label}`, size: 4, door },
            { event: "login-failed", account, mechanism: "password" },
            { event: "move", account, path: `/home/${moved}`, from: `/home/${label}`, door },
            { event: "remove", account, path: `/home/${moved}`, door },
          ].map((facts) => JSON.stringify(facts)),
        );
      });
    }
  },
});

function nativeClient({ address }: Server, token: string): DoorClient {
  const ask = async (...pieces: (object | Uint8Array)[]) => {
    using peer = await Peer.open(address, token);
    await peer.ask(...pieces);
  };
  return {
    put: (name) => ask(eager(`/home/${name}`, text("text"))),
    move: (from, to) => ask({ verb: "move", from: `/home/${from}`, to: `/home/${to}` }),
    remove: (name) => ask({ verb: "remove", path: `/home/${name}` }),
    async failLogin() {
      using peer = await Peer.open(address);
      assert.equal((await peer.prove("anna", wrong)).ok, false);
    },
  };
}

/** Runs curl as anna, who sends the bytes `text`. @throws {Error} where curl fails */
async function curl(password: string, args: readonly string[]): Promise<void> {
  const options = ["-sS", "-k", "-m", "60", "-o", "/dev/null", "-u", `anna:${password}`];
  const child = new Deno.Command("curl", {
    args: [...options, ...args],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(text("text"));
  await writer.close();
  const { code, stderr } = await child.output();
  if (code !== 0) throw new Error(`curl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Returns options with which curl sends commands before it lists a folder. */
function quotes(...commands: readonly string[]): string[] {
  return ["-l", ...commands.flatMap((command) => ["-Q", command])];
}
