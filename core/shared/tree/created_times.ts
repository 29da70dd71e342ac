/** The times when entries were made. Times that are asked for at the same moment are read by one statement. */
import type { Place } from "../../storage/place.ts";
import { Groups } from "../database/groups.ts";
import { encodeName, encodePath } from "../database/name.ts";
import type { Postgres } from "../database/postgres.ts";

export class CreatedTimes {
  readonly #groups: Groups<Place, number | undefined>;

  constructor(db: Postgres) {
    this.#groups = new Groups({ placeOf: (place) => place, run: (places) => read(db, places) });
  }

  /** Returns the time of an entry, in ms since 1970; undefined for none. @throws {BargeError} `unavailable` */
  of(place: Place): Promise<number | undefined> {
    return this.#groups.add(place);
  }
}

async function read(db: Postgres, places: readonly Place[]): Promise<(number | undefined)[]> {
  const dirs = [...new Set(places.map(({ dir }) => dir))];
  const rows = await db.all<{ place: number; created: number }>(
    `WITH dir AS (SELECT i - 1 AS i, folder_at(path) AS id
       FROM jsonb_array_elements_text($1::text::jsonb) WITH ORDINALITY AS t (path, i)),
     place AS (SELECT i - 1 AS i, (value->>0)::int AS dir, decode(value->>1, 'hex') AS name
       FROM jsonb_array_elements($2::text::jsonb) WITH ORDINALITY AS t (value, i))
     SELECT place.i AS place, (extract(epoch FROM created) * 1000)::bigint AS created
     FROM place JOIN dir ON dir.i = place.dir
     JOIN node ON node.parent = dir.id AND node.name = place.name`,
    JSON.stringify(dirs.map(encodePath)),
    JSON.stringify(places.map(({ dir, name }) => [dirs.indexOf(dir), encodeName(name)])),
  );
  const times = new Map(rows.map(({ place, created }) => [place, created]));
  return places.map((_, i) => times.get(i));
}
