/** Names that are not valid UTF-8, and links and pipes, put into the data directory by hand. */
import assert from "node:assert/strict";
import { type Server, startServer } from "../_server.ts";
import { Open, Type } from "../../core/door/sftp/packet.ts";
import { SftpPeer, SftpStatus } from "../core/door/sftp/_peer.ts";
import { Home, lines } from "./_barge.ts";
import { saveLogin } from "./_logged_in.ts";

async function sh(cwd: string, command: string): Promise<void> {
  const { success } = await new Deno.Command("sh", { args: ["-c", command], cwd }).output();
  assert.ok(success, command);
}

Deno.test("names that no door can show are printed by verify, noted by listings, and never removed", async (t) => {
  await using home = new Home();
  const doors = ["native", "http", "ftp", "sftp"].flatMap((door) => [`--${door}`, "127.0.0.1:0"]);
  await using server = await startServer({ args: doors });
  await server.addUser("anna");
  await saveLogin(home, server, "anna");
  const password = await server.issueToken("anna");
  const env = { BARGE_SERVER: `barge://anna@${server.address}`, BARGE_DATA: server.data };
  const barge = (...args: string[]) => home.barge(args, { env });
  for (const folder of ["d", "d/e", "links", "empty"]) {
    assert.equal((await barge("mkdir", `/home/${folder}`)).code, 0);
  }
  Deno.writeTextFileSync(`${home.path}/f`, "seen");
  assert.equal((await barge("put", "f", "/home/d/e/f")).code, 0);
  const homeOnDisk = `${server.data}/homes/anna`;
  const unseen = `$(printf 'caf\\351')`;
  await sh(`${homeOnDisk}/d/e`, `printf unseen > "${unseen}"`);
  await sh(`${homeOnDisk}/links`, "ln -s /etc/passwd link; mkfifo pipe");
  const isWhole = () =>
    Deno.readTextFileSync(`${homeOnDisk}/d/e/f`) === "seen" && countOf(homeOnDisk) === 2;

  await t.step("verify prints the name, with and without --repair", async () => {
    for (const args of [[], ["--repair"]]) {
      const { code, stdout, stderr } = await barge("verify", ...args);
      assert.equal(code, 13, stderr);
      assert.match(stdout, /^homes\/anna\/d\/e\/caf\ufffd: its name is not valid UTF-8/m);
      assert.match(stderr, /`ls -b` shows them/);
    }
    // Two names that are shown alike, a folder, and one in /public: each is printed once.
    await sh(homeOnDisk, `mkdir "${unseen}"`);
    await sh(server.data, `touch "public/${unseen}" "public/$(printf 'caf\\352')"`);
    for (const args of [[], ["--quick"], ["--repair"]]) {
      const problems = lines(await barge("verify", "--json", ...args))
        .filter(({ type }) => type === "problem");
      assert.deepEqual(
        problems.map(({ kind, path, repaired }) => [kind, path, repaired]).sort(),
        ["homes/anna/caf", "homes/anna/d/e/caf", "public/caf", "public/caf"]
          .map((path) => ["unnamed", `${path}\ufffd`, false]),
      );
    }
    await sh(homeOnDisk, `rmdir "${unseen}"; rm "${server.data}"/public/caf*`);
  });
  await t.step("ls notes the omission, and get -r fails", async () => {
    const left = /left out is 1 name that is not valid UTF-8: e\/caf/;
    const listed = await barge("ls", "-r", "/home/d");
    assert.deepEqual([listed.code, listed.stdout], [0, "e/\ne/f\n"]);
    assert.match(listed.stderr, left);
    const got = await barge("get", "-r", "/home/d", "got");
    assert.equal(got.code, 6, got.stderr);
    assert.match(got.stderr, left);
    assert.equal(Deno.readTextFileSync(`${home.path}/got/d/e/f`), "seen");
    // A file that the source can't list is not removed from the target.
    Deno.writeTextFileSync(`${home.path}/got/d/e/kept`, "");
    await barge("get", "-r", "--delete", "/home/d/", "got/d");
    assert.ok(Deno.statSync(`${home.path}/got/d/e/kept`));
    const links = await barge("get", "-r", "/home/links", "got");
    assert.equal(links.code, 0, links.stderr);
    assert.match(links.stderr, /left out are 2 links or special files, such as (link|pipe)/);
  });
  await t.step("the folder is not removed, copied or packed", async () => {
    const refused = await barge("rm", "-r", "/home/d");
    assert.equal(refused.code, 6, refused.stderr);
    assert.match(refused.stderr, /the name of e\/caf\ufffd in it is not valid UTF-8/);
    const http = httpOf(server, password);
    const destination = { destination: `http://${server.facts.http}/dav/home/copy` };
    const over = { destination: `http://${server.facts.http}/dav/home/d` };
    for (
      const [method, path, headers] of [
        ["DELETE", "/api/v1/files/home/d?recursive=true", {}],
        ["GET", "/api/v1/files/home/d?archive=zip", {}],
        ["GET", "/api/v1/files/?archive=tar", {}],
        ["DELETE", "/dav/home/d/", {}],
        ["COPY", "/dav/home/d/", destination],
        ["MOVE", "/dav/home/empty/", over],
      ] as const
    ) {
      const { status, text } = await http(method, path, headers);
      assert.equal(status, 403, `${method} ${path}: ${text}`);
      assert.match(text, /is not valid UTF-8/, `${method} ${path}`);
    }
    assert.match((await http("GET", "/api/v1/files/home/d/e/")).text, /"omitted":\{"unnamed":1,/);
    await using sftp = await SftpPeer.open(server.facts.sftp!, { username: "anna", password });
    const rmdir = sftp.ask(Type.RMDIR, (p) => p.text("d/e"));
    await assert.rejects(rmdir, (error) => error instanceof SftpStatus);
    const names = await sftp.names("d/e");
    assert.deepEqual([...names.keys()], [".", "..", "f"]);
    assert.ok(isWhole());
  });
  await t.step("a folder that holds only such a name is not empty", async () => {
    await sh(`${homeOnDisk}/empty`, `printf unseen > "${unseen}"`);
    assert.equal((await barge("rm", "/home/empty")).code, 14);
    assert.equal((await barge("rm", "-r", "/home/empty")).code, 6);
    await using sftp = await SftpPeer.open(server.facts.sftp!, { username: "anna", password });
    await sftp.ask(Type.MKDIR, (p) => p.text("other").attrs({}));
    const over = sftp.extended("posix-rename@openssh.com", (p) => p.text("other").text("empty"));
    await assert.rejects(over, (error) => error instanceof SftpStatus);
    await sh(`${homeOnDisk}/empty`, "rm *");
  });
  await t.step(
    "a name with U+FFFD is valid, also beside names that are not UTF-8",
    async () => {
      await using sftp = await SftpPeer.open(server.facts.sftp!, { username: "anna", password });
      await sftp.close(await sftp.open("d/e/caf\ufffd", Open.WRITE | Open.CREAT));
      assert.ok((await sftp.names("d/e")).has("caf\ufffd"));
      const { stderr, stdout } = await barge("ls", "/home/d/e");
      assert.equal(stdout, "caf\ufffd\nf\n");
      assert.match(stderr, /left out is 1 name/);
      assert.equal((await barge("rm", "/home/d/e/caf\ufffd")).code, 0);
      assert.equal(countOf(homeOnDisk), 2);
    },
  );
  await t.step("the name moves with its folder, and rm -r removes links and pipes", async () => {
    assert.equal((await barge("mv", "/home/d", "/home/moved")).code, 0);
    assert.equal(countOf(homeOnDisk), 2);
    assert.equal((await barge("rm", "-r", "/home/links")).code, 0);
    assert.ok(Deno.statSync("/etc/passwd"));
  });
  await t.step("a renamed file can be charged and removed", async () => {
    await sh(`${homeOnDisk}/moved/e`, `mv "${unseen}" named`);
    assert.equal((await barge("verify", "--repair")).code, 0);
    assert.equal((await barge("rm", "-r", "/home/moved")).code, 0);
    assert.equal((await barge("verify")).code, 0);
  });
});

/** Returns the number of files with bytes below a folder. */
function countOf(folder: string): number {
  let count = 0;
  for (const { name, isDirectory, isFile } of Deno.readDirSync(folder)) {
    if (isDirectory) count += countOf(`${folder}/${name}`);
    else if (isFile) count++;
  }
  return count;
}

function httpOf({ facts }: Server, password: string) {
  const authorization = `Basic ${btoa(`anna:${password}`)}`;
  return async (method: string, path: string, headers: Record<string, string> = {}) => {
    const url = `http://${facts.http}${path}`;
    const response = await fetch(url, { method, headers: { authorization, ...headers } });
    return { status: response.status, text: await response.text() };
  };
}
