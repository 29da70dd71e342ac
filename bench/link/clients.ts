/** The clients that transfer a file or a tree over the link, with their servers at the far end. */
import { barge } from "../peers/barge.ts";
import { timed } from "../peers/process.ts";
import { type Fleet, sshOptions } from "../peers/servers.ts";
import type { Workspace } from "../peers/workspace.ts";
import type { Bench } from "../program.ts";

/** The names of the file and the tree in the workspace's source. */
export const loads = ["large", "tree"] as const;
export type Load = typeof loads[number];

/** A client of one server. Each call returns seconds. */
export interface Client {
  readonly name: string;
  /** The folder of its server's files, with the loads in `down`, and `up` for uploads. */
  readonly root: string;
  /** @param to the local path of the copy, which does not exist */
  down(load: Load, to: string): Promise<number>;
  /** @param to the name of the copy in `up` */
  up(load: Load, to: string): Promise<number>;
}

/** Returns the path that means a load itself: of a folder its contents, as for rsync. */
function contentsOf(load: Load): string {
  return load === "tree" ? "tree/" : load;
}

/** Returns a client of barge. @param more further options of `put` and `get` */
export function ours(
  name: string,
  { source }: Workspace,
  bench: Bench,
  more: readonly string[] = [],
): Client {
  // With -r, get asks what the name is before it requests a file, which costs a round trip.
  const flags = (load: Load) => load === "tree" ? "-qr" : "-q";
  return {
    name,
    root: bench.home,
    down: (load, to) =>
      barge(bench, ["get", flags(load), `/home/down/${contentsOf(load)}`, to], more),
    up: (load, to) =>
      barge(bench, ["put", flags(load), `${source}/${contentsOf(load)}`, `/home/up/${to}`], more),
  };
}

/** Returns the clients of the peers that are installed and started. */
export function peers(workspace: Workspace, fleet: Fleet): Client[] {
  const { source, root, work, site: { host } } = workspace;
  const { rsync, scp, lftp, rclone } = workspace.tools;
  const clients: (Client | "" | undefined)[] = [
    rsync && fleet.with("rsync", ({ port }) => {
      const url = `rsync://${host}:${port}/root`;
      return {
        name: "rsync daemon, rsync -a",
        root,
        down: (load, to) => timed(rsync, ["-a", `${url}/down/${contentsOf(load)}`, to]),
        up: (load, to) => timed(rsync, ["-a", `${source}/${contentsOf(load)}`, `${url}/up/${to}`]),
      };
    }),
    scp && fleet.with("sshd", ({ port }) => ({
      name: "sshd, scp -r",
      root,
      down: async (load, to) => {
        const from = `${host}:${root}/down/${load}`;
        return await timed(scp, ["-r", ...await sshOptions(workspace, port), from, to]);
      },
      up: async (load, to) => {
        const into = `${host}:${root}/up/${to}`;
        return await timed(scp, [
          "-r",
          ...await sshOptions(workspace, port),
          `${source}/${load}`,
          into,
        ]);
      },
    })),
    lftp && fleet.with("vsftpd", ({ port }) => {
      const script = (line: string) => {
        const settings = "set net:max-retries 1; set ftp:ssl-allow no; set cmd:fail-exit yes; " +
          "set mirror:set-permissions no";
        const open = `open -u anonymous,bench ftp://${host}:${port}`;
        return timed(lftp, ["-c", `${settings}; ${open}; ${line}`], { env: { HOME: work } });
      };
      return {
        name: "vsftpd, lftp mirror -P8",
        root,
        down: (load, to) =>
          script(load === "tree" ? `mirror -P8 /down/tree ${to}` : `get /down/large -o ${to}`),
        up: (load, to) =>
          script(
            load === "tree"
              ? `mirror -R -P8 ${source}/tree /up/${to}`
              : `put ${source}/large -o /up/${to}`,
          ),
      };
    }),
    rclone && fleet.with("rclone", ({ port }) => {
      const copy = (load: Load, from: string, to: string) =>
        timed(rclone, [
          load === "tree" ? "copy" : "copyto",
          "--config",
          `${work}/rclone.conf`,
          "--webdav-url",
          `http://${host}:${port}`,
          "--transfers",
          "32",
          from,
          to,
        ]);
      return {
        name: "rclone serve webdav, rclone --transfers 32",
        root,
        down: (load, to) => copy(load, `:webdav:/down/${load}`, to),
        up: (load, to) => copy(load, `${source}/${load}`, `:webdav:/up/${to}`),
      };
    }),
  ];
  return clients.filter((client) => !!client);
}
