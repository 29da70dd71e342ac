import type { Letters } from "../../core/demo/picture/timeline.ts";
import type { Lang } from "../../core/demo/text.ts";
import type { Clock, Drawing, TranslatedEvent } from "../../core/demo/trace.ts";

/** Collects the part of a lesson that runs, for the reporters that draw it. */
export class PictureReporter {
  protected readonly letters: Letters = new Map();
  protected clock: Clock = "lesson";
  protected events: TranslatedEvent[] = [];
  protected lines: Drawing = [];

  /** @param title printed before the first part */
  constructor(protected readonly title: string, protected readonly lang: Lang) {}

  drawing(_part: number, drawing: Drawing): void {
    this.lines = drawing;
  }
}
