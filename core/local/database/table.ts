import type { Database } from "./database.ts";

/** The base of the classes that read and write tables. */
export class Table {
  protected readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }
}
