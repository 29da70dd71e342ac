/** A connection over another one: subclasses change what is read or written. */
import type { Pipe } from "./stream.ts";

export class PipeOver<Below extends Pipe> implements Pipe {
  protected readonly below: Below;

  constructor(below: Below) {
    this.below = below;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.below.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.below.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.below.closeWrite();
  }

  close(): void {
    this.below.close();
  }
}
