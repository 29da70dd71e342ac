import { dirname, join } from "node:path";

/**
 * A temporary folder that becomes an archive. The modes of its files do not depend on the umask. Dispose it after
 * the archive is made.
 */
export class PackageTree implements AsyncDisposable {
  private constructor(readonly root: string) {}

  static async make(): Promise<PackageTree> {
    const tree = new PackageTree(await Deno.makeTempDir({ prefix: "barge-package-" }));
    await Deno.chmod(tree.root, 0o755);
    return tree;
  }

  /** Writes a text or bytes. @param path relative, or absolute as on the machine that installs it */
  async write(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const target = await this.#place(path);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(target, bytes);
    await Deno.chmod(target, mode);
  }

  /** Copies a file. */
  async copy(source: string, path: string, mode = 0o644): Promise<void> {
    const target = await this.#place(path);
    await Deno.copyFile(source, target);
    await Deno.chmod(target, mode);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }

  /** Makes the folders above a path, which all users can read. @returns the path in the temporary folder */
  async #place(path: string): Promise<string> {
    const names = dirname(path).split("/").filter((name) => name !== "" && name !== ".");
    for (let i = 1; i <= names.length; i++) {
      const folder = join(this.root, ...names.slice(0, i));
      await Deno.mkdir(folder, { recursive: true });
      await Deno.chmod(folder, 0o755);
    }
    return join(this.root, path);
  }
}
