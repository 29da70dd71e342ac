/** A migration that kills itself: `to|from DATA STEP/TIME OPTIONS`. */
import { toDirectory } from "../../../core/migrate/to_directory.ts";
import { toShared } from "../../../core/migrate/to_shared.ts";
import { SharedStorage } from "../../../core/shared/storage.ts";
import { arm } from "../../../core/storage/fault.ts";

const [direction, data, step, json] = Deno.args;
const options = JSON.parse(json);
const address = "postgres://db:5432/files and https://box/bytes/";
await using shared = new SharedStorage({ ...options, key: new Uint8Array(options.key) }, () => 9);

const [point, time] = step.split("/");
let times = 0;
arm((at) => {
  if (at === point && ++times === Number(time)) Deno.kill(Deno.pid, "SIGKILL");
});

if (direction === "to") await toShared(data, shared, { address, final: true });
else await toDirectory(shared, data, { address });
