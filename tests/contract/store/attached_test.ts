// deno-lint-ignore-file require-await -- other storage answers later
/** Storage on one machine keeps the promises that every storage makes of WebDAV's locks and properties. */
import { write } from "../../core/_setup.ts";
import { LocalUnderTest } from "./_local.ts";
import { type Attached, attachedContract, type AttachedUnderTest } from "./_suite_attached.ts";

class LocalAttachedUnderTest extends LocalUnderTest implements AttachedUnderTest {
  readonly anna = this.setup.user("anna").id;

  async connect(): Promise<Attached> {
    const { attached, tree } = this.open();
    return { ...attached, tree };
  }

  async write(name: string, content: string): Promise<void> {
    await write(this.setup.login("anna"), `/home/${name}`, content);
  }
}

attachedContract("local", () => Promise.resolve(new LocalAttachedUnderTest()));
