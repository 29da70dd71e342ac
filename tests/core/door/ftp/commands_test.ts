/** Tests the replies of each command, to valid and invalid use. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { quota } from "../../../../core/session/quota.ts";
import { fullScope, type Scope } from "../../../../core/storage/scope.ts";
import { Client } from "./_client.ts";
import { Here } from "./_here.ts";

/** Commands, each with the code of its reply. */
type Script = readonly (readonly [line: string, code: number])[];

async function play(client: Client, script: Script): Promise<void> {
  for (const [line, code] of script) await client.ask(line, code);
}

Deno.test("before a login only the commands that need none are served", async () => {
  await using here = await Here.start();
  using client = await Client.open(here);
  await play(client, [
    ["FEAT", 211],
    ["HELP", 214],
    ["HELP stor", 214],
    ["NOOP", 200],
    ["SYST", 215],
    ["STAT", 211],
    ["SITE HELP", 214],
    ["SITE HELP chmod", 214],
    ["OPTS UTF8 ON", 200],
    ["CLNT x", 200],
    ["PASS x", 503],
    ["AUTH KERBEROS", 504],
    ["PBSZ 0", 503],
    ["PROT P", 503],
    ["HELP ?!?", 501],
    ["SITE HELP ?!?", 501],
  ]);
  const needing = "ABOR CDUP PWD PASV EPSV LIST NLST MLSD MLST XPWD XCUP STOU".split(" ");
  for (const verb of needing) {
    assert.equal(await client.ask(verb, 530), "530 Log in with USER and PASS first", verb);
  }
  const taking = "ALLO APPE CWD DELE EPRT MDTM MFMT MKD MODE PORT REST RETR RMD RNFR RNTO SIZE STOR"
    .split(" ");
  for (const verb of [...taking, "STRU", "TYPE", "HASH", "XSHA256", "STAT", "SITE QUOTA"]) {
    await client.ask(`${verb} x`, 530);
  }
  await client.ask("QUIT", 221);
  await client.gone();
});

Deno.test("missing and superfluous arguments are refused", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  const needing = "ALLO APPE DELE EPRT MDTM MFMT MODE MKD OPTS PORT REST RETR RMD RNFR RNTO SITE " +
    "SIZE STOR STRU TYPE USER XMKD XRMD HASH XMD5 AUTH PBSZ PROT ACCT";
  for (const verb of needing.split(" ")) await client.ask(verb, 501);
  for (const verb of "ABOR CDUP FEAT PASV PWD QUIT REIN SYST XCUP XPWD".split(" ")) {
    await client.ask(`${verb} x`, 501);
  }
  await client.ask("PWD", 257);
});

Deno.test("settings accept their values and refuse others", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  await play(client, [
    ...["A", "a n", "I", "L 8", "l8"].map((type) => [`type ${type}`, 200] as const),
    ...["E", "A T", "?!?", "L 9"].map((type) => [`TYPE ${type}`, 504] as const),
    ...["MODE S", "mode s", "STRU F"].map((line) => [line, 200] as const),
    ...["MODE B", "MODE C", "STRU R", "STRU P", "MODE ?!?"].map((line) => [line, 504] as const),
    ["ALLO 100", 200],
    ["ALLO 100 R 10", 200],
    ["ALLO x", 501],
    ["REST 10", 350],
    ["REST", 501],
    ["REST -1", 501],
    ["REST 10.1", 501],
    ["REST x", 501],
    ["TYPE A", 200],
    ["REST 10", 501],
    ["REST 0", 350],
    ["OPTS MLST type;size;", 200],
    ["OPTS MLST nothing;", 501],
    ["OPTS MLST type ;", 501],
    ["OPTS PWD x", 501],
    ["OPTS HASH MD5", 200],
    ["OPTS HASH CRC32", 501],
    ["OPTS UTF8 OFF", 504],
    ["LANG en-GB", 200],
    ["LANG DE", 504],
    ["SITE ?!?", 501],
    ["SITE NONE x", 501],
    ["SITEHELP", 500],
    ["SMNT x", 502],
    ["CCC", 502],
    ["FOO", 500],
    ["", 500],
    ["RNTO x", 503],
  ]);
});

