/** Time against the files in a folder: uploading them, and listing them through every door. */
import { connect } from "../../core/client/connect.ts";
import { list } from "../../core/client/list.ts";
import { login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import { barge } from "../peers/barge.ts";
import type { Plot } from "../plot.ts";
import { FtpListing, SftpListing, webListing } from "./listings.ts";
import { clocked, sampled, type SampleOptions } from "./sampling.ts";

const maxFiles = { quick: 1000, default: 10_000, full: 100_000 };

export async function growFolder({ size, rounds, start, report }: SampleOptions): Promise<Plot> {
  const local = "127.0.0.1:0";
  await using bench = await start("--http", local, "--ftp", local, "--sftp", local);
  const { facts } = bench;
  const client = await connect(parseRemote(bench.address));
  await login(client, { account: "bench", password: "bench-secret" });
  using ftp = await FtpListing.open(facts.ftp!);
  using sftp = await SftpListing.open(facts.sftp!);
  // Later requests find the password in the server's cache.
  await webListing(facts.http!, "GET", "/home");
  const counts = [];
  for (let n = 10; n <= maxFiles[size]; n *= 10) counts.push(n);
  const lines = await sampled(counts, rounds, async (n, round) => {
    report(`a folder of ${n} files`);
    const path = `/home/${n}`;
    const assertAll = (listed: number) => {
      if (listed !== n) throw new Error(`${listed} of ${n} files were listed`);
    };
    const put: Record<string, number> = round > 0 ? {} : { "put -r": await fill(n, path) };
    return {
      "native": await clocked(async () =>
        assertAll((await Array.fromAsync(list(client, path))).length)
      ),
      "HTTP API": await clocked(async () => assertAll(await webListing(facts.http!, "GET", path))),
      "WebDAV PROPFIND": await clocked(async () =>
        assertAll(await webListing(facts.http!, "PROPFIND", path))
      ),
      "FTP MLSD": await clocked(async () => assertAll(await ftp.count(path))),
      "SFTP readdir": await clocked(async () => assertAll(await sftp.count(path))),
      ...put,
    };
  });
  client.close();
  return { title: "A folder", x: "files in it", y: "ms", lines };

  /** @returns ms */
  async function fill(n: number, path: string): Promise<number> {
    const source = `${bench.folder}/source${n}`;
    await Deno.mkdir(source);
    for (let i = 0; i < n; i++) await Deno.writeTextFile(`${source}/file-${i}`, "x");
    const seconds = await barge(bench, ["put", "-q", "-r", source + "/", path]);
    await Deno.remove(source, { recursive: true });
    return seconds * 1000;
  }
}
