/** Storage on one machine keeps the promises that every storage makes of WebDAV's locks and properties. */
import { Setup, write } from "../../core/_setup.ts";
import { type Attached, attachedContract, type AttachedUnderTest } from "./_suite_attached.ts";

class LocalUnderTest implements AttachedUnderTest {
  readonly #setup = new Setup();
  readonly #stores: Disposable[] = [];
  readonly anna = this.#setup.user("anna").id;

  connect(): Promise<Attached> {
    const store = this.#setup.open();
    this.#stores.push(store);
    return Promise.resolve({ ...store.attached, tree: store.tree });
  }

  async write(name: string, content: string): Promise<void> {
    await write(this.#setup.login("anna"), `/home/${name}`, content);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) store[Symbol.dispose]();
    this.#setup[Symbol.dispose]();
    return Promise.resolve();
  }
}

attachedContract("local", () => Promise.resolve(new LocalUnderTest()));