Deno.test("folders can be entered and left, but not above the root", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  await play(client, [
    ["CDUP", 250],
    ["CWD ../../..", 250],
    ["MKD new", 550],
    ["CWD home", 250],
    ['MKD a "b" \'c', 257],
    ['CWD a "b" \'c', 250],
  ]);
  assert.match(await client.ask("PWD", 257), /^257 "\/home\/a ""b"" 'c" /);
  await play(client, [
    ["MKD x/y", 550],
    ["XMKD x", 257],
    ["XMKD x", 550],
    ["CWD /home/../../public/./", 250],
    ["XCWD /home/none", 550],
    ["CWD /etc", 550],
    ['RMD /home/a "b" \'c', 550],
    ['RMD /home/a "b" \'c/x', 250],
    ['RMD /home/a "b" \'c', 250],
    ["RMD /home", 550],
    ["RMD /", 550],
    ["RMD none", 550],
    ["CWD", 250],
  ]);
  assert.match(await client.ask("XPWD", 257), /^257 "\/" /);
});

Deno.test("files can be written, read, renamed, described and removed", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  await client.ask("CWD /home", 250);
  const text = "hello, wörld\n";
  await client.put("STOR f", text);
  assert.equal((await client.get("RETR f")).toString(), text);
  assert.equal(await client.ask("SIZE f", 213), `213 ${new TextEncoder().encode(text).length}`);
  const digest = createHash("sha256").update(text).digest("hex");
  assert.equal(await client.ask("HASH f", 213), `213 SHA-256 0-14 ${digest} f`);
  assert.equal(await client.ask('XSHA256 "f"', 250), `250 ${digest}`);
  assert.match(await client.ask("XMD5 f", 250), /^250 [0-9a-f]{32}$/);
  assert.equal(
    await client.ask("MFMT 20120203040506 f", 213),
    "213 Modify=20120203040506; /home/f",
  );
  assert.equal(await client.ask("MDTM f", 213), "213 20120203040506");
  assert.equal(
    await client.ask("MDTM 20110203040506 f", 213),
    "213 Modify=20110203040506; /home/f",
  );
  assert.equal(await client.ask("MDTM f", 213), "213 20110203040506");
  await client.put("STOR 20100203040506 f", "a name that begins with a time");
  assert.match(await client.ask("MDTM 20100203040506 f", 213), /^213 20(?!1002)/);
  assert.equal(await client.ask("MDTM f", 213), "213 20110203040506");
  await play(client, [
    ["MDTM 20110203040506 none", 550],
    ["MDTM 20111303040506 f", 550],
    ["DELE 20100203040506 f", 250],
    ["SITE UTIME 20130203040506 f", 200],
    ["SITE UTIME  20130203040506 f", 200],
    ["SITE CHMOD 644 f", 200],
    ["SITE CHMOD 888 f", 501],
    ["SITE CHMOD 644 none", 550],
    ["MFMT 20121303040506 f", 501],
    ["MFMT 20260230040506 f", 501],
    ["MFMT 99990101000000 f", 501],
    ["MFMT 20120203040506", 501],
    ["MFMT 20120203040506 none", 550],
    ["MDTM none", 550],
    ["MKD d", 257],
    ["MDTM d", 550],
    ["SIZE d", 550],
    ["SIZE none", 550],
    ["DELE d", 550],
    ["RMD f", 550],
    ["CWD f", 550],
    ["RETR d", 550],
    ["RETR none", 550],
    ["STOR d", 425],
    ["RNFR none", 550],
    ["RNFR f", 350],
    ["RNTO d/g", 250],
    ["RNTO d/h", 503],
    ["RNFR d/g", 350],
    ["RNTO none/g", 550],
    ["RNFR d/g", 350],
    ["RNTO ./", 250],
    ["RNFR g", 350],
    ["RNTO d", 550],
    ["RNFR g", 350],
    ["RNTO d/", 250],
    ["SITE UTIME 19700101000000 d/g", 200],
    ["MFMT 20161231235960 d/g", 213],
    ["MFMT 19700101000000 d/g", 213],
    ["TYPE A", 200],
    ["SIZE d/g", 550],
    ["TYPE I", 200],
    ["DELE d/g", 250],
    ["DELE d/g", 550],
  ]);
  assert.equal(
    await client.ask("MKD none/d", 550),
    "550 /home/none/d: the folder above it does not exist; make it with MKD",
  );
  await client.put("STOR f", "x");
  await client.ask("MKD d/e", 257);
  assert.equal(await client.ask("RMD d", 550), "550 /home/d: the folder is not empty");
  await client.ask("RNFR f", 350);
  assert.equal(await client.ask("RNTO d", 550), "550 /home/d: it is a folder");
  await client.ask("DELE f", 250);
  assert.equal(await client.ask("MDTM f", 550), "550 /home/f: No such file or directory");
});

