/**
 * Who is connected to all workers: a worker that is asked can't know, so it asks the supervisor, who
 * asks all the others.
 *
 *   worker --who--> supervisor --who--> each other worker
 *   worker <-here-- supervisor <-here-- each other worker
 *
 * Both ends wait for a bounded time, the supervisor the shorter one, and do with what has come by
 * then: a worker that is dead or busy is left out. Each asker has one question under way at most;
 * who asks meanwhile gets the same answer.
 */
import type { Present } from "../watch/roster.ts";

/** How long the workers are waited for, in ms; and the supervisor, by who asked. */
const workersHave = 1_000;
const supervisorHas = 2_000;
/** Questions of one worker at once: a sound one has one, and may have given up on another. */
const maxQuestions = 4;

/** To a worker: tell who is there; or what the others told. From a worker: the same, turned about. */
export type Gathering =
  | { readonly type: "who"; readonly id: number }
  | { readonly type: "here"; readonly id: number; readonly present: readonly Present[] };

/** What is posted to the other end. */
type Post = (message: Gathering) => void;

interface Waiting {
  /** The one whose answer counts. */
  readonly asked: object;
  answer(present: readonly Present[]): void;
}

/** Questions that wait for their answers, at either end. */
class Questions {
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** @returns what `asked` answers within `ms`; else nobody */
  ask(asked: object, post: Post, ms: number): Promise<readonly Present[]> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      const answer = (present: readonly Present[]) => {
        clearTimeout(late);
        this.#waiting.delete(id);
        resolve(present);
      };
      const late = setTimeout(() => answer([]), ms);
      this.#waiting.set(id, { asked, answer });
      post({ type: "who", id });
    });
  }

  /** Takes an answer; one to a question that another was asked is dropped. */
  answer(from: object, id: number, present: readonly Present[]): void {
    const waiting = this.#waiting.get(id);
    if (waiting?.asked === from) waiting.answer(present);
  }

  /** Waits for nobody any more. */
  stop(): void {
    for (const { answer } of this.#waiting.values()) answer([]);
  }
}

/** The worker's end. */
export class WorkerGatherer {
  readonly #post: Post;
  readonly #here: () => readonly Present[];
  readonly #questions = new Questions();
  #asked: Promise<readonly Present[]> | undefined;

  /**
   * @param post to the supervisor
   * @param here who is connected to this worker
   */
  constructor(post: Post, here: () => readonly Present[]) {
    this.#post = post;
    this.#here = here;
  }

  /** Who is connected to the other workers. */
  others(): Promise<readonly Present[]> {
    this.#asked ??= this.#questions.ask(this, this.#post, supervisorHas)
      .finally(() => this.#asked = undefined);
    return this.#asked;
  }

  /** Takes what the supervisor posted. */
  take(message: Gathering): void {
    if (message.type === "here") this.#questions.answer(this, message.id, message.present);
    else this.#post({ type: "here", id: message.id, present: this.#here() });
  }

  stop(): void {
    this.#questions.stop();
  }
}

/** The supervisor's end, one for all workers. */
export class SupervisorGatherer<W extends { postMessage(message: Gathering): void }> {
  readonly #questions = new Questions();
  /** Questions under way of each worker. */
  readonly #asking = new Map<W, number>();

  /**
   * Takes what a worker posted. A question beyond {@link maxQuestions} of one worker is dropped.
   *
   * @param all the workers, that one among them
   */
  async take(message: Gathering, from: W, all: Iterable<W>): Promise<void> {
    if (message.type === "here") return this.#questions.answer(from, message.id, message.present);
    const asking = this.#asking.get(from) ?? 0;
    if (asking >= maxQuestions) return;
    this.#asking.set(from, asking + 1);
    const others = [...all].filter((worker) => worker !== from);
    const told = await Promise.all(
      others.map((worker) =>
        this.#questions.ask(worker, (question) => worker.postMessage(question), workersHave)
      ),
    );
    const left = this.#asking.get(from)! - 1;
    if (left > 0) this.#asking.set(from, left);
    else this.#asking.delete(from);
    from.postMessage({ type: "here", id: message.id, present: told.flat() });
  }

  stop(): void {
    this.#questions.stop();
  }
}
