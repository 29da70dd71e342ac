/** Storage on one machine keeps the promises that every storage makes of events. */
import { LocalUnderTest } from "./_local.ts";
import { type Change, eventsContract, type EventsUnderTest } from "./_suite_events.ts";

const renamed = ["renamed", "settled", "committed"] as const;

class LocalEventsUnderTest extends LocalUnderTest implements EventsUnderTest {
  readonly steps = {
    store: [["sealed", "staged", "synced"], renamed],
    commit: [["staged", "synced", "sealed"], renamed],
    move: [["intended"], renamed],
    remove: [["intended"], renamed],
  } as const;
  readonly anna = this.setup.user("anna").id;
  readonly events = this.setup.store.events;
  readonly tree = this.setup.store.tree;
  readonly uploads = this.setup.store.uploads;
  readonly accounts = this.setup.store.people.accounts;
  readonly logins = this.setup.store.people.logins;

  async kill(change: Change, step: string, content: string): Promise<void> {
    await this.runKilled(change, this.anna, step, content);
  }
}

eventsContract("local", async () => {
  const storage = new LocalEventsUnderTest();
  await storage.accounts.makeHome("anna");
  return storage;
});