Deno.test("listings have formats for people and programs, and accept patterns", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  await client.ask("CWD /home", 250);
  await client.ask("MKD d", 257);
  await client.put("STOR a.txt", "a");
  await client.put("STOR b.txt", "bb");
  await client.put("STOR -l", "ccc");
  for (const line of ["MFMT 20010203040506 a.txt", "MFMT 20010203040506 d"]) {
    await client.ask(line, 213);
  }
  const long = await client.lines("LIST -la");
  assert.equal(long.length, 4);
  assert.equal(long[1], "-rw-r--r--   1 anna     barge               1 Feb  3  2001 a.txt");
  assert.match(long[3], /^drwxr-xr-x +2 - +barge +0 Feb {2}3 {2}2001 d$/);
  assert.deepEqual(await client.lines("LIST"), long);
  assert.deepEqual(await client.lines("LIST /home"), long);
  assert.deepEqual(await client.lines("NLST"), ["-l", "a.txt", "b.txt", "d"]);
  assert.deepEqual(await client.lines("NLST -l"), ["-l"]);
  assert.deepEqual(await client.lines("NLST *.txt"), ["a.txt", "b.txt"]);
  assert.deepEqual(await client.lines("NLST /home/[ab].*"), ["/home/a.txt", "/home/b.txt"]);
  assert.deepEqual(await client.lines("NLST *x*y*"), []);
  assert.deepEqual(await client.lines("NLST /"), ["home", "public"]);
  assert.deepEqual(await client.lines("LIST d"), []);
  assert.deepEqual(await client.lines("MLSD d"), []);
  assert.equal((await client.lines("LIST a.txt")).length, 1);
  await client.ask("OPTS MLST type;size;modify;perm;", 200);
  assert.deepEqual((await client.lines("MLSD")).slice(1), [
    "modify=20010203040506;perm=adfrw;size=1;type=file; a.txt",
    (await client.lines("MLSD"))[2],
    "modify=20010203040506;perm=cdeflmp;type=dir; d",
  ]);
  assert.match(
    await client.ask("MLST a.txt", 250),
    /^250-.*\n modify=20010203040506;perm=adfrw;size=1;type=file; \/home\/a\.txt\n250 End$/,
  );
  const perms = async (scope: Partial<Scope>) => {
    const issued = await here.store.tokens.issue(here.session().id, "job", {
      ...fullScope,
      ...scope,
    });
    using job = await Client.open(here, issued!.token!);
    const lines: string[] = [];
    for (const path of ["/home", "/home/a.txt", "/home/d"]) {
      const shown = await job.ask(`MLST ${path}`, 250, 550);
      lines.push(/perm=(\w+);/.exec(shown)?.[1] ?? shown.slice(0, 3));
    }
    return lines;
  };
  assert.deepEqual(await perms({}), ["celmp", "adfrw", "cdeflmp"]);
  assert.deepEqual(await perms({ access: "append-only" }), ["celm", "r", "celm"]);
  assert.deepEqual(await perms({ access: "read-only" }), ["el", "r", "el"]);
  assert.deepEqual(await perms({ path: "/home/d" }), ["el", "550", "cdeflmp"]);
  await client.ask("OPTS MLST", 200);
  assert.match(await client.ask("MLST /", 250), /\n {2}\/\n/);
  assert.match(await client.ask("STAT /home", 213), /\n -rw.* a\.txt\n/);
  for (const line of ["LIST none", "NLST none", "MLST none", "STAT none", "MLSD none"]) {
    assert.match(await client.ask(line, 550), /No such file or directory/);
  }
  await client.ask("MLSD a.txt", 501);
  await client.ask("LIST */*", 504);
});

