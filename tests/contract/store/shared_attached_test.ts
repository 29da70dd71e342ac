/** Storage that many machines share keeps the promises that every storage makes of locks and properties. */
import { SharedUploads } from "../../../core/shared/upload/uploads.ts";
import { hasEngines, SharedSetup } from "./_shared.ts";
import { type Attached, attachedContract, type AttachedUnderTest } from "./_suite_attached.ts";
import { store, text } from "./_suite_uploads.ts";

class SharedUnderTest implements AttachedUnderTest {
  readonly #setup: SharedSetup;
  readonly anna: number;

  constructor(setup: SharedSetup, anna: number) {
    this.#setup = setup;
    this.anna = anna;
  }

  connect(): Promise<Attached> {
    const { attached, tree } = this.#setup.node();
    return Promise.resolve({ ...attached, tree });
  }

  async write(name: string, content: string): Promise<void> {
    const path = `homes/anna/${name}`;
    const cut = path.lastIndexOf("/");
    const place = { dir: path.slice(0, cut), name: path.slice(cut + 1) };
    await store(new SharedUploads(this.#setup.first), this.anna, text(content), place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#setup[Symbol.asyncDispose]();
  }
}

if (hasEngines) {
  attachedContract("shared", async () => {
    const setup = await SharedSetup.make();
    return new SharedUnderTest(setup, await setup.addAccount("anna", null));
  });
}
