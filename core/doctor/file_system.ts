/** Checks that the data directory is on a disk of this machine, and can be written. */
import { type Mount, mountOf } from "./mounts.ts";
import type { Verdict } from "./finding.ts";
import type { LocalSetup } from "./setup.ts";

/** File systems that are on other machines. */
const network =
  /^(nfs\d?|cifs|smb\d?|smbfs|ceph|afs|9p|glusterfs|lustre|beegfs|virtiofs|ocfs2|gfs2|davfs|fuse\.(sshfs|rclone|s3fs|glusterfs|ceph.*|davfs2?|juicefs|gcsfuse|smbnetfs))$/;
/** File systems whose content does not outlast the machine, or the container. */
const temporary: Readonly<Record<string, string>> = {
  tmpfs: "is in memory, and is lost when the machine stops",
  ramfs: "is in memory, and is lost when the machine stops",
  overlay: "is the layer of a container, and is lost with the container",
};

/** Returns a verdict on the type and the options of the file system that holds the directory. */
export function checkFileSystem({ data }: LocalSetup): Verdict[] {
  const mounts = readMounts();
  if (mounts === undefined) {
    const message = "This system does not show the type of the data directory's file system.";
    return [{ severity: "note", message, path: data }];
  }
  const mount = mountOf(mounts, data);
  return mount ? [judgeMount(mount, data)] : [];
}

/** Returns whether a path is known to be on a file system in memory. */
export function isInMemory(path: string): boolean {
  const type = mountOf(readMounts() ?? "", path)?.type;
  return type === "tmpfs" || type === "ramfs";
}

function readMounts(): string | undefined {
  try {
    return Deno.readTextFileSync("/proc/self/mounts");
  } catch {
    return undefined;
  }
}

/** Judges the file system of a data directory. */
export function judgeMount({ type, folder, options }: Mount, data: string): Verdict {
  if (options.includes("ro")) {
    const message = `The data directory is on ${folder}, which is mounted read-only.`;
    const advice = "Look for errors of the disk in the kernel's log, and mount it writable.";
    return { severity: "bad", message, advice, path: data };
  }
  if (network.test(type)) {
    const message =
      `The data directory is on a network file system (${type}), on which SQLite's locks ` +
      "and shared memory are not reliable.";
    const advice =
      "Move it to a disk of this machine, or use --store and --bucket: docs/cluster.md.";
    return { severity: "bad", message, advice, path: data };
  }
  if (Object.hasOwn(temporary, type)) {
    const message = `The data directory is on ${type}, which ${temporary[type]}.`;
    const advice = "Move it to a disk, or to a volume that is mounted into the container.";
    return { severity: "warn", message, advice, path: data };
  }
  const message = `The data directory is on ${type}, mounted on ${folder}.`;
  return { severity: "ok", message, path: data };
}