Deno.test("ALLO reserves bytes, an upload over the quota gets 552, AVBL and SITE QUOTA show the quota", async () => {
  await using here = await Here.start({ limit: 1000 });
  using client = await Client.anna(here);
  await client.ask("CWD /home", 250);
  await client.ask("ALLO 1001", 552);
  await client.put("STOR a", new Uint8Array(400));
  assert.equal(await client.ask("AVBL", 213), "213 600");
  await client.ask("ALLO 601", 200);
  using none = await client.passive();
  await client.ask("STOR b", 552);
  none.end();
  await client.ask("ALLO 500", 200);
  {
    using data = await client.begin("STOR b");
    assert.equal((await quota(here.session())).reserved, 500);
    await data.send(new Uint8Array(300));
    data.end();
    await client.expect(226);
  }
  assert.match(
    await client.ask("SITE QUOTA", 211),
    /used 700\n reserved 0\n limit 1000\n left 300\n/,
  );
  await client.put("STOR c", new Uint8Array(301), 552);
  await client.put("STOR c", new Uint8Array(300));
  assert.equal(await client.ask("AVBL /home", 213), "213 0");
  await client.put("STOR a", new Uint8Array(401), 552);
  assert.equal((await client.get("RETR a")).length, 400);
});

Deno.test("AVBL shows an account without a quota the largest number of 64 bits", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  assert.equal(await client.ask("AVBL", 213), "213 9223372036854775807");
});

Deno.test("in type A lines end in CRLF on the wire, and in LF in files", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  await client.ask("CWD /home", 250);
  await client.ask("TYPE A", 200);
  const lines = Array.from({ length: 60_000 }, (_, i) => `line ${i} of all`);
  await client.put("STOR f", lines.join("\r\n") + "\r\nbare\rend\r");
  assert.equal(Deno.readTextFileSync(here.disk("f")), lines.join("\n") + "\nbare\rend\r");
  assert.equal((await client.get("RETR f")).toString(), lines.join("\r\n") + "\r\nbare\rend\r");
  using data = await client.begin("STOR g");
  for (const piece of ["a\r", "\n", "b\r", "\r\n"]) await data.send(piece);
  data.end();
  await client.expect(226);
  assert.equal(Deno.readTextFileSync(here.disk("g")), "a\nb\r\n");
});

Deno.test("STOU chooses a name that no other file has", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  await client.ask("CWD /home", 250);
  const data = await client.passive();
  const [, name] = /^150 FILE: (\S+)$/.exec(await client.ask("STOU", 150))!;
  await data.send("x");
  data.end();
  await client.expect(226);
  data[Symbol.dispose]();
  assert.equal(Deno.readTextFileSync(here.disk(name)), "x");
  await client.ask("REST 3", 350);
  await client.ask("STOU", 450);
  await client.ask("APPE x", 450);
});

Deno.test("a client can log out, log in to another account, and fail to log in", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  await client.ask("CWD /home", 250);
  await play(client, [["REIN", 220], ["PWD", 530]]);
  await client.login(here.token);
  assert.match(await client.ask("PWD", 257), /"\/"/);
  await play(client, [["USER bob", 331], ["PWD", 530], [`PASS ${here.token}`, 530]]);
  await play(client, [["USER nobody", 331], ["PASS x", 530], ["USER anna", 331]]);
  assert.match(await client.ask("PASS wrong", 530), /goodbye/);
  await client.gone();
});
