/**
 * The Debian package: the executable, a service with a user of its own, an optional socket, its configuration, man
 * pages and completions. dpkg-deb makes the archive; the same content gives the same bytes.
 */
import { join } from "node:path";
import { type License, licenses, licenseText } from "../../cmd/_licenses.ts";
import { type Address, parseAddress } from "../../core/net/address.ts";
import { socketUnit } from "../../core/serve/systemd/socket_unit.ts";
import { systemdUnit } from "../../core/serve/systemd/unit.ts";
import { must } from "../run.ts";
import type { Content } from "./content.ts";
import { type Facts, maintainer, summary } from "./facts.ts";
import { gzipped } from "./gzip.ts";
import { PackageTree } from "./tree.ts";

const templates = join(import.meta.dirname!, "deb");
const config = "/etc/barge/barge.toml";
const data = "/var/lib/barge";
const doc = "/usr/share/doc/barge";
/** How long the service waits for transfers when it stops: the default of `grace`, in seconds. */
const graceSeconds = 30;
/** The permissions of Unix sockets: the default of `socket-mode`. */
const socketMode = 0o660;

/**
 * Writes the package.
 *
 * @param executable the program for /usr/bin/barge
 * @param out the path of the package
 */
export async function writeDeb(
  facts: Facts,
  content: Content,
  executable: string,
  out: string,
): Promise<void> {
  await using tree = await PackageTree.make();
  await tree.copy(executable, "/usr/bin/barge", 0o755);
  await tree.copy(join(templates, "barge.toml"), config);
  await tree.write("/usr/lib/systemd/system/barge.service", packageUnit());
  await tree.write("/usr/lib/systemd/system/barge.socket", await packageSocketUnit());
  for (const [name, text] of content.man) {
    await tree.write(`/usr/share/man/man${name.at(-1)}/${name}.gz`, gzipped(text));
  }
  const { bash, zsh, fish } = content.completions;
  await tree.write("/usr/share/bash-completion/completions/barge", bash);
  await tree.write("/usr/share/zsh/vendor-completions/_barge", zsh);
  await tree.write("/usr/share/fish/vendor_completions.d/barge.fish", fish);
  await tree.write(`${doc}/copyright`, copyright(licenses));
  await tree.write(`${doc}/changelog.gz`, gzipped(debianChangelog(facts)));
  for (const [path, bytes] of content.documents) await tree.write(`${doc}/${path}`, bytes);
  if (await isSelfExtracting(executable)) {
    await tree.copy(join(templates, "lintian-overrides"), "/usr/share/lintian/overrides/barge");
  }
  await tree.write("/DEBIAN/control", control(facts, await installedKiB(tree.root)));
  await tree.write("/DEBIAN/conffiles", `${config}\n`);
  await tree.write("/DEBIAN/md5sums", await md5sums(tree.root));
  for (const name of ["postinst", "prerm", "postrm"]) {
    await tree.copy(join(templates, name), `/DEBIAN/${name}`, 0o755);
  }
  // gzip, since the largest file is compressed already, and since xz splits by the number of cores.
  const options = ["--root-owner-group", "-Zgzip", "-z6", "--build", tree.root, out];
  const env = { SOURCE_DATE_EPOCH: String(facts.commit.time), LC_ALL: "C" };
  await must("dpkg-deb", options, { env });
}

/** Returns whether an executable is a shell script with a payload, as scripts/pack.ts makes it. */
async function isSelfExtracting(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const start = new Uint8Array(2);
  await file.read(start);
  return new TextDecoder().decode(start) === "#!";
}

/** Returns the licenses of all parts, with the reference that Debian asks for in place of a long text. */
function copyright(licenses: readonly License[]): string {
  return licenseText(licenses.map((license) => {
    if (license.license !== "Apache-2.0") return license;
    const [notice] = license.text.split(/^\s*Apache License$/m);
    return { ...license, text: `${notice}See /usr/share/common-licenses/Apache-2.0` };
  }));
}

/** Returns the version in Debian's order, where 1.0~rc.1 is before 1.0. */
export function debianVersion(version: string): string {
  return version.replace("-", "~");
}

/** Returns the unit of `barge serve --print-unit`, with comments that fit a package. */
function packageUnit(): string {
  const unit = systemdUnit({
    program: "/usr/bin/barge",
    args: ["--config", config],
    data,
    user: "barge",
    grace: graceSeconds,
    lowPort: false,
    config,
    files: [],
    secrets: [],
    hooks: [],
  });
  // The comments above its first section describe how to install the unit by hand.
  const [, sections] = unit.split("[Unit]\n");
  return `# \`systemctl edit barge\` changes this for another data directory, ports below 1024 or a longer grace.
[Unit]
Documentation=man:barge-serve(1) man:barge.toml(5)
${sections}`;
}

/** Returns the unit of `barge serve --print-socket` for the doors of the package's configuration. */
async function packageSocketUnit(): Promise<string> {
  const unit = socketUnit(await configuredDoors(), socketMode);
  const [, sections] = unit.split("[Unit]\n");
  return `# systemd holds these sockets while the server restarts, so that no client is refused. To use them:
# \`systemctl stop barge.service; systemctl enable --now barge.socket barge.service\`. Each address must be
# that of a door in ${config}; after a change there:
# barge serve --config ${config} --print-socket >/etc/systemd/system/barge.socket
[Unit]
Documentation=man:barge-serve(1) man:systemd.socket(5)
${sections}`;
}

/** Returns the addresses of the doors that the package's configuration opens. */
async function configuredDoors(): Promise<Address[]> {
  const text = await Deno.readTextFile(join(templates, "barge.toml"));
  return [...text.matchAll(/^(?:native|http) = "(.+)"$/gm)].map(([, address]) =>
    parseAddress(address)
  );
}

function control({ version, architecture }: Facts, installedSize: number): string {
  return `Package: barge
Version: ${debianVersion(version)}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${installedSize}
Depends: adduser, libc6 (>= 2.27), libgcc-s1
Section: net
Priority: optional
Description: ${summary}
 barge moves files between people and machines. One executable is both the
 server and the client. The server has accounts with exact quotas, and speaks
 its own protocol, HTTP (a web page, an API, WebDAV), FTP and SFTP. An upload
 is acknowledged when it is complete, hashed, synced and renamed into place,
 and can be resumed after it was cut off.
 .
 The package starts a server on the loopback addresses of this machine, as a
 user of its own.
`;
}

function debianChangelog({ version, commit }: Facts): string {
  const date = new Date(commit.time * 1000).toUTCString().replace("GMT", "+0000");
  return `barge (${debianVersion(version)}) unstable; urgency=medium

  * Commit ${commit.name}. CHANGELOG.md lists the changes.

 -- ${maintainer}  ${date}
`;
}

/** Returns the sizes of all files, each rounded up to KiB, as dpkg-gencontrol adds them. */
async function installedKiB(root: string): Promise<number> {
  const sizes = await must("find", [root, "-type", "f", "-printf", "%s\n"]);
  return sizes.trim().split("\n").reduce((sum, size) => sum + Math.ceil(Number(size) / 1024), 0);
}

async function md5sums(root: string): Promise<string> {
  const list = "find . -path ./DEBIAN -prune -o -path ./etc -prune -o -type f -printf '%P\\0'";
  const sums = `${list} | sort -z | xargs -0 md5sum`;
  return await must("sh", ["-ec", sums], { cwd: root, env: { LC_ALL: "C" } });
}
