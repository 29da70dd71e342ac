/** The rights of an append-only token at each door, tried with curl. */
import assert from "node:assert/strict";
import { pattern } from "../core/door/_peer.ts";
import { barge, type Server, startServer } from "../_server.ts";
import { Home } from "./_barge.ts";
import { has } from "./_sftp.ts";

const doors = ["http", "ftp", "sftp"] as const;
const old = pattern(1000);

/** A server with a file in the home of anna, and an append-only token of hers. */
class Stage implements AsyncDisposable {
  private constructor(readonly server: Server, readonly home: Home, readonly token: string) {}

  static async open(): Promise<Stage> {
    const args = doors.flatMap((door) => [`--${door}`, "127.0.0.1:0"]);
    const server = await startServer({ args: [...args, "--workers", "2"] });
    const home = new Home();
    await server.addUser("anna");
    await Deno.writeFile(`${home.path}/old`, old);
    await Deno.writeFile(`${home.path}/new`, pattern(2000, 7));
    const remote = ["--server", `barge://anna@${server.address}`];
    const env = { BARGE_PASSWORD: await server.issueToken("anna") };
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await home.barge([...args, ...remote], { env });
      assert.equal(code, 0, stderr);
      return stdout.trim();
    };
    await run("put", "old", "/home/old");
    await run("mkdir", "/home/folder");
    return new Stage(server, home, await run("token", "add", "job", "--append-only"));
  }

  /** Runs curl. @returns whether the server did what it asked for */
  async curl(args: readonly string[]): Promise<boolean> {
    const login = ["--user", `anna:${this.token}`];
    const options = ["-sS", "-k", "-m", "60", "--fail-with-body", ...login];
    const { code } = await new Deno.Command("curl", {
      args: [...options, ...args],
      cwd: this.home.path,
      stdout: "null",
      stderr: "null",
    }).output();
    return code === 0;
  }

  read(name: string): Uint8Array {
    return Deno.readFileSync(`${this.server.data}/homes/anna/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.home[Symbol.asyncDispose]();
  }
}

/** Arguments of curl at a door: those that must be refused, and those that must succeed. */
interface Attempts {
  readonly refused: readonly (readonly string[])[];
  readonly done: readonly (readonly string[])[];
}

function attemptsOf({ facts }: Server): Record<string, Attempts> {
  const [http, ftp, sftp] = [facts.http!, facts.ftp!, facts.sftp!];
  const api = `http://${http}/api/v1`;
  const dav = `http://${http}/dav/home`;
  const json = (path: string, value: object) => ["--json", JSON.stringify(value), `${api}${path}`];
  const tus = ["-H", "Tus-Resumable: 1.0.0"];
  const body = ["-H", "Content-Type: application/offset+octet-stream", "--data-binary", "@new"];
  const to = (target: string) => ["-H", `Destination: ${target}`, "-H", "Overwrite: T"];
  const quote = (...lines: string[]) => lines.flatMap((line) => ["-Q", line]);
  return {
    http: {
      refused: [
        ["-T", "new", `${api}/files/home/old`],
        ["-T", "new", "-H", "If-Match: *", `${api}/files/home/old`],
        ["-X", "DELETE", `${api}/files/home/old`],
        ["-X", "DELETE", `${api}/files/home/folder?recursive`],
        json("/move", { from: "/home/old", to: "/home/moved" }),
        json("/copy", { from: "/home/folder/http", to: "/home/old", overwrite: "always" }),
        json("/tokens", { label: "wider" }),
        json("/shares", { path: "/home/old" }),
        ["-X", "POST", ...tus, "-H", "Upload-Length: 2000", ...body, `${api}/uploads/home/old`],
        ["-X", "PATCH", ...tus, "-H", "Upload-Offset: 1000", ...body, `${api}/uploads/home/old`],
      ],
      done: [
        ["-T", "new", `${api}/files/home/folder/http`],
        json("/copy", { from: "/home/old", to: "/home/folder/copied" }),
        json("/mkdir", { path: "/home/folder/http.d" }),
        ["-X", "POST", ...tus, "-H", "Upload-Length: 2000", ...body, `${api}/uploads/home/tus`],
      ],
    },
    webdav: {
      refused: [
        ["-T", "new", `${dav}/old`],
        ["-X", "DELETE", `${dav}/old`],
        ["-X", "MOVE", ...to(`${dav}/moved`), `${dav}/old`],
        ["-X", "COPY", ...to(`${dav}/old`), `${dav}/folder/http`],
        ["-X", "LOCK", "-d", lockBody, `${dav}/old`],
        ["-X", "PROPPATCH", "-d", propertyBody, `${dav}/old`],
      ],
      done: [
        ["-T", "new", `${dav}/folder/webdav`],
        ["-X", "MKCOL", `${dav}/folder/webdav.d`],
        ["-X", "COPY", "-H", `Destination: ${dav}/folder/dav-copy`, `${dav}/old`],
      ],
    },
    ftp: {
      refused: [
        ["-T", "new", `ftp://${ftp}/home/old`],
        ["--append", "-T", "new", `ftp://${ftp}/home/old`],
        ["-C", "1000", "-T", "new", `ftp://${ftp}/home/old`],
        [...quote("DELE /home/old"), `ftp://${ftp}/`],
        [...quote("RMD /home/folder"), `ftp://${ftp}/`],
        [...quote("RNFR /home/old", "RNTO /home/moved"), `ftp://${ftp}/`],
        [...quote("MFMT 20200101000000 /home/old"), `ftp://${ftp}/`],
      ],
      done: [
        ["-T", "new", `ftp://${ftp}/home/folder/ftp`],
        [...quote("MKD /home/folder/ftp.d"), `ftp://${ftp}/`],
      ],
    },
    sftp: {
      refused: [
        ["-T", "new", `sftp://${sftp}/home/old`],
        ["--append", "-T", "new", `sftp://${sftp}/home/old`],
        ["-C", "1000", "-T", "new", `sftp://${sftp}/home/old`],
        [...quote("rm /home/old"), `sftp://${sftp}/`],
        [...quote("rmdir /home/folder"), `sftp://${sftp}/`],
        [...quote("rename /home/old /home/moved"), `sftp://${sftp}/`],
        [...quote(`mtime "Thu, 01 Jan 2020 00:00:00 GMT" /home/old`), `sftp://${sftp}/`],
      ],
      done: [
        ["-T", "new", `sftp://${sftp}/home/folder/sftp`],
        [...quote("mkdir /home/folder/sftp.d"), `sftp://${sftp}/`],
      ],
    },
  };
}

const lockBody = `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope>
  <locktype><write/></locktype></lockinfo>`;
const propertyBody = `<propertyupdate xmlns="DAV:"><set><prop><c xmlns="urn:x">red</c></prop></set>
  </propertyupdate>`;

Deno.test({
  name: "curl with an append-only token adds names at every door, and changes no file or folder",
  ignore: !has("curl"),
  async fn(t) {
    await using stage = await Stage.open();
    for (const [door, { refused, done }] of Object.entries(attemptsOf(stage.server))) {
      await t.step(door, async () => {
        for (const args of done) assert.equal(await stage.curl(args), true, args.join(" "));
        for (const args of refused) assert.equal(await stage.curl(args), false, args.join(" "));
        assert.deepEqual(stage.read("old"), new Uint8Array(old));
        assert.equal(stage.read(`folder/${door}`).length, 2000);
      });
    }
    const data = ["--data", stage.server.data];
    assert.equal((await barge(["verify", ...data])).code, 0);
  },
});
